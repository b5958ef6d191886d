"""The plugins of a server, and what they are given to work with."""

from __future__ import annotations

from nekonex.connect.host.catalog import Catalog
from nekonex.connect.host.host import PluginHost, PluginStatus
from nekonex.connect.host.link import Link
from nekonex.connect.host.plugin import Plugin

__all__ = ["Catalog", "Link", "Plugin", "PluginHost", "PluginStatus"]

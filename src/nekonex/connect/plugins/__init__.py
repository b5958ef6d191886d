"""Plugins on the disk: their spec sheets, loading them, checking them, making new ones."""

from __future__ import annotations

from nekonex.connect.plugins.checking import CheckReport, check_plugin
from nekonex.connect.plugins.errors import PluginLoadError
from nekonex.connect.plugins.loading import LoadedPlugin, load_plugin
from nekonex.connect.plugins.modules import ROOT_PACKAGE, plugin_of_module
from nekonex.connect.plugins.scaffold import PluginExistsError, ScaffoldError, write_scaffold
from nekonex.connect.plugins.server_files import CONFIG_FILE, is_server_data
from nekonex.connect.plugins.spec import (
    MAX_SPEC_SIZE,
    SPEC_FILE,
    PluginSpec,
    SpecError,
    decode_spec,
    parse_spec,
    read_spec,
)
from nekonex.connect.plugins.watching import fingerprint

__all__ = [
    "CONFIG_FILE",
    "MAX_SPEC_SIZE",
    "ROOT_PACKAGE",
    "SPEC_FILE",
    "CheckReport",
    "LoadedPlugin",
    "PluginExistsError",
    "PluginLoadError",
    "PluginSpec",
    "ScaffoldError",
    "SpecError",
    "check_plugin",
    "decode_spec",
    "fingerprint",
    "is_server_data",
    "load_plugin",
    "parse_spec",
    "plugin_of_module",
    "read_spec",
    "write_scaffold",
]

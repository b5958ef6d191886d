"""The configuration: a TOML file, environment variables over it, and the checks on both."""

from nekonex.config.checks import config_warnings
from nekonex.config.errors import ConfigError
from nekonex.config.loading import DEFAULT_FILE, find_file, load_config
from nekonex.config.models import (
    AccountsSection,
    Config,
    ConnectSection,
    GameConfig,
    HttpSection,
    LimitsSection,
    ServerSection,
    StorageSection,
)
from nekonex.config.starter import render_starter

__all__ = [
    "DEFAULT_FILE",
    "AccountsSection",
    "Config",
    "ConfigError",
    "ConnectSection",
    "GameConfig",
    "HttpSection",
    "LimitsSection",
    "ServerSection",
    "StorageSection",
    "config_warnings",
    "find_file",
    "load_config",
    "render_starter",
]

"""What an operator can set: one frozen tree, read from a TOML file and the environment before anything starts.
Nothing here opens a store or a socket; the composition root hands single values to the rooms that need them."""

from hub.settings.described import SettingRow, defaults_warnings, describe
from hub.settings.kept import KeptSecret, ensure_data_dir, ensure_secrets
from hub.settings.reading import load
from hub.settings.tree import ENV_PREFIX, Settings

__all__ = [
    "ENV_PREFIX",
    "KeptSecret",
    "SettingRow",
    "Settings",
    "defaults_warnings",
    "describe",
    "ensure_data_dir",
    "ensure_secrets",
    "load",
]

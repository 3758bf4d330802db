"""Settings whose feature this version does not have. To take them and do nothing would be worse than not to start."""

from hub.errors import SettingsError
from hub.settings.tree import Settings


def refuse_unserved(settings: Settings) -> None:
    """Raises SettingsError for a value that asks for what is not there yet."""
    if settings.plugins or settings.plugin_folder is not None:
        name = "PLUGINS" if settings.plugins else "PLUGIN_FOLDER"
        raise SettingsError(f"{name} must be unset: this version runs no plugins")

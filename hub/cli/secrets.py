"""Finding the secrets a hub uses, without ever making one: in the settings, or kept in `DATA_DIR`."""

from pathlib import Path

from pydantic import SecretStr

from hub.settings import Settings, ensure_secrets
from hub.settings.kept import FILES

# Stands in for the secret that is not asked for, so that nothing is generated for it.
_ANY = SecretStr("0123456789abcdef")


def kept_file(settings: Settings, name: str) -> Path:
    """Where the hub keeps `admin_token` or `secret_key` when it is not set."""
    return settings.data_dir / FILES[name]


def admin_token(settings: Settings) -> str | None:
    """The bearer token of the admin API; None when there is none yet. SettingsError when its file cannot be used."""
    if settings.admin_token is not None:
        return settings.admin_token.get_secret_value()
    if not kept_file(settings, "admin_token").exists():
        return None
    completed, _ = ensure_secrets(settings.model_copy(update={"secret_key": (_ANY,)}))
    return None if completed.admin_token is None else completed.admin_token.get_secret_value()


def secret_keys(settings: Settings) -> list[str]:
    """The keys that seal and open, newest first; none when there are none yet. SettingsError as above."""
    keys = settings.secret_key
    if not keys and kept_file(settings, "secret_key").exists():
        completed, _ = ensure_secrets(settings.model_copy(update={"admin_token": _ANY}))
        keys = completed.secret_key
    return [key.get_secret_value() for key in keys]

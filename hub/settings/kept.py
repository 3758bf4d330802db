"""Secrets that the hub makes for itself when the operator sets none, and the folder they are kept in.
What they are used for (sealing at rest, the admin API) is not known here."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr, TypeAdapter, ValidationError

from hub.errors import SettingsError
from hub.settings import kinds
from hub.settings.tree import Settings

SECRET_BYTES = 32
FILES = {"secret_key": "secret.key", "admin_token": "admin.token"}

_keys: TypeAdapter[tuple[SecretStr, ...]] = TypeAdapter(kinds.Secrets)


class KeptSecret(NamedTuple):
    """A secret that lives in `DATA_DIR`: the setting it stands for, its file, and whether this start made it."""

    name: str
    path: Path
    created: bool


def ensure_data_dir(settings: Settings) -> Path:
    """The data folder, made (mode 0700) if it is not there. Raises SettingsError."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"DATA_DIR {settings.data_dir} cannot be made: {error.strerror}") from None
    return settings.data_dir


def ensure_secrets(settings: Settings) -> tuple[Settings, tuple[KeptSecret, ...]]:
    """Fill in the key and the admin token that are not set from `DATA_DIR`, generating each on the first start.

    Returns the completed settings and, for each one filled in, where it is kept. A file holds one secret, or for the
    key several, newest first, one a line or with commas between. Raises SettingsError when a file can be read by others
    or holds nothing usable.
    """
    kept: list[KeptSecret] = []
    filled: dict[str, object] = {}
    for field, file_name in FILES.items():
        if getattr(settings, field):
            continue
        path = ensure_data_dir(settings) / file_name
        try:
            created = _create(path, secrets.token_urlsafe(SECRET_BYTES))
            keys = _read(field.upper(), path)
        except OSError as error:
            raise SettingsError(f"{field.upper()} cannot be kept in {path}: {error.strerror}") from None
        filled[field] = keys if field == "secret_key" else keys[0]
        kept.append(KeptSecret(field.upper(), path, created))
    return settings.model_copy(update=filled), tuple(kept)


def _create(path: Path, secret: str) -> bool:
    """Make the file with the secret in it, unless it exists. It appears whole or not at all, also for a second hub
    that starts at the same moment: it is written beside its place and then linked into it, which never replaces."""
    if path.exists():
        return False
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{secret}\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
            return True
        return False
    finally:
        draft.unlink()


def _read(name: str, path: Path) -> tuple[SecretStr, ...]:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise SettingsError(f"{name} is kept in {path}, which others may read (mode {mode:04o}): chmod 600 it")
    try:
        keys = _keys.validate_python(path.read_text(encoding="utf-8").strip())
    except (ValidationError, UnicodeDecodeError):
        keys = ()
    if not keys:
        raise SettingsError(f"{name} is kept in {path}, which must hold at least {kinds.MIN_SECRET_CHARS} characters")
    return keys

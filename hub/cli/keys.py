"""`ocpi-hub keys`: moving everything sealed in the store to a new secret key (ruling 21).

A key in the settings is the operator's: a new one stands there in front before the command is called. A key kept in
`DATA_DIR` is the hub's: the command makes the new one. Then the order is such that a crash at any point loses nothing:
new key in front of the old one on disk, everything sealed again, old key out; the next call goes on where one stopped.
"""

import asyncio
import os
import secrets
from pathlib import Path

import click
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from hub.cli.options import config_option, settings_from
from hub.cli.screen import cell, console, note
from hub.cli.secrets import kept_file, secret_keys
from hub.settings import ENV_PREFIX, Settings
from hub.settings.kept import SECRET_BYTES
from hub.store.open import create
from hub.store.vault import Resealed, Vault
from hub.store.vault import rotate as seal_again
from hub.web.admin.client import health


@click.group()
def keys() -> None:
    """The secret key that seals what is stored."""


@keys.command()
@config_option
def rotate(config: Path | None) -> None:
    """Seal everything stored with the newest key; inbound tokens keep working.

    With SECRET_KEY set, put the new key in front of the old one first. With a key kept in DATA_DIR, a new one is made.
    """
    settings = settings_from(config)
    known = secret_keys(settings)
    if not known:
        raise click.ClickException("there is no secret key yet: the first start of the hub makes one")
    kept = None if settings.secret_key else kept_file(settings, "secret_key")
    resealed = asyncio.run(_rotated(settings, known, kept))
    count = f"{resealed.platforms} platforms and {resealed.keys} keys of the hub itself"
    if kept is not None:
        console().print(cell(f"{count} are sealed with a new key, which is kept in {kept}"))
    elif resealed == Resealed(0, 0):
        console().print(cell("everything was sealed with the newest key already"))
    else:
        console().print(cell(f"{count} are sealed with the newest key now"))
    if kept is None and len(known) > 1:
        note("No stored secret needs the older keys any more; they can leave SECRET_KEY.")


async def _rotated(settings: Settings, known: list[str], kept: Path | None) -> Resealed:
    if kept is not None and settings.sqlite_file is None:
        await _refuse_while_running(settings)
    store = create(settings.database_url, settings.mongodb_driver, settings.data_dir)
    # Opened before a key is made: a SQLite file that a running hub holds ends the command here, with nothing changed.
    await store.open()
    try:
        if kept is not None and len(known) == 1:
            known = [secrets.token_urlsafe(SECRET_BYTES), *known]
            write_keys(kept, known)
        with _progress() as progress:
            progress.add_task("sealing with the newest key", total=None)
            resealed = await seal_again(store, Vault(known))
        if kept is not None:
            write_keys(kept, known[:1])
    finally:
        await store.close()
    return resealed


async def _refuse_while_running(settings: Settings) -> None:
    """A running hub has only read the old key and could not open what is sealed with a new one."""
    if await health(settings.public_url, settings.ca_file) is None:
        raise click.ClickException(
            "the hub is running and knows only the old key: stop it first, or set "
            f"{ENV_PREFIX}SECRET_KEY to the new and the old key, restart it, and rotate then"
        )


def write_keys(path: Path, keys: list[str]) -> None:
    """Replaces the file, newest key first, so that a crash leaves the old or the new content, never a part."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write("".join(f"{key}\n" for key in keys))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _progress() -> Progress:
    screen = console()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal)

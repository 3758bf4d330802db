"""What `ocpi-hub check` looks at, a line for each: settings, plugins, secrets, store, keys, network.

Nothing is changed.
"""

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from hub.broker.plugins.choices import ChoiceBook
from hub.cli.secrets import admin_token, kept_file, secret_keys
from hub.domain.platform import Platform
from hub.errors import HubError, KeyUnusable, SettingsError, StoreUnavailable
from hub.net.tls import Trust
from hub.plugin.loader import DEFAULT_SET, available, chosen, configured
from hub.settings import Settings, defaults_warnings
from hub.store.open import create
from hub.store.ports import Store
from hub.store.sqlite import schema as sqlite_schema
from hub.store.sqlite.lock import FileLock
from hub.store.vault import Vault
from hub.web.admin.client import health

_LOCAL = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what was looked at, whether it is fine (None: a remark), and what was found."""

    what: str
    ok: bool | None
    found: str


def settings_lines(settings: Settings, config: Path | None) -> Iterator[Line]:
    """What was read, and what nobody has chosen yet."""
    count = len(settings.model_fields_set)
    yield Line("settings", True, f"{count} set, by {config} and the environment" if config else f"{count} set")
    for warning in defaults_warnings(settings):
        yield Line("settings", None, warning)
    yield from _plugin_lines(settings, "the environment" if config is None else str(config))


def _plugin_lines(settings: Settings, source: str) -> Iterator[Line]:
    """Which plugins run by these settings, and which cannot."""
    found = available(settings.plugin_folder)
    names = [name for name in DEFAULT_SET if name in found] if settings.plugins is None else list(settings.plugins)
    broken = {one.name: f"{one.name} ({one.origin}) cannot run: {one.problem}" for one in found.values() if one.problem}
    for name, sentence in broken.items():
        yield Line("PLUGINS", False if name in names else None, sentence)
    try:
        running = chosen([name for name in names if name not in broken], settings.plugin, found, source)
    except SettingsError as problem:
        yield Line("PLUGINS", False, str(problem))
    else:
        yield Line("PLUGINS", True, ", ".join(one.name for one in running) or "none run")


def secret_lines(settings: Settings) -> Iterator[Line]:
    """Whether the two secrets are there and for the hub's eyes only."""
    for name, read in (("admin_token", admin_token), ("secret_key", secret_keys)):
        path = kept_file(settings, name)
        try:
            found = read(settings)
        except SettingsError as problem:
            yield Line(name.upper(), False, str(problem))
            continue
        if getattr(settings, name):
            yield Line(name.upper(), True, "set by the settings")
        elif found:
            yield Line(name.upper(), True, f"kept in {path}")
        else:
            yield Line(name.upper(), None, f"not set; the first start keeps a generated one in {path}")
    yield _folder_line("DATA_DIR", settings.data_dir)


def _folder_line(name: str, folder: Path) -> Line:
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not os.access(nearest, os.W_OK | os.X_OK) or not nearest.is_dir():
        return Line(name, False, f"{folder} cannot be written to")
    return Line(name, True, str(folder)) if nearest == folder else Line(name, None, f"{folder} will be made")


async def store_lines(settings: Settings) -> list[Line]:
    """Opens the store, which brings its schema up to date, and tries the keys on everything sealed in it."""
    file = settings.sqlite_file
    if file is not None and not file.exists():
        return [Line("DATABASE_URL", None, f"{file} will be made"), _folder_line("DATABASE_URL", file.parent)]
    if file is not None and _in_use(file):
        return [Line("DATABASE_URL", None, f"{file} is in use by a running hub, so it was not looked into")]
    try:
        store = create(settings.database_url, settings.mongodb_driver, settings.data_dir)
        await store.open()
    except HubError as problem:
        return [Line("DATABASE_URL", False, str(problem))]
    number = sqlite_schema.STEPS[-1].number if file is not None else _mongo_schema()
    lines = [Line("DATABASE_URL", True, f"{settings.database_shown} answers, schema {number}")]
    try:
        lines += await _choice_lines(store, settings)
        return [*lines, *await _key_lines(store, secret_keys(settings))]
    except StoreUnavailable as problem:
        return [Line("DATABASE_URL", False, str(problem))]
    except SettingsError:
        return lines  # told among the secrets
    finally:
        await store.close()


def _in_use(file: Path) -> bool:
    lock = FileLock(file)
    try:
        lock.acquire()
    except StoreUnavailable:
        return True
    except OSError:
        return False  # opening the file says why
    lock.release()
    return False


def _mongo_schema() -> int:
    from hub.store.mongo.schema import STEPS

    return STEPS[-1].number


async def _choice_lines(store: Store, settings: Settings) -> list[Line]:
    """What operators chose about plugins at run time, which counts more than the settings."""
    choices = await ChoiceBook(store.shelf).load()
    chosen_so = {"on": choices.enabled, "off": choices.disabled, "configured": tuple(choices.config)}
    told = [f"{', '.join(names)} {how}" for how, names in chosen_so.items() if names]
    lines = [Line("PLUGINS", None, f"by operators: {'; '.join(told)}")] if told else []
    found = available(settings.plugin_folder) if choices.config else {}
    for name, table in choices.config.items():
        one = found.get(name)
        if one is not None and one.plugin is not None:
            try:
                configured(one.plugin, table, f"plugin.{name}", "what an operator set")
            except SettingsError as problem:
                lines.append(Line("PLUGINS", False, str(problem)))
    return lines


async def _key_lines(store: Store, keys: list[str]) -> list[Line]:
    """Whether the secret keys open what is sealed, and whether older ones are still needed."""
    sealed = {f"the hub's key {name!r}": await store.keys.get(name) or "" for name in await store.keys.names()}
    for platform in await store.platforms.load_all():
        sealed |= _sealed_of(platform)
    if not sealed:
        return [Line("SECRET_KEY", None, "nothing is sealed yet")]
    if not keys:
        return [Line("SECRET_KEY", False, f"{len(sealed)} secrets are sealed and there is no key to open them")]
    vault = Vault(keys)
    shut = [name for name, text in sealed.items() if not _opens(vault, text)]
    if shut:
        shown = ", ".join(shut[:3])
        return [Line("SECRET_KEY", False, f"opens {len(sealed) - len(shut)} of {len(sealed)} secrets; not {shown}")]
    older = sum(not vault.is_current(text) for text in sealed.values())
    lines = [Line("SECRET_KEY", True, f"opens all {len(sealed)} sealed secrets")]
    if older:
        lines.append(Line("SECRET_KEY", None, f"{older} are sealed with an older key: `ocpi-hub keys rotate`"))
    return lines


def _sealed_of(platform: Platform) -> dict[str, str]:
    sealed: dict[str, str] = {}
    if platform.connection is not None:
        sealed[f"the token of platform {platform.id}"] = platform.connection.sealed_token
    if platform.settings.client_certificate is not None:
        sealed[f"the certificate key of platform {platform.id}"] = platform.settings.client_certificate.sealed_key
    return sealed


def _opens(vault: Vault, sealed: str) -> bool:
    try:
        vault.open(sealed)
    except KeyUnusable:
        return False
    return True


async def network_lines(settings: Settings) -> list[Line]:
    """Where the hub listens, what it tells platforms, and whom it may connect to."""
    lines: list[Line] = []
    trusted = settings.ca_file
    try:
        Trust(trusted)
    except SettingsError as problem:
        trusted = None
        lines.append(Line("CA_FILE", False, str(problem)))
    else:
        lines.append(Line("CA_FILE", True, str(settings.ca_file or "the certificate authorities of the system")))
    absent = await health(settings.public_url, trusted)
    lines.append(_port_line(settings, answering=absent is None))
    public = urlsplit(settings.public_url)
    if public.scheme == "http" and public.hostname not in _LOCAL:
        lines.append(Line("PUBLIC_URL", None, "platforms will refuse or regret plain http outside this machine"))
    found = "a hub answers there" if absent is None else f"no hub answers there now ({absent})"
    lines.append(Line("PUBLIC_URL", True if absent is None else None, f"{settings.public_url}: {found}"))
    if settings.allow_http:
        lines.append(Line("ALLOW_HTTP", None, "party URLs may be plain http: tokens travel unencrypted"))
    if settings.allowed_networks:
        networks = ", ".join(str(network) for network in settings.allowed_networks)
        lines.append(Line("ALLOWED_NETWORKS", None, f"party URLs may lead to {networks}"))
    return lines


def _port_line(settings: Settings, *, answering: bool) -> Line:
    where = f"{settings.host}:{settings.port}"
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as problem:
        if answering:
            return Line("PORT", True, f"a hub serves on {where}")
        return Line("PORT", False, f"the hub cannot listen on {where}: {problem.strerror or problem}")
    return Line("PORT", True, f"{where} is free")

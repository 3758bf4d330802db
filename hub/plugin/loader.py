"""Which plugins there are, and which of them run with which configuration. Making instances of them and calling their
hooks is the host's matter.
"""

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from hub.errors import SettingsError
from hub.plugin.api import Plugin
from hub.plugin.config import PluginConfig
from hub.plugin.configuring import configured, told
from hub.plugin.inspecting import nearest, problems_of_class

__all__ = ["DEFAULT_SET", "ENTRY_POINTS", "Available", "Chosen", "available", "chosen", "configured", "open_folder"]

ENTRY_POINTS = "ocpi_hub.plugins"
DEFAULT_SET = ("rate_limit", "message_log", "schema_check", "load_manager")
"""What runs when nothing is chosen, as far as it is installed."""

# The folder's files are modules of one package, so that what is in them has a name by which another process finds it.
FOLDER_PACKAGE = "ocpi_hub_plugin_folder"


@dataclass(frozen=True, slots=True)
class Available:
    """A plugin that was found. `origin` is its distribution and version, or its file; `plugin` is None when it cannot
    run, and `problem` is a sentence that says why.
    """

    name: str
    plugin: type[Plugin[Any]] | None
    origin: str
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """A plugin that is to run, and its configuration."""

    name: str
    plugin: type[Plugin[Any]]
    config: PluginConfig
    origin: str


# ---- finding


def available(folder: Path | None) -> dict[str, Available]:
    """Every plugin by name: those of installed distributions, then the files of `folder`. Each is imported; a mistake
    in one is that one's `problem`.
    """
    found: dict[str, Available] = {}
    for entry in (*_installed(), *(_in_folder(folder) if folder is not None else ())):
        other = found.get(entry.name)
        found[entry.name] = entry if other is None else _clash(other, entry)
    return found


def _clash(first: Available, second: Available) -> Available:
    origins = f"{first.origin} and {second.origin}"
    return Available(first.name, None, origins, f"{origins} call their plugins the same: keep one of them")


def _installed() -> Iterator[Available]:
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        origin = point.value if point.dist is None else f"{point.dist.name} {point.dist.version}"
        try:
            loaded = point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001  whatever somebody's module does
            yield Available(point.name, None, origin, f"importing {point.value} fails with {told(error)}")
            continue
        if not _is_plugin(loaded):
            yield Available(point.name, None, origin, f"{point.value} must be a class derived from hub.plugin.Plugin")
        elif (own := getattr(loaded, "name", point.name)) != point.name:
            problem = f"its entry point is called {point.name} and itself {own!r}: make the two the same"
            yield Available(point.name, None, origin, problem)
        else:
            yield _judged(point.name, loaded, origin)


def open_folder(folder: Path) -> None:
    """Makes the files of `folder` importable. A process that unpickles what is in them needs it too."""
    where = str(folder.resolve())
    package = sys.modules.get(FOLDER_PACKAGE)
    if package is None or package.__path__ != [where]:
        for name in [name for name in sys.modules if name.startswith(f"{FOLDER_PACKAGE}.")]:
            del sys.modules[name]  # of another folder
        package = sys.modules[FOLDER_PACKAGE] = ModuleType(FOLDER_PACKAGE)
        package.__path__ = [where]
    importlib.invalidate_caches()


def _in_folder(folder: Path) -> Iterator[Available]:
    open_folder(folder)
    for path in sorted(folder.glob("*.py")):
        if not path.name.startswith("_"):
            yield _of_file(path)


def _of_file(path: Path) -> Available:
    name, origin = path.stem, str(path)
    if not name.isidentifier():
        return Available(name, None, origin, "its file must be called by letters, digits and underscores: rename it")
    try:
        module = importlib.import_module(f"{FOLDER_PACKAGE}.{name}")
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever somebody's file does
        return Available(name, None, origin, f"importing it fails with {told(error)}")
    own = {value for value in vars(module).values() if _is_plugin(value) and value.__module__ == module.__name__}
    if len(own) != 1:
        defined = " and ".join(sorted(cls.__name__ for cls in own)) or "no plugin"
        return Available(name, None, origin, f"it defines {defined}: a file holds one class derived from Plugin")
    (cls,) = own
    called = getattr(cls, "name", None)
    return _judged(called if isinstance(called, str) and called else name, cls, origin)


def _is_plugin(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Plugin) and value is not Plugin


def _judged(name: str, cls: type[Plugin[Any]], origin: str) -> Available:
    problems = problems_of_class(cls)
    return Available(name, None, origin, problems[0]) if problems else Available(name, cls, origin)


# ---- choosing


def chosen(
    names: Sequence[str] | None,
    tables: Mapping[str, Mapping[str, Any]],
    found: Mapping[str, Available],
    source: str,
) -> list[Chosen]:
    """The plugins that are to run, in order, each with its configuration. `names` None is the default set; `source` is
    the file that names and tables are from. Raises SettingsError, one sentence that says what to change.
    """
    for name in tables:
        if name not in found:
            raise SettingsError(f"{source}: [plugin.{name}] is of a plugin that is not there{_instead_of(name, found)}")
    if names is None:
        names = [name for name in DEFAULT_SET if name in found]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"{source}: plugins names {name} twice: each plugin runs once, remove one of them")
    return [_chosen(name, tables.get(name, {}), found, source) for name in names]


def _chosen(name: str, table: Mapping[str, Any], found: Mapping[str, Available], source: str) -> Chosen:
    entry = found.get(name)
    if entry is None:
        raise SettingsError(f"{source}: plugins names {name}, which is not there{_instead_of(name, found)}")
    if entry.plugin is None:
        raise SettingsError(f"{source}: the plugin {name} ({entry.origin}) cannot run: {entry.problem}")
    return Chosen(name, entry.plugin, configured(entry.plugin, table, f"plugin.{name}", source), entry.origin)


def _instead_of(name: str, found: Mapping[str, Available]) -> str:
    return nearest(name, found) or ": install it, or put its file into PLUGIN_FOLDER"

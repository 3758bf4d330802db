"""Which modules need each other while they are imported: two that do cannot be imported in any order, so one of them
leans on what another has imported before.

Run as a program it imports the modules it is given and notes who asks for whom before it is done itself. A package is
there before what is in it, so a module's own packages do not count unless it asks for them by name.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from typing import Any

Needs = dict[str, set[str]]


class Watching:
    """Notes imports of modules of these packages, made by modules of theirs that are still being imported."""

    def __init__(self, modules: list[str]) -> None:
        self.needs: Needs = defaultdict(set)
        self._known = set(modules)
        self._packages = {module.partition(".")[0] for module in modules}
        self._import = builtins.__import__

    def _ours(self, name: str) -> bool:
        return name.partition(".")[0] in self._packages

    def __call__(
        self,
        name: str,
        globals: Any = None,  # noqa: A002 - the names that `__import__` has
        locals: Any = None,  # noqa: A002
        fromlist: Any = (),
        level: int = 0,
    ) -> Any:
        by = (globals or {}).get("__name__", "")
        if self._ours(by) and self._unfinished(by) and level == 0 and self._ours(name):
            members = [f"{name}.{member}" for member in fromlist or ()]
            for member in members:
                self._note(by, member)
            if not members or not self._known.issuperset(members):
                self.needs[by].add(name)
            self._note(by, name)
        return self._import(name, globals, locals, fromlist or (), level)

    def _unfinished(self, module: str) -> bool:
        spec = getattr(sys.modules.get(module), "__spec__", None)
        return bool(getattr(spec, "_initializing", False))

    def _note(self, by: str, name: str) -> None:
        """The module and the packages it is in, but for those that `by` is in too."""
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            package = ".".join(parts[:end])
            if not f"{by}.".startswith(f"{package}."):
                self.needs[by].add(package)


def circle(modules: list[str]) -> list[str] | None:
    """Modules that need each other in a circle, or None."""
    watching = Watching(modules)
    builtins.__import__ = watching
    try:
        for module in modules:
            importlib.import_module(module)
    finally:
        builtins.__import__ = watching._import
    known = set(modules)
    graph = {by: {name for name in names if name in known and name != by} for by, names in watching.needs.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as found:
        return list(found.args[1])
    return None


def main(modules: list[str]) -> int:
    found = circle(modules)
    if found is not None:
        sys.stderr.write(f"these need each other while they are imported: {' <- '.join(found)}\n")
    return 0 if found is None else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

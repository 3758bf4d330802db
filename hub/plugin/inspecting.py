"""What can be known about a plugin before it sees a message: mistakes in its class, its watches and its routes, each as
one sentence with its remedy. Nothing here runs a hook.
"""

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from hub.ocpi.names import CONFIGURATION_MODULES, Interface, Role
from hub.ocpi.party_id import well_formed
from hub.plugin.api import LocalParty, Plugin
from hub.plugin.config import PluginConfig
from hub.plugin.web import Route
from hub.plugin.words import API_VERSION, Body, Delivery, Phase, Watch

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
HOOKS = tuple(name for name in vars(Plugin) if name.startswith("on_"))
PHASE_HOOKS = {phase: f"on_{phase}" for phase in Phase}

_CALLED = tuple(name for name, value in vars(Plugin).items() if inspect.isfunction(value) and name != "__init__")
_NEVER_GENERATORS = {*HOOKS, "start", "stop", "leave", "handle"}
_CONDITION = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*(\d+)(?:\.(\d+))?\s*")
_COMPARE = {">=": ge, ">": gt, "<": lt, "<=": le, "==": eq, "!=": ne}
_PATH = re.compile(r"/[^/{}?#]+(?:/(?:[^/{}?#]+|\{[a-z_][a-z0-9_]*\}))*/?")


def nearest(name: str, names: Iterable[str]) -> str:
    """`"; the nearest one is x"`, or nothing when none is near."""
    close = difflib.get_close_matches(name, tuple(names), n=1, cutoff=0.5)
    return f"; the nearest one is {close[0]}" if close else ""


# ---- the class


def problems_of_class(cls: type[Plugin[Any]]) -> list[str]:
    """What keeps a class from being run as a plugin, the graver first; empty when nothing does."""
    return [f"{cls.__name__}{problem}" for problem in _problems_of_class(cls)]


def _problems_of_class(cls: type[Plugin[Any]]) -> Iterator[str]:
    name = getattr(cls, "name", None)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        wanted = "at most 40 lower case letters, digits and underscores, a letter first"
        yield f".name is {'missing' if name is None else repr(name)}: give it {wanted}"
    if (problem := _problem_of_api(cls.api)) is not None:
        yield f".api {problem}"
    for attribute in dir(cls):
        if attribute.startswith("on_") and attribute not in HOOKS and callable(getattr(cls, attribute)):
            yield f".{attribute} is no hook{nearest(attribute, HOOKS)}; a method of your own starts otherwise"
    for method in _CALLED:
        if (problem := _problem_of_method(cls, method)) is not None:
            yield f".{method} {problem}"
    config: object = cls.Config
    if not (isinstance(config, type) and issubclass(config, PluginConfig)):
        yield ".Config must be a class derived from PluginConfig"
    if not _takes(cls, 2):
        yield ".__init__ must take (self, config, hub): whatever else it needs it finds there"


def _problem_of_method(cls: type[Plugin[Any]], name: str) -> str | None:
    method = getattr(cls, name)
    if not callable(method):
        return "must be a method, or be left out"
    if name in _NEVER_GENERATORS and (inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method)):
        return "must return its value: with yield in it, it is a generator and would never run"
    passed = list(inspect.signature(getattr(Plugin, name)).parameters)
    static = isinstance(inspect.getattr_static(cls, name), staticmethod | classmethod)
    if not _takes(method, len(passed) - static):
        return f"must take ({', '.join(passed)})"
    return None


def _takes(method: Callable[..., object], count: int) -> bool:
    try:
        inspect.signature(method).bind(*range(count))
    except (TypeError, ValueError):
        return False
    return True


def _problem_of_api(wanted: object) -> str | None:
    """Why this version of the API does not fit a specifier such as ">=1,<2"; None when it does.

    A condition with one number is about the major number alone: `==1` is met by 1.4, `>1` is not.
    """
    conditions = [_CONDITION.fullmatch(part) for part in wanted.split(",")] if isinstance(wanted, str) else [None]
    for condition in conditions:
        if condition is None:
            return f"cannot be read: {wanted!r} is not of the form '>=1,<2'"
        sign, major, minor = condition.groups()
        bound = (int(major),) if minor is None else (int(major), int(minor))
        if not _COMPARE[sign](API_VERSION[: len(bound)], bound):
            has = ".".join(map(str, API_VERSION))
            return f"asks for {wanted}, and this hub has {has}: another version of the plugin or of the hub is needed"
    return None


# ---- its watches


def overridden(plugin: Plugin[Any], hook: str) -> bool:
    """Whether the plugin has this method of its own."""
    return getattr(getattr(plugin, hook), "__func__", None) is not getattr(Plugin, hook)


def problems_of_watches(plugin: Plugin[Any], watches: Sequence[object]) -> list[str]:
    """What is wrong with what `plugin.watches()` gave; empty when nothing is."""
    problems: list[str] = []
    asked: set[Phase] = set()
    for watch in watches:
        if isinstance(watch, Watch):
            problems += _problems_of_watch(plugin, watch)
            asked |= _phases(watch) or set()
        else:
            problems.append(f"watches() gives {watch!r}: make it a Watch")
    if watches:
        problems += [
            f"{hook} is never called: add Phase.{phase.name} to the phases of a watch"
            for phase, hook in PHASE_HOOKS.items()
            if phase not in asked and overridden(plugin, hook)
        ]
    return problems


def _phases(watch: Watch) -> set[Phase] | None:
    """None when they are not a set of phases at all, whatever the annotation says."""
    phases: object = watch.phases
    return {Phase(phase) for phase in phases} if isinstance(phases, AbstractSet) and phases <= set(Phase) else None


def _mistyped(watch: Watch) -> str | None:
    """What a type checker would have said; whoever runs none learns it here."""
    members: tuple[tuple[str, type, str], ...] = (
        ("request", Body, "a Body, such as Body.READ"),
        ("response", Body, "a Body, such as Body.READ"),
        ("delivery", Delivery, "a Delivery"),
        ("max_body", int, "a number of bytes"),
    )
    for member, kind, wanted in members:
        if not isinstance(value := getattr(watch, member), kind):
            return f"a watch has {member}={value!r}: make it {wanted}"
    for condition in ("kinds", "modules", "methods"):
        value = getattr(watch, condition)
        if value is not None and not isinstance(value, str | AbstractSet | tuple | list):
            return f"a watch has {condition}={value!r}: make it a set"
    return None


def _problems_of_watch(plugin: Plugin[Any], watch: Watch) -> Iterator[str]:
    phases = _phases(watch)
    if phases is None:
        yield f"a watch has the phases {watch.phases!r}: make them a set of Phase, such as {{Phase.ROUTED}}"
        return
    if not phases:
        yield "a watch has no phases and sees nothing: name one, such as {Phase.ROUTED}"
    for phase, hook in PHASE_HOOKS.items():
        if phase in phases and not overridden(plugin, hook):
            yield f"a watch asks for Phase.{phase.name}, and there is no {hook}: write it, or leave the phase out"
    mistyped = _mistyped(watch)
    if mistyped is not None:
        yield mistyped
        return
    for condition in ("kinds", "modules", "methods"):
        if isinstance(value := getattr(watch, condition), str):  # whose "in" would look at letters
            yield f"a watch has {condition}={str(value)!r}: make it a set, {{{str(value)!r}}}"
    if isinstance(watch.methods, AbstractSet):
        for method in sorted(set(watch.methods) - set(METHODS), key=str):
            yield f"a watch asks for the method {method}: those of OCPI are {', '.join(METHODS)}"
    if watch.max_body <= 0:
        yield f"a watch has max_body={watch.max_body}: name a number of bytes above 0, or leave it out"
    if watch.delivery is not Delivery.LOSSY and Phase.FINISHED not in phases:
        yield f"a watch is {watch.delivery.name} without Phase.FINISHED: add the phase, or leave delivery out"


# ---- its routes


def problems_of_routes(routes: Sequence[object]) -> list[str]:
    """What is wrong with what `plugin.routes()` gave; empty when nothing is."""
    problems: list[str] = []
    seen: set[tuple[str, str, str]] = set()
    for route in routes:
        if not isinstance(route, Route):
            problems.append(f"routes() gives {route!r}: make it a Route")
            continue
        called = f"the route {route.method} {route.path}"
        if route.method not in METHODS:
            problems.append(f"{called} has no method that a route can have: take one of {', '.join(METHODS)}")
        if not _PATH.fullmatch(route.path):
            problems.append(f"{called} must be like /name/{{part}}: a slash, and first a part that is the plugin's own")
        # Two routes that differ in the names of their open parts alone answer the same calls.
        spot = (route.method, re.sub(r"\{\w*\}", "{}", route.path), route.audience)
        if spot in seen:
            problems.append(f"{called} is there twice for {route.audience}: remove one")
        seen.add(spot)
    return problems


# ---- its parties


def problems_of_parties(parties: Sequence[object]) -> list[str]:
    """What is wrong with what `plugin.parties()` gave; empty when nothing is."""
    problems: list[str] = []
    seen: set[tuple[object, ...]] = set()
    for party in parties:
        if not isinstance(party, LocalParty):
            problems.append(f"parties() gives {party!r}: make it a LocalParty")
            continue
        called = f"the party {party.country_code}/{party.party_id}"
        role: object = party.role
        if not isinstance(role, Role) or role is Role.HUB:
            problems.append(f"{called} has the role {party.role!r}: make it a Role, and not HUB")
        texts: tuple[object, ...] = (party.country_code, party.party_id, party.name)
        if not all(isinstance(text, str) for text in texts) or not well_formed(party.country_code, party.party_id):
            problems.append(f"{called} needs two letters and one to three letters or digits, and a name")
            continue
        if not all(_is_endpoint(endpoint) for endpoint in party.endpoints or ()):
            problems.append(f"{called} has endpoints that are not (module, Interface) of modules that are routed")
        spot = (party.role, party.party)
        if spot in seen:
            problems.append(f"{called} is there twice: remove one")
        seen.add(spot)
    return problems


def _is_endpoint(endpoint: object) -> bool:
    if not isinstance(endpoint, tuple) or len(endpoint) != 2:
        return False
    module, interface = endpoint
    return isinstance(module, str) and module not in CONFIGURATION_MODULES and isinstance(interface, Interface)

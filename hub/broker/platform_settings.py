"""What an operator may set for one platform: a change as it was asked for, judged, and applied to what stood before.

Storing the result is the operations' part, reading it from JSON the admin API's.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from hub.broker.outreach import Outreach
from hub.broker.refusal import Refusal, RefusalKind
from hub.domain.platform import ClientCertificate, PlatformSettings
from hub.net.tls import client_certificate_problem
from hub.ocpi.names import BROADCAST_MODULES, CREDENTIALS, VERSIONS, Interface
from hub.ocpi.paging import MAX_LIMIT
from hub.ocpi.token import TokenEncoding
from hub.store.vault import Vault

LEAST_TIMEOUT_S = 0.01
MOST_TIMEOUT_S = 600.0
MOST_OVERRIDES = 100
MOST_HOSTS = 100
MOST_PER_PAGE = MAX_LIMIT
# Every pull is a crawl of pages at somebody else's expense: at most once a minute, at least once a week.
LEAST_PULL_S = 60.0
MOST_PULL_S = 7 * 86_400.0

_AS_GIVEN = frozenset({"token_encoding", "forward_timeout_s", "authorize_timeout_s", "page_limit"})
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]?)")
_HOST_AND_PORT = re.compile(r"(?P<host>[^:\s]+|\[[^\]\s]+\]):(?P<port>[0-9]{1,5})")
_MODULE = re.compile(r"[!-.0-~]{1,64}")  # printable ASCII without space and slash


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A client certificate as the operator gives it: PEM chain and PEM private key."""

    certificate_pem: str
    key_pem: str

    def __repr__(self) -> str:
        return "KeyPair()"


class SettingsChange(TypedDict, total=False):
    """The settings to change; what is absent stays, None goes back to the hub's own setting.

    Overrides ("module/INTERFACE" -> URL), hosts ("host" or "host:port") and `pull` (module -> seconds between two
    pulls) replace the ones before as a whole; a module whose seconds are None is not pulled.
    """

    token_encoding: TokenEncoding | None
    endpoint_overrides: Mapping[str, str] | None
    response_url_hosts: Sequence[str] | None
    forward_timeout_s: float | None
    authorize_timeout_s: float | None
    client_certificate: KeyPair | None
    page_limit: int | None
    broadcast_as_direct: bool | None
    pull: Mapping[str, float | None] | None


async def problem_with(change: SettingsChange, outreach: Outreach) -> Refusal | None:
    """The first thing in a change that cannot be used; None when all of it can."""
    return (
        _bad_timeout(change)
        or _bad_page_limit(change.get("page_limit"))
        or _bad_pull(change.get("pull") or {})
        or _bad_hosts(change.get("response_url_hosts") or ())
        or _bad_overrides(change.get("endpoint_overrides") or {}, outreach)
        or await _bad_certificate(change.get("client_certificate"))
    )


def applied(settings: PlatformSettings, change: SettingsChange, vault: Vault) -> PlatformSettings:
    """The settings after a change that `problem_with` found nothing wrong with; the private key is sealed."""
    members: dict[str, Any] = {name: value for name, value in change.items() if name in _AS_GIVEN}
    if "endpoint_overrides" in change:
        members["endpoint_overrides"] = dict(change["endpoint_overrides"] or {})
    if "response_url_hosts" in change:
        hosts = [host.lower() for host in change["response_url_hosts"] or ()]
        members["response_url_hosts"] = tuple(dict.fromkeys(hosts))
    if "broadcast_as_direct" in change:
        members["broadcast_as_direct"] = bool(change["broadcast_as_direct"])
    if "pull" in change:
        pull = change["pull"] or {}
        members["pull"] = {module: seconds for module, seconds in sorted(pull.items()) if seconds is not None}
    if "client_certificate" in change:
        pair = change["client_certificate"]
        shown = None if pair is None else ClientCertificate(pair.certificate_pem, vault.seal(pair.key_pem))
        members["client_certificate"] = shown
    return replace(settings, **members)


def _invalid(title: str, pointer: str) -> Refusal:
    return Refusal(RefusalKind.INVALID, title, pointer=pointer)


def _bad_timeout(change: SettingsChange) -> Refusal | None:
    timeouts = {
        "forward_timeout_s": change.get("forward_timeout_s"),
        "authorize_timeout_s": change.get("authorize_timeout_s"),
    }
    for name, seconds in timeouts.items():
        if seconds is not None and not LEAST_TIMEOUT_S <= seconds <= MOST_TIMEOUT_S:
            return _invalid(f"{name} must be from {LEAST_TIMEOUT_S:g} to {MOST_TIMEOUT_S:g} seconds", f"/{name}")
    return None


def _bad_page_limit(limit: int | None) -> Refusal | None:
    if limit is None or 1 <= limit <= MOST_PER_PAGE:
        return None
    return _invalid(f"A page has 1 to {MOST_PER_PAGE} objects", "/page_limit")


def _bad_pull(pull: Mapping[str, float | None]) -> Refusal | None:
    for module, seconds in pull.items():
        pointer = f"/pull/{module.replace('~', '~0').replace('/', '~1')}"
        if module not in BROADCAST_MODULES:
            known = ", ".join(sorted(BROADCAST_MODULES))
            return _invalid(f"What can be pulled is one of {known}", pointer)
        if seconds is not None and not LEAST_PULL_S <= seconds <= MOST_PULL_S:
            return _invalid(f"Two pulls lie {LEAST_PULL_S:g} to {MOST_PULL_S:g} seconds apart", pointer)
    return None


def _bad_hosts(hosts: Sequence[str]) -> Refusal | None:
    if len(hosts) > MOST_HOSTS:
        return _invalid(f"At most {MOST_HOSTS} response_url_hosts can be kept", "/response_url_hosts")
    for position, text in enumerate(hosts):
        found = _HOST_AND_PORT.fullmatch(text)
        host, port = (found["host"], int(found["port"])) if found else (text, 1)
        if not _HOST.fullmatch(host) or not 1 <= port <= 65535:
            return _invalid('A host is written as "host" or "host:port"', f"/response_url_hosts/{position}")
    return None


def _bad_overrides(overrides: Mapping[str, str], outreach: Outreach) -> Refusal | None:
    if len(overrides) > MOST_OVERRIDES:
        return _invalid(f"At most {MOST_OVERRIDES} endpoint_overrides can be kept", "/endpoint_overrides")
    for name, url in overrides.items():
        pointer = f"/endpoint_overrides/{name.replace('~', '~0').replace('/', '~1')}"
        module, _, interface = name.partition("/")
        if not _MODULE.fullmatch(module) or interface not in tuple(Interface):
            return _invalid('An endpoint is named "module/SENDER" or "module/RECEIVER"', pointer)
        if module in (CREDENTIALS, VERSIONS):
            return _invalid(f"The {module} endpoint is read from the platform itself and cannot be replaced", pointer)
        problem = outreach.url_problem(url)
        if problem is not None:
            return _invalid(f"The URL of {name} cannot be used: {problem}", pointer)
    return None


async def _bad_certificate(pair: KeyPair | None) -> Refusal | None:
    if pair is None:
        return None
    problem = await asyncio.to_thread(client_certificate_problem, pair.certificate_pem, pair.key_pem)
    return None if problem is None else _invalid(problem.removesuffix("."), "/client_certificate")

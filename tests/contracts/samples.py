"""Records for the store tests: one with every member filled, plain ones, and strategies for any of them."""

import uuid
from dataclasses import is_dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from hub.domain.platform import (
    ClientCertificate,
    Connection,
    Endpoint,
    HostedRole,
    InboundToken,
    Platform,
    PlatformSettings,
    RoleName,
    TokenPurpose,
)
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.ocpi.token import TokenEncoding
from hub.store.records import Callback, CdrLocation, PartyOn

NOW = datetime(2026, 3, 29, 0, 59, 59, 123457, tzinfo=UTC)


def new_id() -> str:
    return uuid.uuid4().hex


def invited(
    *approved: RoleName, fingerprints: tuple[str, ...] = (), created_at: datetime = NOW, platform_id: str | None = None
) -> Platform:
    """A platform that was only invited, with these triples reserved for it."""
    return Platform(
        id=platform_id or new_id(),
        name="North Grid Charging",
        created_at=created_at,
        updated_at=NOW,
        status_changed_at=NOW,
        approved=approved,
        tokens=tuple(InboundToken(text, TokenPurpose.REGISTRATION, NOW) for text in fingerprints),
    )


def registered(party: str = "NGC") -> Platform:
    """A platform with every member filled, none of them with its default."""
    offset = timezone(timedelta(hours=5, minutes=45))
    details = {
        "name": "Ladesäule Süd \u2014 充電 \U0001f50c",
        "website": "https://north.example/a?b=ü",
        "x_depth": [{"a.b": None, "$set": [True, 1, Decimal("0.2500")], "": "\u0000"}],
        "x_large": 12345678901234567890123,
    }
    return Platform(
        id=new_id(),
        name="Nord-Netz \u202eRTL ß",
        created_at=NOW,
        updated_at=NOW + timedelta(microseconds=1),
        status_changed_at=NOW.astimezone(offset),
        revision=1,
        approved=(RoleName(Role.CPO, "NL", party, "North"), RoleName(Role.SCSP, "NL", party)),
        open_roles=True,
        roles=(
            HostedRole(Role.CPO, "NL", party, details, NOW, suspended=True),
            HostedRole(Role.EMSP, "nl", party.lower(), {}, NOW + timedelta(days=1)),
        ),
        tokens=(
            InboundToken(f"{new_id()}{new_id()}", TokenPurpose.CREDENTIALS, NOW, NOW + timedelta(hours=1)),
            InboundToken(f"{new_id()}{new_id()}", TokenPurpose.REGISTRATION, NOW),
        ),
        connection=Connection(
            version="2.2.1",
            versions_url="https://north.example/ocpi/versions",
            sealed_token="gAAAA-not-really",
            token_encoding=TokenEncoding.PLAIN,
            endpoints=(
                Endpoint("locations", Interface.SENDER, "https://north.example/ocpi/2.2.1/locations"),
                Endpoint("x-custom", None, "https://north.example/ocpi/2.2.1/x"),
            ),
            registered_at=NOW,
        ),
        was_registered=True,
        reachable=False,
        suspended=True,
        settings=PlatformSettings(
            token_encoding=TokenEncoding.BASE64,
            endpoint_overrides={"locations/SENDER": "https://10.0.0.1:8443/l"},
            response_url_hosts=("a.example", "b.example:8443"),
            forward_timeout_s=12.5,
            authorize_timeout_s=3.0,
            client_certificate=ClientCertificate("-----BEGIN CERTIFICATE-----\n…\n", "gAAAA-key"),
        ),
    )


def callback(issuer: str = "issuer", receiver: str = "receiver", expires_at: datetime = NOW) -> Callback:
    return Callback(
        id=new_id(),
        issuer=PartyOn(issuer, "DE", "XYZ"),
        receiver=PartyOn(receiver, "NL", "ngc"),
        module="commands",
        operation="START_SESSION",
        response_url="https://emsp.example/results/ü?q=1#\u2603",
        correlation_id="correlation \U0001f50c",
        created_at=NOW - timedelta(hours=1),
        expires_at=expires_at,
    )


def cdr_location() -> CdrLocation:
    return CdrLocation(
        id=new_id(),
        poster=PartyOn("poster", "NL", "NGC"),
        holder=PartyOn("holder", "DE", "XYZ"),
        url="https://emsp.example/cdrs/42?ü",
        created_at=NOW,
    )


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_SIMPLE: dict[object, st.SearchStrategy[Any]] = {
    Any: _json,
    NoneType: st.none(),
    str: st.text(max_size=20),
    bool: st.booleans(),
    int: st.integers(1, 2**40),
    float: st.floats(min_value=0, max_value=1e9),
    datetime: st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
}


def anything(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of an annotated type, so that a member added to a record is tested without a word here."""
    if kind is PartyId:
        return st.builds(PartyId, st.text(max_size=3), st.text(max_size=4))
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    arguments = get_args(kind)
    if isinstance(kind, UnionType):
        return st.one_of(*map(anything, arguments))
    if get_origin(kind) is frozenset:
        return st.frozensets(anything(arguments[0]), max_size=3)
    if get_origin(kind) is tuple:
        return st.lists(anything(arguments[0]), max_size=3).map(tuple)
    if get_origin(kind) is dict:
        return st.dictionaries(*map(anything, arguments), max_size=3)
    if isinstance(kind, type) and is_dataclass(kind):
        return st.builds(kind, **{name: anything(hint) for name, hint in get_type_hints(kind).items()})
    return st.sampled_from(kind)  # an enumeration


def _apart(platform: Platform) -> Platform:
    """The same platform with an id, triples and fingerprints nothing else has."""
    unique = new_id()
    return replace(
        platform,
        id=unique,
        approved=tuple(replace(name, party_id=name.party_id + unique) for name in platform.approved),
        roles=tuple(replace(role, party_id=role.party_id + unique) for role in platform.roles),
        tokens=tuple(replace(token, fingerprint=token.fingerprint + unique) for token in platform.tokens),
    )


any_platform: st.SearchStrategy[Platform] = anything(Platform).map(_apart)
any_callback: st.SearchStrategy[Callback] = anything(Callback)

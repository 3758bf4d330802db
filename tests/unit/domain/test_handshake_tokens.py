"""Which tokens stay in a handshake, and how one that could not be stored is undone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.handshake import TOKEN_GRACE, Attempt, undone, with_grace
from hub.domain.platform import InboundToken, TokenPurpose
from hub.ocpi.names import Role
from tests.unit.domain.platforms import hosted, platform

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def token(fingerprint: str, expires_at: datetime | None = None, *, invitation: bool = False) -> InboundToken:
    purpose = TokenPurpose.REGISTRATION if invitation else TokenPurpose.CREDENTIALS
    return InboundToken(fingerprint, purpose, NOW, expires_at)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (token("lasting"), NOW + TOKEN_GRACE),
        (token("soon over", NOW + MINUTE), NOW + MINUTE),
        (token("long", NOW + 60 * MINUTE), NOW + TOKEN_GRACE),
        (token("invitation", invitation=True), None),
    ],
)
def test_grace_never_makes_a_token_live_longer(before: InboundToken, after: datetime | None) -> None:
    assert with_grace((before,), NOW) == (replace(before, expires_at=after),)


def test_what_is_over_gets_no_grace() -> None:
    assert with_grace((token("over", NOW), token("over too", NOW - MINUTE)), NOW) == ()


@pytest.mark.parametrize("got_through", [True, False])
def test_undoing_gives_the_platform_back_and_keeps_what_others_did(got_through: bool) -> None:
    before = replace(platform("P", [hosted(Role.CPO, "NL/AAA")]), tokens=(token("old"),))
    assert before.connection is not None
    made = replace(before.connection, sealed_token="new", versions_url="https://new.test/versions")
    after = before.changed(NOW, tokens=(token("new"),), connection=made)
    stored = after if got_through else before
    stored = stored.changed(NOW, name="renamed", tokens=(*stored.tokens, token("invited since", invitation=True)))

    result = undone(stored, [Attempt(before, after, "new")], NOW)

    assert result.connection == before.connection
    assert [one.fingerprint for one in result.tokens] == ["old", "invited since"]
    assert result.name == "renamed"
    assert result.revision > stored.revision


def test_undoing_leaves_a_later_handshake_alone() -> None:
    before = replace(platform("P", [hosted(Role.CPO, "NL/AAA")]), tokens=(token("old"),))
    assert before.connection is not None
    after = before.changed(NOW, tokens=(token("new"),), connection=replace(before.connection, sealed_token="new"))
    later = after.changed(NOW, tokens=(token("later"),), connection=replace(before.connection, sealed_token="later"))

    result = undone(later, [Attempt(before, after, "new")], NOW)

    assert (result.connection, result.tokens) == (later.connection, later.tokens)

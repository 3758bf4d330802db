"""What a CPO agrees to: right settings are read, wrong ones are refused in a sentence that names the key."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ocpi.party_id import PartyId
from plugins.load_manager.knowledge import cpo_settings
from plugins.load_manager.knowledge.cpo_settings import NO_CONSENT, CpoBook, CpoSettings, Refused
from tests.unit.plugins.load_manager.knowledge.telling import ABC, NOON, anything, at

CONSENT: dict[str, object] = {"consent": True, "reference": "contract 7"}


def test_consent_alone_takes_the_defaults() -> None:
    found = cpo_settings.read(CONSENT, NOON)
    assert found == CpoSettings(consent=True, reference="contract 7", since=NOON)
    assert (found.allow_pause, found.stop_allowed, found.unit, found.default_current_ma) == (True, False, None, None)
    assert (found.quantum_ma, found.rate_per_s) == (100, Decimal(100))


def test_everything_can_be_said_and_is_shown() -> None:
    body = {
        "consent": True,
        "reference": "contract 7",
        "since": "2026-01-01T13:00:00+01:00",
        "default_current_a": Decimal("6.0"),
        "allow_pause": False,
        "unit": "W",
        "quantum_a": 1,
        "rate_per_s": Decimal("2.5"),
        "stop_allowed": True,
    }
    found = cpo_settings.read(body, at(60))
    assert found.public() == body | {"since": "2026-01-01T12:00:00.000Z"}
    assert (found.default_current_ma, found.quantum_ma) == (6_000, 1_000)
    assert cpo_settings.read(found.public(), at(90)) == found


def test_consent_is_from_a_moment_on() -> None:
    found = cpo_settings.read(CONSENT | {"since": "2026-01-01T12:10:00Z"}, NOON)
    assert [found.consents(at(minutes)) for minutes in (9, 10)] == [False, True]
    assert not cpo_settings.read({"consent": False, "reference": "x", "since": "2026-01-01T12:00:00Z"}, NOON).consents(
        at(60)
    )


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"consent": "yes"}, "consent must be true or false"),
        ({"consent": 1}, "consent must be true or false"),
        ({"reference": None}, "reference must say where the consent is written down"),
        ({"reference": ""}, "reference must be a text of 1 to 255 characters"),
        ({"since": "yesterday"}, "since must be a date and time such as 2026-01-01T12:00:00Z"),
        ({"default_current_a": 5}, "default_current_a must be 0 or from 6 to 1000, with one decimal"),
        ({"default_current_a": False}, "default_current_a must be 0 or from 6 to 1000, with one decimal"),
        ({"default_current_a": Decimal("6.05")}, "default_current_a must be 0 or from 6 to 1000, with one decimal"),
        ({"allow_pause": 0}, "allow_pause must be true or false"),
        ({"unit": "kW"}, "unit must be A, W or null"),
        ({"quantum_a": 0}, "quantum_a must be from 0.1 to 6, with one decimal"),
        ({"quantum_a": 7}, "quantum_a must be from 0.1 to 6, with one decimal"),
        ({"rate_per_s": "fast"}, "rate_per_s must be from 0.1 to 1000, with one decimal"),
        ({"rate_per_s": 1001}, "rate_per_s must be from 0.1 to 1000, with one decimal"),
        ({"stop_allowed": None}, "stop_allowed must be true or false"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(changed: dict[str, object], sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        cpo_settings.read(CONSENT | changed, NOON)
    assert str(refused.value) == sentence


def test_a_body_without_consent_or_with_a_strange_key_is_refused() -> None:
    with pytest.raises(Refused, match="the body must be an object"):
        cpo_settings.read([], NOON)
    with pytest.raises(Refused, match="consent must be there: true or false"):
        cpo_settings.read({}, NOON)
    with pytest.raises(Refused, match=r"^quantum is not a key: there are consent, reference, since"):
        cpo_settings.read(CONSENT | {"quantum": 1}, NOON)


@given(anything | st.dictionaries(st.sampled_from(cpo_settings.KEYS), anything).map(lambda some: CONSENT | some))
def test_anything_is_read_or_refused(body: object) -> None:
    found = None
    with suppress(Refused):  # any other error is one
        found = cpo_settings.read(body, NOON)
    if found is not None:
        assert cpo_settings.read(found.public(), NOON) == found


def test_a_withdrawn_consent_is_noticed_and_settings_survive_a_restart() -> None:
    book = CpoBook()
    assert book.of(ABC) is NO_CONSENT
    assert not book.change(ABC, cpo_settings.read(CONSENT | {"default_current_a": Decimal("6.0")}, NOON))
    again = CpoBook()
    again.from_json(book.to_json())
    assert again.of(PartyId("nl", "abc")) == book.of(ABC)
    assert again.of(ABC).consents(NOON)

    assert again.change(ABC, cpo_settings.read({"consent": False}, NOON))
    assert not again.change(ABC, cpo_settings.read({"consent": False}, NOON))
    assert set(again.changes()) == {"cpo/nl*abc"}

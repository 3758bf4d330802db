"""What is watched, sampled and refused, what is counted, and what a change of the configuration keeps."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hub.ocpi.names import FUNCTIONAL_MODULES, ConnectionStatus, Interface, Role
from hub.ocpi.party_id import PartyId
from hub.plugin import Body, Content, Exchange, Kind, PartySeen, Phase, Reject
from hub.plugin.inspecting import problems_of_class, problems_of_routes, problems_of_watches
from hub.sandbox import objects
from plugins import schema_check
from plugins.schema_check import SchemaCheck
from plugins.schema_check.config import SchemaCheckConfig
from tests.unit.plugins.exchanges import ABC, XYZ, answered, finished, leg_of, received
from tests.unit.plugins.schema_check.bodies import asked, content, envelope, location, push, wrong_location
from tests.unit.plugins.small_hub import SmallHub

QRS = PartyId("FR", "QRS")


def plugin(hub: SmallHub, **keys: Any) -> SchemaCheck:
    return SchemaCheck(SchemaCheckConfig(**keys), hub)


def with_parties(*parties: PartyId, platform: str = "alpha") -> SmallHub:
    hub = SmallHub()
    for party in parties:
        hub.known_parties.append(PartySeen(party, Role.CPO, ConnectionStatus.CONNECTED, platform, "Sample", "2.2.1"))
    return hub


def facts(checking: SchemaCheck) -> Mapping[str, object]:
    health = checking.health()
    assert health.ok
    return health.facts


def rows(checking: SchemaCheck) -> list[tuple[object, ...]]:
    (panel,) = checking.panels()
    return [row[:5] for row in panel.rows()]


def arriving(body: object) -> Exchange:
    return received(request=content(body))


# --- what is watched ---


@pytest.mark.parametrize(
    "keys", [{}, {"reject": True}, {"reject": True, "sample": 0}, {"every_message": True, "sample": 0}]
)
def test_the_hub_finds_no_mistake_in_it(keys: dict[str, Any]) -> None:
    checking = plugin(SmallHub(), **keys)
    assert problems_of_class(SchemaCheck) == []
    assert problems_of_watches(checking, list(checking.watches())) == []
    assert problems_of_routes(list(checking.routes())) == []


def test_by_default_it_looks_after_the_answer_alone() -> None:
    early, late = plugin(SmallHub()).watches()
    assert not any(early.covers(module, Interface.RECEIVER, "PUT") for module in (*FUNCTIONAL_MODULES, "x-weather"))
    assert late.phases == {Phase.FINISHED}
    assert late.modules == FUNCTIONAL_MODULES
    assert late.kinds == {Kind.DIRECT, Kind.BROADCAST, Kind.OPEN, Kind.CALLBACK, Kind.GET_ALL}
    assert (late.request, late.response, late.max_body) == (Body.READ, Body.READ, 256 * 1024)


def test_to_reject_it_looks_before_anything_is_sent() -> None:
    early, late = plugin(SmallHub(), reject=True, sample=0, modules=["cdrs"], max_body=5000).watches()
    assert early.phases == {Phase.RECEIVED}
    assert early.covers("cdrs", Interface.RECEIVER, "POST")
    assert not early.covers("cdrs", Interface.RECEIVER, "GET")
    assert not early.covers("locations", Interface.RECEIVER, "PUT")
    assert (early.request, early.max_body) == (Body.READ, 5000)
    assert late.response is Body.IGNORE


@pytest.mark.parametrize("keys", [{"sample": 0}, {"modules": []}, {"modules": [], "reject": True}])
def test_nothing_is_watched_when_nothing_is_wanted(keys: dict[str, Any]) -> None:
    assert list(plugin(SmallHub(), **keys).watches()) == []


@pytest.mark.parametrize(
    "keys",
    [{"sample": 1.1}, {"sample": -0.1}, {"max_body": 0}, {"most_findings": 51}, {"modules": ["x-weather"]}, {"all": 1}],
)
def test_keys_that_mean_nothing_are_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SchemaCheckConfig(**keys)


def test_the_readme_has_every_key_with_its_default_and_a_table_that_can_be_used() -> None:
    readme = (Path(schema_check.__file__).parent / "README.md").read_text()
    (table,) = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)
    assert SchemaCheckConfig(**tomllib.loads(table)["plugin"]["schema_check"]).sample == 0.5
    told = dict(re.findall(r"^\| `(\w+)` \| `?([^`|]+)`? \|", readme, re.MULTILINE))
    config = SchemaCheckConfig()
    assert set(told) == set(SchemaCheckConfig.model_fields)
    for name in set(told) - {"modules"}:
        assert told[name].strip() == str(getattr(config, name)).replace("False", "false"), name


# --- what is sampled ---


def sampled(share: float) -> set[int]:
    config = SchemaCheckConfig(sample=share)
    return {number for number in range(20_000) if config.samples(f"correlation-{number}", f"request-{number}")}


def test_the_share_is_what_was_asked_for_and_the_same_every_time() -> None:
    tenth = sampled(0.1)
    assert tenth == sampled(0.1)
    assert abs(len(tenth) - 2_000) < 130  # three times what chance does
    assert sorted(tenth)[:5] == [5, 15, 20, 27, 28]  # as b2sum says: below a tenth of all digests
    assert tenth < sampled(0.3)
    assert sampled(0.0) == set()
    assert len(sampled(1.0)) == 20_000
    assert SchemaCheckConfig(sample=0, every_message=True).samples("c", "r")


def test_what_is_not_in_the_sample_is_not_counted() -> None:
    checking = plugin(SmallHub(), sample=0.1)
    for number in range(200):
        exchange = push(wrong_location())
        exchange.correlation_id, exchange.request_id = f"correlation-{number}", f"request-{number}"
        checking.on_finished(exchange)
    expected = sum(number < 200 for number in sampled(0.1))
    assert 0 < expected < 200
    assert facts(checking) == {"checked": 2 * expected, "wrong": expected, "unchecked": 0}


class Unread(Content):
    """A body that must not be looked at."""

    __slots__ = ()

    @property
    def raw(self) -> bytes:
        raise AssertionError("this body was read")


def test_what_is_not_in_the_sample_is_not_read() -> None:
    checking = plugin(SmallHub(), sample=0.1)

    def finish(number: int) -> None:
        exchange = received(request=Unread(b"{}", Body.READ, 1024))
        leg = answered(leg_of(exchange))
        leg.answer = exchange.request
        exchange.correlation_id, exchange.request_id = f"correlation-{number}", f"request-{number}"
        checking.on_finished(finished(exchange, leg, answer=leg.answer))

    for number in (0, 1, 2, 3, 4, 6):
        finish(number)
    with pytest.raises(AssertionError, match="was read"):
        finish(5)


# --- what is counted ---


def test_who_sent_what_wrong() -> None:
    hub = SmallHub()
    checking = plugin(hub, every_message=True)
    checking.on_finished(push(location()))
    checking.on_finished(push(wrong_location()))
    checking.on_finished(push(location(), answer={}))
    checking.on_finished(asked(envelope(data=[objects.token("NL/ABC") | {"valid": 1}]), "tokens", kind=Kind.GET_ALL))

    assert facts(checking) == {"checked": 7, "wrong": 3, "unchecked": 0}
    assert rows(checking) == [
        ("DE/XYZ", "locations", "answer", 3, 1),
        ("NL/ABC", "locations", "request", 3, 1),
        ("NL/ABC", "tokens", "answer", 1, 1),
    ]
    assert (hub.metrics["checked"].value(module="locations"), hub.metrics["wrong"].value(module="locations")) == (6, 2)
    assert (hub.metrics["checked"].value(module="tokens"), hub.metrics["wrong"].value(module="tokens")) == (1, 1)
    assert hub.lines == []
    assert hub.sounded == []


def test_a_body_that_is_too_large_is_counted_as_unchecked() -> None:
    hub = SmallHub()
    checking = plugin(hub, every_message=True, reject=True, max_body=100)
    exchange = arriving(wrong_location())
    assert checking.on_received(exchange) is None
    checking.on_finished(finished(exchange))
    assert facts(checking) == {"checked": 0, "wrong": 0, "unchecked": 1}
    assert hub.metrics["unchecked"].value(module="locations") == 1


# --- what is refused ---


def test_a_wrong_body_is_refused_with_the_first_finding() -> None:
    hub = with_parties(ABC)
    checking = plugin(hub, reject=True, sample=0)
    body = location()
    del body["evses"][0]["uid"]

    alone = checking.on_received(arriving(body))
    assert alone == Reject(2001, "/evses/0/uid: the field is required, and it is missing", http=200)

    refused = checking.on_received(arriving(wrong_location()))
    assert refused is not None
    assert refused.message == "/city: a string was expected, but this is a number (and 1 more)"

    whole = checking.on_received(arriving([]))
    assert whole is not None
    assert whole.message == "The body: an object was expected, but this is a list"
    assert rows(checking) == [("NL/ABC", "locations", "request", 3, 3)]


def test_a_right_body_passes_and_is_counted_once_and_at_the_end() -> None:
    checking = plugin(SmallHub(), reject=True, every_message=True)
    exchange = arriving(location())
    assert checking.on_received(exchange) is None
    assert facts(checking)["checked"] == 0
    checking.on_finished(finished(exchange))
    assert facts(checking) == {"checked": 1, "wrong": 0, "unchecked": 0}


def test_answers_are_counted_and_never_refused_and_only_in_the_sample() -> None:
    for keys, answers in (({"sample": 0}, 0), ({"every_message": True}, 1)):
        checking = plugin(SmallHub(), reject=True, **keys)
        exchange = push(location(), answer={})
        assert checking.on_received(exchange) is None
        checking.on_finished(exchange)
        assert facts(checking) == {"checked": 1 + answers, "wrong": answers, "unchecked": 0}


def test_what_nobody_knows_passes() -> None:
    checking = plugin(SmallHub(), reject=True)
    command = arriving({"anything": 1})
    command.module, command.path, command.method = "commands", "DANCE", "POST"
    assert checking.on_received(command) is None
    custom = arriving({"anything": 1})
    custom.module = "x-weather"
    assert checking.on_received(custom) is None
    assert checking.on_received(received()) is None


def test_what_was_not_looked_at_early_is_looked_at_in_the_end() -> None:
    """Broadcasts of what the hub pulled are nobody's request."""
    checking = plugin(SmallHub(), reject=True, every_message=True)
    checking.on_finished(push(wrong_location(), kind=Kind.BROADCAST))
    assert facts(checking) == {"checked": 2, "wrong": 1, "unchecked": 0}


@pytest.mark.parametrize(
    ("sender", "owner", "parties", "counted"),
    [
        (ABC, None, [ABC, QRS], "NL/ABC"),
        (PartyId("nl", "abc"), None, [ABC], "NL/ABC"),
        (XYZ, ABC, [ABC], "other"),  # somebody else's party
        (None, ABC, [ABC, QRS], "NL/ABC"),
        (None, XYZ, [ABC, QRS], "other"),
        (None, None, [QRS], "FR/QRS"),
        (None, None, [ABC, QRS], "other"),
        (None, None, [], "other"),
    ],
)
def test_nobody_gets_another_party_into_the_counts(
    sender: PartyId | None, owner: PartyId | None, parties: list[PartyId], counted: str
) -> None:
    hub = with_parties(*parties)
    hub.known_parties += with_parties(XYZ, platform="beta").known_parties
    checking = plugin(hub, reject=True)
    exchange = arriving({})
    exchange.sender, exchange.owner = sender, owner

    assert checking.on_received(exchange) is not None
    assert rows(checking) == [(counted, "locations", "request", 1, 1)]


# --- what lasts ---


def test_a_change_of_the_configuration_keeps_the_counts() -> None:
    before = plugin(SmallHub(), every_message=True)
    before.on_finished(push(wrong_location()))
    after = plugin(SmallHub(), every_message=True, most_findings=1)
    after.import_state(before.export_state())
    after.on_finished(push(wrong_location()))
    before.on_finished(push(wrong_location()))  # what it still had to look at

    assert facts(after) == {"checked": 6, "wrong": 3, "unchecked": 0}
    assert rows(after) == [("NL/ABC", "locations", "request", 3, 3)]

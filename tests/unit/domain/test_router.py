"""What the router remembers, and for how long."""

import pytest

from hub.domain import routing
from hub.domain.decisions import Decision, GetAll, Refused, Request, not_connected
from hub.domain.routing import Router, route
from hub.ocpi.names import Role
from tests.unit.domain.platforms import HUB, R, S, hosted, party, platform
from tests.unit.domain.reference_world import CHOICES, REGISTRY


def to(receiver: str) -> Request:
    return Request("P2", party(receiver), party("NL/EMA"), "locations", S)


def test_it_remembers_where_to_and_only_that() -> None:
    router = Router(CHOICES)

    first = router.decide(REGISTRY, to("NL/CPA"))
    assert first == route(REGISTRY, CHOICES, to("NL/CPA"))
    assert router.decide(REGISTRY, to("nl/cpa")) is first
    for spelling in ("XX/ZZZ", "xx/zzz"):
        refused = router.decide(REGISTRY, to(spelling))
        assert isinstance(refused, Refused)
        assert spelling in refused.message


def test_it_forgets_with_the_snapshot_and_at_its_limit() -> None:
    router = Router(CHOICES, limit=2)
    requests = [to("NL/CPA"), to("BE/CPB"), to("FR/DUO")]

    kept, second = (router.decide(REGISTRY, request) for request in requests[:2])
    assert router.decide(REGISTRY, requests[0]) is kept
    assert router.decide(REGISTRY, requests[1]) is second
    router.decide(REGISTRY, requests[2])
    assert router.decide(REGISTRY, requests[0]) is not kept
    for request in requests * 3:
        assert router.decide(REGISTRY, request) == route(REGISTRY, CHOICES, request)
    moved = REGISTRY.replacing(platform("P1", [hosted(Role.CPO, "NL/CPA")], None))
    assert router.decide(moved, requests[0]) == not_connected(party("NL/CPA"))
    assert router.decide(REGISTRY, requests[0]) == kept


def test_few_decisions_that_name_everybody_are_kept_and_they_push_out_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(routing, "_MOST_WIDE", 2)
    router = Router(CHOICES)
    direct = router.decide(REGISTRY, to("NL/CPA"))

    def everything(platform_id: str, sender: str) -> Decision:
        request = Request(platform_id, HUB, party(sender), "locations", S, method="GET", is_list=True)
        return router.decide(REGISTRY, request)

    first, second = everything("P2", "NL/EMA"), everything("P2", "DE/EMB")
    assert isinstance(first, GetAll)
    assert everything("P2", "NL/EMA") is first
    assert everything("P2", "DE/EMB") is second
    pushed = Request("P1", HUB, party("NL/CPA"), "locations", R, party("NL/CPA"), method="PUT")
    router.decide(REGISTRY, pushed)
    assert everything("P2", "NL/EMA") is not first
    assert everything("P2", "NL/EMA") == first
    assert router.decide(REGISTRY, to("NL/CPA")) is direct

"""Groups of the grid as operators put, read, import and remove them."""

from decimal import Decimal

import pytest

from hub.ocpi import codec
from hub.plugin import BadRequest
from plugins.load_manager.doors.port import LimitedSession
from plugins.load_manager.grid.coverage import Evse
from plugins.load_manager.grid.files import write_csv, write_json
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge.power import Drawn, Quality
from tests.unit.plugins.load_manager.doors.small_grid import Site, told
from tests.unit.plugins.load_manager.grid.grids import CPO, NOON, evse, group, location

A_MEMBER = {"country_code": "NL", "party_id": "CPO", "location_id": "LOC1"}
TWO_GROUPS = GridModel([group("F1", None, kw=500), group("T1", "F1", location("LOC1"), evse("E9", "LOC2"))])
CSV = "text/csv; charset=utf-8"


async def test_a_group_is_added_then_changed_and_reads_as_it_was_put(s: Site) -> None:
    s.grid.evses = [Evse(evse("E1"), True), Evse(evse("E2"), True), Evse(evse("E3"), False)]
    first = await s.put_group("T1", members=[A_MEMBER])
    again = await s.put_group("T1", static_capacity_kw=Decimal("57.5"), members=[A_MEMBER])
    assert (first.status, again.status) == (201, 200)
    shown = await s.get("/grid/groups/T1")
    assert shown == {
        "id": "T1",
        "state": "FALLBACK",
        "since": "2026-03-02T12:00:00.000Z",
        "reason": "limited to 12 kW because there is no contact with Grid One",
        "limit_kw": 12,
        "allocated_kw": 12,
        "booked_kw": 12,
        "measured_kw": None,
        "measured_quality": None,
        "controllable_share": Decimal("0.6667"),
        "group": shown["group"],
        "sessions": [],
    }
    assert shown["group"]["static_capacity_kw"] == Decimal("57.5")
    put_back = await s.call("PUT", "/grid/groups/T1", shown["group"])
    assert put_back.status == 200
    assert (await s.get("/grid/groups/T1"))["group"] == shown["group"]


async def test_a_group_shows_what_its_sessions_draw_and_how_well_that_is_known(s: Site) -> None:
    await s.put_group("T1")
    s.grid.drawn["T1"] = Drawn(7_360_500, Quality.DERIVED)
    for path, token in (("/grid/groups/T1", None), ("/grid/v1/groups", s.one_token)):
        answer = await s.get(path, token=token)
        (shown,) = answer.get("items", [answer])
        assert (shown["measured_kw"], shown["measured_quality"]) == (Decimal("7.3605"), "derived")


async def test_a_group_shows_its_sessions_and_why_they_are_limited(s: Site) -> None:
    await s.put_group("T1")
    s.grid.sessions["T1"] = (LimitedSession(CPO, "S1", "LOC1", "E1", "limited", 10_000_000, 11_040_000, NOON),)
    (session,) = (await s.get("/grid/groups/T1"))["sessions"]
    assert session == {
        "country_code": "NL",
        "party_id": "CPO",
        "session_id": "S1",
        "location_id": "LOC1",
        "evse_uid": "E1",
        "reason": "limited",
        "limit_kw": 10,
        "booked_kw": Decimal("11.04"),
        "since": "2026-03-02T12:00:00.000Z",
        "release_at": None,
    }
    assert "sessions" not in (await s.get("/grid/groups"))["items"][0]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"static_capacity_kw": -1}, "group T1: static_capacity_kw is negative"),
        ({"static_capacity_kw": "NaN"}, "group T1: static_capacity_kw is a number of kilowatts"),
        ({"capacity_provider": "dso-z"}, "group T1: its capacity provider dso-z is not known"),
        ({"parent": "F9"}, "group T1: its parent F9 is not known"),
        ({"parent": "T1"}, "group T1: it is above itself: T1 > T1"),
        ({"fallback_kw": 3}, "group T1: fallback_kw is no field of a group; fallback_capacity_kw is"),
        ({"id": "T2"}, "group T1: id says T2"),
        ({"members": [A_MEMBER, A_MEMBER]}, "group T1: location LOC1 of NL/CPO stands in it twice"),
    ],
)
async def test_a_group_that_cannot_be_changes_nothing(s: Site, body: dict[str, object], sentence: str) -> None:
    answer = await s.put_group("T1", **body)
    assert (answer.status, answer.content_type) == (400, "application/problem+json")
    assert told(answer)["title"] == sentence
    assert told(answer)["errors"][0]["group_id"] == "T1"
    assert not s.grid.model.groups


async def test_a_group_whose_id_cannot_be_or_whose_body_is_no_json_is_refused(s: Site) -> None:
    assert told(await s.put_group("%00"))["field"] == "group_id"
    with pytest.raises(BadRequest):
        await s.call("PUT", "/grid/groups/T1", b'{"static_capacity_kw": NaN}')
    assert not s.grid.model.groups


async def test_an_evse_has_one_group(s: Site) -> None:
    await s.put_group("T1", members=[A_MEMBER])
    answer = await s.put_group("T2", members=[A_MEMBER])
    assert told(answer)["title"] == "group T2: location LOC1 of NL/CPO stands in group T1 too"
    assert list(s.grid.model.groups) == ["T1"]


async def test_a_member_that_is_taken_out_is_named(s: Site) -> None:
    await s.put_group("T1", members=[A_MEMBER])
    assert told(await s.put_group("T1"))["left_out"] == [{**A_MEMBER, "evse_uid": None}]


async def test_a_group_is_removed_when_nothing_hangs_on_it(s: Site) -> None:
    await s.put_group("F1")
    await s.put_group("T1", parent="F1")
    in_the_way = await s.call("DELETE", "/grid/groups/F1")
    assert in_the_way.status == 409
    assert told(in_the_way)["title"] == "group F1: groups hang on it: T1; give them another parent first"
    assert [(await s.call("DELETE", f"/grid/groups/{each}")).status for each in ("T1", "F1", "F1")] == [204, 204, 404]
    unknown = await s.call("GET", "/grid/groups/F1")
    assert (unknown.status, told(unknown)["title"]) == (404, "The group F1 is not known")


async def test_groups_come_page_by_page(s: Site) -> None:
    for number in (3, 1, 5, 2, 4):
        await s.put_group(f"T{number}")
    first = await s.get("/grid/groups?limit=2")
    assert ([each["id"] for each in first["items"]], first["next"]) == (["T1", "T2"], "T2")
    await s.call("DELETE", "/grid/groups/T2")
    rest = await s.get("/grid/groups?limit=3&after=T2")
    assert ([each["id"] for each in rest["items"]], rest["next"]) == (["T3", "T4", "T5"], None)


@pytest.mark.parametrize(
    ("query", "field"), [("limit=0", "limit"), ("limit=1001", "limit"), ("limit=x", "limit"), ("after=", "after")]
)
async def test_a_list_that_cannot_be_asked_for_is_refused(s: Site, query: str, field: str) -> None:
    answer = await s.call("GET", f"/grid/groups?{query}")
    assert (answer.status, told(answer)["field"]) == (400, field)
    assert told(await s.call("GET", "/grid/groups?page=2"))["title"] == (
        "page is no parameter here; known are limit, after"
    )


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(write_json(TWO_GROUPS), "application/json"), (write_csv(TWO_GROUPS).encode("utf-8-sig"), CSV)],
)
async def test_a_grid_comes_in_whole_in_place_of_the_one_before(s: Site, body: bytes, content_type: str) -> None:
    await s.put_group("OLD", members=[{**A_MEMBER, "location_id": "GONE"}])
    answer = await s.call("POST", "/grid/import", body, content_type=content_type)
    assert told(answer) == {
        "groups": 2,
        "trees": 1,
        "members": 2,
        "left_out": [{**A_MEMBER, "location_id": "GONE", "evse_uid": None}],
    }
    assert s.grid.model == TWO_GROUPS


@pytest.mark.parametrize(
    ("lines", "title"),
    [
        ("T1,T2,10,,,,\nT2,T1,10,,,,", "line 2: group T1: it is above itself: T1 > T2 > T1"),
        ("T1,,10,,,,\nT2,F9,10,,,,", "line 3: group T2: its parent F9 is not known"),
        (
            "T1,,10,NL,CPO,L,E1\nT2,,10,NL,CPO,L,E1",
            "line 3: group T2: EVSE E1 of location L of NL/CPO stands in group T1 too",
        ),
        ("T1,,10,,,,\nT2,,10,,,,\nT3,,much,,,,", "line 4: group T3: static_capacity_kw is a number of kilowatts"),
        ("T1,,10,,,,\nT2,,10", "line 3: it has 3 cells, and the first line has 7"),
    ],
)
async def test_a_grid_with_a_mistake_is_refused_whole_with_the_line(s: Site, lines: str, title: str) -> None:
    await s.put_group("OLD")
    before = s.grid.model
    table = f"id,parent,static_capacity_kw,country_code,party_id,location_id,evse_uid\n{lines}\n"
    answer = await s.call("POST", "/grid/import", table.encode(), content_type=CSV)
    assert (answer.status, told(answer)["title"]) == (400, title)
    assert told(answer)["errors"][0]["place"] == title.partition(":")[0]
    assert s.grid.model is before


async def test_every_problem_of_a_grid_is_told(s: Site) -> None:
    body = codec.dumps({"groups": [{"id": "T1"}, {"id": "T2", "static_capacity_kw": 1, "color": 1}]})
    answer = told(await s.call("POST", "/grid/import", body))
    assert answer["title"].endswith(" (and 1 more)")
    assert [each["place"] for each in answer["errors"]] == ["groups[0]", "groups[1]"]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "field"),
    [
        (b"id", "application/x-www-form-urlencoded", 415, "content-type"),
        ("id,static_capacity_kw\nT\N{LATIN SMALL LETTER U WITH DIAERESIS},1".encode("latin-1"), CSV, 400, "body"),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused(
    s: Site, body: bytes, content_type: str, status: int, field: str
) -> None:
    answer = await s.call("POST", "/grid/import", body, content_type=content_type)
    assert (answer.status, told(answer)["field"]) == (status, field)


async def test_evses_in_no_group_are_listed(s: Site) -> None:
    s.grid.evses = [Evse(evse("E2", "LOC2"), False), Evse(evse("E1"), True), Evse(evse("E1", "LOC2"), True)]
    await s.put_group("T1", members=[A_MEMBER])
    first = await s.get("/grid/unmapped?limit=1")
    second = await s.get(f"/grid/unmapped?after={first['next']}")
    assert [each["evse_uid"] for each in (*first["items"], *second["items"])] == ["E1", "E2"]
    assert first["items"][0] == {**A_MEMBER, "location_id": "LOC2", "evse_uid": "E1", "controllable": True}

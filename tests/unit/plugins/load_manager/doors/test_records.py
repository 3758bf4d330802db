"""The decision log and the evidence, as operators read them."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

from plugins.load_manager.doors.port import PlanEntry
from plugins.load_manager.evidence.metering import Quality
from tests.unit.plugins.load_manager.doors.small_grid import Site, told
from tests.unit.plugins.load_manager.grid.grids import NOON

BLOCK = {"start": "2026-03-02T12:00:00Z", "end": "2026-03-02T13:00:00Z", "value": 20}


async def say(s: Site, message_id: str, group_id: str = "T1", *, token: str | None = None) -> None:
    body = {"group_id": group_id, "unit": "KW", "blocks": [BLOCK], "message_id": message_id}
    answer = await s.call("POST", "/grid/v1/signals", body, token=token or s.one_token)
    assert answer.status == 202, answer.body


async def test_plans_come_newest_first_page_by_page_and_by_group(s: Site) -> None:
    await s.put_group("F1")
    await s.put_group("T1", parent="F1")
    await s.put_group("T2")
    sentence = {"session_id": "S1", "sentence": "limited to 10.0 kW by group T1"}
    s.grid.log = [
        PlanEntry(f"p{number}", NOON, tree, ({"group_id": tree},), (sentence,))
        for number, tree in enumerate(("F1", "T2", "F1", "F1"), 1)
    ]
    first = await s.get("/grid/plans?limit=3")
    assert ([each["id"] for each in first["items"]], first["next"]) == (["p4", "p3", "p2"], "p2")
    assert first["items"][0] == {
        "id": "p4",
        "at": "2026-03-02T12:00:00.000Z",
        "tree": "F1",
        "groups": [{"group_id": "F1"}],
        "decisions": [sentence],
    }
    last = await s.get("/grid/plans?limit=3&after=p2")
    assert ([each["id"] for each in last["items"]], last["next"]) == (["p1"], None)
    of_tree = await s.get("/grid/plans?group=T1&limit=2")
    assert ([each["id"] for each in of_tree["items"]], of_tree["next"]) == (["p4", "p3"], "p3")
    assert (await s.call("GET", "/grid/plans?group=T9")).status == 404
    assert (await s.call("GET", "/grid/plans?group=")).status == 400


async def test_activations_are_listed_by_provider(s: Site) -> None:
    await s.put_group("T1")
    await s.put_group("T2", capacity_provider=s.two)
    await say(s, "m1")
    await say(s, "m2", "T2", token=s.two_token)
    shown = await s.get("/grid/activations")
    assert [each["message_id"] for each in shown["items"]] == ["m2", "m1"]
    (own,) = (await s.get(f"/grid/activations?provider={s.one}"))["items"]
    assert (own["id"], own["group_id"], own["provider"]) == ("a1", "T1", s.one)


async def test_the_evidence_of_an_activation_is_there_as_json_and_as_a_table(s: Site) -> None:
    await s.put_group("T1")
    await say(s, "m1")
    evidence = s.grid.evidence[0].activation
    evidence.put(NOON, "S1", 1, 1)
    for quarter in (0, 15):
        start = NOON + timedelta(minutes=quarter)
        evidence.measured(start, start + timedelta(minutes=15), 19_000_000 + quarter * 100_000, Quality.DERIVED)
    shown = await s.get("/grid/activations/a1.json")
    assert (shown["id"], shown["lowest_limit_kw"], shown["sessions_lowered"]) == ("a1", 20, 1)
    assert [each["average_kw"] for each in shown["quarters"]] == [19, Decimal("20.5")]
    table = await s.call("GET", "/grid/activations/a1.csv")
    assert (table.status, table.content_type) == (200, "text/csv; charset=utf-8")
    assert table.headers["Content-Disposition"] == "attachment; filename*=UTF-8''activation-a1.csv"
    rows = list(csv.DictReader(io.StringIO(table.content.decode())))
    assert [(row["id"], row["message_id"], row["highest_kw"], row["average_kw"]) for row in rows] == [
        ("a1", "m1", "20.5", "19"),
        ("a1", "m1", "20.5", "20.5"),
    ]
    assert "S1" not in table.content.decode()
    for file in ("a2.json", "a2.csv", "a1.xml", "a1", ".json"):
        missing = await s.call("GET", f"/grid/activations/{file}")
        assert (missing.status, "/grid/activations" in told(missing)["title"]) == (404, True)


async def test_a_table_of_what_nobody_measured_has_one_line_and_no_formula(s: Site) -> None:
    await s.put_group("T1")
    await say(s, '=HYPERLINK("https://example.com")')
    table = (await s.call("GET", "/grid/activations/a1.csv")).content.decode()
    (row,) = csv.DictReader(io.StringIO(table))
    assert row["message_id"] == '\'=HYPERLINK("https://example.com")'

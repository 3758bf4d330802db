"""The rows that say why a plan was as it was."""

from hub.ocpi import codec
from plugins.load_manager.evidence import csv_of, decision_rows, group_rows, read_rows
from plugins.load_manager.knowledge.learning import Limit
from tests.unit.plugins.load_manager.planning.site import AC3_16, Site
from tests.unit.plugins.load_manager.signals.saying import at, fallback, signal


def test_a_row_for_each_group_and_each_session() -> None:
    site = Site([AC3_16] * 3)
    site.say(signal("12:00-12:15 30", "12:15-23:00 10"), fallback("12:00-23:00 10"))
    made = site.plan("12:00", held={"S3": 11_040_000})
    (group,) = group_rows(made)
    assert (group["group_id"], group["rule"], group["message_id"], group["next_edge_at"]) == (
        "T1",
        "LIMIT",
        "m1",
        "2026-03-02T12:15:00.000Z",
    )
    assert codec.loads(codec.dumps(group["effective_kw"])) == 30 - codec.loads("11.04")
    assert group["inputs_hash"] == made.inputs_hash
    rows = {row["session"]: row for row in decision_rows(made)}
    assert set(rows) == {"nl*abc/s1", "nl*abc/s2", "nl*abc/s3"}
    assert rows["nl*abc/s1"]["target"] == "0s:9.453kW 900s:0kW"
    assert (rows["nl*abc/s3"]["standing"], rows["nl*abc/s3"]["target"]) == ("counted", "")
    assert len(csv_of(rows.values()).splitlines()) == 4


def test_who_did_not_make_the_plan_reads_the_same_off_the_rows() -> None:
    site = Site([AC3_16] * 3)
    site.say(signal("12:00-12:15 30", "12:15-23:00 10"), fallback("12:00-23:00 10"))
    made = site.plan("12:00", held={"S3": 11_040_000})
    seen = read_rows(*(codec.loads(codec.dumps(list(rows(made)))) for rows in (group_rows, decision_rows)))
    assert seen.groups.keys() == made.groups.keys()
    assert seen.decisions.keys() == made.decisions.keys()
    for group_id, group in made.groups.items():
        other = seen.groups[group_id]
        assert (other.allocated_mw, other.next_edge_at) == (group.allocated_mw, group.next_edge_at)
    for key, decision in made.decisions.items():
        told = seen.decisions[key]
        assert (told.sentence, told.group_id) == (decision.sentence, decision.group_id)


def test_a_release_is_written_as_such() -> None:
    site = Site([AC3_16])
    site.limit(100)
    site.known.learning.confirmed(next(iter(site.plan("12:00").targets)), Limit(at("11:00"), 6_000))
    (row,) = decision_rows(site.plan("12:01"))
    assert (row["standing"], row["target"], row["sentence"]) == ("unlimited", "release", "not limited")

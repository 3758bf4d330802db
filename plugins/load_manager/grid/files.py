"""The grid as a file, read whole or not at all: JSON with the bodies of the groups, and CSV for spreadsheets.

In CSV the first line names the columns: the fields of a group and of a member. A group's line may have its first
member. Each further member is a line with the group's id, on which its other fields are empty or the same again.
"""

import csv
import io
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from hub.ocpi import codec
from plugins.load_manager.grid.group import GridRefused, Group, Member, Problem
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.grid.power import kilowatts
from plugins.load_manager.grid.reading import GROUP_FIELDS, MEMBER_FIELDS, read_group

_NUMBERS = frozenset({"static_capacity_kw", "fallback_capacity_kw", "margin", "arrival_reserve_kw", "ramp_up"})
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def read_json(text: str | bytes) -> GridModel:
    """The grid of `{"groups": [...]}`. Raises GridRefused with every problem; places are like `groups[3]`."""
    try:
        value = codec.loads(text)
    except codec.NotJson as why:
        raise GridRefused([Problem("", f"this is no JSON: {why}")]) from None
    rows = value.get("groups") if isinstance(value, dict) else None
    if not isinstance(rows, list):
        raise GridRefused([Problem("", 'an object with a list is expected: {"groups": [...]}')])
    return _grid([(f"groups[{position}]", row) for position, row in enumerate(rows)])


def read_csv(text: str) -> GridModel:
    """The grid of a table. Raises GridRefused with every problem; places are like `line 7`."""
    lines = csv.reader(io.StringIO(text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"), newline=""), strict=True)
    try:
        rows = [(lines.line_num, [cell.strip() for cell in row]) for row in lines]
    except csv.Error as why:
        raise GridRefused([Problem("", f"this is no CSV: {why}", f"line {lines.line_num}")]) from None
    return _grid(_bodies(rows))


def write_json(model: GridModel) -> bytes:
    """What `read_json` reads."""
    return codec.dumps({"groups": [body_of(group) for group in model.groups.values()]})


def write_csv(model: GridModel) -> str:
    """What `read_csv` reads."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow((*GROUP_FIELDS, *MEMBER_FIELDS))
    for group in model.groups.values():
        body = body_of(group)
        own = [_cell(body.get(name)) for name in GROUP_FIELDS]
        members = [_member(member) for member in group.members] or [{}]
        for member in members:
            lines.writerow([*own, *(_cell(member.get(name)) for name in MEMBER_FIELDS)])
            own = [group.id, *[""] * (len(GROUP_FIELDS) - 1)]
    return out.getvalue()


def body_of(group: Group) -> dict[str, object]:
    """The group as the JSON values that `read_group` reads. What is not set is left out."""
    values: dict[str, object] = {
        "id": group.id,
        "parent": group.parent,
        "capacity_provider": group.capacity_provider,
        "static_capacity_kw": kilowatts(group.static_capacity_mw),
        "fallback_capacity_kw": None if group.fallback_capacity_mw is None else kilowatts(group.fallback_capacity_mw),
        "margin": group.margin,
        "arrival_reserve_kw": None if group.arrival_reserve_mw is None else kilowatts(group.arrival_reserve_mw),
        "ramp_up": group.ramp_up,
        "gap_policy": group.gap_policy.value,
        "scope": group.scope.value,
        "phase_model": group.phase_model.value,
        "valid_from": _time(group.valid_from),
        "valid_to": _time(group.valid_to),
        "members": [_member(member) for member in group.members],
    }
    return {name: value for name, value in values.items() if value is not None}


def _grid(bodies: list[tuple[str, object]]) -> GridModel:
    problems: list[Problem] = []
    groups: list[Group] = []
    places: dict[str, str] = {}
    for place, body in bodies:
        try:
            group = read_group(body)
        except GridRefused as refused:
            problems += [problem._replace(place=place) for problem in refused.problems]
        else:
            groups.append(group)
            places[group.id] = place
    if problems:
        raise GridRefused(problems)
    try:
        return GridModel(groups)
    except GridRefused as refused:
        refused.problems = tuple(
            problem._replace(place=places.get(problem.group_id, "")) for problem in refused.problems
        )
        raise


def _bodies(rows: list[tuple[int, list[str]]]) -> list[tuple[str, object]]:
    """The bodies of groups out of the lines of a table, each with the place of its first line."""
    columns = rows[0][1] if rows else []
    known = (*GROUP_FIELDS, *MEMBER_FIELDS)
    problems = [
        Problem("", f"{name or 'an empty name'} is no column", "line 1") for name in columns if name not in known
    ]
    if len(set(columns)) < len(columns):
        problems.append(Problem("", "a column stands twice", "line 1"))
    problems += [
        Problem("", f"the column {name} is missing", "line 1")
        for name in ("id", "static_capacity_kw")
        if name not in columns
    ]
    bodies: dict[str, tuple[str, dict[str, object]]] = {}
    heads: dict[str, dict[str, str]] = {}
    for number, cells in rows[1:] if not problems else []:
        place = f"line {number}"
        if not any(cells):
            continue
        if len(cells) != len(columns):
            problems.append(Problem("", f"it has {len(cells)} cells, and the first line has {len(columns)}", place))
            continue
        row = {name: cell for name, cell in zip(columns, cells, strict=True) if cell}
        head = {name: row[name] for name in GROUP_FIELDS if name in row}
        member = {name: row[name] for name in MEMBER_FIELDS if name in row}
        group_id = head.get("id", "")
        if group_id not in bodies:
            heads[group_id] = head
            bodies[group_id] = (place, {name: _value(name, text) for name, text in head.items()} | {"members": []})
        elif not member or (len(head) > 1 and head != heads[group_id]):
            problems.append(Problem(group_id, f"the id stands on {bodies[group_id][0]} already", place))
        if member:
            members = bodies[group_id][1]["members"]
            if isinstance(members, list):
                members.append(member)
    if problems:
        raise GridRefused(problems)
    return list(bodies.values())


def _value(name: str, text: str) -> str | Decimal:
    return Decimal(text) if name in _NUMBERS and _NUMBER.fullmatch(text) else text


def _cell(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    return "" if value is None else str(value)


def _member(member: Member) -> Mapping[str, str]:
    row = {
        "country_code": member.party.country_code,
        "party_id": member.party.party_id,
        "location_id": member.location_id,
    }
    return row if member.evse_uid is None else row | {"evse_uid": member.evse_uid}


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()

"""Allocation as its definition says it, a second and slower reading in exact fractions: no slices and no search, every
node is looked at for every session. It does not know the bound on overstated needs.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

from plugins.load_manager.allocation import Session


def paths(parents: Sequence[int]) -> list[list[int]]:
    """For each node itself and all above it."""
    found = []
    for node in range(len(parents)):
        path = [node]
        while parents[path[-1]] >= 0:
            path.append(parents[path[-1]])
        found.append(path)
    return found


def bounds(row: Session) -> tuple[int, int]:
    """Least and most as multiples of the quantum; (0, 0) for who cannot charge."""
    quantum = row.quantum_mw
    least = max(math.ceil(Fraction(row.minimum_mw, quantum)), 1) * quantum
    most = row.maximum_mw // quantum * quantum
    return (least, most) if most >= least else (0, 0)


def known(row: Session) -> bool:
    return not (math.isnan(row.need_kwh) or math.isnan(row.departure_h))


def laxity_h(row: Session) -> float:
    most = bounds(row)[1]
    if not known(row) or not most:
        return 4.0
    return max(-1000.0, min(1000.0, max(row.departure_h, 0.0) - max(row.need_kwh, 0.0) / (most / 1e6)))


def need(row: Session) -> int:
    least, most = bounds(row)
    if not known(row) or row.satisfied:
        return least
    asked = 1.2 * 1e6 * max(row.need_kwh, 0.0) / max(row.departure_h, 1 / 60)
    return max(least, int(min(asked, most)) // row.quantum_mw * row.quantum_mw)


def turn(rows: Sequence[Session]) -> list[int]:
    """The most urgent first."""

    def urgency(index: int) -> tuple[object, ...]:
        row = rows[index]
        laxity = laxity_h(row)
        if row.on and row.on_h < row.min_on_h:
            group = "0 fresh"
        elif not row.on and row.waiting_h > 0.5 and (not known(row) or laxity < 1.0):
            group = "1 starved"
        else:
            group = "2 others"
        score = laxity - 0.4 if row.on else laxity - 2 * row.waiting_h
        return group, score, row.on_h if row.on else 0.0, row.arrived_s, row.key

    return sorted(range(len(rows)), key=urgency)


def floors(parents: Sequence[int], room: Sequence[int], rows: Sequence[Session]) -> list[int]:
    """Step A: what each is sure of, 0 for who is paused."""
    path = paths(parents)
    given = [0] * len(rows)

    def under(node: int) -> list[int]:
        return [index for index, row in enumerate(rows) if node in path[row.node]]

    def left(index: int) -> int:
        return min(room[node] - sum(given[other] for other in under(node)) for node in path[rows[index].node])

    crowded = {
        node
        for node in range(len(parents))
        if sum(bounds(rows[index])[0] for index in under(node)) > room[node]
        and any(not rows[index].may_pause and bounds(rows[index])[0] for index in under(node))
    }
    everyone = turn(rows)
    cautious = [index for index in everyone if not rows[index].may_pause or crowded & set(path[rows[index].node])]
    for index in cautious:
        least = bounds(rows[index])[0]
        given[index] = least if least <= left(index) else 0
    for index in everyone:
        if index in cautious and not given[index]:
            continue
        row = rows[index]
        best = min(need(row), given[index] + left(index)) // row.quantum_mw * row.quantum_mw
        if best >= max(1, bounds(row)[0]):
            given[index] = best
    return given


def max_min(
    parents: Sequence[int],
    room: Sequence[int],
    places: Sequence[tuple[int, int]],
    floor: Sequence[int | Fraction],
    upper: Sequence[int | Fraction],
) -> list[Fraction]:
    """Step B by raising one level for all and stopping those under a node that is full. places: node and weight."""
    path = paths(parents)
    stopped: dict[int, Fraction] = {}

    def power(index: int, level: Fraction) -> Fraction:
        if index in stopped:
            return stopped[index]
        return max(Fraction(floor[index]), min(Fraction(upper[index]), places[index][1] * level))

    members = {node: [i for i, (at, _) in enumerate(places) if node in path[at]] for node in range(len(parents))}

    def total(node: int, level: Fraction) -> Fraction:
        return sum((power(index, level) for index in members[node]), Fraction(0))

    level = Fraction(0)
    while len(stopped) < len(places):
        for node, inside in members.items():
            if total(node, level) >= room[node]:
                stopped.update({index: power(index, level) for index in inside if index not in stopped})
        moving = [index for index in range(len(places)) if index not in stopped]
        turns = {Fraction(edge[index]) / places[index][1] for index in moving for edge in (floor, upper)}
        later = [turn for turn in turns if turn > level]
        if not later:
            break
        ahead = bend = min(later)
        for node in members:
            slope = (total(node, bend) - total(node, level)) / (bend - level)
            if slope > 0:
                ahead = min(ahead, level + (room[node] - total(node, level)) / slope)
        level = ahead
    return [power(index, level) for index in range(len(places))]


def allocate(parents: Sequence[int], limits: Sequence[int], rows: Sequence[Session]) -> list[Fraction]:
    """Powers before they are rounded down."""
    room = [max(0, limit) for limit in limits]
    floor = floors(parents, room, rows)
    upper = [bounds(row)[1] if given else 0 for row, given in zip(rows, floor, strict=True)]
    places = [(row.node, row.weight_percent) for row in rows]
    held = [low if row.satisfied else high for row, low, high in zip(rows, floor, upper, strict=True)]
    first = max_min(parents, room, places, floor, held)
    opened = [high if row.satisfied else low for row, low, high in zip(rows, first, upper, strict=True)]
    return max_min(parents, room, places, first, opened)

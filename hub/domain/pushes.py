"""The rules by which a push changes an object of the catalog (R-079, R-080, R-094 to R-103, rulings 8 to 13).

- A body says what its URL says: owner, id, the type of a token, in any spelling (R-095, R-097, R-109). A PATCH may
  leave these out but not change them.
- Time never runs backwards at the level that is addressed: what is older than held changes nothing and is a success.
- A parent of what was pushed takes the child's `last_updated`, as the child spells it, unless its own is later.
- An object has a largest size, whether it came whole or grew part by part.

Pure and total: the stored text in, the text to store out, whatever the bytes are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from hub.domain.catalog import ObjectKey, Push, Verdict
from hub.ocpi import names, splice, times
from hub.ocpi.status import StatusCode

# Below a location: the array that holds a part, and the member that names it.
_LEVELS = (("evses", "uid"), ("connectors", "id"))
_ID_MEMBERS = {names.TOKENS: "uid"}
_UNKNOWN = {names.LOCATIONS: StatusCode.UNKNOWN_LOCATION, names.TOKENS: StatusCode.UNKNOWN_TOKEN}
_TIME = "last_updated"
# What is kept must stay readable when it is merged into a parent, and further up the stack than here.
_SPARE_LEVELS = 200
# Half of what the smaller of the two stores can hold in a record (16 MB, and other things are in it too), so that what
# is too large is the same in both. A location of 1,000 EVSEs takes 1 to 2 MB.
_MOST_BYTES = 8 * 1024 * 1024
_SHOWN = 40


def judge(push: Push, held: bytes | None) -> Verdict:
    """What becomes of a push while this text (None: nothing) is held."""
    if len(push.body or b"") > _MOST_BYTES:
        return _too_large("The body", len(push.body or b""))
    if push.method == "DELETE":
        return _judge_delete(push, held)
    if (problem := _problem_of_kind(push)) is not None:
        return _refused(problem)
    try:
        body = splice.members(push.body or b"", spare=_SPARE_LEVELS)
    except splice.Unreadable as unreadable:
        return _refused(f"The body {unreadable}")
    if (problem := _problem_of_identity(push, body)) is not None:
        return _refused(problem)
    stamp = _stamp(body)
    if stamp is None:
        said = f"{_TIME} is no date and time: {_shown(body[_TIME])}" if _TIME in body else f"{_TIME} is missing"
        return _refused(said)
    return _applied(push, body, stamp, held)


def covers(new: Push, waiting: Push) -> bool:
    """Whether a newer push tells everything that an older one, still waiting to be sent, would have told.

    Both were accepted, in this order. Then sending the newer alone leads a receiver to the same state.
    """
    addressed = new.address
    if waiting.address[: len(addressed)] != addressed:
        return False
    if new.method != "PATCH":
        return True
    if waiting.method != "PATCH" or len(waiting.parts) != len(new.parts):
        return False
    try:
        return splice.members(waiting.body or b"").keys() <= splice.members(new.body or b"").keys()
    except splice.Unreadable:
        return False


def part_of(raw: bytes, parts: tuple[str, ...]) -> bytes | None:
    """The text of a location (no parts), its EVSE (uid) or connector (uid, id); None when it is not there."""
    if not parts:
        return raw
    steps = _descend(raw, parts)
    return None if steps is None else steps[-1].found


@dataclass(frozen=True, slots=True)
class _Stamp:
    """A `last_updated`: the moment, and the text of the value."""

    moment: datetime
    written: bytes


@dataclass(frozen=True, slots=True)
class _Step:
    """A parent taken apart on the way down: its members, and where the next one is or will be among its children."""

    members: dict[str, bytes]
    array: str
    children: list[bytes]
    at: int | None

    @property
    def found(self) -> bytes | None:
        return None if self.at is None else self.children[self.at]

    def rebuilt(self, child: bytes, stamp: _Stamp) -> tuple[bytes, _Stamp]:
        """The parent's text with this child, and its own time from now on (R-080, T-45)."""
        children = list(self.children)
        if self.at is None:
            children.append(child)
        else:
            children[self.at] = child
        own = _stamp(self.members)
        latest = stamp if own is None or own.moment <= stamp.moment else own
        return splice.joined({**self.members, self.array: splice.row(children), _TIME: latest.written}), latest


def _applied(push: Push, body: dict[str, bytes], stamp: _Stamp, held: bytes | None) -> Verdict:
    """The verdict on a PUT or PATCH whose body is in order."""
    steps = _descend(held, push.parts)
    if steps is None:
        return _not_held(push)
    current = steps[-1].found if steps else held
    now = _readable(current)
    before = None if now is None else _stamp(now)
    if before is not None and stamp.moment < before.moment:
        return Verdict(200, StatusCode.OK, stale=True)
    if push.method == "PUT":
        text = push.body or b""
    elif current is None or now is None:
        return _not_held(push)
    else:
        text = splice.merged(current, body)
    for step in reversed(steps):
        text, stamp = step.rebuilt(text, stamp)
    if len(text) > _MOST_BYTES:
        return _too_large("With this the object", len(text))
    http = 201 if now is None else 200
    return Verdict(http, StatusCode.OK, raw=text, last_updated=stamp.moment, fan_out=True)


def _descend(raw: bytes | None, parts: tuple[str, ...]) -> list[_Step] | None:
    """The parents of the addressed part, outermost first; None when one of them is not there or cannot be read."""
    steps: list[_Step] = []
    if len(parts) > len(_LEVELS):
        return None
    for (array, member), part in zip(_LEVELS, parts, strict=False):
        holder = _readable(raw)
        if holder is None:
            return None
        try:
            children = splice.elements(holder.get(array))
        except splice.Unreadable:
            return None
        steps.append(_Step(holder, array, children, splice.position(children, member, part)))
        raw = steps[-1].found
    return steps


def _readable(raw: bytes | None) -> dict[str, bytes] | None:
    try:
        return None if raw is None else splice.members(raw)
    except splice.Unreadable:
        return None


def _judge_delete(push: Push, held: bytes | None) -> Verdict:
    if push.key.module != names.TARIFFS or push.parts:
        return _refused("Only tariffs can be deleted")
    return _not_held(push) if held is None else Verdict(200, StatusCode.OK, removed=True, fan_out=True)


def _problem_of_kind(push: Push) -> str | None:
    """Why there is no such push, whatever its body."""
    if push.method not in ("PUT", "PATCH"):
        return f"{_shown(push.method)} changes no object"
    if push.method == "PATCH" and push.key.module == names.TARIFFS:
        return "Tariffs are changed by PUT alone"
    if push.parts and (push.key.module != names.LOCATIONS or len(push.parts) > len(_LEVELS)):
        return "There is no such part of an object"
    return None


def _problem_of_identity(push: Push, body: dict[str, bytes]) -> str | None:
    """Which member says something else than the URL."""
    for member, by_url in _identity(push):
        if member not in body:
            if push.method == "PATCH":
                continue
            return f"{member} is missing in the body; by the URL it is {_shown(by_url)}"
        said = splice.text(body[member])
        if said is None or said.casefold() != by_url.casefold():
            return f"{member} is {_shown(body[member] if said is None else said)}; by the URL it is {_shown(by_url)}"
    return None


def _identity(push: Push) -> Iterable[tuple[str, str]]:
    """The members that name what is addressed, with what the URL says of each."""
    if push.parts:
        yield _LEVELS[len(push.parts) - 1][1], push.parts[-1]
        return
    key = push.key
    yield "country_code", key.owner.country_code
    yield "party_id", key.owner.party_id
    yield _ID_MEMBERS.get(key.module, "id"), key.object_id
    if key.module == names.TOKENS:
        yield "type", key.kind


def _stamp(members: dict[str, bytes]) -> _Stamp | None:
    written = members.get(_TIME)
    said = splice.text(written)
    moment = None if said is None else times.parse(said)
    return None if written is None or moment is None else _Stamp(moment, written)


def _refused(message: str) -> Verdict:
    return Verdict(200, StatusCode.INVALID_PARAMETERS, message)


def _too_large(what: str, size: int) -> Verdict:
    return _refused(f"{what} takes {size} bytes; this hub keeps objects of {_MOST_BYTES} bytes at most")


def _not_held(push: Push) -> Verdict:
    code = _UNKNOWN.get(push.key.module, StatusCode.INVALID_PARAMETERS)  # T-12
    return Verdict(404, code, f"This hub does not hold {_called(push.key, push.parts)}")


def _called(key: ObjectKey, parts: tuple[str, ...]) -> str:
    path = "/".join((key.owner.country_code, key.owner.party_id, key.object_id, *parts))
    return f"{_shown(path, 120)} of {key.module}"


def _shown(value: bytes | str, most: int = _SHOWN) -> str:
    """A value for a sentence: short, and with everything printable. Texts in quotes, other values as they are."""
    if isinstance(value, bytes):
        value = value[: 4 * most].decode(errors="replace")
        return value if len(value) <= most else f"{value[:most]}..."
    return repr(value if len(value) <= most else f"{value[:most]}...")

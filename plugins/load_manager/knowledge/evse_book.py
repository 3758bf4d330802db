"""Every EVSE of the catalog's locations, fed by whole objects and by parts of them in any order."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, TypeVar

from hub.ocpi.party_id import PartyId
from plugins.load_manager.knowledge import wire
from plugins.load_manager.knowledge.connectors import Connector, Evse, read_connector, read_evse
from plugins.load_manager.knowledge.keys import EvseKey, LocationKey, location_key, owner
from plugins.load_manager.knowledge.shelving import Shelved
from plugins.load_manager.knowledge.telling import Told, believable

MOST_LOCATIONS = 1_000_000
MOST_CHILDREN = 2_000
LONGEST_ID = 255

T = TypeVar("T", bound=Told)


@dataclass(slots=True, kw_only=True)
class Location:
    """The EVSEs of a location by uid, case folded; `listed_at` is how new the list of them is."""

    party: str
    id: str
    evses: dict[str, Evse] = field(default_factory=dict)
    listed_at: datetime | None = None

    @property
    def owner(self) -> PartyId:
        return owner(self.party)


class EvseBook(Shelved[LocationKey, Location]):
    """Locations by key, a document `location/<key>` each. `refused` counts bodies without a believable
    `last_updated`, and what is above the bounds.
    """

    prefix: ClassVar[str] = "location"
    kind: ClassVar[type[object]] = Location

    def __init__(self, most: int = MOST_LOCATIONS) -> None:
        super().__init__()
        self.refused = 0
        self._most = most

    def put_location(self, party: PartyId, location_id: str, body: object, now: datetime) -> None:
        """A whole Location: the EVSEs of its list are those it has."""
        stamp = self._stamp(body, now)
        location = self._location(party, location_id) if stamp else None
        listed = wire.rows(wire.members(body).get("evses", []))
        if stamp is None or location is None or listed is None:
            return
        rows = _named(listed, "uid")
        if fresh := _drop_unlisted(location.evses, rows, stamp, location.listed_at):
            location.listed_at = stamp
        for uid, row in rows.items():
            self._tell_evse(location, uid, row, _own_stamp(row, now) or stamp, whole=True, may_add=fresh)
        self._touch(location_key(party, location_id))

    def patch_location(self, party: PartyId, location_id: str, body: object, now: datetime) -> None:
        """Some members of a Location: a list of EVSEs among them is the whole list."""
        if "evses" in wire.members(body):
            self.put_location(party, location_id, body, now)

    def told_evse(
        self, party: PartyId, location_id: str, uid: str, body: object, *, now: datetime, whole: bool
    ) -> None:
        """An EVSE, or with `whole` false the part of one that a PATCH has."""
        stamp = self._stamp(body, now)
        location = self._location(party, location_id) if stamp else None
        if stamp is None or location is None:
            return
        if self._tell_evse(location, uid, body, stamp, whole=whole, may_add=_newer(stamp, location.listed_at)):
            self._touch(location_key(party, location_id))

    def told_connector(
        self,
        party: PartyId,
        location_id: str,
        uid: str,
        connector_id: str,
        body: object,
        *,
        now: datetime,
        whole: bool,
    ) -> None:
        """A connector, or with `whole` false the part of one that a PATCH has."""
        stamp = self._stamp(body, now)
        location = self._location(party, location_id) if stamp else None
        if stamp is None or location is None:
            return
        evse = _child(location.evses, uid, Evse(uid=uid), may_add=_newer(stamp, location.listed_at))
        if evse is None:
            self.refused += 1
            return
        connector = _child(evse.connectors, connector_id, Connector(), may_add=_newer(stamp, evse.listed_at))
        if connector is not None and connector.tell(stamp, read_connector(body, whole=whole)):
            self._touch(location_key(party, location_id))

    def removed(self, party: PartyId, location_id: str) -> None:
        """The catalog has it no more."""
        self.forget(location_key(party, location_id))

    def of(self, party: PartyId) -> list[str]:
        """Ids of the owner's locations."""
        mine = location_key(party, "")
        return [location.id for key, location in self.items() if key.startswith(mine)]

    def evse(self, key: EvseKey) -> Evse | None:
        """The EVSE, if it is known."""
        location = self.find(key.location)
        return location.evses.get(key.uid) if location else None

    def evses(self) -> Iterator[tuple[EvseKey, Location, Evse]]:
        """Every EVSE; others may come and go meanwhile."""
        for key, location in list(self.items()):
            for uid, evse in list(location.evses.items()):
                yield EvseKey(key, uid), location, evse

    def _stamp(self, body: object, now: datetime) -> datetime | None:
        stamp = _own_stamp(wire.members(body), now)
        self.refused += stamp is None
        return stamp

    def _location(self, party: PartyId, location_id: str) -> Location | None:
        key = location_key(party, location_id)
        location = self._kept.get(key)
        if location is None and len(self._kept) < self._most and 0 < len(location_id) <= LONGEST_ID:
            location = self._kept[key] = Location(party=str(party), id=location_id)
        self.refused += location is None
        return location

    def _tell_evse(
        self, location: Location, uid: str, body: object, stamp: datetime, *, whole: bool, may_add: bool
    ) -> bool:
        evse = _child(location.evses, uid, Evse(uid=uid), may_add=may_add)
        if evse is None:
            self.refused += 1
            return False
        news = evse.tell(stamp, read_evse(body, whole=whole))
        listed = wire.rows(wire.members(body).get("connectors"))
        if listed is None:
            return news
        rows = _named(listed, "id")
        if fresh := _drop_unlisted(evse.connectors, rows, stamp, evse.listed_at):
            evse.listed_at = stamp
        for connector_id, row in rows.items():
            connector = _child(evse.connectors, connector_id, Connector(), may_add=fresh)
            if connector is not None:
                told_at = wire.moment(row.get("last_updated")) or stamp
                connector.tell(min(told_at, stamp), read_connector(row, whole=True))
        return True


def _own_stamp(body: object, now: datetime) -> datetime | None:
    stamp = wire.moment(wire.members(body).get("last_updated"))
    return stamp if believable(stamp, now) else None


def _named(listed: list[Mapping[str, object]], member: str) -> dict[str, Mapping[str, object]]:
    return {name: row for row in listed if (name := wire.text(row.get(member), LONGEST_ID)) is not None}


def _newer(stamp: datetime, listed_at: datetime | None) -> bool:
    return listed_at is None or stamp > listed_at


def _child(children: dict[str, T], name: str, new: T, *, may_add: bool) -> T | None:
    """The child of that name, else `new`; None when it may not be added or there is no room."""
    key = name.casefold()
    if key in children:
        return children[key]
    if not may_add or len(children) >= MOST_CHILDREN or not 0 < len(name) <= LONGEST_ID:
        return None
    return children.setdefault(key, new)


def _drop_unlisted(children: dict[str, T], listed: Iterable[str], stamp: datetime, listed_at: datetime | None) -> bool:
    """Takes out what a list of `stamp` does not name and nothing newer speaks of; False when the list is outdated."""
    if listed_at is not None and stamp < listed_at:
        return False
    names = {name.casefold() for name in listed}
    for key in [key for key in children if key not in names]:
        told_at = children[key].told_at
        if told_at is None or told_at <= stamp:
            del children[key]
    return True

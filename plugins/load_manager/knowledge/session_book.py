"""Every session that the hub sees routed, is told as a party, or pulls. Bodies come in any order and end in one state;
the caller has made sure that `party` is the owner who speaks.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from hub.ocpi.party_id import PartyId
from plugins.load_manager.knowledge import session, wire
from plugins.load_manager.knowledge.keys import SessionKey, session_key
from plugins.load_manager.knowledge.session import EnergySample, Session, Source
from plugins.load_manager.knowledge.shelving import Shelved
from plugins.load_manager.knowledge.telling import believable
from plugins.load_manager.strides import Strides

ENDED_KEPT = timedelta(hours=1)
OVERLAP = timedelta(seconds=60)
FURTHEST_BACK = timedelta(hours=24)
MOST_OF_A_PARTY = 100_000
MOST_ENDED_OF_A_PARTY = 10_000
LONGEST_ID = 255


class _Lanes:
    """The sessions of one party, those heard of longest ago first."""

    __slots__ = ("ended", "running")

    def __init__(self) -> None:
        self.running: dict[SessionKey, None] = {}
        self.ended: dict[SessionKey, None] = {}


class SessionBook(Shelved[SessionKey, Session]):
    """Sessions by key, a document `session/<key>` each. Bounds hold per party, so that nobody crowds out others:
    above them the ended, or running, session that was heard of longest ago is forgotten. `crowded_out` counts
    running ones, `refused` bodies without a believable `last_updated`.
    """

    prefix: ClassVar[str] = "session"
    kind: ClassVar[type[object]] = Session

    def __init__(self, most: int = MOST_OF_A_PARTY, most_ended: int = MOST_ENDED_OF_A_PARTY) -> None:
        super().__init__()
        self.refused = 0
        self.crowded_out = 0
        self._most = most
        self._most_ended = most_ended
        self._lanes: dict[PartyId, _Lanes] = {}
        self._forgotten: list[SessionKey] = []

    def put(self, party: PartyId, session_id: str, body: object, source: Source, now: datetime) -> Session | None:
        """A whole Session; the session when there was news in it."""
        return self._told(party, session_id, body, source, now, whole=True)

    def patch(self, party: PartyId, session_id: str, body: object, source: Source, now: datetime) -> Session | None:
        """Some members of a Session, maybe of one that is not known yet; the session when there was news in them."""
        return self._told(party, session_id, body, source, now, whole=False)

    def pulled(self, party: PartyId, body: object, now: datetime) -> Session | None:
        """A Session of a page of the party's own list; objects of others are not taken."""
        has = wire.members(body)
        session_id = wire.text(has.get("id"))
        country_code, party_id = wire.text(has.get("country_code"), 2), wire.text(has.get("party_id"), 3)
        if session_id is None or country_code is None or party_id is None or PartyId(country_code, party_id) != party:
            return None
        return self.put(party, session_id, body, Source.PULLED, now)

    def of(self, party: PartyId) -> list[Session]:
        """The sessions of a party that have not ended."""
        lanes = self._lanes.get(party)
        return [self._kept[key] for key in lanes.running] if lanes else []

    def running(self) -> list[tuple[SessionKey, Session]]:
        """Every session that has not ended."""
        return [(key, self._kept[key]) for lanes in self._lanes.values() for key in lanes.running]

    def date_from(self, party: PartyId, now: datetime) -> datetime:
        """From where on to ask the party for its sessions to learn all that changed meanwhile: a little before the
        newest `last_updated` known, at most a day back when none is.
        """
        lanes = self._lanes.get(party)
        keys = (*lanes.running, *lanes.ended) if lanes else ()
        newest = max((at for key in keys if (at := self._kept[key].told_at)), default=now - FURTHEST_BACK)
        return min(newest, now) - OVERLAP

    def unclear(self) -> list[tuple[SessionKey, Session]]:
        """Running sessions of which only pieces came: nobody told where they are or in which state."""
        return [(key, one) for key, one in self.running() if one.status is None or one.location_id is None]

    def silent(self, now: datetime, longer_than: timedelta) -> list[tuple[SessionKey, Session]]:
        """Running sessions that nobody spoke of for so long."""
        return [(key, one) for key, one in self.running() if now - one.heard_at > longer_than]

    def prune(self, now: datetime) -> list[SessionKey]:
        """Forgets what ended long enough ago; all that was forgotten since the last call, also for want of room."""
        for party, lanes in list(self._lanes.items()):
            old = [key for key in lanes.ended if now - self._kept[key].heard_at > ENDED_KEPT]
            for key in old:
                self.forget(key)
            if not lanes.running and not lanes.ended:
                del self._lanes[party]
        forgotten, self._forgotten = self._forgotten, []
        return forgotten

    def forget(self, key: SessionKey) -> None:
        one = self._kept.get(key)
        if one is None:
            return
        lanes = self._lanes[one.owner]
        lanes.running.pop(key, None)
        lanes.ended.pop(key, None)
        self._forgotten.append(key)
        super().forget(key)

    def _told(
        self, party: PartyId, session_id: str, body: object, source: Source, now: datetime, *, whole: bool
    ) -> Session | None:
        stamp = wire.moment(wire.members(body).get("last_updated"))
        if stamp is None or not believable(stamp, now) or not 0 < len(session_id) <= LONGEST_ID:
            self.refused += 1
            return None
        found = session.read(body, stamp, whole=whole)
        key = session_key(party, session_id)
        one = self._kept.get(key)
        if one is None:
            one = Session(party=str(party), id=session_id, first_seen=now, heard_at=now, late=source is Source.PULLED)
        news = one.tell(stamp, found)
        if (kwh := wire.number(wire.members(body).get("kwh"), 0, session.MOST_KWH)) is not None:
            one.sample(EnergySample(stamp, kwh))
        one.heard_at = now
        self._place(key, one)
        self._touch(key)
        self._make_room(party)
        return one if news else None

    def restoring(self, documents: Mapping[str, object]) -> Strides[None]:
        yield from super().restoring(documents)
        for key in sorted(self._kept, key=lambda key: self._kept[key].heard_at):
            yield
            self._place(key, self._kept[key])

    def _restored(self, key: SessionKey, thing: Session) -> None:
        self._place(key, thing)

    def _place(self, key: SessionKey, one: Session) -> None:
        self._kept[key] = one
        lanes = self._lanes.setdefault(one.owner, _Lanes())
        lanes.running.pop(key, None)
        lanes.ended.pop(key, None)
        (lanes.ended if one.ended else lanes.running)[key] = None

    def _make_room(self, party: PartyId) -> None:
        lanes = self._lanes[party]
        if len(lanes.ended) > self._most_ended:
            self.forget(next(iter(lanes.ended)))
        if len(lanes.running) > self._most:
            self.crowded_out += 1
            self.forget(next(iter(lanes.running)))

"""RECEIVER endpoints that keep what owners push: locations, sessions, tariffs, tokens, client info (R-094 to R-103)."""

from typing import Any

from hub.ocpi import names, urls
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from hub.sandbox.book import Book, Object, id_member, part_of
from hub.sandbox.habits import Habits
from hub.sandbox.received import Received
from hub.sandbox.reply import Replies, Reply

_UNKNOWN = {names.LOCATIONS: StatusCode.UNKNOWN_LOCATION, names.TOKENS: StatusCode.UNKNOWN_TOKEN}
_PARTS = (("evses", "uid"), ("connectors", "id"))


class HeldObjects:
    """Keeps objects of others under their owner; only locations have parts with URLs of their own."""

    def __init__(self, book: Book, habits: Habits, replies: Replies) -> None:
        self._book = book
        self._habits = habits
        self._replies = replies

    def serve(self, received: Received) -> Reply:
        """GET, PUT, PATCH or DELETE of `{country}/{party}/{id}` and, below a location, of EVSE and connector."""
        module = received.module or ""
        country_code, party_id, object_id, *parts = received.segments
        owner = PartyId(country_code, party_id)
        if self._habits.checks_from and received.sender not in (None, owner):
            return self._invalid(f"{received.sender} is not the owner of the object")
        kind = urls.query_value(received.query, "type") or ""
        whole = self._book.find(module, owner, object_id, kind)
        if received.method == "PUT" and not parts:
            return self._put_whole(module, received)
        chain = _descend(whole, parts)
        if received.method == "PUT" and chain and len(chain) >= len(parts):
            return self._put_part(chain, parts, received.data)
        if len(chain) <= len(parts):
            return self._replies.refused(_UNKNOWN.get(module, StatusCode.INVALID_PARAMETERS), status=404)
        if received.method == "GET":
            return self._replies.ok(chain[-1])
        if received.method == "PATCH":
            return self._patch(module, chain, received.data)
        self._book.remove(module, chain[0])
        return self._replies.ok()

    def _put_whole(self, module: str, received: Received) -> Reply:
        country_code, party_id, object_id = received.segments
        value = received.data
        if not isinstance(value, dict):
            return self._invalid("an object was expected")
        if PartyId(str(value.get("country_code")), str(value.get("party_id"))) != PartyId(country_code, party_id):
            return self._invalid("the owner in the URL is not the owner of the object")
        if str(value.get(id_member(module))).casefold() != object_id.casefold():
            return self._invalid("the id in the URL is not the id of the object")
        return self._replies.ok(status=201 if self._book.put(module, value) else 200)

    def _put_part(self, chain: list[Object], parts: list[str], value: Any) -> Reply:
        """`chain` ends at the parent of the part, or at the part itself when it is there already."""
        list_name, member = _PARTS[len(parts) - 1]
        if not isinstance(value, dict) or str(value.get(member)).casefold() != parts[-1].casefold():
            return self._invalid("the id in the URL is not the id of the object")
        parents = chain[: len(parts)]
        siblings: list[Object] = [*(parents[-1].get(list_name) or [])]
        known = chain[-1] if len(chain) > len(parts) else None
        if known is None:
            siblings.append(value)
        else:
            siblings = [value if one is known else one for one in siblings]
        parents[-1][list_name] = siblings
        _touch(parents, value)
        return self._replies.ok(status=201 if known is None else 200)

    def _patch(self, module: str, chain: list[Object], changes: Any) -> Reply:
        if not isinstance(changes, dict) or "last_updated" not in changes:
            return self._invalid("a PATCH is an object with last_updated")
        periods = changes.get("charging_periods")
        if module == names.SESSIONS and "charging_periods" in changes:  # appended, never replaced
            changes = changes | {"charging_periods": [*(chain[-1].get("charging_periods") or []), *(periods or [])]}
        chain[-1].update(changes)
        _touch(chain[:-1], changes)
        return self._replies.ok()

    def _invalid(self, message: str) -> Reply:
        return self._replies.refused(StatusCode.INVALID_PARAMETERS, message)

    def client_info(self, received: Received) -> Reply:
        """GET or PUT of `{country}/{party}`; a party with two roles is two objects under one URL (R-197)."""
        if len(received.segments) != 2:
            return self._replies.refused(StatusCode.CLIENT_ERROR, "no such path", status=404)
        if received.method not in ("GET", "PUT"):
            return self._replies.refused(StatusCode.CLIENT_ERROR, status=405, extra={"Allow": "GET, PUT"})
        party = PartyId(*received.segments)
        if received.method == "GET":
            infos = self._book.all(names.HUB_CLIENT_INFO, party)
            if not infos:
                return self._replies.refused(StatusCode.INVALID_PARAMETERS, "unknown party", status=404)
            return self._replies.ok(infos[-1])
        value = received.data
        if not isinstance(value, dict) or PartyId(str(value.get("country_code")), str(value.get("party_id"))) != party:
            return self._invalid("the party in the URL is not the party of the object")
        return self._replies.ok(status=201 if self._book.put(names.HUB_CLIENT_INFO, value) else 200)


def _descend(whole: Object | None, parts: list[str]) -> list[Object]:
    """The object and its addressed parts, as far down as they are known."""
    chain = [] if whole is None else [whole]
    for (list_name, member), part_id in zip(_PARTS, parts, strict=False):
        found = part_of(chain[-1], list_name, member, part_id) if chain else None
        if found is None:
            break
        chain.append(found)
    return chain


def _touch(parents: list[Object], changed: Object) -> None:
    """Parents of a changed part take its time (R-080)."""
    if "last_updated" in changed:
        for parent in parents:
            parent["last_updated"] = changed["last_updated"]

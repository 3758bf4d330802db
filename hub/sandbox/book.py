"""The memory of a simulated platform: objects by module and key, in the order they came."""

from typing import Any

from hub.ocpi import names
from hub.ocpi.party_id import PartyId

Object = dict[str, Any]
Key = tuple[str, ...]

DEFAULT_TOKEN_TYPE = "RFID"  # noqa: S105 - a driver token's type, no secret

# A token is told apart by its type too, a party's client info by its role.
_DISCRIMINATOR = {names.TOKENS: ("type", DEFAULT_TOKEN_TYPE), names.HUB_CLIENT_INFO: ("role", "")}


def id_member(module: str) -> str:
    """The member that holds an object's id."""
    return "uid" if module == names.TOKENS else "id"


def key_of(module: str, value: Object) -> Key:
    """The key under which an object is kept; ids are compared without regard to case."""
    member, default = _DISCRIMINATOR.get(module, ("", ""))
    parts = (
        value.get("country_code", ""),
        value.get("party_id", ""),
        value.get(id_member(module), ""),
        value.get(member, default),
    )
    return tuple(str(part).casefold() for part in parts)


class Book:
    """Objects of one kind of ownership: those of the platform's own parties, or those others pushed to it."""

    def __init__(self) -> None:
        self._shelves: dict[str, dict[Key, Object]] = {}

    def put(self, module: str, value: Object, key: Key | None = None) -> bool:
        """Keeps the object in place of an earlier one with the same key; True when it is new."""
        shelf = self._shelves.setdefault(module, {})
        key = key or key_of(module, value)
        is_new = key not in shelf
        shelf[key] = value
        return is_new

    def at(self, module: str, key: Key) -> Object | None:
        return self._shelves.get(module, {}).get(key)

    def find(self, module: str, owner: PartyId | None, object_id: str, kind: str = "") -> Object | None:
        """The object of an owner (any owner if None); `kind` is a token's type, RFID unless given."""
        kind = (kind or _DISCRIMINATOR.get(module, ("", ""))[1]).casefold()
        wanted_id = object_id.casefold()
        if owner is not None:
            return self.at(module, (owner.country_code.casefold(), owner.party_id.casefold(), wanted_id, kind))
        for key, value in self._shelves.get(module, {}).items():
            if key[2:] == (wanted_id, kind):
                return value
        return None

    def all(self, module: str, owner: PartyId | None = None) -> list[Object]:
        """The objects of an owner, or of all owners, oldest first."""
        return [
            value
            for key, value in self._shelves.get(module, {}).items()
            if owner is None or PartyId(key[0], key[1]) == owner
        ]

    def remove(self, module: str, value: Object) -> None:
        shelf = self._shelves.get(module, {})
        for key in [key for key, kept in shelf.items() if kept is value]:
            del shelf[key]

    def forget(self, module: str, owner: PartyId | None = None) -> None:
        """Drops every object of an owner, or of all owners."""
        shelf = self._shelves.get(module, {})
        for key in [key for key in shelf if owner is None or PartyId(key[0], key[1]) == owner]:
            del shelf[key]


def part_of(owner: Object, parts: str, member: str, part_id: str) -> Object | None:
    """An EVSE of a location (`evses`, `uid`) or a connector of an EVSE (`connectors`, `id`)."""
    for part in owner.get(parts) or []:
        if str(part.get(member, "")).casefold() == part_id.casefold():
            found: Object = part
            return found
    return None

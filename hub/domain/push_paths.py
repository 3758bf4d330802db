"""Which object of the catalog a path is about, and the path of an object (R-094, R-145)."""

from collections.abc import Sequence
from urllib.parse import quote

from hub.domain.catalog import ObjectKey, Push
from hub.domain.open_routing import decoded, token_type
from hub.ocpi import names
from hub.ocpi.party_id import party


def push_at(module: str, method: str, segments: Sequence[str], query: str, body: bytes | None) -> Push:
    """The push a RECEIVER path means: raw segments owner, owner, object id, and parts of a location."""
    country_code, party_id, object_id, *parts = decoded(tuple(segments))
    kind = token_type(query).upper() if module == names.TOKENS else ""
    return Push(method, ObjectKey(module, party(country_code, party_id), object_id, kind), tuple(parts), body)


def path_of(key: ObjectKey) -> tuple[str, str]:
    """Path tail and query of an object below a RECEIVER endpoint."""
    tail = "/".join(quote(part, safe="") for part in (key.owner.country_code, key.owner.party_id, key.object_id))
    return tail, f"type={quote(key.kind, safe='')}" if key.kind else ""

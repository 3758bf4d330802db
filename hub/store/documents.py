"""How a record becomes the one document both stores keep, and back. Columns and indexes belong to each store."""

from datetime import UTC, datetime, timedelta
from typing import TypeVar

from hub.domain.platform import Platform
from hub.errors import StoreUnavailable
from hub.ocpi import codec

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def text_of(record: object) -> str:
    """The record as JSON text: unlike a native document it keeps every digit and allows any member name."""
    return codec.dumps(record).decode()


def record_from(kind: type[T], text: str, name: str) -> T:
    """The record a text holds; `name` says which one when it cannot be read, which raises StoreUnavailable."""
    try:
        return codec.from_plain(kind, codec.loads(text))
    except ValueError as problem:
        raise StoreUnavailable(f"the stored {kind.__name__} {name} cannot be read: {problem}") from None


class RecordsUnreadable(StoreUnavailable):
    """Some platforms cannot be read: `problems` says why, by id; `readable` are the others, in order.

    Whoever needs them all (a change of keys, a check) fails with it as with a store that is away; whoever serves goes
    on with the others.
    """

    def __init__(self, readable: list[Platform], problems: dict[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.readable = readable
        self.problems = problems


def claims_of(platform: Platform) -> list[str]:
    """Every key no other platform may have: held triples and token fingerprints, without repeats."""
    return list(dict.fromkeys((*platform.held_keys, *(token.fingerprint for token in platform.tokens))))


def in_order(platforms: list[Platform]) -> list[Platform]:
    """By creation time, then id."""
    return sorted(platforms, key=lambda platform: (platform.created_at, platform.id))


def epoch_s(moment: datetime) -> float:
    """Seconds since 1970; exact to the microsecond in both directions for centuries around now."""
    return moment.timestamp()


def moment_of(epoch: float) -> datetime:
    """The reverse of `epoch_s`, in UTC."""
    return datetime.fromtimestamp(epoch, UTC)


def epoch_us(moment: datetime) -> int:
    """Microseconds since 1970, exact: for what is compared, sorted and shown again."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of_us(epoch: int) -> datetime:
    """The reverse of `epoch_us`, in UTC."""
    return _EPOCH + timedelta(microseconds=epoch)

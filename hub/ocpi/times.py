"""DateTime as OCPI writes it and as the field sends it (R-111, R-112)."""

from datetime import UTC, datetime


def render(moment: datetime) -> str:
    """UTC with three fraction digits and `Z`, 24 characters."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def parse(text: str) -> datetime | None:
    """Reads every form seen on the wire: with and without Z, any offset, a space for a decoded `+` or for the `T`."""
    text = text.strip()
    if len(text) > 19 and text[-6] == " " and text[-3] == ":":  # the `+` of an offset, decoded as a space
        text = f"{text[:-6]}+{text[-5:]}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

"""DateTime as OCPI writes it and as the field sends it (R-111, R-112)."""

from datetime import UTC, datetime


def render(moment: datetime) -> str:
    """UTC with three fraction digits and `Z`, 24 characters."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse(text: str) -> datetime | None:
    """Reads every form seen on the wire: with and without Z, any offset, a space for a decoded `+` or for the `T`.

    None for anything else, and for moments whose offset leads out of the years 1 to 9999.
    """
    text = text.strip().replace("z", "Z")
    if len(text) > 19 and text[-6] == " " and text[-3] == ":":  # the `+` of an offset, decoded as a space
        text = f"{text[:-6]}+{text[-5:]}"
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None

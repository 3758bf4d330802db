"""What plugins hand over to be kept, as JSON text."""

from hub.ocpi import codec


def json_text(value: object, what: str) -> bytes:
    """JSON values as text. Raises ValueError, which says `what` it was, for a value that is not JSON."""
    try:
        text = codec.dumps_exactly(value)
        if b"NaN" in text or b"Infinity" in text:  # a Decimal that is no number can be written, and then not be read
            codec.loads(text)
    except (TypeError, ValueError, RecursionError) as problem:
        raise ValueError(f"{what} is not JSON: {problem}") from None
    return text

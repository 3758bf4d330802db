"""Message ids and ids of records."""

import random
import secrets


def message_id() -> str:
    """A random UUID (version 4) as text. It tells messages apart and proves nothing, so it need not be unguessable."""
    text = f"{random.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def record_id() -> str:
    """A short unguessable id for URLs and command lines: 24 hex digits, 96 bits."""
    return secrets.token_hex(12)


def platform_id() -> str:
    """A short id for a platform, easy to read aloud: 10 hex digits."""
    return secrets.token_hex(5)

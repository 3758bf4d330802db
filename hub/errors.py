"""The few failures that cannot be a value: the hub cannot start, or the store cannot say yes or no.
An expected outcome of a message (a platform that is down, a body that is wrong) is a value and has no class here."""

from __future__ import annotations


class HubError(Exception):
    """Root of everything the hub raises on purpose. Its text is one sentence for a person and never holds a token."""


class SettingsError(HubError):
    """A setting cannot be used. The text is one sentence that names the key and what would be accepted."""


class StoreUnavailable(HubError):
    """The store did not answer, so nothing is known about the write: it may or may not have happened."""


class StoreConflict(HubError):
    """The store refused a write: the record has moved on since it was read, or a unique key is taken.

    `key` names the record or the unique key, in the words of the port that raised it.
    """

    def __init__(self, key: str) -> None:
        super().__init__(f"{key} was changed or taken by somebody else")
        self.key = key


class KeyUnusable(HubError):
    """No configured key opens a sealed value: `SECRET_KEY` is not the one it was sealed with."""


class TermOver(HubError):
    """The duty has passed to somebody else: what its former holder still wants to write is refused."""

    def __init__(self, duty: str) -> None:
        super().__init__(f"the duty {duty} has passed to somebody else")
        self.duty = duty

"""The settings tree told to people: a row per setting for documents and the command line, and what is still default."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from pydantic.fields import FieldInfo

from hub.settings.kinds import Accepts, Derived
from hub.settings.tree import Settings


class SettingRow(NamedTuple):
    """One setting: public name, what is accepted, the default as an operator would write it, one sentence."""

    name: str
    type: str
    default: str
    meaning: str


def accepts(field: FieldInfo) -> Accepts:
    """The words that say what a field takes."""
    return next(note for note in field.metadata if isinstance(note, Accepts))


def describe() -> tuple[SettingRow, ...]:
    """A row per setting, in the order of the tree."""
    return tuple(
        SettingRow(name.upper(), accepts(field).text, _default(field), field.description or "")
        for name, field in Settings.model_fields.items()
    )


def defaults_warnings(settings: Settings) -> tuple[str, ...]:
    """One sentence for each value that tells platforms who and where this hub is and that nobody has chosen yet."""
    warnings = [
        f"{name.upper()} is not set: platforms see the default {getattr(settings, name)!r}"
        for name in ("name", "country_code", "party_id")
        if name not in settings.model_fields_set
    ]
    if "public_url" not in settings.model_fields_set:
        warnings.append(f"PUBLIC_URL is not set: platforms are told {settings.public_url}")
    return tuple(warnings)


def _default(field: FieldInfo) -> str:
    derived = next((note.text for note in field.metadata if isinstance(note, Derived)), None)
    if derived is not None:
        return derived
    match field.default:
        case None | ():
            return "(none)"
        case bool(flag):
            return str(flag).lower()
        case int() | float() as number:
            return f"{number:g}" if number < 100_000 else str(int(number))
        case Path() | str() as text:
            return str(text)
        case other:
            raise TypeError(f"a default of an unknown kind: {other!r}")

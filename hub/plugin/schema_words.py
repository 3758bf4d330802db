"""What a configuration accepts, in words: the JSON schema of a model, told in the middle of a sentence."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

from pydantic import BaseModel

Schema = Mapping[str, Any]

_KINDS = {
    "integer": "an integer",
    "number": "a number",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a table",
}
_BOUNDS = {
    "exclusiveMinimum": "above {}",
    "minimum": "of at least {}",
    "exclusiveMaximum": "below {}",
    "maximum": "of at most {}",
    "multipleOf": "that is a multiple of {}",
    "minLength": "of {} or more characters",
    "maxLength": "of at most {} characters",
    "minItems": "of {} or more items",
    "maxItems": "of at most {} items",
    "pattern": "that matches {}",
    "format": "in the form {}",
}
_PLACES = '{env = "NAME"} or {file = "/path"}'


class Wanted(NamedTuple):
    """What is accepted at one place: its schema, empty when nothing is known, and those that a reference may name."""

    schema: Schema
    named: Mapping[str, Schema]

    @classmethod
    def by(cls, model: type[BaseModel]) -> Self:
        """What a whole model accepts."""
        try:
            schema = model.model_json_schema()
        except Exception:  # noqa: BLE001  a type that JSON does not know, or a schema of the author's own making
            schema = {}
        return cls(schema, schema.get("$defs", {}))

    def at(self, steps: Sequence[int | str]) -> "Wanted":
        """What is accepted further in: by keys of tables and indexes of lists."""
        wanted = self
        for step in steps:
            inner = (_inner(arm, step) for arm in wanted._arms())
            wanted = Wanted(next((found for found in inner if found), {}), self.named)
        return wanted

    def keys(self) -> list[str]:
        """The keys of a table that are known."""
        return [key for arm in self._arms() for key in arm.get("properties", {})]

    def secret(self) -> bool:
        """Whether a value here may be a secret."""
        return any(arm.get("writeOnly") or _names_a_secret(arm) for arm in self._arms())

    def words(self) -> str | None:
        """To follow "must be"; None when the schema does not say."""
        # TOML has no word for null.
        words = [_word(arm) for arm in self._arms() if arm.get("type") != "null"]
        known = [word for word in words if word is not None]
        return " or ".join(dict.fromkeys(known)) if known and len(known) == len(words) else None

    def _arms(self) -> Iterator[Schema]:
        """The schema, or each of those it may be one of, references followed."""
        schema = self.schema
        if "$ref" in schema:
            name = str(schema["$ref"]).rpartition("/")[2]
            schema = self.named.get(name, {})
        arms = schema.get("anyOf") or schema.get("oneOf")
        if arms is None:
            yield schema
        else:
            for arm in arms:
                yield from Wanted(arm, self.named)._arms()


def _inner(schema: Schema, step: int | str) -> Schema | None:
    inner = schema.get("properties", {}).get(step) or schema.get("additionalProperties")
    found = schema.get("items") if isinstance(step, int) else inner
    return found if isinstance(found, Mapping) else None


def _names_a_secret(schema: Schema) -> bool:
    return set(schema.get("properties", ())) == {"env", "file"}


def _word(schema: Schema) -> str | None:
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    if "const" in schema:
        return str(schema["const"])
    if _names_a_secret(schema):
        return _PLACES
    kind = _KINDS.get(str(schema.get("type")))
    if kind is None:
        return None
    bounds = [form.format(schema[name]) for name, form in _BOUNDS.items() if name in schema]
    return " ".join([kind, " and ".join(bounds)]) if bounds else kind

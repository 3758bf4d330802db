"""Bodies: a scan says yes to exactly what is JSON, and swapping a text changes nothing else."""

import json
from dataclasses import dataclass

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.ocpi import codec
from hub.ocpi.envelope import Facts, replace_text, scan_request, status_code_of
from tests.properties.json_texts import ANY_STRINGS, SPACE, documents, spelt, strictly, values

URL = "https://hub.test/ocpi/1"


def is_json(body: bytes) -> bool:
    try:
        strictly(body)
    except ValueError:
        return False
    return True


NOISE = [
    *(bytes([byte]) for byte in b'{}[]:,"\\/ \t\n\r01-+.eEu'),
    *(b"\x00", b"\x0b", b"\x1f", b"\x7f", b"\x80", b"\xc0", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\xf5", b"\xff"),
    *(b"NaN", b"Infinity", b"nul", b"true", b"\\u12", b"\\ud83d", b"\\udc00", b"'", b"//", b"\xef\xbb\xbf", b"00"),
]

_DOCUMENTS = documents(ANY_STRINGS)
_CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["insert", "delete", "replace", "cut", "repeat"]),
        st.sampled_from(NOISE),
        st.integers(1, 3),
        st.integers(0, 8),
    ),
    min_size=1,
    max_size=3,
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A document with something done to its bytes; many are still JSON, most are not."""
    body = bytearray(draw(_DOCUMENTS))
    for what, noise, few, several in draw(_CHANGES):
        at = draw(st.integers(0, len(body)))
        match what:
            case "insert":
                body[at:at] = noise
            case "delete":
                del body[at : at + few]
            case "replace":
                body[at : at + 1] = noise
            case "cut":
                del body[at:]
            case _:
                body[at:at] = body[:several]
    return bytes(body)


@given(documents(ANY_STRINGS))
def test_json_in_any_spelling_is_accepted(body: bytes) -> None:
    assert is_json(body)
    assert isinstance(scan_request(body), Facts)


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
)
OBJECTS = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@given(OBJECTS, st.booleans())
def test_what_the_standard_library_writes_is_accepted(value: object, ascii_only: bool) -> None:
    assert isinstance(scan_request(json.dumps(value, ensure_ascii=ascii_only).encode()), Facts)


@settings(max_examples=200)
@given(mutated() | st.binary(max_size=12))
@example(b"")
def test_a_scan_agrees_with_a_strict_judge(body: bytes) -> None:
    found = scan_request(body)

    assert isinstance(found, Facts) is is_json(body), found


@given(mutated())
def test_the_status_code_is_read_from_json_objects_alone(body: bytes) -> None:
    wrapped = b'{"data":' + body + b',"status_code":2001}'

    expected = None
    if is_json(wrapped):
        code = strictly(wrapped)["status_code"]
        expected = code if type(code) is int else None
    assert status_code_of(wrapped) == expected


@dataclass(frozen=True)
class Body:
    """An object as text, the same text with the URL swapped, and the keys in order."""

    before: bytes
    after: bytes
    keys: tuple[str, ...]


KEYS = spelt("response_url") | st.sampled_from(['"Response_url"', '"response_url "', '"token"', '""']) | ANY_STRINGS
MEMBERS = st.lists(st.tuples(SPACE, KEYS, SPACE, SPACE, values(ANY_STRINGS), SPACE), max_size=4)


@st.composite
def bodies(draw: st.DrawFn) -> Body:
    before, after, read = [], [], []
    for first, key, second, third, value, trail in draw(MEMBERS):
        lead = f"{first}{key}{second}:{third}"
        read.append(json.loads(key))
        before.append(f"{lead}{value}{trail}")
        after.append(f"{lead}{json.dumps(URL)}{trail}" if read[-1] == "response_url" else before[-1])
    start, end = draw(SPACE), draw(SPACE)
    return Body(
        f"{start}{{{','.join(before)}}}{end}".encode(), f"{start}{{{','.join(after)}}}{end}".encode(), tuple(read)
    )


@given(bodies())
def test_only_the_values_of_top_level_members_of_that_name_change(body: Body) -> None:
    assert isinstance(scan_request(body.before), Facts)
    swapped = replace_text(body.before, "response_url", URL)

    assert swapped == body.after
    expected = strictly(body.before)
    if "response_url" in body.keys:
        expected["response_url"] = URL
    assert repr(strictly(swapped)) == repr(expected)


@given(documents())
def test_a_name_that_is_not_there_changes_nothing(body: bytes) -> None:
    assert replace_text(body, "no such member", URL) == body


@given(bodies())
def test_facts_are_what_the_members_say(body: Body) -> None:
    facts = scan_request(body.before)
    assert isinstance(facts, Facts)

    value = strictly(body.before).get("response_url")
    assert facts.has_response_url is ("response_url" in body.keys)
    if not isinstance(value, str):
        assert facts.response_url is None
    elif value.isascii():
        assert facts.response_url == value


@given(st.text())
def test_a_text_swapped_in_is_read_back(text: str) -> None:
    swapped = replace_text(b'{"response_url":"x","n":0.10}', "response_url", text)

    assert codec.loads(swapped)["response_url"] == text
    assert swapped.endswith(b',"n":0.10}')

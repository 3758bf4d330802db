"""Objects taken apart and joined again as text."""

import pytest

from hub.ocpi import splice


def test_untouched_values_keep_their_text() -> None:
    raw = rb"""  { "price" : 0.10 , "exact":12345678901234567890.1234567890123e-2,
        "name":"caf\u00e9 \/ \ud83d\ude00", "nested":{ "b" : [ 1 ,2 ] , "b":3 }, "old": true }  """

    assert splice.merged(raw, {"old": b"false", "new": b"[ ]"}) == (
        rb'{"price":0.10,"exact":12345678901234567890.1234567890123e-2,'
        rb'"name":"caf\u00e9 \/ \ud83d\ude00","nested":{ "b" : [ 1 ,2 ] , "b":3 },"old":false,"new":[ ]}'
    )


def test_of_a_name_that_stands_twice_the_last_value_counts() -> None:
    raw = rb'{"id":"A","x":1,"\u0069d":"B"}'

    assert splice.members(raw) == {"id": b'"B"', "x": b"1"}
    assert splice.merged(raw, {}) == b'{"id":"B","x":1}'
    assert splice.merged(raw, {"id": b'"C"'}) == b'{"id":"C","x":1}'


def test_an_empty_object_takes_members() -> None:
    assert splice.merged(b"{ }", {"a": b"1"}) == b'{"a":1}'
    assert splice.joined({}) == b"{}"


def test_half_a_surrogate_pair_comes_back_as_it_was() -> None:
    raw = (
        rb'{"cut":"\ud83d","name <half 0>":"<half 1> \uDE00","both":"\ud83d\ude00","text":"\\ud83d",'
        rb'"\uD83d!":["\udc00\ud800"]}'
    )

    assert splice.merged(raw, {"both": rb'"\ud800\udbff"'}) == (
        rb'{"cut":"\ud83d","name <half 0>":"<half 1> \uDE00","both":"\ud800\udbff","text":"\\ud83d",'
        rb'"\ud83d!":["\udc00\ud800"]}'
    )
    assert splice.text(rb'"a\ud83db"') == "a\ufffdb"
    assert splice.text(rb'"\\ud83d\ud83d\ude00"') == "\\ud83d\N{GRINNING FACE}"
    assert splice.elements(rb'[ "\ud83d" , {"a": "\ud83d"}]') == [rb'"\ud83d"', rb'{"a": "\ud83d"}']


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "is not JSON"),
        (b"[]", "is of the wrong kind: expected `object`, got `array`"),
        (b"null", "is of the wrong kind: expected `object`, got `null`"),
        (b'"\\ud83d"', "is of the wrong kind: expected `object`, got `str`"),
        (b'{"a":1,}', "is not JSON"),
        (b'{"a":01}', "is not JSON"),
        (b'{"a":NaN}', "is not JSON"),
        (b'{"a":1}{', "is not JSON"),
        (b'{"a":"\\ud83d",}', "is not JSON"),
        (b'{"a":"\xff"}', "is not UTF-8 (byte 6)"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "is nested too deeply"),
        (b'{"a":"\\ud83d","b":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "is nested too deeply"),
    ],
)
def test_what_is_no_object_is_refused_with_a_reason(raw: bytes, why: str) -> None:
    with pytest.raises(splice.Unreadable) as refused:
        splice.members(raw)

    assert str(refused.value).startswith(why)


def test_a_text_can_be_asked_to_leave_room_above_it() -> None:
    flat = b'{"a":[[1]]}'

    assert splice.members(flat, spare=200) == {"a": b"[[1]]"}
    with pytest.raises(splice.Unreadable, match="nested too deeply"):
        splice.members(flat, spare=100_000)
    # Brackets around a text prove nothing about the text itself.
    with pytest.raises(splice.Unreadable):
        splice.members(b'{"a":1},{"b":2}', spare=1)


def test_elements_keep_their_text_and_an_absent_array_has_none() -> None:
    assert splice.elements(b'[ {"a" : 1.0} ,[ ], "x" ]') == [b'{"a" : 1.0}', b"[ ]", b'"x"']
    assert splice.elements(None) == splice.elements(b" null\n") == splice.elements(b" [ ] ") == []
    assert splice.row([b"1", b"{ }"]) == b"[1,{ }]"
    assert splice.row([]) == b"[]"
    for wrong in (b"{}", b'"x"', b"[1,]"):
        with pytest.raises(splice.Unreadable):
            splice.elements(wrong)


def test_an_element_is_found_in_any_spelling() -> None:
    evses = splice.elements(
        rb'[null,7,"E1",{"id":"E1"},{"uid":7},{"uid":null},{"cut":"\ud83d","uid":"nl*cpa*e0"},'
        rb'{"n":{"uid":"E1"},"u\u0069d":"x","uid":"\u0065\u0031"},{"uid":"E1","second":true}]'
    )

    assert splice.position(evses, "uid", "E1") == splice.position(evses, "uid", "e1") == 7
    assert splice.position(evses, "uid", "NL*CPA*E0") == 6
    assert splice.position(evses, "id", "e1") == 3
    assert splice.position(evses, "uid", "x") is None
    assert splice.position([b"{broken", b""], "uid", "x") is None


def test_only_strings_are_texts() -> None:
    assert splice.text(rb' "a\u0062\n" ') == "ab\n"
    for value in (None, b"", b"null", b"5", b"{}", b'"open', b'"\xff"', b'"a" "b"'):
        assert splice.text(value) is None

"""Numbers keep their digits through reading and writing."""

from decimal import Decimal

from hypothesis import given, settings

from hub.ocpi import codec
from tests.properties.json_texts import NUMBERS, documents


@settings(max_examples=150)
@given(NUMBERS)
def test_no_number_loses_a_digit(text: str) -> None:
    written = codec.dumps(codec.loads(text)).decode()

    if text == "-0":  # an integer has no sign without a value
        assert written == "0"
    elif text.lstrip("-").isdigit():
        assert written == text
    else:
        assert Decimal(written).as_tuple() == Decimal(text).as_tuple()


@given(documents())
def test_a_value_is_the_same_after_writing(body: bytes) -> None:
    value = codec.loads(body)

    assert codec.loads(codec.dumps(value)) == value

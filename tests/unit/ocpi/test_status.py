"""Status codes of the hub."""

import pytest

from hub.ocpi.status import StatusCode, default_message, is_success


def test_the_codes_are_those_of_the_text() -> None:
    assert [code.value for code in StatusCode] == [
        *(1000, 2000, 2001, 2002, 2003, 2004),
        *(3000, 3001, 3002, 3003, 4000, 4001, 4002, 4003),
    ]
    assert (StatusCode.UNKNOWN_TOKEN, StatusCode.UNSUPPORTED_VERSION, StatusCode.UNKNOWN_RECEIVER) == (2004, 3002, 4001)


@pytest.mark.parametrize("code", list(StatusCode))
def test_every_code_has_its_own_sentence(code: StatusCode) -> None:
    assert default_message(code)
    assert [default_message(other) for other in StatusCode].count(default_message(code)) == 1


@pytest.mark.parametrize(("code", "success"), [(999, False), (1000, True), (1999, True), (2000, False), (-1000, False)])
def test_success_is_a_range(code: int, success: bool) -> None:
    assert is_success(code) is success

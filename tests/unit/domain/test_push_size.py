"""How large an object of the catalog may be, whether it comes whole or grows part by part."""

from dataclasses import replace

from hub.domain.pushes import judge
from tests.unit.domain.test_pushes import HELD, LOCATION, TARIFF, body, location, push, refusal, tariff

MOST = 8 * 1024 * 1024


def of_size(size: int, text: bytes) -> bytes:
    """The object with one more member, so that it takes so many bytes."""
    more = b',"x":"' + b"x" * (size - len(text) - 7) + b'"}'
    assert len(text[:-1] + more) == size
    return text[:-1] + more


def test_an_object_has_a_largest_size() -> None:
    assert judge(push("PUT", LOCATION, of_size(MOST, location(1))), None).fan_out
    said = refusal(judge(push("PUT", LOCATION, of_size(MOST + 1, location(1))), None))
    assert said == "The body takes 8388609 bytes; this hub keeps objects of 8388608 bytes at most"
    # Nobody is told of a removal with a body like that either.
    assert refusal(judge(push("DELETE", TARIFF, b" " * (MOST + 1)), tariff(1))).startswith("The body takes")


def test_nor_does_it_grow_beyond_that_part_by_part() -> None:
    held = of_size(MOST - 300, HELD)

    assert judge(push("PUT", LOCATION, body(50, uid="E2"), "E2"), held).fan_out
    larger = body(50, uid="E2", name="x" * 400)
    verdict = judge(push("PUT", LOCATION, larger, "E2"), held)
    assert refusal(verdict).startswith("With this the object takes 8388")
    for one in (
        push("PATCH", LOCATION, larger, "E1"),
        push("PUT", LOCATION, body(50, id="2", name="x" * 400), "E1", "2"),
        push("PATCH", LOCATION, body(50, name="x" * 400), "E1", "1"),
        push("PATCH", LOCATION, body(50, name="x" * 400)),
    ):
        assert "at most" in refusal(judge(replace(one, body=(one.body or b"").replace(b"E2", b"E1")), held))
    # It may become smaller, however large it has become before there was a bound.
    assert judge(push("PATCH", LOCATION, body(50, x="", y="")), of_size(MOST + 1, HELD)).fan_out

"""The objects of a list's answer, as they were written."""

import pytest

from hub.ocpi.envelope import objects_of


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        (b'{"data":[],"status_code":1000}', []),
        (b'{"data" : [ {"id":"A", "n":1.50} ,\r\n{"n":1E2}\t] }', [b'{"id":"A", "n":1.50}', b'{"n":1E2}']),
        (b'{"data":[null,5,"x",[1, 2]]}', [b"null", b"5", b'"x"', b"[1, 2]"]),
        (b'{"data":[{"half":"\\ud83d!"}],"other":{"data":[1]}}', [b'{"half":"\\ud83d!"}']),
        ('{"data":[{"name":"Café"}]}'.encode(), ['{"name":"Café"}'.encode()]),
        (b'{"data":[1],"data":[2]}', [b"2"]),
    ],
)
def test_every_text_is_kept(body: bytes, texts: list[bytes]) -> None:
    assert objects_of(body) == texts


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"[1]",
        b"{}",
        b'{"data":null}',
        b'{"data":{}}',
        b'{"data":"[]"}',
        b'{"data":5}',
        b'{"data":[1',
        b'{"data":[\xff]}',
        b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_has_no_array_has_no_list(body: bytes) -> None:
    assert objects_of(body) is None

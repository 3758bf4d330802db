"""Sealing, fingerprints and sealed links, without a store."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import KeyUnusable
from hub.store.vault import Fingerprints, LinkSeal, Vault

KEY = bytes(range(32))


@given(st.text())
def test_what_was_sealed_opens_again(text: str) -> None:
    vault = Vault(["secret"])
    sealed = vault.seal(text)
    assert vault.open(sealed) == text
    assert sealed != vault.seal(text)


def test_older_keys_open_and_the_newest_seals() -> None:
    old, both, new = Vault(["old"]), Vault(["new", "old"]), Vault(["new"])
    sealed = old.seal("token")
    assert both.open(sealed) == "token"
    assert not both.is_current(sealed)
    resealed = both.reseal(sealed)
    assert both.is_current(resealed)
    assert new.open(resealed) == "token"
    with pytest.raises(KeyUnusable):
        old.open(resealed)


@pytest.mark.parametrize("garbage", ["", "token", "gAAAAA", "é"])
def test_what_is_not_sealed_does_not_open(garbage: str) -> None:
    vault = Vault(["secret"])
    assert not vault.is_current(garbage)
    with pytest.raises(KeyUnusable) as caught:
        vault.open(garbage)
    assert not garbage or garbage not in str(caught.value)


def test_a_vault_needs_a_key() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Vault([])


@given(st.text(st.characters()), st.text(st.characters()))
def test_fingerprints_tell_tokens_apart_and_hide_them(one: str, other: str) -> None:
    fingerprints = Fingerprints(KEY)
    assert re.fullmatch("[0-9a-f]{64}", fingerprints.of(one))
    assert (fingerprints.of(one) == fingerprints.of(other)) == (one == other)
    assert fingerprints.of(one) != Fingerprints(KEY[::-1]).of(one)


def test_a_fingerprint_stays_what_it_is() -> None:
    # Stored fingerprints must be found by every later version: HMAC-SHA-256, test case 2 of RFC 4231.
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert Fingerprints(b"Jefe").of("what do ya want for nothing?") == expected


def test_a_header_that_was_not_utf_8_has_a_fingerprint() -> None:
    assert len(Fingerprints(KEY).of(b"Token \xff".decode("utf-8", "surrogateescape"))) == 64


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_a_link_opens_with_its_own_associated_bytes_only(plain: bytes, associated: bytes) -> None:
    seal = LinkSeal(KEY)
    text = seal.seal(plain, associated)
    assert re.fullmatch("[A-Za-z0-9_-]+", text)
    assert text != seal.seal(plain, associated)
    assert seal.open(text, associated) == plain
    assert seal.open(text, associated + b"x") is None
    assert LinkSeal(KEY[::-1]).open(text, associated) is None


@given(st.data())
def test_a_changed_link_does_not_open(data: st.DataObject) -> None:
    seal = LinkSeal(KEY)
    text = seal.seal(b"upstream", b"requester")
    position = data.draw(st.integers(0, len(text) - 1))
    character = data.draw(st.characters(codec="utf-8"))
    changed = text[:position] + character + text[position + 1 :]
    assert seal.open(changed, b"requester") == (b"upstream" if changed == text else None)
    assert seal.open(text[:position] + character + text[position:], b"requester") is None
    assert seal.open(text[:position], b"requester") is None


@given(st.text())
def test_any_other_text_is_no_link(text: str) -> None:
    assert LinkSeal(KEY).open(text, b"") is None


def test_a_link_of_another_version_does_not_open() -> None:
    text = LinkSeal(KEY).seal(b"plain", b"")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert LinkSeal(KEY).open(base64.urlsafe_b64encode(b"\x02" + raw[1:]).rstrip(b"=").decode(), b"") is None

"""Secrets at rest: sealing what the hub must read again, fingerprints of what it must only recognise, the hub's own
keys, and moving everything sealed to a new secret key. Where sealed values are kept is the stores' part.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.domain.platform import Platform
from hub.errors import KeyUnusable, StoreConflict
from hub.store.ports import KeyStore, Store

OWN_KEY_BYTES = 32
_SEALING_LABEL = b"ocpi-hub sealing key v1"
_LINK_VERSION = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16
# A platform changes a few times a minute at most; losing this race so often means something else is wrong.
_RESEAL_ATTEMPTS = 20


class Vault:
    """Seals texts under the newest of the configured secret keys and opens those sealed under any of them."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        """`secret_keys`: newest first, at least one (ruling 21)."""
        if not secret_keys:
            raise ValueError("a vault needs at least one secret key")
        keys = [_derived(secret) for secret in secret_keys]
        self._newest = keys[0]
        self._all = MultiFernet(keys)

    def seal(self, text: str) -> str:
        """The text encrypted under the newest key; every call gives another result."""
        return self._newest.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text inside. Raises KeyUnusable when none of the keys opens it."""
        try:
            return self._all.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise KeyUnusable("no configured SECRET_KEY opens a stored secret: was an old one left out?") from None

    def reseal(self, sealed: str) -> str:
        """The same text under the newest key. Raises KeyUnusable when none of the keys opens it."""
        return self.seal(self.open(sealed))

    def is_current(self, sealed: str) -> bool:
        """Whether the newest key opens it, so that older ones are not needed for it."""
        try:
            self._newest.decrypt(sealed.encode())
        except InvalidToken:
            return False
        return True


class Fingerprints:
    """Recognises inbound tokens without keeping them (R-011): HMAC-SHA-256 under a key that never changes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, token: str) -> str:
        """The fingerprint, 64 hexadecimal digits. Any text from a header has one, also what was not valid UTF-8."""
        return hmac.digest(self._key, token.encode("utf-8", "surrogatepass"), "sha256").hex()


class LinkSeal:
    """Seals a small value into the query of a URL the hub hands out (ruling 5): AES-256-GCM, nothing stored.

    Nonces are random, so one key is good for about four thousand million links.
    """

    def __init__(self, key: bytes) -> None:
        """`key`: 32 bytes."""
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, associated: bytes) -> str:
        """URL-safe text without padding: version byte, nonce, ciphertext. Opens with the same `associated` only."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _url_safe(_LINK_VERSION + nonce + self._cipher.encrypt(nonce, plain, _LINK_VERSION + associated))

    def open(self, text: str, associated: bytes) -> bytes | None:
        """What was sealed; None for anything else: changed, cut, of another key, or with other associated bytes."""
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            return None
        # Base64 forgives stray characters and spare bits; a link has one spelling only.
        if _url_safe(raw) != text or raw[:1] != _LINK_VERSION or len(raw) < 1 + _NONCE_BYTES + _TAG_BYTES:
            return None
        try:
            return self._cipher.decrypt(raw[1 : 1 + _NONCE_BYTES], raw[1 + _NONCE_BYTES :], _LINK_VERSION + associated)
        except InvalidTag:
            return None


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many of the hub's own keys and how many platforms a rotation wrote again; zero where all was current."""

    keys: int
    platforms: int


async def own_key(keys: KeyStore, vault: Vault, name: str) -> bytes:
    """The hub's own key of this name: 32 random bytes, made at the first call and kept sealed; the same on every node.

    Raises KeyUnusable when it was sealed under a secret key that is no longer configured.
    """
    sealed = await keys.get(name)
    if sealed is None:
        sealed = await keys.put_if_absent(name, vault.seal(secrets.token_bytes(OWN_KEY_BYTES).hex()))
    return bytes.fromhex(vault.open(sealed))


async def rotate(store: Store, vault: Vault) -> Resealed:
    """Brings everything sealed in the store under the newest secret key and changes nothing else (ruling 21).

    Each record is written by itself and only if needed, so it can be interrupted anywhere and called again. Raises
    KeyUnusable at the first record no key opens; what came before it stays done.
    """
    keys = 0
    for name in await store.keys.names():
        keys += await _reseal_key(store.keys, vault, name)
    platforms = 0
    for platform in await store.platforms.load_all():
        platforms += await _reseal_platform(store, vault, platform)
    return Resealed(keys, platforms)


async def _reseal_key(keys: KeyStore, vault: Vault, name: str) -> bool:
    sealed = await keys.get(name)
    if sealed is None or vault.is_current(sealed):
        return False
    # A lost swap means that another rotation got there first; the key inside is the same.
    return await keys.swap(name, sealed, vault.reseal(sealed))


async def _reseal_platform(store: Store, vault: Vault, platform: Platform) -> bool:
    latest: Platform | None = platform
    for _ in range(_RESEAL_ATTEMPTS):
        if latest is None or (resealed := _resealed(latest, vault)) is latest:
            return False
        try:
            await store.platforms.replace(resealed)
        except StoreConflict:
            latest = await store.platforms.get(platform.id)
        else:
            return True
    raise StoreConflict(f"platform {platform.id}")


def _resealed(platform: Platform, vault: Vault) -> Platform:
    """The next revision with its secrets under the newest key; the platform itself when they are already."""
    connection, settings = platform.connection, platform.settings
    if connection is not None and not vault.is_current(connection.sealed_token):
        connection = replace(connection, sealed_token=vault.reseal(connection.sealed_token))
    certificate = settings.client_certificate
    if certificate is not None and not vault.is_current(certificate.sealed_key):
        certificate = replace(certificate, sealed_key=vault.reseal(certificate.sealed_key))
        settings = replace(settings, client_certificate=certificate)
    if connection is platform.connection and settings is platform.settings:
        return platform
    return replace(platform, revision=platform.revision + 1, connection=connection, settings=settings)


def _derived(secret: str) -> Fernet:
    """The Fernet key of a configured secret, which may be text of any length."""
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_SEALING_LABEL).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))


def _url_safe(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

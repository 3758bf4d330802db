"""TLS towards platforms: whom the hub trusts, and the client certificate it shows to a platform that wants one.

Reading certificates is blocking work; callers on an event loop do it in a thread.
"""

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hub.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Unusable:
    """A certificate or key that TLS cannot work with, and why, in one sentence without any of its content."""

    reason: str


class Trust:
    """The certificate authorities the hub believes: the system's, and those in `ca_file` (PEM) if there is one.

    Raises `SettingsError` when `ca_file` cannot be used. Every context is TLS 1.2 or newer and checks host names.
    """

    def __init__(self, ca_file: Path | None = None) -> None:
        self._ca_file = ca_file
        self._version = self._ca_version()
        context = self._context()
        if isinstance(context, Unusable):
            raise SettingsError(f"CA_FILE {context.reason}")
        self._plain = context

    @property
    def plain(self) -> ssl.SSLContext:
        """For platforms that ask for no client certificate; shared."""
        return self._plain

    def showing(self, certificate_pem: str, key_pem: str) -> ssl.SSLContext | Unusable:
        """A context that shows this client certificate (chain and private key, both PEM). Blocks for some ms."""
        context = self._context()
        return context if isinstance(context, Unusable) else _showing(context, certificate_pem, key_pem)

    def reload(self) -> bool | Unusable:
        """Reads `ca_file` again if it has changed. True: contexts made from now on use it; False: nothing changed.

        An unusable file is reported once and leaves what was trusted before. Blocks for some ms.
        """
        version = self._ca_version()
        if version == self._version:
            return False
        self._version = version
        context = self._context()
        if isinstance(context, Unusable):
            return Unusable(f"CA_FILE {context.reason}")
        self._plain = context
        return True

    def _context(self) -> ssl.SSLContext | Unusable:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        if self._ca_file is not None:
            try:
                context.load_verify_locations(self._ca_file)
            except ssl.SSLError:
                return Unusable(f"{self._ca_file} holds no certificates in PEM format")
            except OSError as exc:
                return Unusable(f"{self._ca_file} cannot be read: {exc.strerror}")
        return context

    def _ca_version(self) -> tuple[int, int, int] | None:
        """What changes when the file is replaced or rewritten; None when it is not there."""
        if self._ca_file is None:
            return None
        try:
            stat = self._ca_file.stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size


def client_certificate_problem(certificate_pem: str, key_pem: str) -> str | None:
    """Why this pair cannot be shown to a platform, as a sentence; None if it can. Blocks for some ms."""
    context = _showing(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate_pem, key_pem)
    return f"The client certificate cannot be used: {context.reason}." if isinstance(context, Unusable) else None


def _showing(context: ssl.SSLContext, certificate_pem: str, key_pem: str) -> ssl.SSLContext | Unusable:
    with _as_file(f"{key_pem.strip()}\n{certificate_pem.strip()}\n") as path:
        try:
            context.load_cert_chain(path, password=_no_passphrase)
        except _EncryptedKey:
            return Unusable("the private key is protected by a passphrase")
        except ssl.SSLError as exc:
            return Unusable(_reason(exc))
    return context


class _EncryptedKey(Exception):
    pass


def _no_passphrase() -> str:
    # Without a callback OpenSSL would ask for the passphrase on the terminal, and wait there.
    raise _EncryptedKey


def _reason(error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return "the private key does not belong to the certificate"
    return "the certificate chain or the private key is not in PEM format"


@contextmanager
def _as_file(secret: str) -> Iterator[str]:
    """A path at which OpenSSL, which only reads files, finds the text: in memory where the system can do that."""
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
        descriptor = os.memfd_create("client-certificate")
        try:
            os.write(descriptor, secret.encode("utf-8", "replace"))
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
    else:
        with tempfile.TemporaryDirectory() as folder:  # mode 0700
            path = Path(folder, "client.pem")
            path.touch(mode=0o600)
            path.write_text(secret, encoding="utf-8", errors="replace")
            yield str(path)

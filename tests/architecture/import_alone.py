"""Imports each named module in a process of its own, so that no module leans on what another has imported before.

Third-party libraries are imported once, up front, and shared by fork: what is checked is the repository's own order.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
import traceback

SHARED = (
    "aiohttp.web",
    "aiosqlite",
    "click",
    "cryptography.fernet",
    "cryptography.hazmat.primitives.ciphers.aead",
    "cryptography.hazmat.primitives.kdf.hkdf",
    "cryptography.x509",
    "motor.motor_asyncio",
    "msgspec",
    "prometheus_client",
    "pydantic_settings",
    "pymongo",
    "rich.console",
    "rich.table",
    "structlog",
)


def imports(module: str) -> bool:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            importlib.import_module(module)
            code = 0
        except BaseException:  # noqa: BLE001  whatever stops the import is the finding
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def main(modules: list[str]) -> int:
    for library in SHARED:
        importlib.import_module(library)
    # Children would copy every page the collector looks at.
    gc.disable()
    gc.freeze()
    failed = [module for module in modules if not imports(module)]
    for module in failed:
        sys.stderr.write(f"does not import alone: {module}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

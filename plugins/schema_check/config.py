"""What can be set for `schema_check`, and which exchanges are looked at."""

from hashlib import blake2b
from typing import Annotated

from pydantic import Field, field_validator

from hub.ocpi.names import FUNCTIONAL_MODULES
from hub.plugin import PluginConfig
from plugins.schema_check.checking import MOST_FINDINGS

_KIB = 1024
_MIB = 1024 * _KIB
_DIGEST_BYTES = 8
_EVERY = 1 << (8 * _DIGEST_BYTES)


class SchemaCheckConfig(PluginConfig):
    """A tenth of the exchanges, after the answer; nothing is refused unless somebody asks for it."""

    sample: Annotated[float, Field(ge=0, le=1)] = 0.1
    """The share of exchanges that are looked at, 0 to 1."""
    every_message: bool = False
    """Whether all exchanges are looked at, whatever `sample` says."""
    reject: bool = False
    """Whether every request is checked before anything is sent, and refused if its body is wrong."""
    modules: frozenset[str] | None = None
    """The only modules whose bodies are checked. Unset: all functional modules."""
    max_body: Annotated[int, Field(ge=1, le=8 * _MIB)] = 256 * _KIB
    """Bytes; a larger body is not checked, and counted as that."""
    most_findings: Annotated[int, Field(ge=1, le=MOST_FINDINGS)] = 20
    """Findings that are kept of one body."""

    @field_validator("modules")
    @classmethod
    def _has_models(cls, modules: frozenset[str] | None) -> frozenset[str] | None:
        for name in sorted(modules or ()):
            if name not in FUNCTIONAL_MODULES:
                raise ValueError(f"{name} has no models; those that have are {', '.join(sorted(FUNCTIONAL_MODULES))}")
        return modules

    @property
    def share(self) -> float:
        """The share of exchanges that are looked at after their answer."""
        return 1.0 if self.every_message else self.sample

    @property
    def checked_modules(self) -> frozenset[str]:
        """Modules whose bodies are checked."""
        return FUNCTIONAL_MODULES if self.modules is None else self.modules

    def samples(self, correlation_id: str, request_id: str) -> bool:
        """Whether the exchange with these ids is among those looked at: on every node and at every time the same."""
        digest = blake2b((correlation_id + request_id).encode(), digest_size=_DIGEST_BYTES).digest()
        return int.from_bytes(digest) < self.share * _EVERY

"""While these run, a call of the hub that blocks the event loop is an error."""

from tests.conformance.conftest import never_blocking as never_blocking  # noqa: PLC0414 - the same rule

"""Reading the versions and version details: the first half of a handshake, the same for whoever starts it."""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.ocpi import configuration, names
from hub.ocpi.configuration import EndpointRow, Version, VersionDetails
from hub.ocpi.names import Interface
from hub.ocpi.status import StatusCode
from hub.sandbox.answer import Answer
from hub.sandbox.client import Client
from hub.sandbox.endpoints import VERSION


@dataclass(frozen=True, slots=True)
class Discovery:
    """The endpoints found, or the problem met: a sentence, the code to refuse a registration with, the last answer."""

    answer: Answer
    endpoints: Mapping[tuple[str, Interface | None], str]
    problem: str | None = None
    code: StatusCode = StatusCode.UNABLE_TO_USE_CLIENT_API


async def discover(client: Client, versions_url: str, token_value: str) -> Discovery:
    """GET versions, then GET details of 2.2.1, both with this token."""
    answer = await client.send("GET", versions_url, token_value=token_value)
    if not answer.ok:
        return Discovery(answer, {}, f"versions: {answer}")
    versions = configuration.read_list(Version, answer.data)
    if isinstance(versions, str):
        return Discovery(answer, {}, f"versions: {versions}")
    url = next((row.url for row in versions if row.version == VERSION), None)
    if url is None:
        return Discovery(answer, {}, f"the other side does not offer {VERSION}", StatusCode.UNSUPPORTED_VERSION)
    answer = await client.send("GET", url, token_value=token_value)
    if not answer.ok:
        return Discovery(answer, {}, f"version details: {answer}")
    details = configuration.read(VersionDetails, answer.data)
    if isinstance(details, str):
        return Discovery(answer, {}, f"version details: {details}")
    endpoints = {_key(row): row.url for row in reversed(details.endpoints)}
    if (names.CREDENTIALS, None) not in endpoints:
        return Discovery(answer, {}, "the other side has no credentials endpoint", StatusCode.NO_MATCHING_ENDPOINTS)
    return Discovery(answer, endpoints)


def _key(row: EndpointRow) -> tuple[str, Interface | None]:
    return row.identifier, (None if row.identifier == names.CREDENTIALS else row.role)

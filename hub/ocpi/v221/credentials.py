"""Credentials: how one platform reaches another, and the parties it hosts."""

from typing import Annotated

from pydantic import Field

from hub.ocpi.names import Role
from hub.ocpi.v221.locations import BusinessDetails
from hub.ocpi.v221.types import URL, CiString2, CiString3, CredentialsToken, NonEmptyList, OcpiObject


class CredentialsRole(OcpiObject):
    role: Role
    business_details: BusinessDetails
    party_id: CiString3
    country_code: CiString2


class Credentials(OcpiObject):
    """`token` is what the other platform has to present; `url` is the versions endpoint of the sender."""

    token: Annotated[CredentialsToken, Field(repr=False)]
    url: URL
    roles: NonEmptyList[CredentialsRole]

"""The hub's own credentials and URLs, as it shows them to platforms (R-161, R-185, R-188)."""

from dataclasses import dataclass
from typing import Any

from hub.ocpi.configuration import BusinessDetails, Credentials, CredentialsRole
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId


@dataclass(frozen=True, slots=True)
class HubIdentity:
    """Name, party and public URL (without a slash at the end)."""

    name: str
    party: PartyId
    public_url: str
    website: str
    logo: str

    @property
    def versions_url(self) -> str:
        return f"{self.public_url}/ocpi/versions"

    def version_url(self, version: str) -> str:
        return f"{self.public_url}/ocpi/{version}"

    def configuration_url(self, version: str, module: str, interface: Interface) -> str:
        """Credentials has one endpoint whatever the interface; client info is served as a sender."""
        if module == "credentials":
            return f"{self.version_url(version)}/credentials"
        return self.module_url(version, module, interface)

    def module_url(self, version: str, module: str, interface: Interface) -> str:
        """Sender and receiver interfaces have different base URLs (R-066)."""
        return f"{self.version_url(version)}/{interface.value.lower()}/{module}"

    def credentials(self, token: str) -> Credentials:
        """Only the hub itself, role HUB; website and logo always there, for strict readers."""
        logo: dict[str, Any] = {
            "url": self.logo,
            "category": "OTHER",
            "type": self.logo.rpartition(".")[2][:4] or "png",
        }
        details = BusinessDetails(name=self.name, website=self.website, logo=logo)
        role = CredentialsRole(
            role=Role.HUB,
            business_details=details,
            party_id=self.party.party_id,
            country_code=self.party.country_code,
        )
        return Credentials(token=token, url=self.versions_url, roles=[role])

    @property
    def fingerprint(self) -> str:
        """What platforms were told about this hub; when it changes they are told again."""
        return f"{self.public_url} {self.party.key}"

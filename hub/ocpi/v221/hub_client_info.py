"""What a hub tells about the parties behind it."""

from hub.ocpi.names import ConnectionStatus, Role
from hub.ocpi.v221.types import CiString2, CiString3, DateTime, OcpiObject


class ClientInfo(OcpiObject):
    """One party in one role."""

    party_id: CiString3
    country_code: CiString2
    role: Role
    status: ConnectionStatus
    last_updated: DateTime

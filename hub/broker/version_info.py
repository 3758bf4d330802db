"""Versions list and version details as the hub shows them (R-157 to R-166, ruling 16)."""

from typing import Any

from hub.broker.identity import HubIdentity
from hub.broker.registry import RegistryKeeper
from hub.domain.platform import Platform
from hub.ocpi.names import CONFIGURATION_MODULES, HUB_CLIENT_INFO, Interface, Role
from hub.ocpi.versions import SERVED, VersionTable


class VersionInfo:
    """Only versions that are served are listed."""

    def __init__(self, identity: HubIdentity, registry: RegistryKeeper) -> None:
        self._identity = identity
        self._registry = registry

    def versions(self) -> list[dict[str, str]]:
        return [{"version": version, "url": self._identity.version_url(version)} for version in SERVED]

    def details(self, table: VersionTable, platform: Platform) -> dict[str, Any]:
        """Endpoints for this platform: custom modules appear only to those that advertise them too, the RECEIVER of
        client info only to those that are hubs or may become one (R-204).
        """
        rows = [
            (module, interface, self._identity.configuration_url(table.version, module, interface))
            for module, interface in table.configuration
        ]
        if (HUB_CLIENT_INFO, Interface.SENDER) in table.configuration and _may_report(platform):
            url = self._identity.configuration_url(table.version, HUB_CLIENT_INFO, Interface.RECEIVER)
            rows.append((HUB_CLIENT_INFO, Interface.RECEIVER, url))
        modules = [(entry.module, entry.interface) for entry in table.modules]
        customs = sorted(
            {module for module, _ in custom_endpoints(table, self._registry.snapshot.advertises(platform))}
        )
        modules += [(module, interface) for module in customs for interface in Interface]
        rows += [
            (module, interface, self._identity.module_url(table.version, module, interface))
            for module, interface in modules
        ]
        return {
            "version": table.version,
            "endpoints": [{"identifier": module, "role": side.value, "url": url} for module, side, url in rows],
        }


def _may_report(platform: Platform) -> bool:
    """Whether it is a peer hub, or could be one once it has registered: it reads these details before that."""
    invited = any(name.role is Role.HUB for name in platform.approved)
    return platform.is_peer or invited or (platform.connection is None and platform.open_roles)


def custom_endpoints(
    table: VersionTable, advertised: frozenset[tuple[str, Interface]]
) -> frozenset[tuple[str, Interface]]:
    """Those endpoints whose module this version's table does not know."""
    known = {entry.module for entry in table.modules} | CONFIGURATION_MODULES
    return frozenset(endpoint for endpoint in advertised if endpoint[0] not in known)

"""What is pulled: which modules of which owners, and what stands in the way (R-098, ruling 13)."""

from dataclasses import dataclass

from hub.domain.opposites import acting_roles
from hub.domain.platform import Platform
from hub.domain.registry import RegistrySnapshot
from hub.ocpi.names import BROADCAST_MODULES, ConnectionStatus, Interface, Role
from hub.ocpi.party_id import PartyId

PullKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Pull:
    """A module that is pulled from one owner on a platform; `obstacle` says why it cannot be just now."""

    platform_id: str
    owner: PartyId
    module: str
    interval_s: float
    obstacle: str | None = None

    @property
    def key(self) -> PullKey:
        return self.platform_id, self.owner.key, self.module

    def __str__(self) -> str:
        return pull_name(self.platform_id, self.owner, self.module)


def pull_name(platform_id: str, owner: PartyId, module: str) -> str:
    """A pull in the words of logs and alarms, the same however its owner is spelled."""
    return f"{platform_id} {str(owner).upper()} {module}"


def pulls_of(registry: RegistrySnapshot) -> dict[PullKey, Pull]:
    """Every pull that is switched on, by its key; in order of platform and owner. Liveness is not looked at."""
    found: dict[PullKey, Pull] = {}
    puller: dict[tuple[str, str], str] = {}
    for platform in registry.platforms:
        for module, interval_s in platform.settings.pull.items():
            for owner in owners_on(platform, module):
                obstacle = _obstacle(registry, platform, owner, module)
                first = platform.id
                if obstacle is None:
                    first = puller.setdefault((owner.key, module), platform.id)
                if first != platform.id:  # two lists of one owner would take each other's objects away
                    obstacle = f"{module} of {owner} are pulled from platform {first}"
                pull = Pull(platform.id, owner, module, interval_s, obstacle)
                found[pull.key] = pull
    return found


def still_wanted(registry: RegistrySnapshot, pull: Pull) -> bool:
    """Whether a pull is switched on and nothing stands in its way."""
    platform = registry.platform(pull.platform_id)
    return (
        platform is not None
        and pull.module in platform.settings.pull
        and _obstacle(registry, platform, pull.owner, pull.module) is None
    )


def owners_on(platform: Platform, module: str) -> list[PartyId]:
    """The platform's parties that own objects of a module which can be pulled, each once."""
    owners = _owner_roles(module)
    return list(dict.fromkeys(role.party for role in platform.roles if role.role in owners))


def _owner_roles(module: str) -> frozenset[Role]:
    return acting_roles(module, Interface.SENDER)[1] if module in BROADCAST_MODULES else frozenset()


def _obstacle(registry: RegistrySnapshot, platform: Platform, owner: PartyId, module: str) -> str | None:
    if platform.status is not ConnectionStatus.CONNECTED:
        return f"The platform is {platform.status.value}"
    if not registry.roles_of(platform, owner) & _owner_roles(module):
        return f"{owner} is {ConnectionStatus.SUSPENDED.value}"
    if registry.endpoint(platform, module, Interface.SENDER) is None:
        return f"The platform does not offer {module} with interface role {Interface.SENDER.value}"
    return None

"""What an operator's calls about stored platforms share: one change of one platform, and why there is none."""

from collections.abc import Callable

from hub.broker.refusal import Refusal, RefusalKind
from hub.broker.registry import RegistryKeeper
from hub.domain.platform import Platform
from hub.errors import StoreConflict

Change = Callable[[Platform], Platform | Refusal | None]


async def changed(registry: RegistryKeeper, platform_id: str, change: Change) -> Platform | Refusal:
    """One change of a stored platform; `change` may refuse, or return None to leave things as they are."""
    refusals: list[Refusal] = []

    def judged(stored: Platform) -> Platform | None:
        result = change(stored)
        if isinstance(result, Refusal):
            refusals.append(result)
            return None
        return result

    try:
        found = await registry.change(platform_id, judged)
    except StoreConflict as conflict:
        return taken(conflict)
    if refusals:
        return refusals[-1]
    return unknown(platform_id) if found is None else found


def unknown(platform_id: str) -> Refusal:
    return Refusal(RefusalKind.UNKNOWN, f"There is no platform {platform_id[:40]}")


def conflicting(title: str) -> Refusal:
    return Refusal(RefusalKind.CONFLICT, title)


def taken(conflict: StoreConflict) -> Refusal:
    if conflict.key == "revision":
        return conflicting("The platform is being changed by somebody else; try again")
    return conflicting("One of the roles was taken by another platform in this moment")

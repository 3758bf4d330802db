"""The calls about parties and alarms."""

from collections.abc import Awaitable, Callable, Mapping

from hub.broker.refusal import Refusal, RefusalKind
from hub.domain.platform import Platform
from hub.ocpi.names import Role
from hub.ocpi.party_id import PartyId, role_key
from hub.web.admin import inputs, outputs
from hub.web.admin.outputs import Output, PartyRow
from hub.web.admin.pages import page
from hub.web.admin.parts import AdminParts
from hub.web.admin.shown import alarm_output, party_rows

Step = Callable[[PartyId, Role], Awaitable[Platform | Refusal]]


async def list_parties(parts: AdminParts, _at: Mapping[str, str], given: inputs.ListQuery) -> Output | Refusal:
    rows = [row for platform in parts.registry.snapshot.platforms for row in party_rows(parts, platform)]
    found = page(rows, lambda row: f"{PartyId(row.country_code, row.party_id).key} {row.role.value}", given)
    return found if isinstance(found, Refusal) else outputs.PartyPage(items=found.items, next=found.next)


async def suspend_party(parts: AdminParts, at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    return await _stepped(parts, at, parts.operations.suspend_party)


async def resume_party(parts: AdminParts, at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    return await _stepped(parts, at, parts.operations.resume_party)


async def move_party(parts: AdminParts, at: Mapping[str, str], given: inputs.MoveInput) -> Output | Refusal:
    async def move(party: PartyId, role: Role) -> Platform | Refusal:
        return await parts.operations.move_party(party, role, given.platform_id)

    return await _stepped(parts, at, move)


async def _stepped(parts: AdminParts, at: Mapping[str, str], step: Step) -> PartyRow | Refusal:
    try:
        role = Role(at["role"].upper())
    except ValueError:
        known = ", ".join(role.value for role in Role)
        return Refusal(RefusalKind.UNKNOWN, f"There is no such role; a role is one of {known}")
    party = PartyId(at["country"], at["party"])
    platform = await step(party, role)
    if isinstance(platform, Refusal):
        return platform
    wanted = role_key(role, party)
    rows = party_rows(parts, platform)
    return next(row for row in rows if role_key(row.role, PartyId(row.country_code, row.party_id)) == wanted)


async def list_alarms(parts: AdminParts, _at: Mapping[str, str], given: inputs.ListQuery) -> Output | Refusal:
    """Newest first."""
    found = page(
        parts.alarms.newest_first, lambda alarm: f"{alarm.last_at.isoformat()} {alarm.id}", given, falling=True
    )
    if isinstance(found, Refusal):
        return found
    return outputs.AlarmPage(items=[alarm_output(alarm) for alarm in found.items], next=found.next)


async def acknowledge_alarm(parts: AdminParts, at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    alarm = parts.operations.acknowledge(at["id"])
    return alarm if isinstance(alarm, Refusal) else alarm_output(alarm)

"""The calls about platforms."""

from collections.abc import Mapping

from hub.broker.operations import Invited as Invitation
from hub.broker.platform_settings import KeyPair, SettingsChange
from hub.broker.refusal import Refusal, RefusalKind
from hub.domain.platform import Platform
from hub.web.admin import inputs, outputs
from hub.web.admin.outputs import Output
from hub.web.admin.pages import page
from hub.web.admin.parts import AdminParts
from hub.web.admin.shown import platform_output, platform_row


async def invite_platform(parts: AdminParts, _at: Mapping[str, str], given: inputs.Invitation) -> Output | Refusal:
    roles = [role.role_name for role in given.roles]
    return _invited(parts, await parts.operations.invite(given.name, roles))


async def reinvite_platform(parts: AdminParts, at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    return _invited(parts, await parts.operations.reinvite(at["id"]))


async def list_platforms(parts: AdminParts, _at: Mapping[str, str], given: inputs.ListQuery) -> Output | Refusal:
    found = page(
        parts.registry.snapshot.platforms, lambda platform: f"{platform.created_at.isoformat()} {platform.id}", given
    )
    if isinstance(found, Refusal):
        return found
    rows = [platform_row(parts, platform) for platform in found.items]
    return outputs.PlatformPage(items=rows, next=found.next)


async def get_platform(parts: AdminParts, at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    platform = parts.registry.snapshot.platform(at["id"])
    return _unknown() if platform is None else platform_output(parts, platform)


async def set_platform(parts: AdminParts, at: Mapping[str, str], given: inputs.SettingsInput) -> Output | Refusal:
    change = SettingsChange()
    sent = given.model_fields_set
    if "token_encoding" in sent:
        change["token_encoding"] = given.token_encoding
    if "endpoint_overrides" in sent:
        change["endpoint_overrides"] = given.endpoint_overrides
    if "response_url_hosts" in sent:
        change["response_url_hosts"] = given.response_url_hosts
    if "forward_timeout_s" in sent:
        change["forward_timeout_s"] = given.forward_timeout_s
    if "authorize_timeout_s" in sent:
        change["authorize_timeout_s"] = given.authorize_timeout_s
    if "client_certificate" in sent:
        pair = given.client_certificate
        change["client_certificate"] = None if pair is None else KeyPair(pair.certificate_pem, pair.key_pem)
    if "page_limit" in sent:
        change["page_limit"] = given.page_limit
    if "broadcast_as_direct" in sent:
        change["broadcast_as_direct"] = given.broadcast_as_direct
    if "pull" in sent:
        change["pull"] = given.pull
    return _shown(parts, await parts.operations.change_settings(at["id"], change, name=given.name))


async def remove_platform(parts: AdminParts, at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    removed = await parts.operations.remove(at["id"])
    if isinstance(removed, Refusal):
        return removed
    return outputs.Removed(id=removed.platform_id, told=removed.told, detail=removed.detail)


async def connect_platform(parts: AdminParts, at: Mapping[str, str], given: inputs.ConnectInput) -> Output | Refusal:
    return _shown(parts, await parts.operations.connect(at["id"], given.versions_url, given.registration_token))


async def approve_roles(parts: AdminParts, at: Mapping[str, str], given: inputs.ApproveInput) -> Output | Refusal:
    return _shown(parts, await parts.operations.approve(at["id"], [role.role_name for role in given.roles]))


async def suspend_platform(parts: AdminParts, at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    return _shown(parts, await parts.operations.suspend(at["id"]))


async def resume_platform(parts: AdminParts, at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    return _shown(parts, await parts.operations.resume(at["id"]))


async def rotate_tokens(parts: AdminParts, at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    return _shown(parts, await parts.operations.rotate(at["id"]))


async def selftest_platform(parts: AdminParts, at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    platform = parts.registry.snapshot.platform(at["id"])
    if platform is None:
        return _unknown()
    checks = await parts.selftest.run(platform)
    return outputs.SelftestOutput(
        platform_id=platform.id,
        ok=all(check.ok is not False for check in checks),
        checks=[outputs.CheckOutput(name=check.name, ok=check.ok, detail=check.detail) for check in checks],
    )


def _invited(parts: AdminParts, result: Invitation | Refusal) -> Output | Refusal:
    if isinstance(result, Refusal):
        return result
    row = platform_row(parts, result.platform)
    return outputs.Invited(
        id=row.id,
        name=row.name,
        status=row.status,
        registration_token=result.registration_token,
        versions_url=parts.identity.versions_url,
    )


def _shown(parts: AdminParts, result: Platform | Refusal) -> Output | Refusal:
    return result if isinstance(result, Refusal) else platform_output(parts, result)


def _unknown() -> Refusal:
    return Refusal(RefusalKind.UNKNOWN, "There is no such platform")

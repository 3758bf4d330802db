"""The calls about agreements."""

from collections.abc import Mapping

from hub.broker.agreements import ANY, SideGiven, Terms, described
from hub.broker.refusal import Refusal
from hub.domain.agreements import Agreement, Side
from hub.domain.decisions import Broadcast, Decision, Direct, GetAll, HubCopy, Open, Refused
from hub.domain.explaining import ByUrl, Explanation, Question
from hub.ocpi.party_id import PartyId
from hub.web.admin import agreement_models as models
from hub.web.admin import inputs
from hub.web.admin.outputs import Output
from hub.web.admin.pages import page
from hub.web.admin.parts import AdminParts

MOST_PARTIES = 100


async def list_agreements(parts: AdminParts, _at: Mapping[str, str], given: inputs.ListQuery) -> Output | Refusal:
    found = page(parts.agreements.every, lambda agreement: agreement.id, given)
    if isinstance(found, Refusal):
        return found
    return models.AgreementPage(items=[_shown(agreement) for agreement in found.items], next=found.next)


async def get_agreement(parts: AdminParts, at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    found = parts.agreements.get(at["id"])
    return found if isinstance(found, Refusal) else _shown(found)


async def put_agreement(parts: AdminParts, at: Mapping[str, str], given: models.AgreementInput) -> Output | Refusal:
    terms = Terms(_given(given.origin), _given(given.target), given.modules, given.allow)
    put = await parts.agreements.put(at["id"], terms)
    if isinstance(put, Refusal):
        return put
    shown = _shown(put.agreement)
    return models.NewAgreement(**dict(shown)) if put.new else shown


async def remove_agreement(parts: AdminParts, at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    removed = await parts.agreements.remove(at["id"])
    return removed if isinstance(removed, Refusal) else _shown(removed)


async def explain_agreements(parts: AdminParts, _at: Mapping[str, str], given: models.ExplainInput) -> Output | Refusal:
    target = given.target
    question = Question(
        origin=PartyId(given.origin.country_code, given.origin.party_id),
        target=None if target is None else PartyId(target.country_code, target.party_id),
        module=given.module,
        interface=given.interface,
        method=given.method,
        origin_role=given.origin.role,
        target_role=None if target is None else target.role,
    )
    explanation = parts.agreements.explain(question)
    ruling = explanation.ruling
    return models.ExplainOutput(
        allowed=explanation.allowed,
        rule=None if ruling is None else "default" if ruling.agreement is None else _shown(ruling.agreement),
        sentence=explanation.sentence,
        from_platform_id=None if explanation.platform is None else explanation.platform.id,
        would=_would(explanation),
    )


def _given(side: models.SideInput | None) -> SideGiven:
    return SideGiven() if side is None else SideGiven(side.country_code, side.party_id, side.role)


def _shown(agreement: Agreement) -> models.AgreementOutput:
    return models.AgreementOutput(
        id=agreement.id,
        origin=_side(agreement.origin),
        target=_side(agreement.target),
        modules=[ANY] if agreement.modules is None else sorted(agreement.modules),
        allow=agreement.allow,
        sentence=described(agreement),
    )


def _side(side: Side) -> models.SideOutput:
    return models.SideOutput(
        country_code=side.country_code or ANY,
        party_id=side.party_id or ANY,
        role=ANY if side.role is None else side.role.value,
    )


def _would(explanation: Explanation) -> models.WouldOutput:
    would, receiver = explanation.would, explanation.receiver
    platform = None if receiver is None else receiver.platform
    refused = would if isinstance(would, Refused) else None
    return models.WouldOutput(
        mode=_MODES[type(would)],
        platform_id=None if platform is None else platform.id,
        platform_name=None if platform is None else platform.name,
        status=None if receiver is None else receiver.status,
        http=None if refused is None else refused.http,
        status_code=None if refused is None else int(refused.code),
        message=None if refused is None else refused.message,
        parties=[str(party) for party in explanation.parties[:MOST_PARTIES]],
        party_count=len(explanation.parties),
    )


_MODES: Mapping[type[Decision | ByUrl], models.Mode] = {
    Direct: "direct",
    Broadcast: "broadcast",
    GetAll: "get_all",
    HubCopy: "hub_copy",
    Open: "open",
    ByUrl: "by_url",
    Refused: "refused",
}

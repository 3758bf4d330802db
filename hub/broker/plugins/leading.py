"""Where a message goes, as plugins know it, and where their verdicts lead it."""

from hub.broker.exchange import Exchange
from hub.domain.decisions import Broadcast, Decision, Direct, GetAll, HubCopy, Open, Request, nobody
from hub.domain.receivers import one_receiver
from hub.domain.registry import RegistrySnapshot
from hub.ocpi.party_id import PartyId
from hub.plugin.verdicts import Narrow, Reroute, Verdict
from hub.plugin.words import Kind


def led_elsewhere(
    snapshot: RegistrySnapshot, exchange: Exchange, decision: Decision, verdict: Verdict
) -> Decision | None:
    """The decision after a verdict; None for one that does not go with it."""
    if isinstance(verdict, Narrow):
        return narrowed(decision, frozenset(verdict.receivers))
    if isinstance(verdict, Reroute) and isinstance(decision, Direct | Open):
        request = Request(exchange.platform.id, verdict.to, decision.sender, exchange.module, exchange.interface)
        return one_receiver(snapshot, exchange.platform, decision.sender, verdict.to, request)
    return None


def kind_of(decision: Decision) -> Kind:
    """What an exchange is, by what was decided about it."""
    if isinstance(decision, Direct):
        return Kind.FOR_PLUGIN if decision.platform.plugin is not None else Kind.DIRECT
    if isinstance(decision, Broadcast):
        return Kind.BROADCAST
    return Kind.OPEN if isinstance(decision, Open) else Kind.GET_ALL


def receivers_of(decision: Decision) -> tuple[PartyId, ...]:
    """Whom it goes to, as far as that is known."""
    if isinstance(decision, Direct):
        return (decision.receiver,)
    if isinstance(decision, Broadcast):
        return tuple(direct.receiver for direct in decision.receivers)
    return ()


def narrowed(decision: Decision, to: frozenset[PartyId]) -> Decision:
    """The decision with fewer receivers, or with objects of fewer owners."""
    if isinstance(decision, Broadcast):
        kept = tuple(direct for direct in decision.receivers if direct.receiver in to)
        return Broadcast(decision.sender, decision.owner, kept, decision.stored_only)
    if isinstance(decision, GetAll | HubCopy):
        owners = decision.owners & frozenset(party.key for party in to)
        return type(decision)(decision.sender, owners)
    if isinstance(decision, Direct) and decision.receiver not in to:
        return nobody(f"{decision.receiver} is not a receiver of this message by a rule of this hub")
    return decision

"""What people are told about a limit: a sentence that says how much, by whom, and until when."""

from datetime import UTC, datetime, tzinfo

from plugins.load_manager.grid.power import kilowatts
from plugins.load_manager.signals.in_force import InForce, Rule


def sentence(
    force: InForce, until: datetime | None, provider: str, *, stopped: bool = False, zone: tzinfo = UTC
) -> str:
    """Such as `limited to 60 kW by DSO X until 21:00`. `until`: when the step ends, None when that is not known or far
    away. `provider`: the name of the group's capacity provider; what it has not said is the operator's of the hub.
    """
    who = provider if force.capacity_provider is not None else "the operator of the hub"
    ends = f" until {until.astimezone(zone):%H:%M}" if until is not None else ""
    return f"limited to {kilowatts(force.limit_mw)} kW {_reason(force.rule, who, ends, provider, stopped)}"


def _reason(rule: Rule, who: str, ends: str, provider: str, stopped: bool) -> str:
    match rule:
        case Rule.STATIC:
            return "by the static capacity"
        case Rule.LIMIT:
            return f"by {who}{ends}"
        case Rule.EMERGENCY:
            return f"in an emergency by {who}{ends}"
        case Rule.ZERO_HELD:
            return f"by {who} until it says more"
        case Rule.GAP:
            return f"because {provider} has sent no limit for this time{ends}"
        case Rule.FALLBACK if stopped:
            return "because the operator of the hub has stopped everything"
        case Rule.FALLBACK:
            return f"because there is no contact with {provider}"
        case Rule.QUARANTINE:
            return f"because a signal by {who} is not plausible and waits for the operator of the hub{ends}"
        case Rule.RAMP:
            return "for now, and more each minute"

"""Activations as capacity providers get them, as JSON values and as CSV. No session and no driver is in them."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from hub.ocpi import times
from plugins.load_manager.evidence.activation import Activation
from plugins.load_manager.evidence.metering import QUARTER_S
from plugins.load_manager.grid.power import kilowatts

Figure = str | int | float | Decimal | None


def figures(activation: Activation, now: datetime) -> dict[str, Figure]:
    """An activation in one flat row: moments in OCPI's form, powers in kW, `_s` after it was received."""
    metered = activation.metered
    row: dict[str, Figure] = {
        "provider": activation.provider,
        "group_id": activation.group_id,
        "message_id": activation.message_id,
        "kind": activation.kind.value,
        "lowest_limit_kw": _kw(min(each.limit_mw for each in activation.allowed)),
        "starts_at": times.render(min(each.start for each in activation.allowed)),
        "ends_at": times.render(activation.ends_at),
        "received_at": times.render(activation.received_at),
    }
    for name in ("acknowledged_at", "planned_at", "first_put_at", "last_put_at", "confirmed_at", "superseded_at"):
        moment: datetime | None = getattr(activation, name)
        row[name] = None if moment is None else times.render(moment)
    for name in ("planned_at", "last_put_at", "confirmed_at"):
        moment = getattr(activation, name)
        took = None if moment is None else (moment - activation.received_at).total_seconds()
        row[name.replace("_at", "_after_s")] = took
    quality = activation.data_quality(now)
    return row | {
        "sessions_lowered": len(activation.profiles),
        "confirmed_share": _rounded(activation.confirmed_share),
        "lowest_kw": _kw(metered.lowest_mw),
        "highest_kw": _kw(metered.highest_mw),
        "overload_kwh": metered.overload_kwh,
        "quarters_above": sum(each.energy_mw_s > each.allowed_mw_s for each in metered.quarters),
        "exceptions": "; ".join(
            f"{times.render(each.at)} {each.why.value} {_kw(each.power_mw)} kW" for each in activation.shortcomings
        ),
        **{f"{name}_share": _rounded(share) for name, share in quality.items()},
    }


def quarter_figures(activation: Activation) -> list[dict[str, Figure]]:
    """The averages over the quarters of the clock, in order; `known_s` is how much of the quarter they are made of."""
    return [
        {
            "group_id": activation.group_id,
            "message_id": activation.message_id,
            "start": times.render(datetime.fromtimestamp(quarter.start_s, UTC)),
            "end": times.render(datetime.fromtimestamp(quarter.start_s + QUARTER_S, UTC)),
            "average_kw": _kw(quarter.average_mw),
            "limit_kw": _kw(quarter.limit_mw),
            "known_s": quarter.known_s,
        }
        for quarter in activation.metered.quarters
    ]


def csv_of(rows: Iterable[Mapping[str, Figure]]) -> str:
    """Rows as RFC 4180 has them, with a line of names; names are those of all rows in order of coming. A text that a
    spreadsheet would take for a formula is marked as text.
    """
    given: Sequence[Mapping[str, Figure]] = list(rows)
    names = list(dict.fromkeys(name for row in given for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="")
    writer.writeheader()
    writer.writerows({name: _plain(value) for name, value in row.items()} for row in given)
    return out.getvalue()


def _plain(value: Figure) -> Figure:
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") else value


def _kw(power_mw: int | None) -> Figure:
    return None if power_mw is None else kilowatts(power_mw)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)

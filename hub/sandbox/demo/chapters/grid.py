"""The grid has a say: a DSO limits a feeder by OSCP, and the hub keeps the cars below it within the limit."""

from datetime import datetime, timedelta
from decimal import Decimal

from hub.ocpi import names, times
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.answer import Answer
from hub.sandbox.demo.feeder import (
    CAR_A,
    CARS,
    FALLBACK_KW,
    GROUP,
    HALF_KW,
    LOCATION,
    NOMINAL_KW,
    Feeder,
    Reading,
    Stand,
)
from hub.sandbox.demo.shouting import HUB_PARTY
from hub.sandbox.demo.step import Step
from hub.sandbox.demo.story import HUB, Story
from hub.sandbox.dso import DsoHabits, SandboxDso, block
from hub.sandbox.results import ResultMode

TITLE = "The grid has a say"
ABOUT = (
    "A DSO tells the hub by OSCP how much a feeder can carry, and the hub shares it among the cars by charging "
    "profiles. Times are short here: heartbeats come each second, in earnest each minute, and a limit of a few seconds "
    "would be one of a quarter of an hour."
)

DSO = "DSO"
OPERATOR = "operator"
HEARTBEAT_S = 1
HALVED_S = 1.2
ROOM, HALVED = Stand("NORMAL", CAR_A, told=1), Stand("LIMITED", Decimal("16.9"), told=2)
LIFTED, ALONE = Stand("NORMAL", CAR_A, told=2), Stand("FALLBACK", Decimal("7.2"), told=3)


async def play(story: Story) -> None:
    results = story.cast.alpha.platform.results
    feeder = Feeder(story)
    async with SandboxDso(habits=DsoHabits(heartbeat_interval_s=HEARTBEAT_S, measurements=())) as dso:
        before, results.mode = results.mode, ResultMode.AT_ONCE
        try:
            provider_id = await _grid_is_drawn(story, feeder, dso)
            await _cars_charge(story, feeder, dso)
            lifted_at = await _dso_halves(story, feeder, dso)
            await _limit_ends(story, feeder, lifted_at)
            await _dso_falls_silent(story, feeder, dso)
            await _feeder_is_given_up(story, feeder, provider_id)
        finally:
            results.mode = before


async def _grid_is_drawn(story: Story, feeder: Feeder, dso: SandboxDso) -> str:
    """Who limits which charge points, and that they may be steered; the hub's id of the DSO."""
    alpha = story.cast.alpha
    garage = objects.location(str(alpha.party), LOCATION, evses=len(CARS))
    alpha.platform.own.put(names.LOCATIONS, garage)
    tail = f"{alpha.path}/{LOCATION}"
    told = await story.send("PUT", names.LOCATIONS, Interface.RECEIVER, tail, by=alpha, to=HUB_PARTY, body=garage)
    await story.tell(told, f"a garage with {len(CARS)} charge points of 22 kW", http=201)
    profile = {"heartbeat_interval_s": HEARTBEAT_S, "metering": "none"}
    made = await story.hub.admin("POST", "/capacity-providers", {"name": "Grid North", "profile": profile})
    invited = made.envelope or {}
    provider_id = str(invited["id"])
    await _tell(story, (OPERATOR, "POST DSO"), made, 201, "a DSO is invited, with a token")
    member = {"country_code": alpha.party.country_code, "party_id": alpha.party.party_id, "location_id": LOCATION}
    put = await feeder.put([member], provider_id)
    outcome = f"the garage hangs on {GROUP}: {NOMINAL_KW} kW, {FALLBACK_KW} kW without contact"
    await _tell(story, (OPERATOR, "PUT group"), put, 201, outcome)
    agreed = {"consent": True, "reference": "Contract of the demo"}
    consents = await story.hub.admin("PUT", f"/grid/cpos/{alpha.path}", agreed)
    await _tell(story, (OPERATOR, "PUT CPO"), consents, 200, "Alpha consents: its sessions may be steered")
    registered = await dso.register(invited["base_url"], invited["registration_token"])
    await dso.registered()
    await _tell(story, (DSO, "POST register"), registered, 204, "each has the other's token")
    shaken = await dso.handshake()
    await dso.acknowledged()
    await _tell(story, (DSO, "POST handshake"), shaken, 204, f"heartbeats, both ways, every {HEARTBEAT_S} s")
    return provider_id


async def _cars_charge(story: Story, feeder: Feeder, dso: SandboxDso) -> None:
    """With room for all of them the profiles only say what holds when nobody refreshes them."""
    alpha, delta = story.cast.alpha, story.cast.delta
    now = story.now()
    enough = [block(now.replace(microsecond=0), now + timedelta(hours=1), NOMINAL_KW)]
    (taken,) = await dso.forecast(GROUP, enough)
    await _tell(story, (DSO, "POST forecast"), taken, 204, f"{NOMINAL_KW} kW for the next hour")
    begun = []
    for car, evse_uid in CARS.items():
        session = objects.session(str(alpha.party), car, driver=str(delta.party), last_updated=now)
        session |= {"location_id": LOCATION, "evse_uid": evse_uid, "start_date_time": times.render(now)}
        alpha.platform.own.put(names.SESSIONS, session)
        tail = f"{alpha.path}/{car}"
        begun.append(
            await story.send("PUT", names.SESSIONS, Interface.RECEIVER, tail, by=alpha, to=delta, body=session)
        )
    for put, (car, evse_uid) in zip(begun, CARS.items(), strict=True):
        await story.tell(put, f"{car} charges at {evse_uid}", http=201)
    reading = await feeder.become(ROOM)
    outcome = "room for all: 32 A, and less in 45 minutes if the hub is silent until then"
    problems = () if all(one < CAR_A for one in feeder.endings_a()) else ("each profile should end lower",)
    await _show(story, "3 x PUT profile", outcome, reading, ROOM, problems=problems)


async def _dso_halves(story: Story, feeder: Feeder, dso: SandboxDso) -> datetime:
    """The signal, and what it makes of the sessions; when the limit ends."""
    now = story.now()
    # Profiles know whole seconds.
    lifted_at = (now + timedelta(seconds=HALVED_S + 1)).replace(microsecond=0)
    blocks = [
        block(now.replace(microsecond=0), lifted_at, HALF_KW),
        block(lifted_at, lifted_at + timedelta(hours=1), NOMINAL_KW),
    ]
    started_s = story.now_s()
    (taken,) = await dso.forecast(GROUP, blocks)
    reading = await feeder.become(HALVED)
    outcome = f"{HALF_KW} kW until {times.render(lifted_at)[11:19]}, then {NOMINAL_KW} kW"
    await _tell(story, (DSO, "POST forecast"), taken, 204, outcome)
    outcome = f"{HALVED.each_a} A each; the time is from the signal to the last profile"
    took_s = feeder.last_told_s() - started_s
    await _show(story, "3 x PUT profile", outcome, reading, HALVED, took_s=took_s)
    return lifted_at


async def _limit_ends(story: Story, feeder: Feeder, lifted_at: datetime) -> None:
    """What was announced stands in the profiles already."""
    await story.pause(max(0.0, (lifted_at - story.now()).total_seconds()))
    reading = await feeder.become(LIFTED)
    outcome = "the limit is over: the profiles said when, nothing is sent"
    await _show(story, "no profile", outcome, reading, LIFTED)


async def _dso_falls_silent(story: Story, feeder: Feeder, dso: SandboxDso) -> None:
    """Without heartbeats the fallback holds, and a heartbeat alone does not end it."""
    dso.stop_heartbeats()
    reading = await feeder.become(ALONE)
    outcome = f"the DSO has fallen silent: {FALLBACK_KW} kW, {ALONE.each_a} A each"
    await _show(story, "3 x PUT profile", outcome, reading, ALONE)
    heard = await dso.heartbeat()
    reading = await feeder.read()
    problems, details = reading.problems(ALONE), (reading.text,)
    outcome = "a heartbeat alone changes nothing"
    await _tell(story, (DSO, "POST heartbeat"), heard, 204, outcome, problems=problems, details=details)


async def _feeder_is_given_up(story: Story, feeder: Feeder, provider_id: str) -> None:
    """The operator takes all of it away again."""
    put = await feeder.put([], provider_id)
    free = await feeder.released()
    problems = () if free else ("Alpha should have been told to clear every profile",)
    outcome = "the garage is taken off the feeder: Alpha clears the limits"
    await _tell(story, (OPERATOR, "PUT group"), put, 200, outcome, problems=problems)
    await story.hub.admin("DELETE", f"/grid/groups/{GROUP}")
    gone = await story.hub.admin("DELETE", f"/capacity-providers/{provider_id}")
    await _tell(story, (OPERATOR, "DELETE DSO"), gone, 204, "the DSO is told, and forgotten")


async def _tell(
    story: Story,
    said: tuple[str, str],
    answer: Answer,
    status: int,
    outcome: str,
    *,
    problems: tuple[str, ...] = (),
    details: tuple[str, ...] = (),
) -> None:
    """Tells of a request to the hub that is not OCPI, by its sender and name: one status is all its answer has."""
    who, message = said
    if answer.status != status:
        found = answer.failure or f"HTTP {answer.status} {answer.body.decode(errors='replace')}"
        problems = (f"expected HTTP {status}: {found}", *problems)
    step = Step((who, HUB), message, str(answer.status), outcome, answer.elapsed_s, None, problems, details)
    await story.add(step)


async def _show(
    story: Story,
    message: str,
    outcome: str,
    reading: Reading,
    stand: Stand,
    *,
    took_s: float | None = None,
    problems: tuple[str, ...] = (),
) -> None:
    """Tells what the hub made of it, with the feeder as it stands and as it should."""
    problems = (*reading.problems(stand), *problems)
    step = Step((HUB, story.cast.alpha.name), message, reading.state, outcome, took_s, None, problems, (reading.text,))
    await story.add(step)

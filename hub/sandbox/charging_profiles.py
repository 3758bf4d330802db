"""Charging profiles from both ends: the CPO that applies them and the SCSP or eMSP that set them (R-129, R-132)."""

from dataclasses import dataclass

from hub.clock import Clock
from hub.ocpi import names, times
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from hub.sandbox.answer import Answer
from hub.sandbox.book import Object
from hub.sandbox.client import Client
from hub.sandbox.received import Received
from hub.sandbox.reply import Replies, Reply
from hub.sandbox.results import Results

ACCEPTED = "ACCEPTED"
UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class AppliedProfile:
    """The profile of one session, who set it and for which of this platform's parties."""

    profile: Object
    setter: PartyId | None
    operator: PartyId | None


class ChargingProfiles:
    """`applied` is the CPO's side by session id, `active` what an SCSP was told by PUT. `responses` is what it answers
    about single sessions in place of `response`.
    """

    def __init__(self, client: Client, replies: Replies, results: Results, clock: Clock) -> None:
        self.response = ACCEPTED
        self.responses: dict[str, str] = {}
        self.timeout_s = 30
        self.result = ACCEPTED
        self.applied: dict[str, AppliedProfile] = {}
        self.active: dict[str, Object] = {}
        self._client = client
        self._replies = replies
        self._results = results
        self._clock = clock

    def serve(self, received: Received) -> Reply:
        """GET, PUT or DELETE of a session's profile at the CPO; the outcome follows to the `response_url`."""
        if received.response_url is None:
            return self._replies.refused(StatusCode.INVALID_PARAMETERS, "response_url is missing")
        if received.method == "PUT" and "charging_profile" not in received.data:
            return self._replies.refused(StatusCode.INVALID_PARAMETERS, "charging_profile is missing")
        session_id = received.segments[0]
        response = self.responses.get(session_id, self.response)
        if response == ACCEPTED:
            self._results.owe(received, self._apply(received, session_id))
        return self._replies.ok({"result": response, "timeout": self.timeout_s})

    def _apply(self, received: Received, session_id: str) -> Object:
        known = self.applied.get(session_id)
        if self.result != ACCEPTED or (known is None and received.method != "PUT"):
            return {"result": UNKNOWN if self.result == ACCEPTED else self.result}
        if received.method == "PUT":
            profile = received.data["charging_profile"]
            self.applied[session_id] = AppliedProfile(profile, received.sender, received.to)
        elif received.method == "DELETE":
            del self.applied[session_id]
        elif known is not None:
            return {"result": ACCEPTED, "profile": self._active(known.profile)}
        return {"result": ACCEPTED}

    def _active(self, profile: Object) -> Object:
        return {"start_date_time": times.render(self._clock.now()), "charging_profile": profile}

    async def push(self, session_id: str, active_profile: Object | None = None) -> Answer:
        """PUT ActiveChargingProfile to whoever set the profile of this session; KeyError when nobody did."""
        known = self.applied[session_id]
        return await self._client.call(
            "PUT",
            names.CHARGING_PROFILES,
            Interface.SENDER,
            session_id,
            to=known.setter,
            sender=known.operator,
            body=active_profile or self._active(known.profile),
        )

    def learn(self, received: Received) -> Reply:
        """The SENDER side: PUT of an ActiveChargingProfile, or POST of a result (which `received` keeps)."""
        if received.method == "PUT":
            self.active[received.segments[0]] = received.data
        return self._replies.ok()

"""What can be set for the load manager. Grid, CPOs and signals come by its routes; here are the figures it goes by."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from hub.ocpi.party_id import PartyId, well_formed
from hub.plugin import PluginConfig
from plugins.load_manager.allocation import Policy
from plugins.load_manager.dispatch import Settings as DispatchSettings
from plugins.load_manager.planning import Settings as PlanningSettings

Seconds = Annotated[int, Field(ge=1, le=86_400)]


class LoadManagerConfig(PluginConfig):
    """The load manager does nothing until a group of the grid exists."""

    on_error: Literal["continue", "reject"] = "reject"
    """What becomes of an eMSP's charging profile that could not be brought under the grid's limit: refuse it (the
    default), or let it pass as it is."""
    hook_timeout: Annotated[float, Field(gt=0, le=30)] = 3.0
    """Seconds to bring an eMSP's profile under the limit, which waits for a message of ours and for the store."""
    public_url: str | None = None
    """Where capacity providers reach the hub, such as `https://hub.example.com`. Unset: none can register."""
    country_code: str = "NL"
    """Country of the party in whose name profiles are sent; its role is SCSP."""
    party_id: str = "GLM"
    """Id of that party."""
    shadow: bool = False
    """Whether a new hub begins by planning and recording without sending anything; `PUT /grid/mode` changes it."""
    recompute_s: Seconds = 60
    """Every tree is planned anew at least so often."""
    debounce_s: Annotated[float, Field(ge=0, le=60)] = 2.0
    """What is not urgent is planned so much later, together with what comes meanwhile."""
    pull_s: Seconds = 900
    """CPOs that have consented are asked for their sessions so often."""
    measure_s: Seconds = 900
    """What groups were given is read, and reported to their capacity providers, so often: at multiples of it on the
    clock."""
    horizon_s: Seconds = 3600
    """How far ahead limits are looked at."""
    terminal_s: Seconds = 2700
    """From when on a profile that nobody refreshes is the fallback share."""
    refresh_s: Seconds = 900
    """A profile is refreshed after so long; at most a third of `terminal_s`."""
    policy: Policy = Policy.FAIR
    """How power above the needs is shared: `fair`, or `slack`: more for who has less time."""
    dc_minimum_kw: Annotated[int, Field(ge=0, le=100)] = 5
    """Least power of a DC car that is not paused."""

    @model_validator(mode="after")
    def _fits_together(self) -> "LoadManagerConfig":
        if not well_formed(self.country_code, self.party_id):
            raise ValueError("country_code has two letters and party_id three letters or digits")
        if self.terminal_s > self.horizon_s:
            raise ValueError("terminal_s lies within horizon_s")
        if self.refresh_s * 3 > self.terminal_s:
            raise ValueError("refresh_s is at most a third of terminal_s")
        return self

    @property
    def party(self) -> PartyId:
        return PartyId(self.country_code, self.party_id)

    @property
    def planning(self) -> PlanningSettings:
        return PlanningSettings(
            horizon_s=self.horizon_s,
            furthest_s=2 * self.horizon_s,
            ending_after_s=self.terminal_s,
            policy=self.policy,
        )

    @property
    def dispatch(self) -> DispatchSettings:
        return DispatchSettings(horizon_s=self.terminal_s - self.refresh_s, refresh_s=self.refresh_s)

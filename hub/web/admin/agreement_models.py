"""What the calls about agreements take and give."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StrictBool, StringConstraints

from hub.broker.agreements import MOST_MODULES
from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.web.admin.inputs import Input
from hub.web.admin.outputs import Output

Mode = Literal["direct", "broadcast", "get_all", "hub_copy", "open", "by_url", "refused"]
Word = Annotated[str, StringConstraints(max_length=64)]

_OR_ANY = 'Left out or "*": any.'


class SideInput(Input):
    """The parties one side is about. A side without any member names nobody: write "*" for any."""

    country_code: Word | None = Field(default=None, description=_OR_ANY)
    party_id: Word | None = Field(default=None, description=_OR_ANY)
    role: Word | None = Field(default=None, description=_OR_ANY)


class AgreementInput(Input):
    """Who may, or may not, start exchanges about which modules, and with whom."""

    origin: SideInput | None = Field(default=None, alias="from", description="Who starts the exchange.")
    target: SideInput | None = Field(default=None, alias="to", description="With whom.")
    modules: Annotated[list[Word], Field(max_length=MOST_MODULES)] = Field(
        description='Module ids, of OCPI or custom ones; ["*"] for all.'
    )
    allow: StrictBool = Field(description="false forbids.")


class SideOutput(Output):
    """One side; "*" is any."""

    country_code: str
    party_id: str
    role: str


class AgreementOutput(Output):
    """An agreement in force, and what it says in words."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    id: str
    origin: SideOutput = Field(alias="from")
    target: SideOutput = Field(alias="to")
    modules: list[str]
    allow: bool
    sentence: str


class NewAgreement(AgreementOutput):
    """An agreement with an id there was none with before."""


class AgreementPage(Output):
    items: list[AgreementOutput]
    next: str | None


class PartyInput(Input):
    """A party; with a role it is looked at in that role alone."""

    country_code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2}$")]
    party_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,3}$")]
    role: Role | None = None


class ExplainInput(Input):
    """A request that somebody might send. `to` is left out where the request names no receiver."""

    origin: PartyInput = Field(alias="from", description="Who starts the exchange.")
    target: PartyInput | None = Field(default=None, alias="to", description="OCPI-to; the hub's own party is one too.")
    module: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    interface: Interface = Field(description="Of the endpoint that is called.")
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class WouldOutput(Output):
    """What the hub would do now. `direct`: send it to one party. `broadcast`: keep it and tell `parties`. `get_all` and
    `hub_copy`: answer out of its catalog, with objects of `parties`. `open`: find the receiver by the content.
    `by_url`: follow a URL it has handed out. `refused`: answer itself, with `http`, `status_code` and `message`.

    `platform_id`, `platform_name` and `status` are those of the receiver, as far as one is named and known. Of very
    many parties the first are listed; `party_count` says how many there are.
    """

    mode: Mode
    platform_id: str | None
    platform_name: str | None
    status: ConnectionStatus | None
    http: int | None
    status_code: int | None
    message: str | None
    parties: list[str]
    party_count: int


class ExplainOutput(Output):
    """`allowed` is what agreements say and `rule` which of them, or "default"; null where no receiver is named, because
    each one is asked for on its own. `from_platform_id` is the platform the sender speaks through.
    """

    allowed: bool
    rule: AgreementOutput | Literal["default"] | None
    sentence: str
    from_platform_id: str | None
    would: WouldOutput

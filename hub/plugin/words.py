"""The words of the plugin API: where in a message's walk a plugin looks, at which messages, and at what of them."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from hub.ocpi.names import Interface

API_VERSION = (1, 0)
"""Major and minor number of this API. A plugin says which it needs in `Plugin.api`."""

MIB = 1024 * 1024


class Phase(StrEnum):
    """The moments of an exchange at which plugins are asked, in order (architecture, section 3).

    RECEIVED   somebody called, nothing is decided; before the body is read, unless the watch asks for it
    ROUTED     the routing mode and the receivers are known
    FORWARDING one leg is about to be sent to its receiver; once per leg
    ANSWERED   a leg came back, or could not be sent; once per leg, in the reverse order of plugins
    RESULT     an asynchronous result is on its way to whoever asked for it
    FINISHED   the requester has its answer; exactly once per exchange, off the message's path
    """

    RECEIVED = "received"
    ROUTED = "routed"
    FORWARDING = "forwarding"
    ANSWERED = "answered"
    RESULT = "result"
    FINISHED = "finished"


class Kind(StrEnum):
    """What an exchange turned out to be.

    FOR_PLUGIN is addressed to a party that a plugin plays; CONFIGURATION is everything that is never routed:
    handshakes, version details, client info. Refused before routing, an exchange has no kind.
    """

    DIRECT = "direct"
    BROADCAST = "broadcast"
    OPEN = "open"
    GET_ALL = "get_all"
    CALLBACK = "callback"
    FOR_PLUGIN = "for_plugin"
    CONFIGURATION = "configuration"


class Body(StrEnum):
    """What a plugin does with a body.

    IGNORE  does not look at it (the default): it costs nothing, whatever its size
    BYTES   reads it as it was received
    READ    reads it as JSON; it is parsed once for all plugins that do
    CHANGE  may put another in its place; includes READ
    """

    IGNORE = "ignore"
    BYTES = "bytes"
    READ = "read"
    CHANGE = "change"

    @property
    def rank(self) -> int:
        """0 to 3: a higher one includes the lower ones."""
        return _RANK[self]


_RANK = {Body.IGNORE: 0, Body.BYTES: 1, Body.READ: 2, Body.CHANGE: 3}


class Delivery(StrEnum):
    """What becomes of FINISHED exchanges that come faster than the plugin takes them.

    LOSSY     a full queue drops and counts
    LOSSLESS  a full queue holds the senders back; exchanges of one object come in order
    """

    LOSSY = "lossy"
    LOSSLESS = "lossless"


@dataclass(frozen=True, slots=True)
class Watch:
    """What a plugin wants to see; every condition that is given must hold. Compiled per endpoint whenever plugins
    change, so a condition costs nothing per message.

    kinds       not looked at in RECEIVED, where nothing is decided yet
    modules     module names as in OCPI; a custom module's too
    interface   the endpoint's interface role
    methods     GET, POST, PUT, PATCH, DELETE
    request     the request's body, in RECEIVED to FORWARDING, RESULT (the result) and FINISHED
    response    the answer's body, in ANSWERED and FINISHED
    max_body    bytes; a larger body is `too_large` to the plugin and passes as it is. What several plugins ask for at
                one endpoint is read up to the largest of their limits
    delivery    for FINISHED only
    """

    phases: AbstractSet[Phase]
    kinds: AbstractSet[Kind] | None = None
    modules: AbstractSet[str] | None = None
    interface: Interface | None = None
    methods: AbstractSet[str] | None = None
    request: Body = Body.IGNORE
    response: Body = Body.IGNORE
    max_body: int = MIB
    delivery: Delivery = Delivery.LOSSY

    def covers(self, module: str, interface: Interface | None, method: str) -> bool:
        """Whether the watch looks at this endpoint and method at all."""
        return (
            (self.modules is None or module in self.modules)
            and (self.interface is None or self.interface is interface)
            and (self.methods is None or method in self.methods)
        )

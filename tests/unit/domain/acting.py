"""Who typically calls and who serves each interface (R-059 and the module tables), written down once more by hand."""

from hub.ocpi.names import Interface, Role

_TABLE = """
locations        SENDER   EMSP,NSP,NAP,OTHER   CPO,NAP
locations        RECEIVER CPO,NAP              EMSP,NSP,NAP,OTHER
tariffs          SENDER   EMSP,NSP,NAP,OTHER   CPO,NAP
tariffs          RECEIVER CPO,NAP              EMSP,NSP,NAP,OTHER
sessions         SENDER   EMSP,SCSP,OTHER      CPO
sessions         RECEIVER CPO                  EMSP,SCSP,OTHER
cdrs             SENDER   EMSP,OTHER           CPO
cdrs             RECEIVER CPO                  EMSP,OTHER
tokens           SENDER   CPO                  EMSP,OTHER
tokens           RECEIVER EMSP,OTHER           CPO
commands         SENDER   CPO                  EMSP,SCSP,OTHER
commands         RECEIVER EMSP,SCSP,OTHER      CPO
chargingprofiles SENDER   CPO,EMSP             EMSP,SCSP,OTHER
chargingprofiles RECEIVER EMSP,SCSP,OTHER      CPO,EMSP
"""


def _roles(text: str) -> frozenset[Role]:
    return frozenset(Role(name) for name in text.split(","))


# (module, interface) -> roles that call, roles that serve
ACTING: dict[tuple[str, Interface], tuple[frozenset[Role], frozenset[Role]]] = {
    (module, Interface(side)): (_roles(callers), _roles(servers))
    for module, side, callers, servers in (line.split() for line in _TABLE.strip().split("\n"))
}

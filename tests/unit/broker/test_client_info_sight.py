"""Who sees whom, and that a change of agreements is looked at only where it can matter."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from hub.broker.client_info import ClientInfo
from hub.broker.client_info_sight import Changed, Sight, kinds_of
from hub.domain.acquaintance import Acquaintance
from hub.domain.agreements import Agreement, Agreements, Side
from hub.domain.platform import Platform
from hub.ocpi.names import ConnectionStatus, Role
from tests.unit.domain.platforms import NOW, behind, hosted, party, platform

COUNTRIES = [f"{first}{second}" for first in "ABCDEFGHIJ" for second in "ABCDEFGHIJ"]
PLATFORMS = [
    platform(f"P{number}", [hosted(Role.CPO if number % 2 else Role.EMSP, f"{country}/ONE")])
    for number, country in enumerate(COUNTRIES)
]
PEER = platform("H1", [hosted(Role.HUB, "BE/HB1")], reported=[behind(Role.EMSP, "ES/FAR")])


class Told(Mapping[str, ClientInfo]):
    """All parties; counts how often one is looked at."""

    def __init__(self) -> None:
        infos = [info(one, one.roles[0].role, str(one.roles[0].party)) for one in PLATFORMS]
        self._infos = {one.key: one for one in infos}
        self.looked = 0

    def __getitem__(self, key: str) -> ClientInfo:
        self.looked += 1
        return self._infos[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._infos)

    def __len__(self) -> int:
        return len(self._infos)


def info(home: Platform, role: Role, text: str, *, remote: bool = False) -> ClientInfo:
    return ClientInfo(home.id, party(text), role, ConnectionStatus.CONNECTED, NOW, behind=remote)


def sight(viewer: Platform, *agreements: Agreement, default_open: bool = True) -> Sight:
    return under(viewer, Acquaintance(Agreements(agreements, default_open=default_open)))


def under(viewer: Platform, acquaintance: Acquaintance) -> Sight:
    return Sight(viewer, acquaintance, kinds_of(viewer, acquaintance))


def between(one: str, other: str, *, allow: bool) -> Agreement:
    return Agreement(f"{one} {other} {allow}", side(one), side(other), None, allow)


def side(text: str) -> Side:
    country_code, party_id = text.split("/")
    return Side(country_code, party_id)


def test_a_peer_sees_who_is_here_and_no_other_hub() -> None:
    seen = sight(PEER)

    assert seen.sees(info(PLATFORMS[0], Role.EMSP, "AA/ONE"))
    assert not seen.sees(info(PEER, Role.HUB, "BE/HB1"))
    assert not seen.sees(info(platform("H2"), Role.HUB, "BE/HB2"))
    assert not seen.sees(info(platform("H2"), Role.CPO, "ES/CPS", remote=True))
    assert sight(PLATFORMS[0]).sees(info(platform("H2"), Role.CPO, "ES/CPS", remote=True))
    assert sight(PLATFORMS[0]).sees(info(platform("H2"), Role.HUB, "BE/HB2"))


def test_a_peer_speaks_for_those_behind_it() -> None:
    here = info(PLATFORMS[0], Role.EMSP, "AA/ONE")

    assert not sight(PEER, default_open=False).sees(here)
    assert sight(PEER, between("ES/FAR", "AA/ONE", allow=True), default_open=False).sees(here)
    assert sight(PEER, between("AA/ONE", "BE/HB1", allow=True), default_open=False).sees(here)
    alone = replace(PEER, reported=())
    assert not sight(alone, between("ES/FAR", "AA/ONE", allow=True), default_open=False).sees(here)


async def test_an_agreement_of_two_concerns_those_two() -> None:
    before = Acquaintance(Agreements([between("AA/ONE", "AC/ONE", allow=False)]))
    now = Acquaintance(Agreements([*before.agreements.every, *_hidden("AA/ONE", "AB/ONE")]))
    told = Told()
    changed = Changed(told)

    found = {one.id: await changed.keys(under(one, before), under(one, now)) for one in PLATFORMS}

    assert {key: value for key, value in found.items() if value} == {"P0": {"CPO*ab*one"}, "P1": {"EMSP*aa*one"}}
    # Every party once, to find those it is about; these two then, for each of both.
    assert told.looked == len(PLATFORMS) + 4


def _hidden(one: str, other: str) -> list[Agreement]:
    return [between(one, other, allow=False), between(other, one, allow=False)]


async def test_what_did_not_change_is_not_looked_at() -> None:
    told = Told()
    same = Acquaintance(Agreements(_hidden("AA/ONE", "AB/ONE")))
    read_again = replace(PLATFORMS[0], revision=2)

    assert await Changed(told).keys(under(PLATFORMS[0], same), under(PLATFORMS[0], same)) == set()
    assert await Changed(told).keys(under(PLATFORMS[0], same), under(read_again, same)) == set()
    assert told.looked == 0


async def test_other_parties_of_a_platform_see_other_parties() -> None:
    told = Told()
    closed = Acquaintance(Agreements([between("IT/NEW", "AB/ONE", allow=True)], default_open=False))
    viewer = PLATFORMS[0]
    grown = replace(viewer, roles=(*viewer.roles, hosted(Role.EMSP, "IT/NEW")))

    assert await Changed(told).keys(under(viewer, closed), under(grown, closed)) == {"CPO*ab*one"}
    assert await Changed(told).keys(under(grown, closed), under(viewer, closed)) == {"CPO*ab*one"}

"""News kept once for all receivers: in order, of each party only the newest, and never more than there are parties."""

from dataclasses import replace

from hub.broker.client_info import ClientInfo
from hub.broker.client_info_news import News
from hub.ocpi.names import ConnectionStatus, Role
from tests.unit.domain.platforms import NOW, party

CONNECTED, OFFLINE = ConnectionStatus.CONNECTED, ConnectionStatus.OFFLINE


def info(text: str, status: ConnectionStatus = CONNECTED, host: str = "P1") -> ClientInfo:
    return ClientInfo(host, party(text), Role.CPO, status, NOW)


def note(news: News, before: ClientInfo | None, now: ClientInfo | None) -> None:
    known = now or before
    assert known is not None
    news.add(known.key, before, now)


def read(news: News, number: int) -> list[str]:
    """What somebody reads who has read up to a number."""
    found = []
    while (change := news.after(number)) is not None:
        number = change.number
        found.append(f"{change.key} {change.now.status if change.now else 'gone'}")
    return found


def test_everybody_reads_on_from_where_he_is() -> None:
    news = News()
    for text in ("NL/AAA", "NL/BBB", "NL/CCC"):
        note(news, None, info(text))

    assert read(news, 0) == ["CPO*nl*aaa CONNECTED", "CPO*nl*bbb CONNECTED", "CPO*nl*ccc CONNECTED"]
    assert read(news, 2) == ["CPO*nl*ccc CONNECTED"]
    assert read(news, news.last) == []


def test_a_newer_change_of_a_party_takes_the_place_of_the_one_before() -> None:
    news = News()
    note(news, None, info("NL/AAA"))
    note(news, None, info("NL/BBB"))
    note(news, info("NL/AAA"), info("NL/AAA", OFFLINE))

    assert read(news, 0) == ["CPO*nl*bbb CONNECTED", "CPO*nl*aaa OFFLINE"]
    assert read(news, 2) == ["CPO*nl*aaa OFFLINE"]


def test_flapping_for_a_slow_receiver_does_not_pile_up() -> None:
    news = News()
    note(news, None, info("NL/BBB"))
    for _ in range(5000):
        note(news, info("NL/AAA"), info("NL/AAA", OFFLINE))
        note(news, info("NL/AAA", OFFLINE), info("NL/AAA"))

    assert read(news, 0) == ["CPO*nl*bbb CONNECTED", "CPO*nl*aaa CONNECTED"]
    assert len(news._order) < 200


def test_what_everybody_has_read_is_forgotten() -> None:
    news = News()
    note(news, None, info("NL/AAA"))
    note(news, info("NL/AAA"), None)
    note(news, None, info("NL/BBB"))
    news.forget(2)

    assert read(news, 0) == ["CPO*nl*bbb CONNECTED"]
    news.forget(news.last)
    assert (read(news, 0), news._newest) == ([], {})
    note(news, info("NL/BBB"), info("NL/BBB", OFFLINE))
    assert read(news, 3) == ["CPO*nl*bbb OFFLINE"]


def test_a_party_that_only_moved_is_no_news_to_who_knows_it() -> None:
    news = News()
    note(news, info("NL/AAA"), info("NL/AAA", host="P2"))
    change = news.after(0)
    assert change is not None
    assert change.only_moved

    # While a change of status may be unread somewhere, the move after it is told.
    note(news, info("NL/BBB"), info("NL/BBB", OFFLINE))
    moved = replace(info("NL/BBB", OFFLINE), host="P2")
    note(news, info("NL/BBB", OFFLINE), moved)
    change = news.after(1)
    assert change is not None
    assert not change.only_moved

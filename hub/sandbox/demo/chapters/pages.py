"""Long lists: page after page through the hub, to the end."""

from hub.ocpi import headers, names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.demo.story import Story

TITLE = "Long lists"
ABOUT = (
    "Echo fetches Bravo's 25 CDRs, ten a page. Bravo's link to the next page leads to Bravo, where Echo is a stranger; "
    "the hub turns it into a link of its own."
)

COUNT = 25
PAGE = 10
# More pages than there can be: a list that goes round in circles ends too.
MOST_PAGES = 6


async def play(story: Story) -> None:
    bravo, echo = story.cast.bravo, story.cast.echo
    wanted = [f"BILL{number:02}" for number in range(1, COUNT + 1)]
    for cdr_id in wanted:
        bravo.platform.own.put(names.CDRS, objects.cdr(str(bravo.party), cdr_id, driver=str(echo.party)))
    bravo.platform.habits.page_limit = PAGE
    seen: list[str] = []
    url: str | None = None
    for number in range(1, MOST_PAGES):
        page = await story.send(
            "GET", names.CDRS, Interface.SENDER, by=echo, to=bravo, url=url, name=f"GET {names.CDRS}, page {number}"
        )
        rows = page.answer.data if isinstance(page.answer.data, list) else []
        seen += [row["id"] for row in rows]
        url = page.answer.next_url
        total = page.answer.headers.get(headers.TOTAL_COUNT)
        expected = wanted[: PAGE * number]
        await story.tell(
            page,
            f"{len(rows)} of {total}, " + ("a link to the next" if url else "no link: the end"),
            checks={
                "the total is 25": total == str(COUNT),
                "every CDR came once and in order": seen == expected,
                "the link leads to the hub": url is None or url.startswith(story.hub.url),
                "there is a link until all have come": (url is None) == (expected == wanted),
            },
            details=[f"the hub's link: {url}"] if url and number == 1 else (),
        )
        if url is None:
            break

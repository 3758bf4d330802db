"""Registration: platforms that come to the hub, and one that the hub goes to."""

from hub.ocpi import codec, names
from hub.ocpi.names import ConnectionStatus
from hub.sandbox.demo.cast import Player, described, roles_of
from hub.sandbox.demo.message import status_text
from hub.sandbox.demo.step import Step
from hub.sandbox.demo.story import HUB, Story
from hub.sandbox.endpoints import VERSION, VERSION_DETAILS
from hub.sandbox.exchange import Exchange
from hub.sandbox.faults import Fault
from hub.sandbox.received import Wanted
from hub.sandbox.reply import Reply

TITLE = "Registration"
ABOUT = (
    "The operator gives each platform a token. With it the platform reads the hub's versions and endpoints and posts "
    "its credentials; the hub reads the platform's in turn. To Bravo the hub goes by itself."
)


async def play(story: Story) -> None:
    cast = story.cast
    for player in (cast.alpha, cast.delta, cast.echo, cast.sierra):
        await _comes_to_the_hub(story, player)
    await _is_gone_to(story, cast.bravo)
    versions = await story.send(
        "GET", "", None, by=cast.bravo, url=story.hub.versions_url, name=f"GET {names.VERSIONS}"
    )
    offered = [row.get("version") for row in versions.answer.data or []]
    await story.tell(
        versions,
        "its new token works",
        arrives=False,
        checks={f"the hub offers {VERSION}": VERSION in offered},
    )


class _Seen(Fault):
    """No fault at all: notes what a platform answers to a request of the hub."""

    said = ""

    async def meet(self, exchange: Exchange) -> Reply | None:
        reply = await exchange.reply()
        self.said = f"{reply.status}/{codec.loads(reply.body)['status_code']}"
        return reply


async def _comes_to_the_hub(story: Story, player: Player) -> None:
    """The hub as Receiver of the handshake."""
    platform = player.platform
    token = await story.hub.invite(platform.name, roles_of(platform))
    started_s = story.now_s()
    handshake = await platform.register(story.hub.versions_url, token)
    ended_s = story.now_s()
    problems = [handshake.problem] if handshake.problem else _problems(story, player)
    await story.add(
        Step(
            (player.name, HUB),
            f"POST {names.CREDENTIALS}",
            status_text(handshake.answer),
            f"{described(platform)}, version {VERSION}",
            ended_s - started_s,
            problems=tuple(problems),
        )
    )


async def _is_gone_to(story: Story, player: Player) -> None:
    """The hub as Sender of the handshake."""
    platform = player.platform
    token = platform.issue_token()
    post = _Seen(Wanted(names.CREDENTIALS, method="POST"), times=1)
    platform.faults.add(post)
    started_s = story.now_s()
    problem = await story.hub.connect(platform.name, roles_of(platform), platform.versions_url, token)
    ended_s = story.now_s()
    problems = [problem] if problem else _problems(story, player)
    if not post.said:
        problems.append(f"{player.name} should have got the hub's credentials")
    await story.add(
        Step(
            (HUB, player.name),
            f"POST {names.CREDENTIALS}",
            post.said,
            f"{described(platform)}: three parties, version {VERSION}",
            ended_s - started_s,
            problems=tuple(problems),
        )
    )


def _problems(story: Story, player: Player) -> list[str]:
    """What is missing after a handshake, at the platform and in the hub."""
    platform = player.platform
    problems = []
    if platform.counterpart is None or platform.counterpart.hub_party is None:
        problems.append(f"{player.name} should know a party with the role HUB")
    unread = [one for one in (names.VERSIONS, VERSION_DETAILS) if not platform.received.of(one, method="GET")]
    problems += [f"the hub should have read {one} of {player.name}" for one in unread]
    known = next((one for one in story.hub.registered() if one.name == platform.name), None)
    wanted = {str(role) for role in roles_of(platform)}
    if known is None or known.status != ConnectionStatus.CONNECTED or known.version != VERSION:
        problems.append(f"the hub should know {player.name} as CONNECTED with version {VERSION}")
    elif set(known.roles) != wanted:
        problems.append(f"the hub should know {', '.join(sorted(wanted))}")
    return problems

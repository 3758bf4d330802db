"""How the story looks on a terminal, in a pipe and in a picture: columns of fixed width, no cursor tricks."""

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from hub.sandbox.demo.cast import Cast, described
from hub.sandbox.demo.hub import Hub
from hub.sandbox.demo.step import Chapter, Step

_HEADINGS = ("", "who", "message", "HTTP/OCPI", "what came of it", "ms there+back")
_MARK, _ROUTE, _MESSAGE, _ANSWER, _TIMES = 1, 21, 23, 9, 13
_GAPS = 5
_LEAST_OUTCOME = 20
_MOST_OUTCOME = 60
# Failed steps that the summary repeats; all of them stand in their chapters.
_REPEATED = 5


class Screen:
    """Shows one story on a console. Where the console cannot write ticks and arrows, plain characters stand in."""

    def __init__(self, console: Console) -> None:
        self.console = console
        unicode = console.encoding.lower().startswith("utf")
        self._tick, self._cross, self._arrow = ("✓", "✗", " → ") if unicode else ("+", "X", " > ")
        taken = _MARK + _ROUTE + _MESSAGE + _ANSWER + _TIMES + _GAPS
        free = console.width - taken
        # None: too narrow for a column, so what came of a step stands below it.
        self._outcome_width = min(free, _MOST_OUTCOME) if free >= _LEAST_OUTCOME else None

    def say(self, text: str | Text = "") -> None:
        """A line or a paragraph; what does not fit is continued on the next line."""
        self.console.print(Text(text) if isinstance(text, str) else text, highlight=False)

    def opening(self, hub: Hub, cast: Cast) -> None:
        """Who plays, and how to read what follows."""
        self.say(Text("An OCPI 2.2.1 roaming hub and five platforms that have never heard of each other", "bold"))
        self.say(f"The hub serves {hub.versions_url} and remembers in {hub.store}.")
        self.say()
        table = Table.grid(padding=(0, 2))
        for platform in cast.platforms:
            table.add_row(Text(f"  {platform.name}", "bold cyan"), described(platform), Text(platform.base_url, "dim"))
        self.console.print(table)
        self.say()
        self.say(
            "A CPO runs charge points, an eMSP has drivers with cards and apps, an SCSP steers charging power. Every "
            "message below goes over real sockets: from one platform to the hub, and from the hub to another. "
            "HTTP/OCPI are the two status codes of the answer (1000 to 1999 is success). The times are the way to the "
            "receiver and the way back, the receiver's own work included."
        )

    def heading(self, number: int, title: str, about: str) -> None:
        self.say()
        self.console.print(Rule(Text(f"{number}. {title}", "bold"), align="left", style="cyan", characters=self._line))
        self.say(about)
        self._row(tuple(Text(heading, "dim") for heading in _HEADINGS))

    @property
    def _line(self) -> str:
        return "-" if self._tick == "+" else "─"

    def step(self, step: Step) -> None:
        mark = Text(self._tick, "bold green") if step.passed else Text(self._cross, "bold red")
        route = Text(self._arrow, "dim").join(Text(name, "dim" if name == "hub" else "cyan") for name in step.route)
        answer = Text(step.answer, "green" if step.passed else "bold red")
        outcome = Text(step.outcome if step.passed else f"wanted: {step.outcome}")
        self._row((mark, route, Text(step.message), answer, outcome, Text(_times(step), "dim")))
        for problem in step.problems:
            self.console.print(Padding(Text(problem, "red"), (0, 0, 0, 2)))
        for detail in step.details:
            width = self.console.width - 2
            shown = detail if len(detail) <= width else f"{detail[: width - 3]}..."
            self.console.print(Padding(Text(shown, "dim"), (0, 0, 0, 2)))

    def _row(self, cells: tuple[Text, ...]) -> None:
        mark, route, message, answer, outcome, times = cells
        table = Table.grid(padding=(0, 1))
        for width in (_MARK, _ROUTE, _MESSAGE, _ANSWER):
            table.add_column(width=width, min_width=width, overflow="fold")
        if self._outcome_width is None:
            rest = [times]
        else:
            table.add_column(width=self._outcome_width, overflow="fold")
            rest = [outcome, times]
        table.add_column(width=_TIMES, justify="right", no_wrap=True)
        table.add_row(mark, route, message, answer, *rest)
        self.console.print(table)
        if self._outcome_width is None:
            self.console.print(Padding(outcome, (0, 0, 0, 2)))

    def summary(self, chapters: Sequence[Chapter], took_s: float, *, log: str) -> None:
        """A row per chapter, the steps that failed once more, and one sentence for all of it."""
        self.say()
        table = Table(
            title="Summary", title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False
        )
        table.add_column("chapter", min_width=44)
        for heading in ("steps", "passed", "median round trip"):
            table.add_column(heading, justify="right")
        for number, chapter in enumerate(chapters, start=1):
            fine = chapter.passed == len(chapter.steps) > 0
            table.add_row(
                f"{number:2}. {chapter.title}",
                str(len(chapter.steps)),
                Text(str(chapter.passed), "green" if fine else "bold red"),
                "" if chapter.median_s is None else f"{chapter.median_s * 1000:.1f} ms",
            )
        self.console.print(table)
        self.say()
        failed = [step for chapter in chapters for step in chapter.steps if not step.passed]
        count = sum(len(chapter.steps) for chapter in chapters)
        if not failed:
            self.say(Text(f"{self._tick} All {count} steps did what they should, in {took_s:.1f} s.", "bold green"))
            return
        self.say(Text(f"{self._cross} {len(failed)} of {count} steps did not do what they should:", "bold red"))
        for step in failed[:_REPEATED]:
            self.say(f"  {self._arrow.join(step.route)} {step.message}: {step.problems[0]}")
        if len(failed) > _REPEATED:
            self.say(f"  and {len(failed) - _REPEATED} more, see above")
        self.say(f"The hub's log: {log}")


def _times(step: Step) -> str:
    if step.total_s is None:
        return ""
    if step.there_s is None:
        return f"{step.total_s * 1000:.1f}"
    return f"{step.there_s * 1000:.1f} + {(step.total_s - step.there_s) * 1000:.1f}"

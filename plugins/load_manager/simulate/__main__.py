"""`python -m plugins.load_manager.simulate`: prints what each method is worth, and ends with 1 when the load manager
misses a threshold.
"""

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from plugins.load_manager.simulate.chart import draw
from plugins.load_manager.simulate.comparing import METHODS, Comparison, compare, parts
from plugins.load_manager.simulate.figures import missed
from plugins.load_manager.simulate.workload import parameters


class Seeds(click.ParamType[tuple[int, ...]]):
    """Whole numbers as `3`, `0-7` or `0,2,5-6`."""

    name = "seeds"

    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        seeds: list[int] = []
        for part in value.split(","):
            first, dash, last = part.strip().partition("-")
            if not first.isdecimal() or (dash and not last.isdecimal()):
                self.fail(f"{value!r} is not like 3, 0-7 or 0,2,5-6", param, ctx)
            seeds += range(int(first), int(last or first) + 1)
        if not seeds or len(set(seeds)) < len(seeds):
            self.fail(f"{value!r} names no seed, or one twice", param, ctx)
        return tuple(seeds)


def _names(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    known = "".join(parameters()["workloads"])
    names = value.upper()
    if not names or set(names) - set(known) or len(set(names)) < len(names):
        raise click.BadParameter(f"choose among {known}, each at most once")
    return names


@click.command()
@click.option("--seeds", type=Seeds(), default="0-7", show_default=True, help="3, 0-7 or 0,2,5-6.")
@click.option("--workloads", callback=_names, default="ABCD", show_default=True, help="Letters of the workloads.")
@click.option("--chart", type=click.Path(dir_okay=False, path_type=Path), help="Draw the first seed into this file.")
def main(seeds: tuple[int, ...], workloads: str, chart: Path | None) -> None:
    """Simulates a day and a half of charging behind one limit, by several methods."""
    console = Console()
    try:
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task("simulating", total=parts(seeds, workloads))
            comparison = compare(seeds, workloads, lambda: progress.advance(task))
        console.print(_table(comparison, seeds, workloads))
        if chart is not None:
            draw(comparison.runs, workloads, chart)
            console.print(f"chart in {chart}")
    except ImportError as missing:
        raise click.ClickException(f"{missing}; it comes with the extra `test`") from missing
    except (OSError, ValueError) as why:
        raise click.ClickException(str(why)) from why
    sentences = missed(comparison.results)
    for sentence in sentences:
        console.print(f"[red]missed[/red] {sentence}")
    sys.exit(1 if sentences else 0)


def _table(comparison: Comparison, seeds: tuple[int, ...], names: str) -> Table:
    title = f"Means over {len(seeds)} seeds" if len(seeds) > 1 else f"Seed {seeds[0]}"
    table = Table(title=title, caption="energy: share of the optimum; worst: least share of its need a session got")
    table.add_column("")
    table.add_column("method", no_wrap=True)
    for heading in ("energy", "worst", "Jain", "kWh over"):
        table.add_column(heading, justify="right")
    for name in names:
        for method in METHODS:
            got = comparison.results[method, name]
            cells = (f"{got.energy:.3f}", f"{got.worst:.2f}", f"{got.jain:.3f}", f"{got.overload_kwh:.6g}")
            table.add_row(name, method, *(cells if got.overload_kwh > 1e-9 else (*cells[:3], "0")))
        table.add_section()
    return table


if __name__ == "__main__":
    main()

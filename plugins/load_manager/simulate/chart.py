"""The load under the limit, drawn: a panel per workload, the load manager beside what cars do when nobody asks them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from plugins.load_manager.simulate.charging import Charged
from plugins.load_manager.simulate.figures import ALL_WISHES, FIRST_COME, UNCONTROLLED

_STYLES = {UNCONTROLLED: ("0.65", 1.0), FIRST_COME: ("tab:orange", 1.0), ALL_WISHES: ("tab:blue", 1.6)}


def draw(runs: Mapping[tuple[str, str], Charged], names: Sequence[str], target: Path) -> None:
    """Writes a picture, its kind by the suffix of `target`. Raises ImportError where Matplotlib is not installed,
    ValueError for a suffix it does not know, OSError where it cannot write.
    """
    from matplotlib.figure import Figure

    picture = Figure(figsize=(11, 2.8 * len(names)), layout="constrained")
    panels = picture.subplots(len(names), 1, squeeze=False)[:, 0]
    for panel, name in zip(panels, names, strict=True):
        workload = runs[ALL_WISHES, name].workload
        hours = workload.start_h + np.arange(len(workload.limit_kw) + 1) * workload.step_h
        for method, (colour, width) in _STYLES.items():
            load_kw = runs[method, name].load_kw
            panel.stairs(load_kw, hours, color=colour, linewidth=width, label=method, baseline=None)
        panel.stairs(workload.limit_kw, hours, color="tab:red", linestyle="--", label="limit", baseline=None)
        panel.set_title(f"Workload {name}, seed {workload.seed}: {len(workload)} sessions", loc="left")
        panel.set_ylabel("kW")
        panel.set_ylim(bottom=0)
        panel.set_xlim(hours[0], hours[-1])
        panel.set_xticks(np.arange(hours[0], hours[-1] + 1, 3))
        panel.set_xticklabels([f"{int(hour) % 24:02d}:00" for hour in np.arange(hours[0], hours[-1] + 1, 3)])
    panels[0].legend(loc="upper right", ncols=2)
    picture.savefig(target, dpi=120)

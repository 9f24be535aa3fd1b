"""From the chart of a run to a finding, such as diverged or short, and what to try first.

Each piece of advice comes with the numbers that support it; nothing is advised that they do not.
"""

from math import ceil, isfinite
from statistics import fmean, median
from typing import Any

from adamas.lab.course import Further
from adamas.lab.doctor.chart import Chart, charted
from adamas.lab.doctor.leaving import leaving
from adamas.lab.entrants import entrant
from adamas.lab.problems import Problem
from adamas.lab.trial import Record, finite

Finding = dict[str, Any]

# A gradient this many times the median of the steps before it is a spike.
SPIKE, BEFORE = 10.0, 20
# More than this share of the elements near eps: the step depends on eps there.
MANY = 0.1
# A loss that fell by less than this, in per cent, has not fallen.
LEAST = 2
FLAT = 1 - LEAST / 100
# Of a run this much worse than the tuned one something is to be said.
WORSE = 1.10
# Net way over path: above, the steps went one way; below, to and fro.
STRAIGHT = 0.5


def diagnose(
    problem: Problem,
    optimizer: str,
    lr: float,
    seed: int,
    tuned: Record | None = None,
    tuned_lr: float | None = None,
    further: Further = (),
) -> Finding | None:
    """Run a trial again and return what was wrong with it, or None.

    `tuned` is the run that it is compared with, at `tuned_lr` (its own lr if not given) and on the
    same seed; without it only divergence, overfitting and stalling are looked for. `further` are
    hyper-parameters of the run besides lr. The finding has the keys `optimizer`, `lr`, `seed`,
    `kind`, `step` (the update that did it), `parameter`, `update_to_weight` there, `advice` (what
    to try, first things first) and `numbers`; and `settings`, if there were any.
    """
    chart = charted(problem, optimizer, lr, seed, further)
    if chart.record.error:
        run: Finding = {"optimizer": optimizer, "lr": lr, "seed": seed}
        return run | finding("raised", [], {}, chart.steps) | {"error": chart.record.error}
    best = tuned_lr if tuned_lr is not None else tuned.lr if tuned else None
    found = overfitted(chart) or left(chart, best) or stalled(chart, best)
    if found is None and best is not None and (tuned is None or worse(chart, tuned.final)):
        other = charted(problem, optimizer, best, seed)
        goal = other.record.final if tuned is None else tuned.final
        if worse(chart, goal):
            found = short(chart, other) or slow(chart, goal, best)
    if found is None:
        return None
    who: Finding = {"optimizer": optimizer, "lr": lr, "seed": seed}
    who |= {"settings": dict(further)} if further else {}
    if entrant(optimizer).course.changed(further).warmup:
        found["advice"] = [word for word in found["advice"] if word != "warm_up"]
    numbers = {key: finite(value) for key, value in found["numbers"].items()}
    return who | found | {"numbers": numbers}


def worse(chart: Chart, goal: float) -> bool:
    """Return whether a run ended clearly above another's loss."""
    return isfinite(goal) and chart.record.final > WORSE * goal


def finding(
    kind: str, advice: list[str], numbers: dict[str, float], step: int | None = None,
    parameter: str | None = None, ratio: float | None = None,
) -> Finding:  # fmt: skip
    """Return a finding in the report's shape."""
    return {
        "kind": kind,
        "step": step,
        "parameter": parameter,
        "update_to_weight": None if ratio is None else finite(ratio),
        "advice": advice,
        "numbers": numbers,
    }


def left(chart: Chart, tuned_lr: float | None) -> Finding | None:
    """Say which update made the loss leave, in which parameter, and what the moments tell.

    The kind is "diverged", or "rose" for a run that ended above its start with a loss all the same.
    """
    if chart.record.final <= chart.record.losses[0]:
        return None
    step = leaving(chart)
    seen = next((k for k in range(step, 0, -1) if chart.widest(k)), step)
    name = chart.widest(seen)
    ratio = chart.columns[name].ratio(seen) if name else None
    lower = chart.record.lr * min(0.1, 0.5 / ratio if ratio else 0.1)
    numbers = {
        "loss_before": chart.record.losses[0],
        "loss": chart.record.losses[-1],
        "lr": lower if tuned_lr is None or tuned_lr >= chart.record.lr else tuned_lr,
    }
    advice = ["lower_lr"]
    beta2 = chart.hypers.get("beta2")
    if beta2 is not None and step <= 1 / (1 - beta2):
        advice.append("warm_up")
        numbers["window"] = 1 / (1 - beta2)
    usual = [chart.grad_norm(k) for k in range(max(1, step - BEFORE), step)]
    if len(usual) >= BEFORE // 4 and chart.grad_norm(step) > SPIKE * median(usual):
        advice.append("clip")
        numbers |= {"grad_norm": chart.grad_norm(step), "clip_norm": median(usual)}
    column = chart.columns[name] if name else None
    if column and column.near_eps and column.near_eps[seen - 1] > MANY:
        advice.append("larger_eps")
        numbers |= {"near_eps": column.near_eps[seen - 1], "eps": chart.hypers["eps"],
                    "root": column.root[seen - 1]}  # fmt: skip
    kind = "diverged" if chart.record.diverged else "rose"
    return finding(kind, advice, numbers, step, name, ratio)


def overfitted(chart: Chart) -> Finding | None:
    """Say that nothing is left of a validation loss that turned while the training loss fell on."""
    record, step = chart.record, chart.record.overfitted_from
    if step is None or record.final < FLAT * record.losses[0]:
        return None
    numbers = {
        "loss_lowest": min(record.losses), "loss": record.final, "train": record.train[-1],
        "steps": float(step),
    }  # fmt: skip
    return finding("overfitted", ["fewer_steps"], numbers, step)


def stalled(chart: Chart, tuned_lr: float | None) -> Finding | None:
    """Say why a run ended no better than it began: no gradient, a large eps, or a wrong lr."""
    record = chart.record
    if record.final < FLAT * record.losses[0]:
        return None
    numbers = {"loss_before": record.losses[0], "loss": record.final}
    norms = [chart.grad_norm(step) for step in range(1, chart.steps + 1)]
    late = norms[len(norms) // 2 :]
    if not any(late):
        step = norms.index(0.0) + 1
        name = chart.widest(step - 1) if step > 1 else None
        ratio = chart.columns[name].ratio(step - 1) if name else None
        advice = ["check_gradients"] if name is None else ["lower_lr", "warm_up"]
        return finding("stalled", advice, numbers | {"grad_norm": 0.0}, step, name, ratio)
    name = max(chart.columns, key=lambda key: sum(chart.columns[key].update))
    column = chart.columns[name]
    ratio = fmean(column.ratio(step) for step in range(1, chart.steps + 1))
    way, path = chart.way(name, chart.last[name]), chart.path(name)
    numbers |= {"grad_norm": median(norms), "reach": path, "way": way}
    if column.root and median(column.root) < chart.hypers["eps"]:
        numbers |= {"eps": chart.hypers["eps"], "root": median(column.root)}
        return finding("stalled", ["smaller_eps", "higher_lr"], numbers, None, name, ratio)
    still = max(abs(loss / record.losses[0] - 1) for loss in record.losses) < 1 - FLAT
    low = record.lr < tuned_lr if tuned_lr is not None else still or way > STRAIGHT * path
    advice = ["higher_lr", "more_steps"] if low else ["lower_lr"]
    return finding("stalled", advice, numbers, None, name, ratio)


def short(chart: Chart, tuned: Chart) -> Finding | None:
    """Say that the steps together are shorter than the way to where the tuned run ended.

    The tutorial's own fault: an update of Adam is about lr long, so lr times steps is all it can
    reach. Looked at in the parameter that has the longest way to go, for its number of elements.
    """
    ways = {name: chart.way(name, end) for name, end in tuned.last.items()}
    name = max(ways, key=ways.__getitem__)
    reach, distance = chart.path(name), ways[name]
    if not 0 < reach < distance:
        return None
    more = distance / reach
    numbers = {
        "reach": reach,
        "distance": distance,
        "lr_times_steps": chart.record.lr * chart.steps,
        "steps": float(ceil(chart.steps * more)),
        "lr": chart.record.lr * more,
        "tuned_lr": tuned.record.lr,
    }
    column = chart.columns[name]
    ratio = median(column.ratio(step) for step in range(1, chart.steps + 1))
    return finding("short", ["higher_lr", "more_steps"], numbers, None, name, ratio)


def slow(chart: Chart, goal: float, tuned_lr: float) -> Finding:
    """Say that a run ended well above the tuned one, and whether it was still falling."""
    record = chart.record
    half = [s for s, step in enumerate(record.steps) if step >= record.steps[-1] / 2]
    falling = record.final < FLAT * record.losses[half[0]]
    advice = ["higher_lr", *["more_steps"] * falling] if record.lr < tuned_lr else ["lower_lr"]
    numbers = {"loss": record.final, "tuned": goal, "tuned_lr": tuned_lr}
    return finding("slow" if falling else "stalled", advice, numbers)

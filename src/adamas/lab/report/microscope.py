"""The pictures of one re-run: what each optimizer's step was made of."""

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes

from adamas.lab.page.looks import Look, looks_of
from adamas.lab.page.svg import Labels, Picture
from adamas.lab.protocol.results_types import InsideTree, Series
from adamas.lab.report import frames
from adamas.lab.report.frames import INK
from adamas.lab.report.subject import Subject, known
from adamas.lab.text import Say

Values = Sequence[float | None]
MOST_PARAMETERS = 8
BEYOND = 30


Numbers = Callable[[InsideTree], Series | None]
Ends = Callable[[InsideTree], tuple[Series, Series]]


def watched(subject: Subject) -> dict[str, InsideTree]:
    """Return what was recorded of each optimizer, in their order."""
    inside = subject.results["inside"]
    return {name: inside[name] for name in subject.looks if name in inside}


def focus(subject: Subject) -> str:
    """Return the optimizer that is looked at alone: Adam, or else the first with both moments."""
    found = watched(subject)
    both = [name for name, one in found.items() if one["bias_v"]]
    return next(name for name in ("adam", *both, *found) if name in found)


def over_steps(
    key: str, subject: Subject, read: Numbers, ends: Ends | None = None, one: bool = False
) -> Picture | None:
    """Draw one recorded quantity of all optimizers that have it; None where nobody does.

    `read` returns its values, `ends` those that bound a band around the one that is looked at
    alone; `one` adds a dotted line at 1.
    """
    name = focus(subject)
    drawn = {name: (run["at"], read(run) or []) for name, run in watched(subject).items()}
    drawn = {name: series for name, series in drawn.items() if known(series[1])}
    if not drawn:
        return None

    def paint(axes: Axes, labels: Labels) -> None:
        values = [value for _, series in drawn.values() for value in series]
        frames.log_steps(axes, [step for steps, _ in drawn.values() for step in steps])
        if ends and name in drawn:
            low, high = ends(watched(subject)[name])
            # Coordinates without a gradient have a step of lr / eps, thousands of times the others.
            middle = known(values)
            values.extend(
                value
                for value in known(low + high)
                if min(middle) / BEYOND < value < max(middle) * BEYOND
            )
            frames.band(axes, subject.looks[name], drawn[name][0], (low, high))
        frames.log_values(axes, values)
        if one:
            axes.axhline(1, color=INK, linewidth=0.8, dashes=(1, 2))
        frames.lines(axes, labels, [(subject.looks[n], *series) for n, series in drawn.items()])
        say = subject.say
        axes.set(xlabel=labels(say("chart_step")), ylabel=labels(say(f"axis_{key}")))

    return frames.traces(key, [subject.looks[name] for name in drawn], paint, len(drawn))


def bias(subject: Subject) -> Picture | None:
    """The factors by which one optimizer enlarges its two moments."""
    run = watched(subject)[focus(subject)]
    m, v = factors(run["bias_m"]), factors(run["bias_v"])
    return enlarged(run["at"], m, v, subject.say) if known(m + v) else None


def enlarged(steps: Values, m: Values, v: Values, say: Say) -> Picture:
    """The factors on m and v over the steps."""
    rows = [
        (Look("m (beta1)", (), "o", "adam"), steps, m),
        (Look("v (beta2)", (4.0, 2.0), "o", "sgd"), steps, v),
    ]
    series = [row for row in rows if known(row[2])]
    return log_lines("bias", series, say("chart_factor"), say)


def log_lines(key: str, series: Sequence[frames.Series], label: str, say: Say) -> Picture:
    """Lines over the steps, both axes logarithmic; `label` is that of the y axis."""

    def paint(axes: Axes, labels: Labels) -> None:
        frames.log_steps(axes, [step for _, steps, _ in series for step in steps])
        frames.log_values(axes, [value for _, _, values in series for value in values])
        frames.lines(axes, labels, series)
        axes.set(xlabel=labels(say("chart_step")), ylabel=labels(label))

    return frames.traces(key, [look for look, _, _ in series], paint, len(series))


def part(found: dict[str, Series] | None, name: str) -> Series:
    """Return one of several recorded quantities, nothing where none was."""
    return found[name] if found else []


def factors(recorded: Series | None) -> Series:
    """Return the factors that undo 1 - beta**t, which is what was recorded."""
    return [1 / value if value else None for value in recorded or []]


def parameters(subject: Subject) -> Picture | None:
    """The update of each parameter in relation to its weight, for one optimizer."""
    run = watched(subject)[focus(subject)]
    ratios = run["update_to_weight"]
    largest = {name: known(values) for name, values in ratios.items()}
    names = sorted((n for n, v in largest.items() if v), key=lambda n: (-largest[n][-1], n))
    looks = looks_of([f"parameter {name}" for name in names[:MOST_PARAMETERS]])
    shown = [Look(name, look.dashes, look.marker, look.key)
             for name, look in zip(names, looks.values(), strict=False)]  # fmt: skip
    if not shown:
        return None

    series = [(look, run["at"], ratios[look.name]) for look in shown]
    return log_lines("ratio", series, subject.say("axis_ratio"), subject.say)

"""The pictures of one re-run: what each optimizer's step was made of."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from adamas.lab.page.looks import Look, looks_of
from adamas.lab.page.svg import Labels, Picture
from adamas.lab.report import frames
from adamas.lab.report.frames import INK
from adamas.lab.report.subject import Subject, Tree, at, known, listed
from adamas.lab.text import Say

Values = Sequence[float | None]
MOST_PARAMETERS = 8
BEYOND = 30


def watched(subject: Subject) -> dict[str, Tree]:
    """Return what was recorded of each optimizer that was looked into."""
    inside = at(subject.results, "inside") or {}
    return {name: inside[name] for name in subject.looks if inside.get(name)}


def focus(subject: Subject) -> str | None:
    """Return the optimizer that is looked at alone: Adam, or else the first with both moments."""
    found = watched(subject)
    both = [name for name, one in found.items() if listed(one, "bias_v")]
    return next((name for name in ("adam", *both, *found) if name in found), None)


def over_steps(
    key: str,
    subject: Subject,
    path: Sequence[str],
    ends: tuple[str, str] | None = None,
    one: bool = False,
) -> Picture | None:
    """Draw one recorded quantity of all optimizers that have it; None where nobody does.

    `path` leads to its values, `ends` names the values beside them that bound a band around the
    one that is looked at alone; `one` adds a dotted line at 1.
    """
    name = focus(subject)
    found = {name: run for name, run in watched(subject).items() if known(listed(run, *path))}
    if not found:
        return None

    def paint(axes: Axes, labels: Labels) -> None:
        steps = [step for run in found.values() for step in listed(run, "at")]
        values = [value for run in found.values() for value in listed(run, *path)]
        frames.log_steps(axes, steps)
        if ends and name in found:
            low, high = (listed(found[name], *path[:-1], end) for end in ends)
            # Coordinates without a gradient have a step of lr / eps, thousands of times the others.
            middle = known(values)
            values += [
                value
                for value in known(low + high)
                if min(middle) / BEYOND < value < max(middle) * BEYOND
            ]
            frames.band(axes, subject.looks[name], listed(found[name], "at"), (low, high))
        frames.log_values(axes, values)
        if one:
            axes.axhline(1, color=INK, linewidth=0.8, dashes=(1, 2))
        frames.lines(
            axes,
            labels,
            [(subject.looks[n], listed(run, "at"), listed(run, *path)) for n, run in found.items()],
        )
        say = subject.say
        axes.set(xlabel=labels(say("chart_step")), ylabel=labels(say(f"axis_{key}")))

    return frames.traces(key, [subject.looks[name] for name in found], paint, len(found))


def bias(subject: Subject) -> Picture | None:
    """The factors by which one optimizer enlarges its two moments."""
    run = watched(subject).get(focus(subject) or "")
    m, v = factors(run, "bias_m"), factors(run, "bias_v")
    return enlarged(listed(run, "at"), m, v, subject.say) if known(m + v) else None


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


def factors(run: Tree | None, key: str) -> list[float | None]:
    """Return the factors that undo 1 - beta**t, which is what was recorded."""
    return [1 / value if value else None for value in listed(run, key)]


def parameters(subject: Subject) -> Picture | None:
    """The update of each parameter in relation to its weight, for one optimizer."""
    run = watched(subject).get(focus(subject) or "")
    ratios = at(run, "update_to_weight") or {}
    largest = {name: known(listed(ratios, name)) for name in ratios}
    names = sorted((n for n, v in largest.items() if v), key=lambda n: (-largest[n][-1], n))
    looks = looks_of([f"parameter {name}" for name in names[:MOST_PARAMETERS]])
    shown = [Look(name, look.dashes, look.marker, look.key)
             for name, look in zip(names, looks.values(), strict=False)]  # fmt: skip
    if not shown:
        return None

    series = [(look, listed(run, "at"), listed(ratios, look.name)) for look in shown]
    return log_lines("ratio", series, subject.say("axis_ratio"), subject.say)

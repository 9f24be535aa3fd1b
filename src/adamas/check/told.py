"""What was found, in sentences: the answer first, then five chapters of labels and values.

Terminal and page are made of the same pieces; values may hold `code`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from adamas.check.numerics import SLOW_STEPS, STUCK
from adamas.check.report import Report
from adamas.check.resume import HALF
from adamas.check.text import Say

# Beyond this share of the way no formula is called near.
NEAR = 0.25
Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Chapter:
    """A title with labels and values, and the formula that stands below them."""

    key: str
    pairs: Pairs
    source: str = ""


def answer(report: Report, say: Say) -> str:
    """The first sentence: which formula it is, or which is near."""
    found, far = report.dialect, report.dialect.far
    numbers = {"name": report.name, "steps": found.steps, "dtype": found.dtype}
    numbers |= {"apart": _share(far.apart), "ulps": f"{far.ulps:.2g}", "at": far.at}
    unnamed = found.base == "family"
    if found.rule is not None:
        key = "narrow" if found.precision == "narrow" else "family" if unnamed else "rule"
        # Numbers that are not the rule's own and that no argument sets.
        fixed = "".join(f"({k}={v:g})" for k, v in found.fixed.items())
        return say(f"answer.{key}", rule=f"{found.rule}{fixed}", **numbers)
    if far.apart > NEAR:
        return say("answer.unlike", name=report.name)
    nearest = say("answer.nearest_family") if unnamed else f"`{found.base}`"
    return say("answer.nearest", rule=nearest, part=say(f"part.{found.part}"), **numbers)


def chapters(report: Report, say: Say) -> list[Chapter]:
    """All that was found, in the order of the page."""
    return [maker(report, say) for maker in (_formula, _arguments, _numbers, _memory, _resume)]


def _formula(report: Report, say: Say) -> Chapter:
    found = report.dialect
    decay = (say("label.decay"), say(f"decay.{found.decay}"))
    if found.rule is None:
        parts = say.names([say(f"part.{name}") for name in found.far.alike])
        return Chapter("formula", [decay, (say("label.alike"), parts)])
    pairs = [(say(f"label.{k}"), say(f"{k}.{v}")) for k, v in found.traits.items()]
    pairs += [decay, (say("label.large"), say(f"large.{found.large}"))]
    if found.with_decay not in (None, found.rule):
        pairs.append((say("label.with_decay"), f"`{found.with_decay}`"))
    numbers = [f"`{k}={v:g}`" for k, v in found.settings.items()]
    pairs.append((say("label.numbers"), say.names(numbers)))
    name = found.with_decay or found.rule
    return Chapter("formula", pairs, found.source.replace("def rule(", f"def {name}(", 1))


def _arguments(report: Report, say: Say) -> Chapter:
    found = report.effects
    without = [say("effect.tried", name=k, values=", ".join(v)) for k, v in found.without.items()]
    beside = [say("effect.beside", name=k, other=v) for k, v in found.with_others.items()]
    named = {
        "without": [say("effect.random")] if found.random else without,
        "refused": [say("effect.refusal", name=k, why=why) for k, why in found.refused.items()],
        "with_others": beside,
        "state_only": _code(found.state_only),
        "changes": _code(found.changes),
        "untold": _code(found.untold),
    }
    kept = {key: items for key, items in named.items() if items or key == "without"}
    return Chapter("arguments", [(say(f"label.{k}"), say.names(v)) for k, v in kept.items()])


def _numbers(report: Report, say: Say) -> Chapter:
    found, pairs = report.numerics, Pairs()
    form = "dtype.updates" if report.home == "optax" else "dtype.row"
    for dtype, kept in found.dtypes.items():
        row = say(form, parameters=say.names(kept.parameters), states=say.names(kept.states))
        pairs.append((dtype, say("dtype.refused", error=kept.error) if kept.error else row))
    share = found.bfloat16
    if isinstance(share, str):
        moved = say(f"bfloat16.{share}")
    else:
        key = "stuck" if abs(share) < STUCK else "moves"
        moved = say(f"bfloat16.{key}", share=f"{abs(share):.0%}", steps=SLOW_STEPS)
    pairs.append((say("label.bfloat16"), moved))
    pairs.append((say("label.zero_float16"), say(f"zero.{found.zero_float16}")))
    pairs += [(say(f"label.{k}"), say(f"nonfinite.{v}")) for k, v in found.nonfinite.items()]
    return Chapter("numbers", pairs)


def _memory(report: Report, say: Say) -> Chapter:
    found = report.layouts
    kept = {**found.strides, **found.odd}
    pairs = [(say(f"label.{k}"), say(f"layout.{v}")) for k, v in kept.items()]
    return Chapter("memory", [*pairs, (say("label.sparse"), say(f"sparse.{found.sparse}"))])


def _resume(report: Report, say: Say) -> Chapter:
    found = report.resume
    label = say("label.resume", step=HALF, dtype=found.dtype)
    if found.exact is not False:
        key = "exact" if found.exact else "not_told"
        return Chapter("resume", [(label, say(f"resume.{key}", error=found.error))])
    parts = say("resume.parts", at=found.at, apart=_share(found.apart))
    return Chapter("resume", [(label, parts), (say("label.lost"), say.names(_code(found.lost)))])


def said_versions(report: Report) -> str:
    """The packages with their versions."""
    found = [f"{name} {number}" for name, number in report.versions.items()]
    return ", ".join([report.origin, *(one for one in found if one != report.origin)])


def _code(names: Iterable[str]) -> list[str]:
    return [f"`{name}`" for name in names]


def _share(value: float) -> str:
    return f"{value:.2g}" if value < 0.01 else f"{value:.1%}"

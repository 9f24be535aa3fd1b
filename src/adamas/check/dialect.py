"""Which formula an optimizer computes: every candidate is run beside it, step by step."""

import functools
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np

from adamas.check.family import family, named
from adamas.check.formulas import DECAYS, Base, path, runnable
from adamas.check.hypers import DECAY, argument, hypers, real, starts
from adamas.check.in_optax import Optax, scheduled
from adamas.check.plan import CHOICES, RATE, Path, Plan, constant, joined, varied
from adamas.check.quiet import said, seeded
from adamas.check.subject import CheckError, Subject, needs_closure

# Rounding of some thirty steps, in units in the last place: rules that ship are within ten.
ROUNDING = {"float64": 2.0**10, "float32": 2.0**7}
LAST = {"float64": 2.0**-52, "float32": 2.0**-23}
# In float64, what a number kept in float32 inside costs; and how far any other must be then.
NARROW, GAP = 2.0**-18, 2.0**7
# Of the family, how many are followed to the end, and how many steps choose them.
LIKELY, FIRST = 60, 4
# Beyond where 8 bits begin (4,096 elements) and where second moments are factored (128 rows).
LARGE, SMALL = ((136, 132),), 2.0**-12


@dataclass(frozen=True)
class Seen:
    """What an optimizer did in a plan: its path, the dtype, its arguments."""

    path: Path
    plan: Plan
    dtype: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Far:
    """How far a path is from a formula's: in units in the last place, and relative to the way.

    `at` is the first step at which they part, `alike` the parts in which they move alike.
    """

    ulps: float
    apart: float
    at: int = 0
    alike: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dialect:
    """Which formula was found, or the nearest and where it parts.

    `rule` is what it is under its arguments, `base` the rule without a decay, `with_decay` what it
    is once there is one; `rule` is None where none agrees, and `base` the nearest then. `far` is
    the distance. `precision` is "narrow" where the agreement is that of float32 only. `settings`
    are the numbers of the run, `fixed` those that no argument sets, `part` is where they part, and
    `large` whether a matrix of LARGE is stepped by it too: "same", "differs", or not told.
    """

    rule: str | None
    base: str
    dtype: str
    steps: int
    far: Far
    traits: dict[str, str]
    source: str
    precision: str = "full"
    with_decay: str | None = None
    decay: str = "none"
    part: str = ""
    large: str = ""
    settings: dict[str, float] = field(default_factory=dict)
    fixed: dict[str, float] = field(default_factory=dict)


def identify(subject: Subject) -> Dialect:
    """Find the formula of an optimizer and the form of its weight decay.

    Raises `CheckError` where it takes no step on the CPU by planned gradients.
    """
    decay = argument(subject.defaults, "weight_decay")
    asked = subject.given.get(decay or "", subject.defaults.get(decay or ""))
    kept = {k: v for k, v in subject.given.items() if k != decay}
    plain = replace(subject, given=kept)
    seen = observed(plain, varied, **({decay: 0.0} if decay else {}))
    found, base = _best(seen)
    if found.rule is not None:
        found = replace(found, large=_large(plain, base, {decay: 0.0} if decay else {}))
    if decay is None:
        return found
    if found.rule is None:
        return replace(found, decay=_decay_alone(plain, decay))
    value = subject.given.get(decay) or DECAY
    found = _decayed(found, base, observed(plain, varied, **{decay: value}))
    used = found.with_decay if real(asked) and asked and found.with_decay else found.rule
    return replace(found, rule=used)


def observed(subject: Subject, plan_of: Any, **more: Any) -> Seen:
    """Run a plan with telling hyper-parameters, in the widest dtype and the first shapes taken.

    What is refused keeps its default, and the rate stays where it cannot be changed.
    """
    told, lr = subject.telling(), argument(subject.defaults, "lr")
    sets: tuple[dict[str, Any], ...] = (told, {k: v for k, v in told.items() if k == lr}, {})
    asked = subject.given.get(lr or "", RATE)
    rate = asked if real(asked) else RATE
    changing = (real(asked), False) if subject.kind is Optax else (True,)
    failed: Exception | None = None
    for shapes, dtype, chosen, change in product(CHOICES, LAST, sets, changing):
        plan = plan_of(shapes).rated(rate, change)
        try:
            return _observed(subject, plan, dtype, {**chosen, **more})
        except Exception as error:
            failed = failed or error
    if needs_closure(subject):
        raise CheckError("refused.closure", name=subject.name)
    assert failed is not None
    raise CheckError("refused.step", name=subject.name, error=said(failed, 300)) from failed


def _observed(subject: Subject, plan: Plan, dtype: str, given: dict[str, Any]) -> Seen:
    seeded()
    run = subject.run(**given)
    if isinstance(run, Optax) and len(set(plan.rates)) > 1:
        scheduled(run, plan)
    with run.scope():
        run.start(plan.starts, dtype)
        run.rate(plan.rates[0])
        steps = run.onward(plan)
        arguments = {**subject.defaults, **run.numbers(), **subject.given, **given}
    return Seen(steps, plan, dtype, arguments)


def _best(seen: Seen) -> tuple[Dialect, Base]:
    """The first formula that agrees, those with a name before the others; else the nearest."""
    measured = [(measure(seen, base), base) for base in named()]
    limit = ROUNDING[seen.dtype]
    if not any(far.ulps <= limit for far, _ in measured):
        measured += [(measure(seen, base), base) for base in _likely(seen)]
    agreeing = [one for one in measured if one[0].ulps <= limit]
    narrow = [] if agreeing or seen.dtype == "float32" else _alone(measured)
    nearest = min(measured, key=lambda one: one[0].apart)
    far, base = (agreeing or narrow or [nearest])[0]
    rule, used = base.name if agreeing or narrow else None, runnable(base.source()).hypers
    traits, source, steps = dict(base.traits), base.source(), len(seen.path)
    found = Dialect(rule, base.name, seen.dtype, steps, far, traits, source)
    kind, part = "narrow" if narrow else "full", seen.plan.parts[far.at - 1] if far.at else ""
    numbers, fixed = hypers(seen.arguments, used), dict(base.fixed)
    return replace(found, precision=kind, part=part, settings=numbers, fixed=fixed), base


def _large(subject: Subject, base: Base, more: dict[str, Any]) -> str:
    """Whether a matrix beyond the sizes at which optimizers change over is stepped alike.

    Its numbers are small, so that bounds of steps by the parameter's norm are reached.
    """
    try:
        seen = observed(subject, lambda _: varied(LARGE).steps(0, FIRST).scaled(SMALL), **more)
    except CheckError:
        return "unknown"
    far = measure(seen, base)
    return "same" if far.ulps <= ROUNDING[seen.dtype] or far.apart < NARROW else "differs"


def _likely(seen: Seen) -> list[Base]:
    """Those members of the family that are nearest in the first steps."""
    begun = replace(seen, plan=seen.plan.steps(0, FIRST), path=seen.path[:FIRST])
    return sorted(family(), key=lambda base: measure(begun, base).apart)[:LIKELY]


def _alone(measured: list[tuple[Far, Any]]) -> list[tuple[Far, Any]]:
    """The nearest if it is as near as float32 and no other formula is anywhere as near."""
    ranked = sorted(measured, key=lambda one: one[0].apart)
    first = ranked[0][0].apart
    rest = [far for far, _ in ranked if far.apart > 2 * first]
    lonely = not rest or rest[0].apart > GAP * first
    return ranked[:1] if first < NARROW and lonely else []


def measure(seen: Seen, base: Base, decay: str = "ignored") -> Far:
    """Compare a path with that of a formula under the same numbers."""
    values = hypers(seen.arguments, runnable(base.source(decay)).hypers)
    values |= {"weight_decay": 0.0} if decay == "ignored" else {}
    return compare(seen, path(base, seen.plan, values, starts(seen.arguments), decay))


def compare(seen: Seen, theirs: Path) -> Far:
    """How far a path is from another; one that is not finite is infinitely far."""
    a, b = (np.stack([joined(step) for step in one]) for one in (seen.path, theirs))
    begun, last, rounding = joined(seen.plan.starts), LAST[seen.dtype], ROUNDING[seen.dtype]
    with np.errstate(all="ignore"):
        unit = last * np.maximum(np.abs(a).max(axis=0), np.abs(begun))
        gaps = a - b
        by_step, by_move = (
            np.where(np.isfinite(g), np.abs(g) / unit, np.inf).max(axis=1)
            for g in (gaps, np.diff(gaps, axis=0, prepend=0.0))
        )
        way, gone = (float(np.sqrt(np.mean(np.square(x)))) for x in (a - begun, gaps))
    apart = gone / way if way and np.isfinite(gone) else np.inf if gone else 0.0
    parts = np.array(seen.plan.parts)
    names = dict.fromkeys(seen.plan.parts)
    alike = tuple(name for name in names if by_move[parts == name].max() <= rounding)
    beyond = np.flatnonzero(by_step > rounding)
    at = int(beyond[0]) + 1 if len(beyond) else 0
    return Far(float(by_step.max()), float(apart), at, alike)


def _decayed(found: Dialect, base: Base, seen: Seen) -> Dialect:
    """The form of the decay, for a formula that is known without it."""
    forms = [*DECAYS, *(["woven"] if base.native == "woven" else [])]
    measured = [(measure(seen, base, form), form) for form in forms]
    far, form = min(measured, key=lambda one: one[0].ulps)
    if far.ulps > ROUNDING[seen.dtype] and not _alone(measured):
        return replace(found, decay="other")
    worst = max(far, found.far, key=lambda one: one.ulps)
    called, source = base.called(form), base.source(form)
    return replace(found, decay=form, with_decay=called, source=source, far=worst)


def _decay_alone(subject: Subject, decay: str) -> str:
    """How a parameter without any gradient moves, for a formula that is not known."""
    try:
        seen = observed(subject, functools.partial(constant, 1.0, 0.0, 3), **{decay: DECAY})
    except CheckError:
        return "unknown"
    step = hypers(seen.arguments, ["lr"]).get("lr", RATE) * DECAY
    factors = {"still": 1.0, "decoupled": 1 - step, "proximal": 1 / (1 + step)}
    factors |= {"unscaled": 1 - DECAY}
    for form, factor in factors.items():
        wanted = [[factor ** (t + 1) * p for p in seen.plan.starts] for t in range(3)]
        if compare(seen, wanted).ulps <= ROUNDING["float32"]:
            return form
    return "other"

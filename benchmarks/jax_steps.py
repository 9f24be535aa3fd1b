"""AdamW of adamas in JAX beside optax's, both jitted, with optax beside itself as the control."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from adamas.bench.peers import gradients, jax_side, jitted
from adamas.bench.timing import Side
from benchmarks.race import Clocks, Race, clocked, placed, rotated
from benchmarks.record import Figure, Plan, Section, compared, size_of

OURS, OPTAX, AGAIN = "adamas.jax", "optax", "optax again"
FEW = {f"{OURS} {state}": state for state in ("bfloat16", "int8")}
PAIRS = [(OURS, OPTAX), (AGAIN, OPTAX), *((name, OPTAX) for name in FEW)]
NOTE = (
    "AdamW, default settings, parameters and gradients in float32; state too where nothing is "
    "said. Every side is one function under `jax.jit` that computes updates and adds them, with "
    "its parameters and state donated, on as many threads as XLA takes. No two sides can step the "
    "same arrays, so all are allocated anew in each placement. `optax again` is optax once more, "
    "on arrays of its own: what it is off from 1 is due to memory and chance, and the bar counts "
    "from it where it is above 1. Bytes of state are counted in the arrays. XLA on a CPU computes "
    "both moments twice for int8, for the largest of each block and for its codes: few bits save "
    "memory here, not time."
)


def jax_steps(plan: Plan) -> Section:
    """One large array and 300 small ones."""
    shapes = {size_of(plan.size): [(plan.size,)], "300 x 4,096": [(4096,)] * 300}
    cases, figures = [], []
    for title, each in shapes.items():
        case, held = raced(title, each, plan.rounds)
        cases.append(case)
        figures += judged(case)
        figures += [Figure(f"{name}, state, {title}", count, "B") for name, count in held.items()]
    return Section("JAX", NOTE, cases, figures)


def judged(case: Race) -> list[Figure]:
    """Every pair, and adamas over the larger of 1 and the control."""
    control = max(1.0, case.ratio(AGAIN, OPTAX))
    low, high = (bound / control for bound in case.between(OURS, OPTAX))
    name = f"{OURS} / {OPTAX}, over the larger of 1 and the control, {case.title}"
    held = Figure(name, case.ratio(OURS, OPTAX) / control, "x", low, high)
    return [held, *(compared(case, *pair) for pair in PAIRS)]


def raced(
    title: str, shapes: Sequence[tuple[int, ...]], rounds: int
) -> tuple[Race, dict[str, float]]:
    """All pairs on arrays of these shapes, and bytes of state a parameter."""
    made, held = transforms(), dict[str, float]()
    grads = gradients(shapes)
    size = sum(g.size for g in grads)

    def make(part: int) -> Clocks:
        sides: dict[str, Side] = {}
        for name in rotated(made, part):
            sides[name] = jax_side(made[name], step_of(name), grads)
        clocks = clocked(sides, PAIRS)
        held.update({name: sides[name].held() / size for name in made if name != AGAIN})
        return clocks

    return placed(title, make, PAIRS, rounds, size), held


@cache
def transforms() -> dict[str, Any]:
    """AdamW of everybody."""
    import optax

    from adamas.jax import adamw

    theirs = optax.adamw(1e-3, weight_decay=1e-2)
    ours = {name: adamw(1e-3, weight_decay=1e-2, state=state) for name, state in FEW.items()}
    return {OURS: adamw(1e-3, weight_decay=1e-2), OPTAX: theirs, AGAIN: theirs, **ours}


@cache
def step_of(name: str) -> Any:
    """The step of a side, which is compiled once for all placements; the control has optax's."""
    return step_of(OPTAX) if name == AGAIN else jitted(transforms()[name])

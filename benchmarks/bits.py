"""AdamW with its state in few bits: time and bytes, beside torch and every 8-bit peer."""

from collections.abc import Mapping, Sequence

from adamas.bench.peers import FEW_BITS, gradients
from adamas.bench.timing import Case, Side
from benchmarks.few_bits import (
    ENTRIES,
    FORMATS,
    INT8_16,
    MASTERS,
    OWN,
    OWN16,
    TORCH,
    TORCH16,
    Given,
    absent,
)
from benchmarks.limits import Room, Traffic
from benchmarks.race import PLACEMENTS, Clocks, Pair, Race, clocked, named, placed, rotated, versus
from benchmarks.record import Figure, Plan, Section, compared, size_of

BITSANDBYTES, INT8 = next(iter(FEW_BITS)), "adamas int8"
FEWER = 7  # rounds of the slow peers
COUNTED = (INT8, "adamas bfloat16", "adamas int4")
BESIDE_OWN = ("adamas float32", *COUNTED)
NOTE = (
    "AdamW, default settings. Parameters and gradients are float32, and bfloat16 in the sides that "
    "say bf16, where torch's state is too. torch checks nothing. All sides step the same "
    "parameters with the same gradients, in NumPy's memory; state in another format lies "
    "elsewhere, of adamas in float32 and torch fused in the same arrays. NumPy asks for huge "
    "pages, so torch fused is held to the bars of both figures; `as torch allocates` has memory "
    "of its own. "
    f"Everything is allocated anew {PLACEMENTS} times, and the rounds divided among these "
    "placements: a step's time hangs on which memory it was given. "
    "Bytes of state are counted in the arrays, bytes moved are those that an optimizer of that "
    "state has to move: parameter and state read and written, the gradient read. The limits move "
    "as many bytes with one addition per 64-bit word; for float32 also by a rule of adamas, and "
    "the faster of both counts. bitsandbytes and torchao are slow and run in fewer rounds, torchao "
    "on a smaller array only."
)


def bits(plan: Plan) -> Section:
    """Every state of adamas, torch in float32 and bfloat16, bitsandbytes, torchao."""
    large, held = _large(plan)
    times = [large]
    for size in plan.sizes[1:]:
        times.append(_few(size_of(size), size, beside_torch(), plan.rounds, held))
    fewer = min(FEWER, plan.rounds)
    slow = [(name, INT8) for name in FEW_BITS if ENTRIES[name].here]
    for size, pairs in (
        (plan.sizes[0], [pair for pair in slow if BITSANDBYTES in pair]),
        (plan.sizes[1], slow),
    ):
        if pairs:
            times.append(_few(f"{size_of(size)}, {fewer} rounds", size, pairs, fewer, held))
    counted = _bytes(large, held)
    missing = absent(list(ENTRIES))
    for line in missing:
        print(f"  {line}")
    state = counted[0]
    return Section(
        "State in few bits",
        " ".join([NOTE, *(f"{line}." for line in missing)]),
        [*times, *counted],
        [
            *(figure for case in times for figure in _figures(case)),
            *(Figure(f"{name}, state", state.median(name), "B") for name in COUNTED),
        ],
    )


def beside_torch() -> list[Pair]:
    """Each format of adamas, and torch's fused step on the same parameters and gradients."""
    return [*((f"adamas {state}", TORCH) for state in FORMATS), (INT8_16, TORCH16)]


def _large(plan: Plan) -> tuple[Race, dict[str, float]]:
    """All sides and all limits on the large array; and bytes of state a parameter."""
    pairs = beside_torch()
    pairs += [(name, OWN) for name in BESIDE_OWN] + [(TORCH, OWN)]
    pairs += [(INT8_16, OWN16), (TORCH16, OWN16)]
    pairs += [(name, TORCH16) for bits, name in MASTERS.items() if bits]
    held = _held(plan.sizes[1])
    for name in held:
        limit = traffic(name, held[name])
        pairs.append((str(limit), name))
        if limit.state == 8:
            pairs.append((by_rule(str(limit)), name))

    def make(part: int) -> Clocks:
        given = Given(gradients([plan.size]))
        sides = _sides(given, rotated(held, part))
        room, wide, narrow = Room(plan.size), given.wide[0], given.narrow[0]
        for name in held:
            own = traffic(name, held[name])
            sides[str(own)] = room.side(own, wide if own.width == 4 else narrow)
            if own.state == 8 and by_rule(str(own)) not in sides:
                sides[by_rule(str(own))] = given.ground.limit()
        return clocked(sides, pairs)

    return placed(size_of(plan.size), make, pairs, plan.rounds, plan.size), held


def _held(size: int) -> dict[str, float]:
    """Bytes of state a parameter, of every side that runs on the large array."""
    given, held = Given(gradients([size])), {}
    for name in [name for name in ENTRIES if name not in FEW_BITS and ENTRIES[name].here]:
        side = ENTRIES[name].make(given)
        side.step()
        held[name] = side.held() / size
    return held


def by_rule(limit: str) -> str:
    """The name of the same limit, moved by a rule of adamas."""
    return f"{limit}, by a rule"


def _sides(given: Given, names: Sequence[str]) -> dict[str, Side]:
    return {name: ENTRIES[name].make(given) for name in names if ENTRIES[name].here}


def traffic(name: str, held: float) -> Traffic:
    """What a side moves that holds so many bytes of state a parameter, scales of blocks aside."""
    return Traffic(ENTRIES[name].width, int(held))


def _few(title: str, size: int, pairs: Sequence[Pair], rounds: int, held: dict[str, float]) -> Race:
    """Some sides on a smaller array; of new ones also the bytes of state, which go into `held`."""

    def make(part: int) -> Clocks:
        sides = _sides(Given(gradients([size])), rotated(named(pairs), part))
        clocks = clocked(sides, pairs)
        held.update({name: side.held() / size for name, side in sides.items() if name not in held})
        return clocks

    return placed(title, make, pairs, rounds, size)


def _bytes(large: Race, held: Mapping[str, float]) -> list[Case]:
    """State and traffic of every side, and how near it comes to the memory limit."""
    moved, shares = {}, {}
    for name in held:
        own = traffic(name, held[name])
        moved[name] = [3 * own.width + 2 * held[name]]
        limits = [each for each in (str(own), by_rule(str(own))) if each in large.samples]
        found = [
            large.ratio(limit, name) for limit in limits if versus(limit, name) in large.ratios
        ]
        if found:
            shares[name] = [100 * min(found)]
    state = {name: [value] for name, value in held.items()}
    return [
        Case("state", state, 0, "B/parameter"),
        Case("moved", moved, 0, "B/parameter"),
        Case("of the memory limit", shares, 0, "%"),
    ]


def _figures(case: Race) -> list[Figure]:
    """What adamas takes beside torch, and what slow peers take beside adamas."""
    wanted = [
        *beside_torch(),
        *((name, OWN) for name in BESIDE_OWN),
        (INT8_16, OWN16),
        *((name, INT8) for name in FEW_BITS),
    ]
    size = case.title.partition(", ")[0]
    found = [
        compared(case, *pair, f"{versus(*pair)}, {size}")
        for pair in wanted
        if versus(*pair) in case.ratios
    ]
    if versus(INT8, OWN) in case.ratios:
        # Memory of NumPy is on huge pages: one ratio, and two bars that were set for it.
        found += [
            compared(case, *pair, f"{versus(*pair)}, huge pages, {size}")
            for pair in beside_torch()
            if pair[0] in (*COUNTED, INT8_16)
        ]
    return found

"""AdamW with its state in few bits: time and bytes, beside torch and every 8-bit peer."""

import gc
from collections.abc import Mapping, Sequence

from adamas.lab.peers import FEW_BITS, gradients, limit_side
from adamas.lab.timing import Case, Side, take_turns
from benchmarks.few_bits import (
    ALLOW,
    ENTRIES,
    HUGE,
    HUGE16,
    INT8_16,
    TORCH,
    TORCH16,
    Given,
    absent,
)
from benchmarks.limits import Room, Traffic
from benchmarks.record import MIB, Figure, Plan, Section

BITSANDBYTES, TORCHAO8, TORCHAO4 = FEW_BITS
SLOW = (TORCHAO8, TORCHAO4)
FEWER = 3  # rounds of the slow peers
PLAIN = tuple(f"adamas {state}{more}" for state in ("float32", "int8") for more in ("", ALLOW))
# In the order of the bars: ours, what it is compared to, what that is on huge pages, the bar.
BARS = (
    ("adamas int8", TORCH, HUGE, 0.7),
    ("adamas bfloat16", TORCH, HUGE, 0.8),
    ("adamas int4", TORCH, HUGE, 0.8),
    (INT8_16, TORCH16, HUGE16, 0.75),
)
BYTES = (("adamas int8", 2.2), ("adamas bfloat16", 4.0), ("adamas int4", 1.2))
NOTE = (
    "AdamW. Parameters and gradients are float32, and bfloat16 in the sides that say bf16, where "
    "torch's state is too. torch checks nothing, and `no check` does what it does. "
    "Bytes of state are counted in the arrays, bytes moved are those that an optimizer of that "
    "state has to move: parameter and state read and written, the gradient read, once more with "
    "the check. The limits move as many bytes with one addition per 64-bit word; for float32 also "
    "by a rule of adamas, and the faster of both counts. torchao, which is slow and compiles, is "
    "timed on a smaller array only, in fewer rounds."
)


def bits(plan: Plan) -> Section:
    """Every state of adamas, torch in float32 and bfloat16, bitsandbytes, torchao."""
    middle, small = max(1, plan.size // 4), max(1, plan.size // 64)
    large, held = _large(plan)
    few, slow = [TORCH, *PLAIN], [BITSANDBYTES, *SLOW]
    times = [
        large,
        _few(middle, [*few, "adamas bfloat16", "adamas int4"], plan.rounds, held),
        _few(small, few, plan.rounds, held),
        _few(middle, [TORCH, "adamas int8", *slow], min(FEWER, plan.rounds), held),
    ]
    counted = _bytes(large, held)
    missing = absent(list(ENTRIES))
    for line in missing:
        print(f"  {line}")
    return Section(
        "State in few bits",
        " ".join([NOTE, *(f"{line}." for line in missing)]),
        [*times, *counted],
        [
            *(figure for case in times for figure in _ratios(case, case is large)),
            *(Figure(f"{name}, state", counted[0].median(name), bar, "B") for name, bar in BYTES),
        ],
    )


def _large(plan: Plan) -> tuple[Case, dict[str, float]]:
    """All sides and all limits on the large array; and bytes of state a parameter."""
    given = Given(gradients([plan.size]))
    sides = _sides(given, [name for name in ENTRIES if name not in SLOW])
    room, wide, narrow = Room(plan.size), given.wide[0], given.narrow[0]
    for traffic in _traffics(plan.size, sides):
        sides[str(traffic)] = room.side(traffic, wide if traffic.width == 4 else narrow)
        if traffic.state == 8:
            how = "raise" if traffic.checked else "allow"
            sides[f"{traffic}, by a rule"] = limit_side([wide], how)
    samples = take_turns(sides, plan.rounds)
    held = {name: sides[name].held() / plan.size for name in sides if name in ENTRIES}
    del sides, room
    gc.collect()
    return Case(size_of(plan.size), samples, plan.size), held


def _sides(given: Given, names: Sequence[str]) -> dict[str, Side]:
    return {name: ENTRIES[name].make(given) for name in names if ENTRIES[name].here}


def _traffics(size: int, sides: Mapping[str, Side]) -> list[Traffic]:
    """What the sides move, each once, most bytes first."""
    for side in sides.values():
        side.step()
    found = {traffic(name, side.held() / size) for name, side in sides.items()}
    return sorted(found, key=lambda each: (-each.moved, each.width, each.checked))


def traffic(name: str, held: float) -> Traffic:
    """What a side moves that holds so many bytes of state a parameter, scales of blocks aside."""
    return Traffic(ENTRIES[name].width, int(held), ENTRIES[name].checked)


def _few(size: int, names: Sequence[str], rounds: int, held: dict[str, float]) -> Case:
    sides = _sides(Given(gradients([size])), names)
    title = f"{size_of(size)}, {rounds} rounds" if rounds <= FEWER else size_of(size)
    case = Case(title, take_turns(sides, rounds), size)
    held |= {name: side.held() / size for name, side in sides.items() if name not in held}
    del sides
    gc.collect()
    return case


def size_of(size: int) -> str:
    """A number of parameters, in Mi if it is whole."""
    return f"{size // MIB} Mi" if size % MIB == 0 else f"{size:,}"


def _bytes(large: Case, held: Mapping[str, float]) -> list[Case]:
    """State and traffic of every side, and how near it comes to the memory limit."""
    moved, shares = {}, {}
    for name in held:
        own = traffic(name, held[name])
        fixed = (3 + own.checked) * own.width
        moved[name] = [fixed + 2 * held[name]]
        limits = [large.median(each) for each in large.samples if each.startswith(str(own))]
        if limits and name in large.samples:
            shares[name] = [100 * min(limits) / large.median(name)]
    state = {name: [value] for name, value in held.items()}
    return [
        Case("state", state, 0, "B/parameter"),
        Case("moved", moved, 0, "B/parameter"),
        Case("of the memory limit", shares, 0, "%"),
    ]


def _ratios(case: Case, barred: bool) -> list[Figure]:
    """Times of adamas over torch's, and of bitsandbytes over adamas'; the bars if `barred`."""
    pairs: list[tuple[str, str, float | None]] = []
    for name, torch, huge, bar in BARS:
        pairs += [(name, torch, bar), (name + ALLOW, torch, bar), (name + ALLOW, huge, bar)]
    found = [
        Figure(
            f"{name} / {other}, {case.title}", case.ratio(name, other), bar if barred else None, "x"
        )
        for name, other, bar in pairs
        if {name, other} <= case.samples.keys()
    ]
    if BITSANDBYTES in case.samples:
        ratio = case.ratio(BITSANDBYTES, "adamas int8")
        what = f"{BITSANDBYTES} / adamas int8, {case.title}"
        found.append(Figure(what, ratio, 25 if barred else None, "x", at_least=True))
    return found

"""What `adamas convert` makes of files: rows of the table of docs/convert.md, run one by one.

A row is a source and a target; what comes of it is how far twenty steps from the new file are from
twenty at home, relative to the largest parameter, or the two rules of a refusal.
"""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

import adamas
import adamas.jax
import adamas.torch
from adamas.others.conversion import Asked, convert_file
from home_runs import HALF, NAMES, Adamas, Array, Optax, Torch
from places import ROOT

PAGES = ("docs/convert.md", "docs/convert.zh.md")
BEGIN, END = "<!-- made by tests/commands/test_cli_convert_map.py -->", "<!-- end -->"
# Of float32 in another order, and of 8-bit codes that become numbers: a hundredth of the way that
# parameters go is less than what 8 bits cost at home.
FLOAT32, CODES = "2e-6", "1e-2"
SHAPES = ((70, 90), (300,))
HEADS = {
    "en": ("file of", "new file of", "off by at most", "refused: there / here"),
    "zh": ("来源", "目标", "相差不超过", "拒绝：目标 / 来源"),
}


def sample() -> tuple[list[Array], list[list[Array]]]:
    """Parameters large enough for codes, and gradients of forty steps."""
    random = np.random.default_rng(0)
    every = [[random.normal(size=one).astype("f4") for one in SHAPES] for _ in range(2 * HALF + 1)]
    return every[0], every[1:]


def bits() -> Any:
    """bitsandbytes, where it is."""
    import bitsandbytes

    return bitsandbytes.optim


def free() -> Any:
    """schedulefree, where it is."""
    import schedulefree

    return schedulefree


ADAMW = "optax.adamw(0.01, weight_decay=0.01)"
SOURCES: dict[str, Callable[[], Any]] = {
    "torch.AdamW": lambda: Torch(torch.optim.AdamW, lr=0.01),
    "torch.Adam(amsgrad=True)": lambda: Torch(torch.optim.Adam, lr=0.01, amsgrad=True),
    "torch.RMSprop": lambda: Torch(torch.optim.RMSprop),
    "torch.NAdam": lambda: Torch(torch.optim.NAdam),
    "torch.Adafactor": lambda: Torch(torch.optim.Adafactor),
    "adamas.torch.Adafactor": lambda: Torch(adamas.torch.Adafactor),
    ADAMW: lambda: Optax(ADAMW),
    "adamas.AdamW(state='int8')": lambda: Adamas(adamas.rules.adamw, lr=0.01, state="int8"),
    "adamas.jax.adamw(0.01)": lambda: Optax("adamas.jax.adamw(0.01)"),
    "bitsandbytes.AdamW": lambda: Torch(bits().AdamW, lr=0.01),
    "bitsandbytes.AdamW8bit": lambda: Torch(bits().AdamW8bit, lr=0.01),
    "schedulefree.AdamWScheduleFree": lambda: Torch(free().AdamWScheduleFree, lr=0.01),
}
TARGETS: dict[str, Callable[[], Any]] = {
    "torch.AdamW": lambda: Torch(torch.optim.AdamW),
    "adamas": lambda: Adamas(adamas.rules.adamw),
    "adamas.torch.AdamW": lambda: Torch(adamas.torch.AdamW),
    "adamas.torch.AdamW(state='int8')": lambda: Torch(adamas.torch.AdamW, state="int8"),
    "adamas.torch.ScheduleFreeAdamW": lambda: Torch(adamas.torch.ScheduleFreeAdamW),
    "torch.Adafactor": lambda: Torch(torch.optim.Adafactor),
    "adamas.torch.Adafactor": lambda: Torch(adamas.torch.Adafactor),
    ADAMW: lambda: Optax(ADAMW),
    "optax.amsgrad(0.01)": lambda: Optax("optax.amsgrad(0.01)"),
    "optax.rmsprop(0.01)": lambda: Optax("optax.rmsprop(0.01)"),
}
ROWS = [
    ("torch.AdamW", "adamas.torch.AdamW", FLOAT32),
    ("torch.AdamW", "adamas", FLOAT32),
    ("torch.AdamW", ADAMW, FLOAT32),
    (ADAMW, "torch.AdamW", FLOAT32),
    (ADAMW, "adamas.torch.AdamW", FLOAT32),
    ("adamas.jax.adamw(0.01)", "adamas", FLOAT32),
    ("adamas.AdamW(state='int8')", "adamas.torch.AdamW(state='int8')", "0"),
    ("adamas.AdamW(state='int8')", "torch.AdamW", CODES),
    ("torch.AdamW", "adamas.torch.AdamW(state='int8')", CODES),
    ("bitsandbytes.AdamW", "torch.AdamW", FLOAT32),
    ("bitsandbytes.AdamW8bit", "adamas.torch.AdamW", CODES),
    ("schedulefree.AdamWScheduleFree", "adamas.torch.ScheduleFreeAdamW", FLOAT32),
    ("torch.Adafactor", "adamas.torch.Adafactor", FLOAT32),
    ("adamas.torch.Adafactor", "torch.Adafactor", FLOAT32),
    ("torch.Adam(amsgrad=True)", "optax.amsgrad(0.01)", ""),
    ("torch.RMSprop", "optax.rmsprop(0.01)", ""),
    ("torch.NAdam", "adamas.torch.AdamW", ""),
]


def saved(run: Any, name: str, folder: Path) -> tuple[Path, str | None]:
    """The state of a run in a file of its home, and what --from must say of it."""
    if isinstance(run, Adamas):
        run.source.save(folder / "run.safetensors")
        return folder / "run.safetensors", None
    if isinstance(run, Optax):
        adamas.jax.save(folder / "run.safetensors", run.state, tx=name)
        return folder / "run.safetensors", None
    torch.save({"optimizer": run.saved()}, folder / "run.pt")
    known = name.startswith(("torch.", "adamas.torch."))
    return folder / "run.pt", None if known else name


def taken(run: Any, place: Path) -> None:
    """Let a run go on from a new file."""
    if isinstance(run, Optax):
        run.state = adamas.jax.load(place, run.state)
    elif place.suffix == ".pt":
        run.source.load_state_dict(torch.load(place))
    else:
        run.source.load(place)


def outcome(source: str, target: str, folder: Path) -> float | tuple[str, str]:
    """How far a row is off, or the rules of its refusal."""
    start, gradients = sample()
    first, second = SOURCES[source](), TARGETS[target]()
    first.start(start)
    for one in gradients[:HALF]:
        first.step(one)
    half = first.params()
    place, told = saved(first, source, folder)
    new = folder / ("new.pt" if target.startswith("torch.") else "new.safetensors")
    few = "int8" if "int8" in target else None
    # torch.optim goes by the order, which optax does not keep.
    names = json.dumps({name: name for name in NAMES})
    asked = Asked(told, target.partition("(state")[0], names, state=few)
    try:
        convert_file(str(place), str(new), asked)
    except ValueError as error:
        [found] = re.findall(r"it computes (\w+).*? the source (\w+)", str(error))
        return found[0], found[1]
    second.start(half)
    taken(second, new)
    for one in gradients[HALF:]:
        first.step(one)
        second.step(one)
    return apart(first.params(), second.params())


def apart(one: Sequence[Array], other: Sequence[Array]) -> float:
    """How far parameters are apart, relative to the largest."""
    pairs = zip(one, other, strict=True)
    return max(float(np.abs(a - b).max() / np.abs(a).max()) for a, b in pairs)


def block(outcomes: Sequence[float | tuple[str, str]], page: str) -> str:
    """The table, in the page's language."""
    heads = HEADS["zh" if ".zh." in page else "en"]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for (source, target, most), one in zip(ROWS, outcomes, strict=True):
        why = "" if isinstance(one, float) else f"`{one[0]}` / `{one[1]}`"
        lines.append(f"| `{source}` | `{target}` | {most} | {why} |")
    return "\n".join(lines)


def marked(text: str) -> str:
    """What stands between the marks of a page."""
    return text.partition(BEGIN)[2].partition(END)[0].strip()


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        rows = []
        for number, (a, b, _) in enumerate(ROWS):
            (inner := Path(name) / str(number)).mkdir()
            rows.append(outcome(a, b, inner))
            print(a, "->", b, rows[-1])
    for page in PAGES:
        path = ROOT / page
        old = path.read_text("utf-8")
        head, _, rest = old.partition(BEGIN)
        path.write_text(
            f"{head}{BEGIN}\n{block(rows, page)}\n{END}{rest.partition(END)[2]}", "utf-8"
        )

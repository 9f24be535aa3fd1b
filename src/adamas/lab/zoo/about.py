"""What reports say of a built-in problem: numbers from its module, texts from `problems.toml`."""

from typing import Literal

from adamas.lab.problems import About, Quality, Source, Words
from adamas.lab.text import SENTENCES, words


def about(
    name: str,
    kind: str,
    quality: tuple[str, float],
    *,
    sources: tuple[Source, ...] = (),
    label: Literal["real", "composite", "synthetic"] = "real",
    higher: tuple[str, ...] = (),
    shared: str = "",
    **numbers: object,
) -> About:
    """Return what is told of the problem `name`.

    `quality` is a metric and the value of it that is sensible. Texts that the table `name` lacks
    are those of the table `shared`; `numbers` fill their fields. Only notes may be missing; for
    anything else `KeyError`.

    >>> about("line", "convex", ("loss", 0.8279)).title["en"]
    'A line through 100 points'
    """

    def told(part: str) -> Words:
        key = f"{name}.{part}"
        if key not in SENTENCES:
            key = f"{shared}.{part}"
        return words(key, **numbers) if key in SENTENCES or part != "notes" else {}

    title, model, loss, basis, notes = map(told, ("title", "model", "loss", "basis", "notes"))
    good = Quality(*quality, basis)
    return About(title, kind, model, loss, sources, label, good, higher, notes)

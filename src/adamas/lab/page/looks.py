"""What every optimizer is called and drawn like, on all pictures and in all tables.

Known ones keep their look everywhere; whoever else takes part gets one from a fixed cycle, in which
no two share colour and dashes, so that the same results give the same page.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from adamas.classes import CLASSES
from adamas.lab.page.svg import COLOURS
from adamas.rules import matrices

# What an optimizer without a look of its own is drawn with, in turn: the pairs repeat after 56.
HUES = tuple(f"hue{number}" for number in range(1, 9))
DASHES = (
    (5, 1.4, 1, 1.4),
    (2.2, 1.2),
    (9, 1.4),
    (6, 1.2, 2, 1.2),
    (1.6, 1.8),
    (3.4, 1),
    (8, 1, 1, 1),
)
MARKERS = "DvP<X>phd*8"
NAMES = {rule.__name__: name for name, rule in CLASSES.items()}
LONGEST = 14


@dataclass(frozen=True)
class Look:
    """How an optimizer is called and drawn: `key` names its colour, `short` fits beside a line."""

    name: str
    dashes: tuple[float, ...]
    marker: str
    key: str
    brief: str = ""

    @property
    def colour(self) -> str:
        """Return the colour as matplotlib takes it."""
        return COLOURS[self.key]

    @property
    def short(self) -> str:
        """Return the name, of a long one `brief` or the telling end: `mine.py:f` becomes `f`."""
        if columns(self.name) <= LONGEST:
            return self.name
        text = self.brief or self.name.rpartition(".py:")[2]
        while columns(text) > LONGEST:
            text = text.removesuffix("…")[:-1] + "…"
        return text


LOOKS = {
    look.key: look
    for look in (
        Look("SGD", (1, 1.3), "o", "sgd"),
        Look("GD", (5, 1.5, 1, 1.5), "D", "gd"),
        Look("Momentum", (4, 1.6), "s", "momentum"),
        Look("Adagrad", (3, 1.2, 1, 1.2, 1, 1.2), "v", "adagrad"),
        Look("RMSProp", (7, 1.6), "^", "rmsprop"),
        Look("Adam", (), "o", "adam"),
    )
}
"""The looks that optimizers have everywhere, by name."""


def looks_of(
    names: Sequence[str], given: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Look]:
    """Return a look for every optimizer, no two alike; the same names give the same looks.

    `given` are the names that the user gave them.

    >>> [look.name for look in looks_of(["adam", "adamw", "adam:beta1=0.8", "mine.py:f"]).values()]
    ['Adam', 'AdamW', 'Adam beta1=0.8', 'mine.py:f']
    """
    looks = {name: LOOKS[name] for name in names if name in LOOKS}
    for turn, name in enumerate(name for name in names if name not in looks):
        drawn = DASHES[turn % len(DASHES)], MARKERS[turn % len(MARKERS)], HUES[turn % len(HUES)]
        looks[name] = Look(display_name(name), *drawn, brief=brief(name))
    for name, shown in given.items():
        looks[name] = replace(looks[name], name=shown, brief="")
    taken = Counter(look.short for look in looks.values())
    for name, look in looks.items():
        if look.brief and taken[look.short] > 1:
            top = re.split("[.:]", name)[0]
            looks[name] = replace(look, brief=f"{top}…{look.brief}")
    return {name: looks[name] for name in names}


def brief(optimizer: str) -> str:
    """Return the name of a class in a module, without the module; nothing for any other.

    >>> brief("torch.optim.Adafactor"), brief("timm.optim:Lamb:eps=1"), brief("adam:beta1=0.8")
    ('Adafactor', 'Lamb:eps=1', '')
    """
    found = re.match(r"[A-Za-z_][\w.]*[.:](?=[A-Za-z_]\w*(:|$))", optimizer)
    return optimizer[found.end() :] if found and ".py:" not in optimizer else ""


def display_name(optimizer: str) -> str:
    """Return a rule as its paper writes it, with the settings that were fixed; else unchanged."""
    rule, colon, settings = optimizer.partition(":")
    known = LOOKS[rule].name if rule in LOOKS else NAMES.get(rule)
    if rule in matrices.__all__:
        # What is no matrix of a hidden layer is stepped by it, see `stepping.LayersStepping`.
        known = f"{known} + AdamW"
    return f"{known} {settings}" if known and colon else known or optimizer


def columns(text: str) -> int:
    """Return the width of a text, in widths of a Latin letter."""
    return sum(1 if ord(char) < 0x2E80 else 2 for char in text)

"""Write into docs/homes.md where the homes' own defaults differ; `--check` only says if it is so.

What torch.optim, optax and Keras have as defaults is read from their signatures, as installed;
which rule of adamas an optimizer computes with them is said by `adamas.homes`. Keras has a backend
to choose, so this is a process of its own (`KERAS_BACKEND=torch`).
"""

import importlib
import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from adamas import dialects, rules
from adamas.classes import hypers
from adamas.engine.options import formula_of
from adamas.homes import keras, own, torch
from adamas.homes.signature import Signature
from adamas.kernel.formula import Formula

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"(<!-- made: defaults -->\n).*?(\n<!-- end of made -->)", re.S)
HEADS = {
    "homes.md": "| the rule | the formula's defaults | torch.optim | optax | keras.optimizers |",
    "homes.zh.md": "| 规则 | 公式的默认值 | torch.optim | optax | keras.optimizers |",
}
# Where a class of a home is found, and what is known of it.
HOMES: dict[str, tuple[str, dict[str, Signature]]] = {
    "torch": ("torch.optim", torch.SIGNATURES),
    "optax": ("optax", own.OPTAX),
    "keras": ("keras.optimizers", keras.OWN),
}
# Arguments that give a state its first value.
STARTS = {"initial_accumulator_value": "v", "initial_scale": "v"}


Rule = Callable[..., Any]


class Own(NamedTuple):
    """An optimizer of a home with its own defaults, but for the options that choose a formula."""

    home: str
    name: str
    options: dict[str, Any]

    @property
    def function(self) -> Callable[..., Any]:
        """The class or function itself."""
        found: Any = importlib.import_module(HOMES[self.home][0])
        return getattr(found if hasattr(found, self.name) else found.contrib, self.name)  # type: ignore[no-any-return]

    @property
    def takes(self) -> Signature:
        """What is known of it here."""
        return HOMES[self.home][1][self.name]

    @property
    def arguments(self) -> dict[str, Any]:
        """Its arguments with their values; those without a default are left out."""
        live = inspect.signature(self.function).parameters.values()
        given = {one.name: one.default for one in live}
        known = {k: v for k, v in self.takes.defaults.items() if k not in given}
        known |= {k: v for k, v in given.items() if v is not inspect.Parameter.empty}
        # optax.adadelta has a rate that is no rate.
        if known.get("learning_rate", 0.0) is None:
            del known["learning_rate"]
        return {**known, **self.options}

    @property
    def formula(self) -> Formula:
        """The rule that it computes, with the first values that it has."""
        arguments = self.arguments
        found = formula_of(self.takes.choose(arguments))
        starts = {STARTS[k]: float(v) for k, v in arguments.items() if k in STARTS}
        kept = {name: value for name, value in starts.items() if name in found.initial}
        return replace(found, initial={**found.initial, **kept})

    def numbers(self) -> dict[str, tuple[str, float]]:
        """Of each hyper-parameter the argument and its value; one that is not had is left out."""
        arguments, found = self.arguments, {}
        for name, default in self.formula.hypers.items():
            key, place = self.takes.sources.get(name, (name, None))
            if key in arguments:
                value = arguments[key] if place is None else arguments[key][place]
                found[name] = (key, float(value or 0.0))
            elif key not in inspect.signature(self.function).parameters:
                found[name] = (name, 0.0 if name == "weight_decay" else default)
        return found

    def cell(self, rule: Rule) -> str:
        """What the table says of it beside `rule`."""
        plain, numbers, formula = hypers(rule), self.numbers(), self.formula
        shown = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        said = [f"`{self.name}{f'({shown})' if shown else ''}`"]
        if formula.name != rule.__name__:
            said.append(f"= `{formula.name}`")
        for name, (key, value) in numbers.items():
            if name in plain and value != plain[name] and key not in self.options:
                said.append(f"`{key}={value!r}`")
        arguments = self.arguments
        said += [f"`{k}={arguments[k]!r}`" for k in STARTS if arguments.get(k) and k in arguments]
        return " ".join(said)


Row = tuple[Rule, list[Own | None]]


def row(rule: Rule, torch: Any = None, optax: Any = None, keras: Any = None) -> Row:
    """A rule and what the homes have of it: a name, or a pair of a name and options."""
    found = {"torch": torch, "optax": optax, "keras": keras}
    pairs = {home: (one, {}) if isinstance(one, str) else one for home, one in found.items()}
    return rule, [Own(home, *pair) if pair else None for home, pair in pairs.items()]


def moved(name: str, **options: Any) -> tuple[str, dict[str, Any]]:
    """One that has momentum."""
    return name, {**options, "momentum": 0.9}


ROWS = [
    row(rules.sgd, "SGD", "sgd", "SGD"),
    row(rules.momentum, moved("SGD"), moved("sgd"), moved("SGD")),
    row(
        rules.nesterov,
        moved("SGD", nesterov=True),
        moved("sgd", nesterov=True),
        moved("SGD", nesterov=True),
    ),
    row(rules.adagrad, "Adagrad", "adagrad", "Adagrad"),
    row(rules.rmsprop, "RMSprop", "rmsprop", "RMSprop"),
    row(dialects.rmsprop_momentum, moved("RMSprop"), moved("rmsprop"), moved("RMSprop")),
    row(
        rules.rmsprop_centered,
        ("RMSprop", {"centered": True}),
        ("rmsprop", {"centered": True}),
        ("RMSprop", {"centered": True}),
    ),
    row(rules.adadelta, "Adadelta", "adadelta", "Adadelta"),
    row(rules.adam, "Adam", "adam", "Adam"),
    row(rules.adam, ("Adam", {"weight_decay": 0.01}), keras=("Adam", {"weight_decay": 0.01})),
    row(rules.adamw, "AdamW", "adamw", "AdamW"),
    row(rules.amsgrad, ("Adam", {"amsgrad": True}), "amsgrad", ("Adam", {"amsgrad": True})),
    row(rules.adamax, "Adamax", "adamax", "Adamax"),
    row(rules.nadam, "NAdam", "nadam", "Nadam"),
    row(rules.radam, "RAdam", "radam"),
    row(rules.adabelief, optax="adabelief"),
    row(rules.adopt, optax="adopt"),
    row(rules.signum, optax="signum"),
    row(rules.lion, optax="lion", keras="Lion"),
    row(rules.ademamix, optax="ademamix"),
    row(rules.schedule_free_sgd, optax="schedule_free_sgd"),
    row(rules.schedule_free_adamw, optax="schedule_free_adamw"),
]


def lines() -> list[str]:
    """The rows of the table."""
    made = []
    for rule, each in ROWS:
        plain = ", ".join(f"{k}={v!r}" for k, v in hypers(rule).items() if v)
        cells = [one.cell(rule) if one else "" for one in each]
        made.append(f"| `{rule.__name__}` | `{plain}` | {' | '.join(cells)} |")
    return made


def page(name: str) -> str:
    """The page with the table as it should be."""
    table = "\n".join([HEADS[name], "|---|---|---|---|---|", *lines()])
    return BLOCK.sub(lambda found: f"{found[1]}\n{table}\n{found[2]}", (DOCS / name).read_text())


def main() -> int:
    """Write or check; exit code 1 says that a page is out of date."""
    code = 0
    for name in HEADS:
        file, text = DOCS / name, page(name)
        if file.read_text() == text:
            continue
        if "--check" in sys.argv[1:]:
            print(f"{name} is out of date; run KERAS_BACKEND=torch python tools/write_homes.py")
            code = 1
        else:
            file.write_text(text)
    return code


if __name__ == "__main__":
    raise SystemExit(main())

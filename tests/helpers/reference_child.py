"""What the reference and the catalogue say of all homes, tried where all of them are imported.

Prints as JSON: `old`, the pages of the reference that are out of date; `public` and `shown`, the
public names and the headings of the pages by module; `lost`, links that lead nowhere; `calls`,
those of the catalogue that fail or are left out without need; `torch`, what it says of torch.optim
and is not so.
"""

import contextlib
import importlib
import inspect
import io
import json
import re
import sys
from typing import Any

import numpy as np
import scipy.optimize
import torch

import adamas
import adamas.jax
import adamas.keras
import adamas.scipy
import adamas.torch
import write_api
from adamas import dialects
from adamas.classes import CLASSES
from adamas.learn.entries import RULES, calls
from adamas.learn.relations import ROUNDED, TORCH, computed
from long_form import few_of

PLACES = {
    "adamas": adamas, "dialects": dialects, "minimize": scipy.optimize.minimize,
    "method": adamas.scipy.method, "gradient": lambda x: 2 * x, "x0": np.ones(2),
    "f": lambda x: float(x @ x), "params": np.ones(3), "model": torch.nn.Sequential(
        torch.nn.Linear(2, 8), torch.nn.Linear(8, 8), torch.nn.Linear(8, 1)),
}  # fmt: skip
# SciPy's methods make and step at once: tests/scipy runs every rule, tests/homes every dialect.
STEPPED = few_of(RULES, 8)
# How a home makes an optimizer of any rule, as the catalogue tells it.
MADE = {
    "adamas": lambda rule: adamas.rule(rule)(np.ones(3)),
    "adamas.torch": lambda rule: adamas.torch.optimizer(rule)(PLACES["model"]),
    "adamas.jax": lambda rule: adamas.jax.transform(rule)(),
    "adamas.keras": lambda rule: adamas.keras.optimizer(rule)(),
    "adamas.scipy": adamas.scipy.method,
}


def failing() -> list[str]:
    """The calls of the catalogue that raise or make something that is no optimizer."""
    found = []
    for rule in RULES:
        for home, call in calls(rule).items():
            steps = 2 if rule in STEPPED else 0
            quick = call.replace("options={", f'options={{"maxiter": {steps}, ')
            try:
                made: Any = eval(quick, dict(PLACES))
            except Exception as error:
                found.append(f"{call}: {error!r}")
                continue
            wanted = {
                "adamas": adamas.Optimizer, "adamas.torch": torch.optim.Optimizer,
                "adamas.jax": tuple, "adamas.keras": adamas.keras.Optimizer,
                "adamas.scipy": scipy.optimize.OptimizeResult,
            }[home]  # fmt: skip
            found += [] if isinstance(made, wanted) else [f"{call} is {type(made).__name__}"]
    return found


def left_out() -> list[str]:
    """The homes that the catalogue leaves out, though they make an optimizer of the rule."""
    found = []
    for rule, function in RULES.items():
        for home in MADE.keys() - calls(rule).keys():
            with contextlib.suppress(TypeError, ValueError):
                MADE[home](function)
                found.append(f"{home}: {rule}")
    return found


def of_torch() -> list[str]:
    """What is said of torch.optim and is not so."""
    has = {name for name in CLASSES if hasattr(torch.optim, name)}
    rounded = {re.split(r"[.(]", call)[2] for call in ROUNDED}
    found = sorted(has ^ {*TORCH, *rounded})
    for one in computed():
        name, _, options = one.call.removeprefix("torch.optim.").partition("(")
        if name in TORCH or name in rounded:
            taken = inspect.signature(getattr(torch.optim, name)).parameters
            found += [one.call] if set(re.findall(r"(\w+)=", options)) - set(taken) else []
    return found


def lost(pages: dict[str, str]) -> list[str]:
    """Links of the reference that lead nowhere."""
    heads = {
        (write_api.DOCS / name).resolve(): {
            write_api.anchor(head) for head in re.findall(r"^#+ (.*)$", text, re.M)
        }
        for name, text in pages.items()
    }
    found = []
    for name, text in pages.items():
        here = write_api.DOCS / name
        for target in re.findall(r"\]\(([^)]+)\)", text):
            path, _, place = target.partition("#")
            file = (here.parent / path).resolve() if path else here.resolve()
            # The catalogue's anchors are its rules; it is built when a version is.
            there = set(RULES) if file.parent.name == "rules" else heads.get(file, set())
            exists = file.exists() or file.parent.name == "rules"
            found += [] if exists and (not place or place in there) else [f"{name}: {target}"]
    return found


def main() -> None:
    """Try everything."""
    pages = write_api.pages()
    sys.argv[1:] = ["--check"]
    # Made once: every page of every home takes seconds.
    write_api.pages = lambda: pages
    with contextlib.redirect_stdout(io.StringIO()) as told:
        write_api.main()
    public = {module: [*importlib.import_module(module).__all__] for module in write_api.MODULES}
    shown = {
        module: re.findall(
            r"^### (?:class |module )?`(\w+)`$", pages[write_api.page_of(module)], re.M
        )
        for module in write_api.MODULES
    }
    json.dump(
        {"old": told.getvalue().splitlines(), "public": public, "shown": shown,
         "lost": lost(pages), "calls": failing() + left_out(), "torch": of_torch()},
        sys.stdout,
    )  # fmt: skip


if __name__ == "__main__":
    main()

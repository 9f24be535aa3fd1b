"""The kernel that a rule becomes, as text."""

import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adamas import rules
from adamas.codecs import find
from adamas.define import Rule
from adamas.kernel.build import adamas_version
from adamas.kernel.formula import Formula, parse
from adamas.kernel.weave import Layout, weave

__all__ = ["find_rule", "kernel_source", "listing"]


def listing() -> str:
    """Every rule with its state and the first sentence of its docstring."""
    lines = []
    for name in rules.__all__:
        function = getattr(rules, name)
        parameters = inspect.signature(function).parameters
        if "g" not in parameters:
            continue
        kept = [k for k, p in parameters.items() if p.kind is not p.KEYWORD_ONLY][2:]
        sentence = (function.__doc__ or "").splitlines()[0]
        lines.append(f"{name:20} {', '.join(kept) or '-'}\n    {sentence}")
    return "\n".join(lines)


def find_rule(name: str) -> Formula:
    """The formula called `name`: a rule of the family, or `file.py:function`.

    Raises ValueError that lists the rules, or names the file or the function that is missing.
    """
    file, colon, function = name.rpartition(":")
    if not colon:
        if name not in rules.__all__:
            raise ValueError(
                f"no rule {name!r}. The rules are {', '.join(rules.__all__)}; "
                "your own is file.py:function."
            )
        return parse(getattr(rules, name))
    found = _load(Path(file), function)
    return found.formula if isinstance(found, Rule) else parse(found)


def _load(path: Path, function: str) -> Rule | Callable[..., Any]:
    spec = importlib.util.spec_from_file_location(f"adamas_user_{path.stem}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise ValueError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    found: Rule | Callable[..., Any] | None = getattr(module, function, None)
    if found is None:
        raise ValueError(f"{path} has no function {function!r}.")
    return found


def kernel_source(formula: Formula, dtype: str = "float32", state: str | None = None) -> str:
    """The source of the kernel for parameters and gradients of `dtype`, state stored as `state`.

    Raises ValueError naming a storage format that does not exist.
    """
    codec, kept = find(dtype), find(state or dtype)
    layout = Layout(codec, codec, (kept,) * len(formula.states))
    return weave(formula, layout, adamas_version()).source

"""The second moment of torch's Adafactor, as the numbers of rows and columns that adamas keeps.

Of a matrix torch has both with an axis of one, of a vector the whole moment: there adamas' `r` is
that, and its `c` the mean.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from adamas.homes.neutral import Entry, numbers

TITLE = "torch.Adafactor"
# What torch takes for eps[0] where it is None.
EPS = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}


def opened(name: Any, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """An entry of torch with the states of `adafactor`; ValueError for more than two axes."""
    found = {key: value for key, value in entry.items() if key == "step"}
    if entry.get("variance") is not None:
        r = numbers(f"variance of {name!r}", entry["variance"])
        return {**found, "r": r, "c": r.mean(dtype=r.dtype)}
    if not {"row_var", "col_var"} <= entry.keys():
        return entry
    r, c = (numbers(f"{key} of {name!r}", entry[key]) for key in ("row_var", "col_var"))
    _check(name, r.ndim)
    return {**found, "r": r[:, 0], "c": c[0]}


def closed(name: Any, entry: Entry, axes: int) -> Entry:
    """The same for torch, of a parameter of so many axes."""
    _check(name, axes)
    rest = {key: value for key, value in entry.items() if key not in ("r", "c")}
    if axes < 2:
        return {**rest, "variance": entry["r"]}
    return {**rest, "row_var": entry["r"][:, None], "col_var": entry["c"][None]}


def eps(entries: Iterable[Any], live: Any) -> dict[str, float]:
    """The eps1 that torch computes with where a group says None, by the dtype of its tensors."""
    groups = live.param_groups if live is not None else ()
    tensors = [one for entry in entries for key, one in (entry or {}).items() if key != "step"]
    tensors += [p for group in groups for p in group["params"]]
    kinds = (str(getattr(one, "dtype", "")).removeprefix("torch.") for one in tensors)
    return next(({"eps1": EPS[kind]} for kind in kinds if kind in EPS), {})


def _check(name: Any, axes: int) -> None:
    if axes > 2:
        raise ValueError(
            f"{name!r} has {axes} axes: torch's Adafactor factors the last two of them, adafactor "
            "the first against the others."
        )

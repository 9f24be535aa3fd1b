"""An optimizer as plain parts, from which a copy or another process makes it again.

A copy owns parameters and state of its own. Whoever copies parameters and optimizer together, by
`copy.deepcopy` or in one pickle, gets an optimizer of the copied parameters.

NumPy copies arrays, not the memory they share: the copy of a view, such as `big[:10]`, is an array
of its own, and its optimizer does not move the copy of `big`; copy the whole array's optimizer, or
make one of the new view and give it `state_dict()`. A pickle keeps C or Fortran order only: codes
of int8 and int4 of a parameter in another order of its axes are encoded anew, to the nearest code.
"""

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from adamas.engine.threads import straight
from adamas.engine.turn import Turn, reading


def parts(optimizer: Any) -> dict[str, Any]:
    """What makes an optimizer: its rule by name, parameters, settings, state; none of it copied.

    Raises TypeError for a parameter that Python cannot copy.
    """
    form, tensors = optimizer._form, optimizer._tensors
    kinds = [kind for kind, _ in form] if isinstance(form, list) else [form]
    groups = []
    for k, (kind, group) in enumerate(zip(kinds, optimizer.param_groups, strict=True)):
        named = {tensor.key: tensor.source for tensor in tensors if tensor.group == k}
        for key, source in named.items():
            if isinstance(source, memoryview):
                raise TypeError(
                    f"parameter {key!r} is a memoryview, which Python cannot copy; make the "
                    "optimizer with the object that it is a view of."
                )
        params = named if kind is dict else list(named.values())
        hypers = {name: group[name] for name in optimizer._settings.names}
        groups.append({"params": params if kind is not np.ndarray else params[0], **hypers})
    return {
        "rule": optimizer._rule,
        "key": optimizer._formula.key,
        "form": form,
        "groups": groups,
        "options": {k: v for k, v in optimizer._options.items() if k not in ("state", "seed")},
        "formats": {t.key: f for t, f in zip(tensors, optimizer._store.formats, strict=True)},
        "steps": optimizer.steps,
        "seed": int(optimizer._numbers.seed[0]),
        "state": optimizer._store.view(),
        "seen": (optimizer.grad_norm, optimizer.skipped),
        "attributes": {k: v for k, v in vars(optimizer).items() if k not in optimizer._ours},
    }


def made_again(optimizer: Any, found: dict[str, Any]) -> None:
    """Fill a bare `optimizer` from its `parts`; ValueError if its rule is another one by now."""
    formats = found["formats"]
    optimizer._make(
        found["rule"],
        found["groups"],
        {},
        {**found["options"], "state": lambda key, _: formats[key], "seed": found["seed"]},
    )
    if optimizer._formula.key != found["key"]:
        raise ValueError(
            f"the rule {optimizer._formula.name} is not the formula that it was when this was "
            "saved; go on with the code of then, or from a state_dict()."
        )
    optimizer._form = found["form"]
    for actions in optimizer._store.taking(found["state"], True).values():
        straight(actions)
    optimizer._numbers.steps[-1] = found["steps"]
    optimizer._settings.refresh(max(1, found["steps"]))
    optimizer.grad_norm, optimizer.skipped = found["seen"]
    vars(optimizer).update(found["attributes"])


class Copied:
    """An optimizer that deepcopy and pickle copy whole."""

    _turn: Turn
    _level: Callable[[], None]

    @property
    def _waiting(self) -> bool:
        raise NotImplementedError

    def __copy__(self) -> NoReturn:
        """Refused: two optimizers on one state would each count its own steps."""
        raise TypeError(
            "a shallow copy would leave two optimizers on one state; use copy.deepcopy, or make "
            "a new optimizer and give it state_dict()."
        )

    @reading
    def __getstate__(self) -> dict[str, Any]:
        """What pickle and deepcopy need; rows that wait for steps are brought up to date."""
        self._level()
        return parts(self)

    def __setstate__(self, found: dict[str, Any]) -> None:
        made_again(self, found)

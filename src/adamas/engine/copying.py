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

from adamas.engine.several import Several
from adamas.engine.state import Store
from adamas.engine.stepper import Stepper
from adamas.engine.threads import straight
from adamas.engine.turn import Turn, reading
from adamas.engine.whole import counting, entries, taking

# Options that a copy has otherwise: formats as they were chosen, groups that name their rules.
GIVEN_ANEW = ("state", "state_dir", "seed", "routes")


class Copied:
    """An optimizer that deepcopy and pickle copy whole."""

    _form: Any
    _options: dict[str, Any]
    _ours: frozenset[str]
    _rule: Any
    _stepper: Stepper | Several
    _trained: dict[Any, Any]
    _training: bool
    _turn: Turn
    _make: Callable[[Any, Any, dict[str, Any], dict[str, Any]], None]

    @property
    def _waiting(self) -> bool:
        return self._stepper.behind

    def __copy__(self) -> NoReturn:
        """Refused: two optimizers on one state would each count its own steps."""
        raise TypeError(
            "a shallow copy would leave two optimizers on one state; use copy.deepcopy, or make "
            "a new optimizer and give it state_dict()."
        )

    @reading
    def __getstate__(self) -> dict[str, Any]:
        """What pickle and deepcopy need; rows that wait for steps are brought up to date."""
        self._stepper.catch_up()
        return self._parts()

    def _parts(self) -> dict[str, Any]:
        """What makes an optimizer: rule by name, parameters, settings, state; none of it copied.

        Raises TypeError for a parameter that Python cannot copy.
        """
        form, stepper = self._form, self._stepper
        count = len(stepper.members)
        kinds = [kind for kind, _ in form] if isinstance(form, list) else [form] * count
        groups = []
        for k, (kind, group) in enumerate(zip(kinds, stepper.settings.groups, strict=True)):
            named = {tensor.key: tensor.source for tensor in stepper.members[k]}
            for key, source in named.items():
                if isinstance(source, memoryview):
                    raise TypeError(
                        f"parameter {key!r} is a memoryview, which Python cannot copy; make the "
                        "optimizer with the object that it is a view of."
                    )
            params = named if kind is dict else list(named.values())
            hypers = {name: group[name] for name in stepper.settings.of(k)[0].names}
            if "rule" in group:
                hypers["rule"] = stepper.rules[k]
            groups.append({"params": params if kind is not np.ndarray else params[0], **hypers})
        return {
            "rule": self._rule,
            "key": self._read_rules(),
            "form": form,
            "groups": groups,
            "options": {k: v for k, v in self._options.items() if k not in GIVEN_ANEW},
            "formats": entries(stepper, Store.named_formats),
            "steps": stepper.parts[0].steps,
            "seed": int(stepper.parts[0].numbers.seed[0]),
            "state": entries(stepper, Store.view),
            "seen": (stepper.turn.grad_norm, stepper.turn.skipped),
            "mode": (self._training, dict(self._trained)),
            "attributes": {k: v for k, v in vars(self).items() if k not in self._ours},
        }

    def __setstate__(self, found: dict[str, Any]) -> None:
        """Make it again from its parts; ValueError if its rule is another one by now."""
        formats = found["formats"]
        options = {**found["options"], "state": lambda key, _: formats[key], "seed": found["seed"]}
        # A copy of what is in a directory lies in memory.
        options["routes"] = options["state_dir"] = None
        self._make(found["rule"], found["groups"], {}, options)
        stepper = self._stepper
        if self._read_rules() != found["key"]:
            names = ", ".join(part.formula.name for part in stepper.parts)
            raise ValueError(
                f"the rule {names} is not the formula that it was when this was saved; go on with "
                "the code of then, or from a state_dict()."
            )
        self._form = found["form"]
        straight(taking(stepper, found["state"], True))
        straight(counting(stepper, found["steps"], None))
        for part in stepper.parts:
            part.settings.refresh(max(1, found["steps"]))
        stepper.turn.grad_norm, stepper.turn.skipped = found["seen"]
        self._training, self._trained = found.get("mode", (True, {}))
        vars(self).update(found["attributes"])

    def _read_rules(self) -> str:
        """What the rules say, as one text."""
        return "\n".join(part.formula.key for part in self._stepper.parts)

"""A param group: a dict, as in torch, whose hyper-parameters are checked when they are set."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

# Keys of a group that are not hyper-parameters.
OWN = ("params", "names", "rule")

Check = Callable[[Mapping[str, Any], Mapping[str, Any]], object]


class Group(dict[str, Any]):
    """`params`, `names` and every hyper-parameter, which may be set: one, or several by `update`.

    Raises what `check` raises for the new values and the group with them, and TypeError for what
    cannot be changed; then nothing is.
    """

    # `group.lr = 0.1` would be set, and read by nobody.
    __slots__ = ("_check",)

    def __init__(self, values: Mapping[str, Any], check: Check) -> None:
        super().__init__(values)
        self._check = check

    def __setitem__(self, name: str, value: Any) -> None:
        self.update({name: value})

    def update(self, *given: Any, **named: Any) -> None:
        """Set several at once; all are checked before the first is set."""
        new = dict(*given, **named)
        for name, value in new.items():
            if name in OWN and not (name in self and self[name] is value):
                raise TypeError(
                    f"the {name} of a param group cannot be changed; make a new optimizer."
                )
        heard = {name: value for name, value in new.items() if name not in OWN}
        self._check(heard, {**self, **heard})
        super().update(new)

    def __ior__(self, other: Any) -> "Group":  # type: ignore[override, misc]
        self.update(other)
        return self

    def _keep(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a param group keeps all its entries; set them to other values instead.")

    __delitem__ = pop = popitem = clear = setdefault = _keep

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        """A copy is a plain dict: nothing reads it."""
        return dict, (dict(self),)

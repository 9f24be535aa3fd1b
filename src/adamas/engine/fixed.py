"""What can be looked at and not be set: lists and dicts that say what to do instead.

A number set in a copy, or a parameter appended to a list that nobody reads again, would be ignored.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn


class _Fixed:
    __slots__ = ()
    _advice: str

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError(self._advice)

    __setitem__ = __delitem__ = __iadd__ = __imul__ = __ior__ = _refuse
    append = extend = insert = pop = remove = clear = sort = reverse = _refuse
    update = setdefault = popitem = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy is a plain list or dict: nothing reads it."""
        plain: Any = list if isinstance(self, list) else dict
        return plain, (plain(self),)


class FixedList(_Fixed, list[Any]):
    """A list that raises TypeError, with `advice`, when it is changed."""

    __slots__ = ("_advice",)

    def __init__(self, values: Iterable[Any], advice: str) -> None:
        super().__init__(values)
        self._advice = advice


class FixedDict(_Fixed, dict[Any, Any]):
    """A dict that raises TypeError, with `advice`, when it is changed."""

    __slots__ = ("_advice",)

    def __init__(self, values: Mapping[Any, Any], advice: str) -> None:
        super().__init__(values)
        self._advice = advice

"""All that was found of one optimizer, as data."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from adamas.check.dialect import Dialect
from adamas.check.effects import Effects
from adamas.check.layouts import Layouts
from adamas.check.numerics import Numerics
from adamas.check.resume import Resume


@dataclass(frozen=True)
class Report:
    """What `check` found.

    `name` is what was asked for, `origin` its package and version, `home` "torch", "optax" or
    "keras", `given` the arguments asked for.
    """

    name: str
    origin: str
    home: str
    given: dict[str, Any]
    dialect: Dialect
    effects: Effects
    numerics: Numerics
    layouts: Layouts
    resume: Resume
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def rule(self) -> str | None:
        """The rule that it computes under the arguments given; None if it is none of ours."""
        return self.dialect.rule

    def to_dict(self) -> dict[str, Any]:
        """Everything as dicts, lists, numbers, texts and None, which JSON holds."""
        found: dict[str, Any] = _plain({"rule": self.rule, **asdict(self)})
        return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else repr(value)

"""What a user says of a table besides its target: the task, columns, and who may judge whom."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from adamas.lab.needs import LabError
from adamas.lab.own.frame import FEWEST, Frame, chosen

TaskKind = Literal["classification", "regression"]


@dataclass(frozen=True)
class TableOptions:
    """What was said of a table; the defaults say nothing.

    `task` makes classes or numbers of the target, `drop` are no inputs, and neither is `group`,
    whose rows of one value stay on one side of the split, nor `time`, of which the last fifth
    judges. `rows` is the size of a sample, and `encoding` that of a file of text. Raises `LabError`
    for what contradicts itself.
    """

    task: TaskKind | None = None
    drop: tuple[str, ...] = ()
    group: str | None = None
    time: str | None = None
    rows: int | None = None
    encoding: str | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if self.group is not None and self.time is not None:
            raise LabError("error.group_and_time", group=self.group, time=self.time)
        if self.rows is not None and self.rows < FEWEST:
            raise LabError("error.rows_few", rows=self.rows, least=FEWEST)

    def identity(self) -> dict[str, Any]:
        """Return what was said as plain values, for a plan; nothing where nothing was.

        >>> TableOptions(drop=("a", "b"), rows=1000).identity()
        {'drop': ['a', 'b'], 'rows': 1000}
        """
        named = {**vars(self), "drop": list(self.drop)}
        return {name: value for name, value in named.items() if value}

    @property
    def first(self) -> str | None:
        """Return the first option as the user writes it, or None."""
        for name, value in self.identity().items():
            shown = ",".join(value) if isinstance(value, list) else value
            return f"--{name} {shown}"
        return None

    def resolved(self, frame: Frame) -> "TableOptions":
        """Return the same with every column in `drop` by its own name, each once.

        A text that is no column may be several, with commas between them. Raises `LabError` for a
        column that the table lacks, with the closest name, and for one that is used twice.
        """
        names = [*frame.features, frame.target]
        texts = [
            part
            for text in self.drop
            for part in ([text] if text in names else map(str.strip, text.split(",")))
        ]
        placed = [one for one in (self.group, self.time) if one is not None]
        for name in (*texts, *placed):
            if chosen(names, name, frame.name) == frame.target:
                raise LabError("error.option_target", name=name, file=frame.name)
        if both := sorted(set(texts) & set(placed)):
            raise LabError("error.drop_placed", name=both[0])
        return replace(self, drop=tuple(dict.fromkeys(texts)))

    def taken(self) -> str:
        """Return the options that take columns from the inputs, as the user writes them.

        >>> TableOptions(drop=("a", "b"), time="day").taken()
        '--drop a,b --time day'
        """
        placed = [f"--{name} {getattr(self, name)}" for name in ("group", "time")]
        said = [f"--drop {','.join(self.drop)}"] * bool(self.drop)
        return " ".join([*said, *(one for one in placed if not one.endswith(" None"))])

    @property
    def placing(self) -> str | None:
        """Return the column that says which rows judge, or None."""
        return self.group if self.time is None else self.time


NOTHING_SAID = TableOptions()

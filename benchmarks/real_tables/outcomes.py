"""What came of a table, as data that stay between two runs of the benchmark."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

CRASH = "CRASH"  # what begins the sentence of an error that nobody foresaw


@dataclass
class Column:
    """A column as the lab and as scikit-learn read it; `reason` is what the page says of it."""

    name: str
    ours: str
    theirs: str
    reason: str
    reason_zh: str = ""

    @property
    def agrees(self) -> bool:
        """Return whether both are the same."""
        return self.ours == self.theirs


@dataclass
class Outcome:
    """What came of one table: the sentence that refuses it, or what its page and results say.

    `losses` are means of the validation loss by optimizer, `baselines` those of what was not
    trained by them; `no_better` says that no optimizer is shown to beat the blind answer. `again`
    holds pairs, the page's number and the one that was computed again. `faults` is what the page
    must not show.
    """

    seconds: float
    refusal: str = ""
    refusal_zh: str = ""
    task: str = ""
    rows: int = 0
    columns: list[Column] = field(default_factory=list)
    verdict: dict[str, str] = field(default_factory=dict)
    losses: dict[str, float | None] = field(default_factory=dict)
    baselines: dict[str, float | None] = field(default_factory=dict)
    again: dict[str, tuple[str, str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    no_better: bool = False


def saved(outcome: Outcome, path: Path) -> None:
    """Write an outcome, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(outcome), ensure_ascii=False, indent=1), "utf-8")
    part.replace(path)


def loaded(path: Path) -> Outcome | None:
    """Return an outcome that was written, or None."""
    if not path.exists():
        return None
    tree = json.loads(path.read_text("utf-8"))
    return Outcome(**{**tree, "columns": [Column(**one) for one in tree["columns"]]})

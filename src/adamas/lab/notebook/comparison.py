"""What `adamas.lab.compare` gives back: the verdict, its tables, and the page on demand."""

import copy
import html
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from adamas.lab.commands.compare import summary
from adamas.lab.needs import LabError
from adamas.lab.notebook.rows import ComparisonRow, OptimizerRow, comparison_rows, optimizer_rows
from adamas.lab.protocol.output import write_all
from adamas.lab.protocol.results_types import Results, Timing
from adamas.lab.report import outcomes, verdict
from adamas.lab.report.compare_page import render, title
from adamas.lab.report.exports import RunRow, all_runs
from adamas.lab.report.numbers import learning_rate
from adamas.lab.report.result import loss_cell
from adamas.lab.report.subject import Subject, subject
from adamas.lab.text import Say
from adamas.pages.elements import markup, table
from adamas.pages.sentences import plain

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]

Table = Literal["optimizers", "comparisons", "runs"]


class ComparisonResult:
    """A finished comparison: who was better, by how much, how sure, and every run.

    In a notebook it shows itself as a sentence and a table; `print` writes the same as text.
    """

    def __init__(self, results: Results, timing: Timing, say: Say) -> None:
        self._results, self._timing, self._say = results, timing, say

    @property
    def _subject(self) -> Subject:
        return subject(self._results, self._timing, self._say)

    @property
    def verdict(self) -> str:
        """The whole comparison in a sentence or two, in the language that was asked for."""
        return plain(verdict.answer(self._subject))

    @property
    def words(self) -> dict[str, str]:
        """Each other optimizer's standing beside the first reference.

        One of "better", "worse", "tie", "few" (too few seeds to tell) and "diverged".
        """
        return {
            row["optimizer"]: row["word"] for row in self.optimizers if row["word"] != "reference"
        }

    @property
    def optimizers(self) -> list[OptimizerRow]:
        """A row for each optimizer: its rate, its mean loss with the 95 % interval, its word."""
        return optimizer_rows(self._results)

    @property
    def comparisons(self) -> list[ComparisonRow]:
        """A row for each optimizer beside each reference: the difference with its interval."""
        return comparison_rows(self._results)

    @property
    def runs(self) -> list[RunRow]:
        """A row for each run that judged, and for each learning rate that was tried."""
        return all_runs(self._subject)

    @property
    def table(self) -> str:
        """The lines that the terminal shows: rate, loss with its interval, and word."""
        return "\n".join(summary(self._results, self._say))

    def to_dict(self) -> dict[str, Any]:
        """Return a copy of what `results.json` holds: plan, problem, all numbers and verdicts."""
        return {**copy.deepcopy(self._results)}

    def to_frame(self, table: Table = "optimizers") -> "pd.DataFrame":
        """Return `optimizers`, `comparisons` or `runs` as a pandas data frame.

        Raises `LabError` if pandas is not installed, ValueError for another table.
        """
        if table not in get_args(Table):
            raise ValueError(f"no table {table!r}; give one of {', '.join(get_args(Table))}")
        try:
            import pandas as pd
        except ImportError as error:
            raise LabError("error.pandas") from error
        return pd.DataFrame(getattr(self, table))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the whole report as one HTML page that needs no network, and return its path.

        An older page there is replaced at once or not at all. Raises `LabError` if the name does
        not end in .html, or cannot be written.
        """
        place = Path(path)
        if place.suffix.lower() not in (".html", ".htm") or place.is_dir():
            raise LabError("error.page_name", place=place)
        if not place.absolute().parent.is_dir():
            raise LabError("error.page_place", place=place, directory=place.parent)
        write_all(place.parent, {place.name: render(self._results, self._timing, self._say)})
        return place

    def __repr__(self) -> str:
        """The sentence and the table, as text."""
        return f"{title(self._subject)}\n{self.verdict}\n{self.table}"

    def _repr_html_(self) -> str:
        """The sentence and the table, for a notebook; everything in them is escaped."""
        about, say = self._subject, self._say
        words = {**self.words, about.called(about.references[0]): "reference"}
        rows = [
            [
                html.escape(about.name(name)),
                learning_rate(row["lr"]),
                loss_cell(about, row),
                html.escape(outcomes.troubles(row, say)),
                html.escape(say(f"word_{words[about.called(name)]}")),
            ]
            for name, row in about.rows.items()
        ]
        head = [say("race_optimizer"), say("race_lr"), say("digits_loss"), say("result_failed")]
        head.append(say("result_beside", name=about.name(about.references[0])))
        shown = table(title(about), head, rows)
        return f"<div><p>{markup(verdict.answer(about))}</p>\n{shown}</div>"

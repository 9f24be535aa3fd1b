"""A table as a `Problem`: how large the network is, and how long a comparison trains it."""

from dataclasses import replace
from functools import partial

from adamas.lab.needs import LabError
from adamas.lab.own.adapters import EVALUATIONS
from adamas.lab.own.baselines import baselines
from adamas.lab.own.column_table import column_table
from adamas.lab.own.columns import read_columns
from adamas.lab.own.features import encoded
from adamas.lab.own.frame import Frame
from adamas.lab.own.options import NOTHING_SAID, TableOptions
from adamas.lab.own.sides import sides
from adamas.lab.own.split_words import split_words
from adamas.lab.own.splits import HELD
from adamas.lab.own.tabular_task import TableRuns
from adamas.lab.own.target import Target, decided
from adamas.lab.own.used_rows import used_rows
from adamas.lab.problems import About, Problem, Source
from adamas.lab.text import LANGUAGES, Say, words
from adamas.pages.sentences import printable

HIDDEN = 32
EPOCHS = 20
FEWEST_STEPS, MOST_STEPS = 600, 3000
SMALLEST_BATCH, LARGEST_BATCH = 8, 128
# Measured with one thread: 36 to 61 us a step up to 20 inputs, and then 0.07 to 0.11 ns for each
# input of each row of the batch and each hidden unit; a third more where two workers share memory.
STEP_SECONDS, MULTIPLY_SECONDS = 60e-6, 0.14e-9
MOST_SECONDS = 1.2
# Tables that Python handed over, which are no files: the word for each, its type and its place.
CALLED = {"data frame": "own.frame", "arrays": "own.arrays"}
SOURCES = {"data frame": ("DataFrame", "Python"), "arrays": ("(X, y)", "Python")}


def tabular_problem(frame: Frame, options: TableOptions = NOTHING_SAID) -> Problem:
    """Return the problem of predicting a table's target from its other columns.

    Raises `LabError` if nothing is left to learn from, or nothing to predict.
    """
    options = options.resolved(frame)
    kept = {name: raw for name, raw in frame.features.items() if name not in options.drop}
    frame = replace(frame, features=kept)
    columns = read_columns(frame, options.group)
    target = decided(frame, columns[frame.target], used_rows(frame, columns, options), options.task)
    inputs = [columns[name] for name in kept if name != options.placing]
    if not inputs:
        taken = options.taken()
        raise LabError("error.all_taken", file=frame.name, target=frame.target, options=taken)
    features = encoded(frame, inputs, target.rows)
    parted = sides(features, target, columns, options)
    widths = (features.numbers.shape[1] + features.flags.shape[1], HIDDEN, len(target.classes) or 1)
    rows = len(target.values)
    batch, steps = schedule(parted.training() or rows - rows // HELD, widths)
    runs = TableRuns(features, target, parted, widths, batch, frame.room is not None)
    about = replace(
        _about(frame, target, widths),
        columns=column_table(frame, columns, features.made, options),
        split=split_words(parted, target, columns, features.made, options, frame.notes.of_rows()),
    )
    beside = partial(beside_table, runs)
    return Problem(
        frame.name, steps, steps // EVALUATIONS, batch, runs, about=about, baselines=beside
    )


def beside_table(runs: TableRuns, seed: int) -> dict[str, dict[str, float]]:
    """Return what models that are no networks reach on the split of a seed."""
    return baselines(runs(seed), seed)


def schedule(train: int, widths: tuple[int, ...]) -> tuple[int, int]:
    """Return the batch and the steps for so many training rows: about 20 passes, about a second.

    The batch is the power of two up to a 32nd of the training rows, within 8 and 128. The time is
    reckoned, not measured, so that the same table trains as long on every machine.

    >>> schedule(40_000, (20, 32, 1))
    (128, 3000)
    """
    batch = min(1 << max(train // 32, SMALLEST_BATCH).bit_length() - 1, LARGEST_BATCH)
    seconds = STEP_SECONDS + MULTIPLY_SECONDS * batch * widths[0] * widths[1]
    steps = min(max(EPOCHS * train // batch, FEWEST_STEPS), MOST_STEPS, int(MOST_SECONDS / seconds))
    return batch, max(steps // EVALUATIONS, 1) * EVALUATIONS


def _about(frame: Frame, target: Target, widths: tuple[int, ...]) -> About:
    loss = "table.cross_entropy" if target.classes else "table.squared_error"
    return About(
        title=_title(frame),
        kind="classification" if target.classes else "regression",
        model=words("table.model", size="-".join(map(str, widths))),
        loss=words(loss),
        sources=(Source(*SOURCES.get(frame.name, (frame.name, "")), "", "", frame.sha256),),
        higher=("accuracy",) if target.classes else (),
        notes=frame.notes.words(),
    )


def _title(own: Frame) -> dict[str, str]:
    """Return what pages call a table: a file by its name, what Python handed over by a word."""
    named = words(CALLED[own.name]) if own.name in CALLED else dict.fromkeys(LANGUAGES, own.name)
    return {
        k: Say(k)("table.title", file=printable(v), target=printable(own.target))
        for k, v in named.items()
    }

"""How runs ended, in words: who overfitted, which runs failed and how, and which are merely bad."""

from collections import Counter
from collections.abc import Sequence

from adamas.lab.protocol.results_types import OptimizerTree
from adamas.lab.report.numbers import NONE, percent
from adamas.lab.report.subject import Subject, gaps, known
from adamas.lab.text import Say
from adamas.lab.trial import overfitted_from

FAILED = ("not_finite", "blown_up", "raised")
WORSE = "worse"


def overfitted(subject: Subject) -> str:
    """Name everybody whose mean validation loss turned while the training loss fell on."""
    say, found = subject.say, []
    for name, row in subject.rows.items():
        curve = row["curve"]
        losses = known(curve["mean"])
        if len(losses) < len(curve["mean"]):
            continue
        lowest = overfitted_from(curve["at"], losses, gaps(curve["train"]))
        if lowest is not None:
            least = min(losses)
            more = percent(100 * (losses[-1] - least) / abs(least), say, "") if least else NONE
            found.append(say("report_lowest", name=subject.said(name), step=lowest, percent=more))
    return say("report_overfitted", names=say.names(found)) if found else ""


def failures(subject: Subject) -> str:
    """Name everybody who has a run without a result on a report seed, and how it failed."""
    say, seeds = subject.say, subject.seeds
    found = [
        say("report_runs", name=subject.said(name), parts=counted(row, FAILED, say), seeds=seeds)
        for name, row in subject.rows.items()
        if set(row["ends"]) & set(FAILED)
    ]
    return say("report_diverged", names=say.names(found)) if found else ""


def worse(subject: Subject) -> str:
    """Name everybody who has a run that ended finite, but above where it began."""
    say, seeds = subject.say, subject.seeds
    counts = {name: row["ends"].count(WORSE) for name, row in subject.rows.items()}
    found = [
        say("report_of", name=subject.said(name), count=count, seeds=seeds)
        for name, count in counts.items()
        if count
    ]
    return say("report_untrained", names=say.names(found)) if found else ""


def troubles(row: OptimizerTree, say: Say) -> str:
    """Return how many runs failed, or ended worse than untrained, in words."""
    return counted(row, (*FAILED, WORSE), say) or say("none")


def counted(row: OptimizerTree, kinds: Sequence[str], say: Say) -> str:
    """Return how many runs ended in each of these ways, nothing where none did."""
    ends = Counter(row["ends"])
    parts = [say(f"ended_{kind}", count=ends[kind]) for kind in kinds if ends[kind]]
    return say.names(parts) if parts else ""

"""The baselines beside the networks: a table, and a warning where nothing beats them."""

import html

from adamas.lab.constants import MINIMUM_SEEDS
from adamas.lab.protocol.results_types import BaselineTree, Results
from adamas.lab.report.numbers import measured, with_spread
from adamas.lab.report.subject import Subject, metric_name
from adamas.lab.text import Say
from adamas.pages.elements import cards, long, section, small
from adamas.pages.sentences import plain

# The words by which an optimizer is shown to be no better.
NO_BETTER = {"tie", "worse"}


def chapter(subject: Subject) -> str:
    """Return every baseline's loss and measures, and how the optimizers stand to it."""
    say, found = subject.say, subject.results.get("baselines") or {}
    if not found:
        return ""
    extras = sorted({key for one in found.values() for key in one["extras"]})
    rows = [
        [
            say(f"baseline_{name}"),
            with_spread(one["interval"]),
            *(with_spread(one["extras"].get(key)) for key in extras),
            long(standing(subject, one)),
        ]
        for name, one in found.items()
    ]
    head = [say("baseline_name"), say("digits_loss")]
    head += [*(metric_name(subject, key) for key in extras), say("baseline_words")]
    return section(
        "baselines",
        say("baselines_title"),
        cards(say("baselines_caption", seeds=subject.seeds), head, rows),
        small(say("baselines_note")),
    )


def standing(subject: Subject, one: BaselineTree) -> str:
    """Return who is better than a baseline, who is worse, and so on."""
    say, words = subject.say, one["words"]
    named: dict[str, list[str]] = {}
    for name in subject.looks:
        named.setdefault(words[name], []).append(name)
    parts = [say(f"group_{word}", names=subject.names(names)) for word, names in named.items()]
    return html.escape(say("group_gap").join(parts))


def sentence(subject: Subject) -> str:
    """Return the warning, or the note, or nothing; for the first screen."""
    return said(subject.results, subject.say)


def said(results: Results, say: Say) -> str:
    """Return that no optimizer beats the blind answer, or which baselines beat every optimizer."""
    found = results.get("baselines") or {}
    if not found:
        return ""
    if "better" not in found["blind"]["words"].values():
        return unbeaten(found["blind"], say)
    ahead = [name for name, one in found.items() if beats_all(results, one)]
    if not ahead:
        return ""
    shown = [say(f"baseline_{name}") for name in ahead]
    losses = [measured(found[name]["interval"]["mean"]) for name in ahead]
    return say("baseline_ahead", names=say.names(shown), losses=say.names(losses))


def unbeaten(blind: BaselineTree, say: Say) -> str:
    """Return that nothing was shown better than the blind answer, and what was shown instead."""
    loss, seeds = measured(blind["interval"]["mean"]), len(blind["finals"])
    if seeds < MINIMUM_SEEDS:
        return say("baseline_unbeaten_seeds", loss=loss, seeds=seeds, least=MINIMUM_SEEDS)
    shown = set(blind["words"].values()) <= NO_BETTER
    return say("baseline_unbeaten_shown" if shown else "baseline_unbeaten", loss=loss)


def beats_all(results: Results, one: BaselineTree) -> bool:
    """Say whether every optimizer is shown to be worse than a baseline, or failed on all seeds."""
    failed = {name: tree["diverged"] for name, tree in results["optimizers"].items()}
    seeds = len(one["finals"])
    return all(word == "worse" or failed[name] == seeds for name, word in one["words"].items())


def lines(results: Results, say: Say) -> list[str]:
    """Return the baselines and the warning for a terminal."""
    found = results.get("baselines") or {}
    if not found:
        return []
    values = {name: measured(one["interval"]["mean"]) for name, one in found.items()}
    warning = plain(said(results, say))
    return [say("baseline_line", **values), *([warning] if warning else [])]

"""Real data: the digits, and what several seeds allow to say about each optimizer."""

from typing import Any

from adamas.lab.data.digits import IMAGES
from adamas.lab.demo import comparisons
from adamas.lab.page.elements import figure, figures, paragraph, section, small, swatch, table
from adamas.lab.page.looks import LOOKS
from adamas.lab.page.wording import by_verdict, rate, seed_range, with_interval
from adamas.lab.statistics.paired import COARSE, MARGIN
from adamas.lab.text import Say
from adamas.lab.zoo import digits

Numbers = dict[str, Any]


def real_data(results: Numbers, say: Say) -> str:
    """Digits: mean losses, paired differences and verdicts for both models."""
    plan = results["mlp"]["plan"]
    parts = [
        paragraph(
            say(
                "digits_text",
                images=IMAGES,
                held=digits.VALIDATION,
                hidden=digits.HIDDEN,
                epochs=results["mlp"]["steps"] // digits.STEPS_PER_EPOCH,
                batch=digits.BATCH,
                tuning=seed_range(plan["tuning"]),
                report=seed_range(plan["report"]),
            )
        )
    ]
    pictures = []
    for problem in ("softmax", "mlp"):
        contest = results[problem]
        parts.append(digits_table(contest, say))
        parts.append(paragraph(by_verdict(contest, say)))
        for kind, paint, note in (
            ("digits", comparisons.loss_curves, say("fig_digits_note")),
            ("intervals", comparisons.intervals, say("fig_intervals_note")),
        ):
            key = f"{kind}-{problem}"
            pictures.append(
                figure(key, paint(key, contest, say), say(f"fig_{kind}_{problem}"), note)
            )
    parts.append(small(say("digits_meaning", margin=100 * MARGIN, coarse=100 * COARSE * MARGIN)))
    return section("digits", say("digits_title"), *parts, figures(*pictures))


def digits_table(contest: Numbers, say: Say) -> str:
    """The table of one model: rate, loss, accuracy, difference, verdict, failures."""
    seeds = len(contest["plan"]["report"])
    rows = []
    for name, row in contest["optimizers"].items():
        itself = name == "adam"
        word = "reference" if itself else row["verdict"]["word"]
        rows.append(
            [
                swatch(name, LOOKS[name][0]),
                rate(row["lr"]),
                with_interval(row["interval"], say),
                say("percent", value=100 * row["extras"]["accuracy"]["mean"]),
                "–" if itself else with_interval(row["verdict"]["difference"], say, "+"),
                f'<span class="verdict {word}">{say(f"word_{word}")}</span>',
                say("digits_of", failed=row["diverged"], seeds=seeds),
            ]
        )
    head = [say("race_optimizer"), say("race_lr")]
    head += [say(f"digits_{k}") for k in ("loss", "accuracy", "difference", "verdict", "diverged")]
    problem = say(f"problem_{contest['problem']}")
    return table(say("digits_caption", problem=problem, seeds=seeds), head, rows)

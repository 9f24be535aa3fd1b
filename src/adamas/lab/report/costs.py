"""What a run costs where gradients, steps and samples are not all the same."""

from adamas.lab.report.numbers import whole
from adamas.lab.report.subject import Subject


def gradients(subject: Subject) -> str:
    """Say what a step costs where some take several gradients."""
    say, plan = subject.say, subject.plan
    names = [name for name, row in subject.rows.items() if row["asks"]]
    if not names:
        return ""
    shown = subject.names(names)
    if subject.problem.get("loop"):
        return say("report_charged_steps", names=shown, steps=plan["steps"])
    if any("batch" in row for row in subject.rows.values()):
        samples = whole(plan["steps"] * plan["batch"])
        return say("report_charged_samples", names=shown, samples=samples)
    return say("report_charged", names=shown, steps=plan["steps"])


def batches(subject: Subject) -> str:
    """Say how updates are counted where some have batches of their own size."""
    say, plan = subject.say, subject.plan
    samples = plan["steps"] * plan["batch"]
    sizes = {name: row["batch"] for name, row in subject.rows.items() if "batch" in row}
    counts = [
        say("report_batch", name=subject.said(name), steps=max(1, round(samples / size)), size=size)
        for name, size in sizes.items()
        if size != plan["batch"]
    ]
    if not counts:
        return ""
    return say("report_batches", batch=plan["batch"], counts=say.names(counts))

"""What a run costs where gradients, steps and samples are not all the same."""

from adamas.lab.report.numbers import whole
from adamas.lab.report.subject import Subject


def gradients(subject: Subject) -> str:
    """Say what a step costs where some take several gradients."""
    names = [name for name, row in subject.rows.items() if row["asks"]]
    steps, batch = subject.plan["steps"], subject.plan["batch"]
    key = "report_charged_samples" if batch_sizes(subject) else "report_charged"
    key = "report_charged_steps" if subject.problem.get("loop") else key
    told = {"steps": steps, "samples": whole(steps * batch)}
    return subject.say(key, names=subject.names(names), **told) if names else ""


def batch_sizes(subject: Subject) -> dict[str, int]:
    """Return the batches that are not of the problem's size, by optimizer."""
    sizes = {name: row.get("batch", subject.plan["batch"]) for name, row in subject.rows.items()}
    return {name: size for name, size in sizes.items() if size != subject.plan["batch"]}


def batches(subject: Subject) -> str:
    """Say how updates are counted where some have batches of their own size."""
    say, batch = subject.say, subject.plan["batch"]
    counts = [
        say("report_batch", name=subject.said(name), size=size,
            steps=max(1, round(subject.plan["steps"] * batch / size)))
        for name, size in batch_sizes(subject).items()
    ]  # fmt: skip
    return say("report_batches", batch=batch, counts=say.names(counts)) if counts else ""

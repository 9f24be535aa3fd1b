"""The job behind `adamas demo`: run everything, then write the page and its numbers, or nothing."""

import json
from functools import partial
from pathlib import Path
from typing import TextIO

from adamas.lab.commands.progress import Progress
from adamas.lab.demo.demo_page import JSON_NAME, PAGE_NAME, render
from adamas.lab.demo.demo_results import STAGES, Settings, collect
from adamas.lab.demo.tutorial_check import Checked
from adamas.lab.page.looks import LOOKS
from adamas.lab.protocol.output import output_directory
from adamas.lab.report.twins import publish
from adamas.lab.text import Say


def demo(out: Path, language: str, settings: Settings, stream: TextIO) -> Path:
    """Run the demo, report to `stream`, and return the path of the page.

    The directory `out` is made if need be; `demo.html`, its twin in the other language and
    `demo.json` appear in it only when all are complete, replacing earlier ones. Raises `LabError`
    before any work when `out` cannot be written. An interrupted run leaves `out` as it was.
    """
    say = Say(language)
    with output_directory(out):
        progress = Progress(stream, STAGES)

        def stage(chapter: str, part: str) -> None:
            if part in LOOKS:
                progress.stage(say(f"stage_{chapter}", optimizer=LOOKS[part].name))
            else:
                progress.stage(say(f"stage_{chapter}", part=say(f"compare_stage_{part}")))

        results = collect(settings, stage, progress.say)
        numbers = {JSON_NAME: json.dumps(results, allow_nan=False, indent=1)}
        publish(out, PAGE_NAME, say, partial(render, results), numbers)
        progress.finish()
    close(progress, results["tutorial"], out, say)
    return out / PAGE_NAME


def close(progress: Progress, tutorial: Checked, out: Path, say: Say) -> None:
    """Say what came out and where it is."""
    progress.say(say("done_tutorial", run=tutorial))
    progress.say(say("done_numbers", numbers=(out / JSON_NAME).resolve()))
    page = (out / PAGE_NAME).resolve()
    progress.say(say("done", seconds=progress.seconds, page=page))

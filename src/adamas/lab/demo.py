"""The job behind `adamas demo`: run everything, then write the page and its numbers, or nothing."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from adamas.lab.collect import STAGES, Settings, collect
from adamas.lab.needs import LabError
from adamas.lab.page import JSON_NAME, PAGE_NAME, render
from adamas.lab.plotting import LOOKS
from adamas.lab.progress import Progress
from adamas.lab.text import Say


def demo(out: Path, language: str, settings: Settings, stream: TextIO) -> Path:
    """Run the demo, report to `stream`, and return the path of the page.

    The directory `out` is made if need be; `demo.html` and `demo.json` appear in it only when both
    are complete, replacing earlier ones. Raises `LabError` before any work when `out` cannot be
    written. An interrupted run leaves `out` as it was.
    """
    say = Say(language)
    with output_directory(out):
        progress = Progress(stream, STAGES)

        def stage(chapter: str, optimizer: str) -> None:
            progress.stage(say(f"stage_{chapter}", optimizer=LOOKS[optimizer][0]))

        results = collect(settings, stage, progress.say)
        page = render(results, say)
        numbers = json.dumps(results, allow_nan=False, indent=1)
        write_all(out, {JSON_NAME: numbers, PAGE_NAME: page})
        progress.finish()
    close(progress, results["tutorial"], out, say)
    return out / PAGE_NAME


def close(progress: Progress, tutorial: dict[str, Any], out: Path, say: Say) -> None:
    """Say what came out and where it is."""
    best = tutorial["best"]["w"]
    progress.say(say("done_tutorial", w=tutorial["w"], w_numpy=tutorial["w_numpy"], best=best))
    progress.say(say("done_numbers", numbers=(out / JSON_NAME).resolve()))
    page = (out / PAGE_NAME).resolve()
    progress.say(say("done", seconds=progress.seconds, page=page))


@contextmanager
def output_directory(out: Path) -> Iterator[None]:
    """Make sure that `out` is a directory that can be written.

    It is removed again if it was made here and the work inside fails before anything is in it.
    """
    existed = out.exists()
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except FileExistsError as error:
        raise LabError(f"--out {out} is a file; name a directory") from error
    except OSError as error:
        raise LabError(f"cannot write to --out {out} ({error.strerror})") from error
    try:
        yield
    except BaseException:
        if not existed and not any(out.iterdir()):
            out.rmdir()
        raise


def write_all(out: Path, files: dict[str, str]) -> None:
    """Write all files beside their final names first, then move each into place at once."""
    pending: dict[Path, Path] = {}
    try:
        for name, text in files.items():
            handle, temporary = tempfile.mkstemp(dir=out, prefix=f".{name}.", suffix=".tmp")
            pending[Path(temporary)] = out / name
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
            os.chmod(temporary, 0o644)
        for temporary_path, final in pending.items():
            os.replace(temporary_path, final)
    except BaseException:
        for temporary_path in pending:
            temporary_path.unlink(missing_ok=True)
        raise

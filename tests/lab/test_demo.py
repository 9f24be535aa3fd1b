"""`adamas demo` as a program: what it writes, what it says, and how it stops."""

import importlib.util
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adamas import cli
from adamas.lab.commands.progress import CLEAR, Progress
from adamas.lab.demo import command as job
from adamas.lab.demo.demo_results import QUICK, STAGES
from adamas.lab.needs import LabError, require_packages
from adamas.lab.protocol import output
from places import ROOT

RUN = "import sys; from adamas.cli import main; sys.exit(main())"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the directory and the log of one short demo."""
    out, log = tmp_path_factory.mktemp("demo") / "made" / "for it", io.StringIO()
    job.demo(out, "en", QUICK, log)
    return out, log.getvalue()


def test_demo_writes_the_page_and_its_numbers(finished: tuple[Path, str]) -> None:
    """The directory is made and holds the page and strict JSON, and nothing else."""
    out, _ = finished
    assert sorted(path.name for path in out.iterdir()) == ["demo.html", "demo.json", "demo.zh.html"]
    assert (out / "demo.html").read_text(encoding="utf-8").endswith("</html>\n")

    def refuse(constant: str) -> float:
        raise ValueError(constant)

    numbers = json.loads((out / "demo.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert f"{numbers['tutorial']['w']:.8f}" == "0.90600039"


def test_log_is_plain_and_has_the_tutorials_lines(finished: tuple[Path, str]) -> None:
    """Off a terminal every stage is one line without control characters, and so is the log."""
    out, log = finished
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", log)
    lines = log.splitlines()
    assert [line for line in lines if line.startswith("Epoch 100,")] == [
        "Epoch 100, Loss: 176.9161"
    ]
    assert sum(line.startswith("Epoch ") for line in lines) == 10
    assert [line for line in lines if line.startswith("[")][-1].startswith(f"[{STAGES}/{STAGES}]")
    assert lines[-1].endswith(str(out / "demo.html"))


def test_the_guide_says_which_rates_were_best_for_adam(finished: tuple[Path, str]) -> None:
    """Adam's best rates on digits and rare words lie where the guide's page says, above 0.001."""
    found = json.loads((finished[0] / "demo.json").read_text(encoding="utf-8"))
    contests = found["contests"].values()
    # A mean over seeds, of rates on a grid.
    best = [round(contest["optimizers"]["adam"]["lr"], 3) for contest in contests]
    low, high = 0.01, 0.1
    assert low <= min(best) and max(best) <= high
    guide, chinese = (ROOT / "docs" / name for name in ("guide.md", "guide.zh.md"))
    assert f"between {low} and {high}" in guide.read_text(encoding="utf-8")
    assert f"{low} 到 {high}" in chinese.read_text(encoding="utf-8")


def test_same_seeds_give_the_same_bytes(finished: tuple[Path, str], tmp_path: Path) -> None:
    """A second run, in the other language, writes byte for byte the same numbers and pages.

    Only the names of the pages change places; none of an earlier run's is left.
    """
    out, _ = finished
    (tmp_path / "demo.zh.html").write_text("of an earlier run")
    job.demo(tmp_path, "zh", QUICK, io.StringIO())
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "demo.en.html", "demo.html", "demo.json",
    ]  # fmt: skip
    assert (tmp_path / "demo.json").read_bytes() == (out / "demo.json").read_bytes()
    for first, twin, second in (
        ("demo.html", "demo.zh.html", "demo.en.html"),
        ("demo.zh.html", "demo.html", "demo.html"),
    ):
        before = (out / first).read_text("utf-8").replace(f'href="{twin}"', "")
        after = (tmp_path / second).read_text("utf-8")
        other = "demo.en.html" if second == "demo.html" else "demo.html"
        assert after.replace(f'href="{other}"', "") == before


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


def test_terminal_gets_one_updating_line() -> None:
    """On a terminal a stage replaces the one before; what is said in between stays."""
    screen = Terminal()
    progress = Progress(screen, 2)
    progress.stage("first")
    progress.say("a line that stays")
    progress.stage("second")
    progress.finish()
    progress.say("the end")
    shown = screen.getvalue()
    assert shown.count("\n") == 2
    assert f"{CLEAR}a line that stays\n{CLEAR}[ 1/2] first" in shown
    assert f"{CLEAR}[ 2/2] second" in shown
    assert shown.endswith(f"{CLEAR}{CLEAR}the end\n")


def interrupt(*_: object, **__: object) -> Any:
    """Stand in for work during which Ctrl-C is pressed."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("moment", ["collect", "render"])
def test_interrupted_work_leaves_nothing(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C before the writing leaves no file and no new directory; exit code 130, one line."""
    monkeypatch.setattr(job, "collect", lambda *_: {})
    monkeypatch.setattr(job, moment, interrupt)
    out = tmp_path / "report"
    assert cli.main(["demo", "--out", str(out)]) == 130
    assert not out.exists()
    assert capsys.readouterr().err == "\nInterrupted: nothing was written.\n"


@pytest.mark.parametrize("moment", ["fdopen", "chmod"])
def test_interrupted_writing_keeps_the_old_page(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while writing leaves the earlier files as they were, and no temporary ones."""
    for name in ("demo.html", "demo.json"):
        (tmp_path / name).write_text("earlier")
    monkeypatch.setattr(output.os, moment, interrupt)
    with pytest.raises(KeyboardInterrupt):
        output.write_all(tmp_path, {"demo.html": "new", "demo.json": "new"})
    monkeypatch.undo()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "demo.html": "earlier",
        "demo.json": "earlier",
    }


def test_real_ctrl_c_ends_with_130(tmp_path: Path) -> None:
    """The signal that a terminal sends ends the program with 130, one line, and no file."""
    out = tmp_path / "report"
    # A shell starts background jobs with the signal ignored, and children inherit that.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    command = [sys.executable, "-c", heard + RUN, "demo", "--out", str(out)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        while "Epoch 100," not in (line := program.stdout.readline()):
            assert line, program.communicate()
        program.send_signal(signal.SIGINT)
        _, error = program.communicate()
    assert program.returncode == 130
    assert error == "\nInterrupted: nothing was written.\n"
    assert not out.exists()


def make_file(path: Path) -> Path:
    """Return a path that is a file."""
    path.write_text("mine")
    return path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (make_file, r"adamas demo: --out .*taken is a file; name a directory\n"),
        (lambda p: make_file(p) / "below", r"adamas demo: cannot write to --out .*\(.*\)\n"),
    ],
    ids=["a-file", "below-a-file"],
)
def test_bad_out_is_one_line(
    name: Callable[[Path], Path],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A directory that cannot be used is refused before any work, in one line that names it."""
    taken = tmp_path / "taken"
    assert cli.main(["demo", "--out", str(name(taken))]) == 1
    output = capsys.readouterr()
    assert re.fullmatch(message, output.err)
    assert output.out == ""
    assert taken.read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_directory_is_refused(tmp_path: Path) -> None:
    """A directory without permission to write is refused with the system's reason."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(LabError, match="Permission denied"), job.output_directory(tmp_path):
            pass
    finally:
        tmp_path.chmod(0o700)


def test_a_missing_package_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without scikit-learn the demo says, in one line, what to install."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "adamas.lab.needs.find_spec", lambda name: None if name == "sklearn" else find(name)
    )
    with pytest.raises(LabError, match="scikit-learn"):
        require_packages()
    assert cli.main(["demo", "--out", str(tmp_path / "x")]) == 1
    assert capsys.readouterr().err == (
        "adamas demo: missing scikit-learn; install with: pip install scikit-learn\n"
    )


@pytest.mark.parametrize("seeds", ["2", "1001", "many", "3.5"])
def test_bad_seeds_are_a_usage_error(seeds: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A number of seeds that allows no verdict is refused by name, with the limits."""
    with pytest.raises(SystemExit) as stopped:
        cli.main(["demo", "--seeds", seeds])
    assert stopped.value.code == 2
    assert seeds in capsys.readouterr().err.splitlines()[-1]


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    """`adamas --help` shows what to type, and every command has a help of its own."""
    for arguments, text in ((["--help"], "adamas demo --lang zh"), (["demo", "--help"], "--out")):
        with pytest.raises(SystemExit) as stopped:
            cli.main(arguments)
        assert stopped.value.code == 0
        assert text in capsys.readouterr().out


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({"LC_ALL": "zh_CN.UTF-8", "LC_MESSAGES": "en_GB", "LANG": "en_US.UTF-8"}, "zh"),
        ({"LC_ALL": "", "LC_MESSAGES": "zh_TW", "LANG": "en_US.UTF-8"}, "zh"),
        ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LC_ALL": "C", "LC_MESSAGES": "zh_CN.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": ""}, "en"),
    ],
)
@pytest.mark.parametrize("words", [["demo"], ["compare", "digits"], ["suite"]])
def test_the_environment_chooses_the_language(
    words: list[str], environ: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --lang a command speaks Chinese where the environment does, in the order of POSIX."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    parser = cli.build_parser()
    assert parser.parse_args(words).lang == language
    assert parser.parse_args([*words, "--lang", "en"]).lang == "en"


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_the_package_is_the_command(
    argument: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m adamas` is `adamas`, under the same name: same words, same exit code."""
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as stopped:
        cli.main([argument])
    command = [sys.executable, "-m", "adamas", argument]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (stopped.value.code, *capsys.readouterr())


def test_help_and_version_import_nothing_heavy() -> None:
    """`adamas --help` does not wait for Numba, matplotlib, scikit-learn or the lab's work.

    Of the lab it loads the few constants that the options have as their defaults.
    """
    script = """
import sys
from adamas.cli import build_parser
build_parser().format_help()
heavy = {"numba", "matplotlib", "sklearn", "scipy"} & set(sys.modules)
lab = {name for name in sys.modules if name.startswith("adamas.lab.")}
heavy |= lab - {"adamas.lab.constants"}
sys.exit(f"imported {heavy}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

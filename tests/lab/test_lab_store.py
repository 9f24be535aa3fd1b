"""The store of runs: damaged, torn, foreign, taken, and on a disk that is full."""

import errno
import io
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas.cli import main
from adamas.lab.needs import LabError
from adamas.lab.problems import Problem
from adamas.lab.protocol import output
from adamas.lab.protocol import store as module
from adamas.lab.protocol.lines import line_of, run_in
from adamas.lab.protocol.runner import Runner, Trial
from adamas.lab.protocol.store import NAME, Store

MINE = """
import numpy as np
from adamas.lab import numpy_problem

def loss_and_grad(params, x, y):
    off = x @ params["w"] - y
    return np.mean(off**2) + 0.1, {"w": 2 * x.T @ off / len(y)}

x = np.random.default_rng(0).normal(size=(40, 2))
problem = numpy_problem(loss_and_grad, {"w": np.ones(2)}, (x, x[:, 0]), steps=20, batch=4)
"""
WORDS = ["--optimizer", "sgd", "--optimizer", "adam", "--quick", "--workers", "1"]


def tree(key: str = "a", **parts: Any) -> dict[str, Any]:
    """Return a run as it is stored, with some parts replaced."""
    whole = {"key": key, "optimizer": "adam", "lr": 0.1, "seed": 1, "steps": 20, "diverged": False,
             "at": [0, 20], "losses": [2.0, 1.0], "final": 1.0, "train": [None, 1.5],
             "extras": {"accuracy": None}, "further": {"beta2": 0.9}}  # fmt: skip
    return whole | parts


def stored(folder: Path, *lines: bytes) -> Path:
    """Write a store of these bytes."""
    (folder / NAME).write_bytes(b"".join(lines))
    return folder


def test_half_a_line_is_dropped(tmp_path: Path) -> None:
    """A killed process leaves half a line, which is no run; the next run begins in its place."""
    whole, half = line_of(tree("a")), line_of(tree("b"))[:60]
    with Store(stored(tmp_path, whole, half)) as store:
        assert list(store.known) == ["a"] and not store.damaged
        assert (tmp_path / NAME).read_bytes() == whole + half
        store.add(tree("c"))
    assert (tmp_path / NAME).read_bytes() == whole + line_of(tree("c"))


@pytest.mark.parametrize("text", [
    b"not json\n", b"\0\1\2", b"\0\n" * 9, b"[1, 2]\n", b'"text"\n3\n', b"PNG\r\n",
    b"[" * 9999 + b"\n",
])  # fmt: skip
def test_a_file_of_something_else_is_kept(text: bytes, tmp_path: Path) -> None:
    """A file in which no line is a run is refused by its path, and not touched."""
    with pytest.raises(LabError, match=r"runs\.jsonl holds no run"), Store(stored(tmp_path, text)):
        pass
    assert (tmp_path / NAME).read_bytes() == text
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


WRONG = {
    "lr": ["0.1", None, True, [0.1], float("1e999")],
    "seed": [1.5, "1", None],
    "steps": [None, "20"],
    "at": [20, "x", ["0", "20"], [0], None, {}],
    "losses": ["xy", [1], [1, "2"], {"0": 1}, None],
    "train": [3, ["a", "b"]],
    "final": ["1.0", [], False],
    "diverged": [0, "no", None],
    "extras": [[], "x", {"accuracy": "high"}, None],
    "further": [[], "x", {"beta2": None}, {"beta2": [1]}, None],
    "optimizer": [None, 3],
    "key": [None, 3, ["a"]],
}


@pytest.mark.parametrize(("name", "value"), [(k, v) for k, vs in WRONG.items() for v in vs])
def test_a_wrong_type_in_a_line_is_damage(name: str, value: object, tmp_path: Path) -> None:
    """A line with a value of another kind is counted by its number, and its run is not known."""
    line = json.dumps(tree("b") | {name: value}).encode() + b"\n"
    with Store(stored(tmp_path, line_of(tree("a")), line, line_of(tree("c")))) as store:
        assert store.damaged == [2] and list(store.known) == ["a", "c"]


@given(damage=st.binary(max_size=80), place=st.integers(0, 300), cut=st.integers(0, 40))
def test_any_damage_is_found_or_harmless(
    damage: bytes, place: int, cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever is written over a store, it opens, or is refused in a sentence; others are known."""
    folder = tmp_path_factory.mktemp("any")
    text = line_of(tree("a")) + line_of(tree("b"))
    stored(folder, text[:place] + damage + text[place + cut :])
    with suppress(LabError), Store(folder) as store:
        assert all(run_in(line_of(run)) == run for run in store.known.values())


def test_copies_count_once_and_contradictions_never(tmp_path: Path) -> None:
    """A line twice is one run; two different runs of one name are damage, and neither is known."""
    lines = (
        line_of(tree("a")),
        line_of(tree("a")),
        line_of(tree("b")),
        line_of(tree("b", final=0.5)),
    )
    with Store(stored(tmp_path, *lines)) as store:
        assert store.damaged == [4] and list(store.known) == ["a"]


def test_a_run_of_another_trial_is_made_again(tmp_path: Path, tiny: Problem) -> None:
    """A name with another learning rate behind it is not taken for the run that was asked for."""
    trial = Trial("adam", 0.01, 1, 20)
    with Store(tmp_path) as store:
        key = Runner(lambda: tiny, "tiny").key(trial)
        right = Runner(lambda: tiny, "tiny", store).run([trial])[0]
        store.known[key] = store.known[key] | {"lr": 0.5, "final": 9.0}
        assert Runner(lambda: tiny, "tiny", store).run([trial])[0].final == right.final


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the name of a problem that takes no time."""
    path = tmp_path_factory.mktemp("mine") / "mine.py"
    path.write_text(MINE)
    return f"{path}:problem"


@pytest.fixture
def tiny(mine: str) -> Problem:
    """Return that problem."""
    from adamas.lab.own.spec import Spec, resolve

    return resolve(Spec(mine))


@pytest.fixture(scope="module")
def compared(mine: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of one comparison."""
    out = tmp_path_factory.mktemp("store") / "out"
    assert main(["compare", mine, *WORDS, "--out", str(out)]) == 0
    return out


@pytest.mark.parametrize("language", ["en", "zh"])
def test_damaged_runs_are_made_again(
    language: str, mine: str, compared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Some lines are damaged: the command says so, and ends with the bytes of an undamaged one."""
    runs, results = compared / NAME, (compared / "results.json").read_bytes()
    whole = runs.read_bytes()
    lines = whole.splitlines(keepends=True)
    lines[3] = lines[3].replace(b'"lr": ', b'"lr": "x')
    lines[5] = b"\0\1\2\n"
    runs.write_bytes(b"".join(lines))
    assert main(["compare", mine, *WORDS, "--out", str(compared), "--lang", language]) == 0
    said = capsys.readouterr().out
    assert (
        "2, the first is line 4" if language == "en" else "有 2 行已损坏（首个是第 4 行）"
    ) in said
    assert runs.read_bytes() == whole and (compared / "results.json").read_bytes() == results


class Full(io.FileIO):
    """A file on a disk that takes 30 more bytes."""

    room = 30

    def write(self, data: Any) -> int:
        """Write what fits, then fail as the system does."""
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fits = min(len(data), self.room)
        self.room -= fits
        return super().write(data[:fits])


def test_a_full_disk_keeps_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a line does not fit, the file ends with the line before, and the reason is given."""
    monkeypatch.setattr(module.Path, "open", lambda path, *_, **__: Full(path, "a"))
    with (
        pytest.raises(LabError, match=r"runs\.jsonl cannot be written \(No space left.* 0 runs"),
        Store(tmp_path) as store,
    ):
        store.add(tree())
    monkeypatch.undo()
    assert (tmp_path / NAME).read_bytes() == b""


def test_files_that_do_not_fit_are_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without room for a page the earlier one stays, no temporary one does, and a line says why."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "page").write_text("earlier")
    monkeypatch.setattr(output.os, "chmod", full)
    with pytest.raises(LabError, match=r"page cannot be written \(No space left on device\)"):
        output.write_all(tmp_path, {"page": "new"})
    monkeypatch.undo()
    assert [path.read_text() for path in tmp_path.iterdir()] == ["earlier"]


LIMITED = """
import resource, sys
from adamas.cli import main
from adamas.lab.protocol import output
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_a_comparison_without_room_goes_on_when_there_is(
    mine: str, compared: Path, tmp_path: Path
) -> None:
    """One line says which file and what is kept; the same command then ends with the same bytes."""
    limit = (compared / NAME).stat().st_size // 3
    words = ["compare", mine, *WORDS, "--out", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit), *words], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("adamas compare: ") and done.stderr.count("\n") == 1
    assert "runs.jsonl cannot be written (File too large); the " in done.stderr
    assert "runs before are kept" in done.stderr
    assert not (tmp_path / "out" / ".lock").exists()
    assert main(words) == 0
    for name in (NAME, "results.json"):
        assert (tmp_path / "out" / name).read_bytes() == (compared / name).read_bytes()

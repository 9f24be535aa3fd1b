"""Kernels are executed from the disk, so only the user's own folder is used, and it stays small."""

import os
import pickle
import stat
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adamas
from adamas import rules
from adamas.codecs import FLOAT32
from adamas.kernel import build as building
from adamas.kernel import cache
from adamas.kernel.build import Kernel, build
from adamas.kernel.formula import parse
from adamas.kernel.trust import objection
from adamas.kernel.weave import Layout

if sys.platform != "win32":
    import grp
    import pwd

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such owners")

FORMULA, LAYOUT = parse(rules.sgd), Layout(FLOAT32, FLOAT32, ())


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A private kernel cache in a folder that everybody can enter: pytest's own are closed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        if any(not path.stat().st_mode & stat.S_IXOTH for path in folder.parents):
            pytest.skip("nobody else can enter the folder for temporary files")
        (folder / "kernels").mkdir(mode=0o755)
        monkeypatch.setenv("ADAMAS_CACHE_DIR", str(folder / "kernels"))
        monkeypatch.setattr(cache, "_said", set())
        yield folder / "kernels"


def anew(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """Build SGD's kernel as a new process would."""
    monkeypatch.setattr(building, "_built", {})
    return build(FORMULA, LAYOUT)


def made_up(folder: Path, name: str = "sgd", size: int = 300, days: float = 0) -> list[Path]:
    """Files as a kernel leaves them, of `size` bytes together, last used so many days ago."""
    (folder / "__pycache__").mkdir(exist_ok=True, mode=0o755)
    stem = f"{name}_{'0' * 16}"
    paths = [
        folder / f"{stem}.py",
        folder / "__pycache__" / f"{stem}.run-1.py311.nbi",
        folder / "__pycache__" / f"{stem}.run-1.py311.1.nbc",
    ]
    for path in paths:
        path.write_bytes(b"x" * (size // 3))
        path.chmod(0o644)
        aged(path, days)
    return paths


def opened(*paths: Path) -> None:
    """Let everybody write."""
    for path in paths:
        path.chmod(0o777 if path.is_dir() else 0o666)


def shared(path: Path) -> None:
    """Let a group write that is nobody's private one."""
    if os.geteuid() != 0:
        pytest.skip("only root gives a folder to any group")
    os.chown(path, -1, 54321)
    path.chmod(0o775)


def linked(path: Path) -> None:
    """Put a link in the place of a file or folder."""
    moved = path.with_name(path.name + "-moved")
    path.rename(moved)
    path.symlink_to(moved)


# What somebody may have done to the folder, and what the warning says. `of` is one of its files.
DANGERS: dict[str, tuple[Callable[[Path, Path], Any], str]] = {
    "anybody writes into it": (lambda folder, of: opened(folder), "others may write .*kernels"),
    "its group does": (lambda folder, of: shared(folder), "others may write .*kernels"),
    "anybody swaps it": (lambda folder, of: opened(folder.parent), "others may write into"),
    "anybody writes a file": (lambda folder, of: opened(of), "others may write .*sgd_0"),
    "it is a link": (lambda folder, of: linked(folder), "kernels is a link"),
    "a file is a link": (lambda folder, of: linked(of), "sgd_0.* is a link"),
}


@pytest.mark.parametrize("danger", DANGERS)
def test_a_folder_that_others_could_fill_is_not_used(place: Path, danger: str) -> None:
    """Code that somebody may have put there is not touched; a warning says once what is wrong."""
    files = made_up(place)
    change, match = DANGERS[danger]
    change(place, files[0])
    with pytest.warns(RuntimeWarning, match=match) as said:
        assert cache.write(files[0].stem, b"x = 1") is None
    assert "ADAMAS_CACHE_DIR" in str(said[0].message)
    assert files[0].read_bytes() == b"x" * 100
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cache.write(files[0].stem, b"x = 1") is None


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("change", [opened, shared, linked])
def test_machine_code_that_others_could_write_is_not_used(
    place: Path, change: Callable[[Path], Any], number: int
) -> None:
    """Numba unpickles its index and its data, so the same is asked of both and of their folder."""
    files = made_up(place)
    change(files[number])
    with pytest.warns(RuntimeWarning, match=r"sgd_0.*\.nb"):
        assert cache.refused(place / "__pycache__", *files[1:])
    made_up(place, "adam")
    change(place / "__pycache__")
    with pytest.warns(RuntimeWarning, match="__pycache__"):
        assert cache.write("adam", b"x = 1") is None


class Trap:
    """Unpickled, it makes a file: somebody else's code."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.place,)


def planted(kernel: Kernel, trap: Path) -> None:
    """Put the trap where Numba looks for the machine code of `kernel`."""
    run: Any = kernel.run
    for path in Path(run.stats.cache_path).glob("*.nb[ic]"):
        path.write_bytes(pickle.dumps(Trap(trap)))


@pytest.mark.parametrize("whose", ["ours", "another user's", "Numba's"])
def test_no_code_of_others_runs(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    """A step is right and runs nothing that lies in another's folder, NUMBA_CACHE_DIR included."""
    trap, there = tmp_path / "sprung", place.parent / "numba"
    if whose == "Numba's":
        there.mkdir(mode=0o755)
        monkeypatch.setattr("numba.config.CACHE_DIR", str(there))
    planted(anew(monkeypatch), trap)
    if whose == "ours":
        # The rest of this test can fail: where the folder is trusted, the trap springs.
        assert anew(monkeypatch)
        assert trap.exists()
        return
    if whose == "Numba's":
        opened(there)
    else:
        someone = os.lstat(place).st_uid + 1
        monkeypatch.setattr(os, "geteuid", lambda: someone)
    monkeypatch.setattr(building, "_built", {})
    p = np.array([1.0, -2.0], np.float32)
    with pytest.warns(RuntimeWarning, match="belongs to another|others may write into .*numba"):
        adamas.SGD(p, lr=0.25).step(np.array([4.0, 8.0], np.float32))
    assert p.tolist() == [0.0, -4.0]
    assert not trap.exists()


def test_what_is_private_is_no_objection(place: Path) -> None:
    """Modes inside a folder that only its user can enter do not matter, nor does a sticky /tmp."""
    inner = place / "inner"
    inner.mkdir()
    opened(inner)
    assert objection(inner)
    place.chmod(0o700)
    assert objection(inner) is None
    place.chmod(0o1777)
    inner.chmod(0o700)
    assert objection(inner) is None
    assert objection(inner, [inner / "nothing"]) is None


def test_a_link_on_the_way_is_followed(place: Path) -> None:
    """`~/.cache` is often a link to a larger disk; what it leads to is judged."""
    (place / "disk" / "kernels").mkdir(parents=True, mode=0o755)
    (place / "cache").symlink_to(place / "disk")
    assert objection(place / "cache" / "kernels") is None
    opened(place / "disk")
    assert "others may write into" in str(objection(place / "cache" / "kernels"))


def test_a_user_s_private_group_is_nobody_else(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where every user has a group of the same name, umask 002 is usual and opens nothing."""
    place.chmod(0o775)
    name, gid = pwd.getpwuid(os.geteuid()).pw_name, place.stat().st_gid
    for group, members, private in (
        (name, [], True),
        (name, [name], True),
        (name, ["eve"], False),
        ("users", [], False),
    ):
        entry = grp.struct_group((group, "x", gid, members))
        monkeypatch.setattr(grp, "getgrgid", lambda number, entry=entry: entry)
        assert (objection(place) is None) == private


def test_folders_on_the_way_are_made_private(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the umask, nobody else gets into a folder that adamas made."""
    monkeypatch.setenv("ADAMAS_CACHE_DIR", str(place / "new" / "deep" / "kernels"))
    before = os.umask(0)
    try:
        assert cache.write("sgd", b"x = 1")
    finally:
        os.umask(before)
    for folder in ("new", "new/deep", "new/deep/kernels", "new/deep/kernels/__pycache__"):
        assert stat.S_IMODE((place / folder).stat().st_mode) == 0o700


def aged(path: Path, days: float) -> None:
    """Make a file look as old as that."""
    then = time.time() - days * 86400
    os.utime(path, (then, then))


def test_the_cache_stays_small(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not used for the longest goes first, and nothing else in the folder is touched."""
    monkeypatch.setattr(cache, "LARGEST", 700)
    kernels = {name: made_up(fresh_cache, name, 300, days) for name, days in
               (("old", 30), ("new", 1), ("older", 300), ("newest", 0))}  # fmt: skip
    mine = fresh_cache / "my_script.py"
    mine.write_text("precious" * 1000)
    aged(mine, 1000)
    others = [
        fresh_cache / f"weights_{'1' * 16}.pt",
        fresh_cache / f"model_{'2' * 16}.tmp.pt",
        fresh_cache / f"notes_{'3' * 16}.nbi",
        fresh_cache / "__pycache__" / f"script_{'4' * 16}.cpython-311.pyc",
    ]
    for path in others:
        path.write_bytes(b"x" * 1000)
        aged(path, 1000)
    half, fresh = (fresh_cache / f"sgd_{'0' * 16}.{k}.tmp" for k in "ab")
    for path, days in ((half, 2), (fresh, 0)):
        path.write_bytes(b"")
        aged(path, days)
    cache.trim(fresh_cache)
    left = {name for name, paths in kernels.items() if any(path.exists() for path in paths)}
    assert left == {"new", "newest"}
    assert all(path.exists() for name in left for path in kernels[name])
    assert all(path.exists() for path in others)
    assert mine.exists() and fresh.exists() and not half.exists()


def test_a_kernel_in_use_is_not_old(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each use counts, and a new kernel makes room: last year's goes, and every day's stays."""
    kernel = anew(monkeypatch)
    assert kernel.path
    for path in fresh_cache.rglob("*.*"):
        aged(path, 100)
    size = sum(path.stat().st_size for path in files(kernel))
    old = made_up(fresh_cache, "unused", size * 3 // 2, 50)
    anew(monkeypatch)
    monkeypatch.setattr(cache, "LARGEST", size * 5 // 2)
    build(FORMULA, Layout(FLOAT32, FLOAT32, (), zero_grads=True))
    assert not any(path.exists() for path in old)
    assert len(files(kernel)) == 3


def files(kernel: Kernel) -> list[Path]:
    """What lies in the cache for this kernel."""
    assert kernel.path
    return list(kernel.path.parent.rglob(f"{kernel.path.stem}.*"))

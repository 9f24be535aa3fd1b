"""A kernel is compiled once per computer, and whatever happens to its files, it steps."""

import ast
import inspect
import linecache
import os
import pickle
import re
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.core import caching

from adamas import rules
from adamas.codecs import BLOCK, FLOAT32
from adamas.engine.optimizer import Optimizer
from adamas.kernel import build as building
from adamas.kernel.build import Kernel, build
from adamas.kernel.cache import cache_directory
from adamas.kernel.formula import parse
from adamas.kernel.runtime import job
from adamas.kernel.weave import Layout, Woven
from long_form import few_of

FORMULA = parse(rules.sgd)
LAYOUT = Layout(FLOAT32, FLOAT32, ())


@pytest.fixture
def anew(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Kernel]:
    """Build SGD's kernel as a new process would: what this one has built is forgotten."""

    def built() -> Kernel:
        monkeypatch.setattr(building, "_built", {})
        return build(FORMULA, LAYOUT)

    return built


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache in which SGD's kernel was compiled."""
    folder = tmp_path_factory.mktemp("once")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADAMAS_CACHE_DIR", str(folder))
        patch.setattr(building, "_built", {})
        build(FORMULA, LAYOUT)
    return folder


@pytest.fixture
def compiled(once: Path, fresh_cache: Path) -> None:
    """SGD's kernel is in the cache of this test."""
    shutil.copytree(once, fresh_cache, dirs_exist_ok=True)


def files(folder: Path) -> dict[Path, tuple[int, bytes]]:
    """Every file below `folder`, with its time and what it holds."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in found}


def hits(kernel: Kernel) -> int:
    """How often Numba found the machine code on the disk."""
    run: Any = kernel.run
    return sum(run.stats.cache_hits.values())


def check_steps() -> None:
    """SGD with the kernels that are there now: p - lr * g, exact in float32."""
    p = np.array([1.0, -2.0, 0.5], np.float32)
    assert Optimizer(rules.sgd, p, lr=0.25).step(np.array([4.0, 8.0, -2.0], np.float32))
    assert p.tolist() == [0.0, -4.0, 1.0]


def test_the_second_build_compiles_nothing_and_writes_nothing(
    anew: Callable[[], Kernel], fresh_cache: Path
) -> None:
    """Machine code comes back from the disk, and no run leaves anything behind."""
    first = anew()
    assert hits(first) == 0
    before = files(fresh_cache)
    suffixes = sorted(path.suffix for path in before)
    assert suffixes == [".nbc", ".nbi", ".py"]
    assert hits(anew()) == 1
    check_steps()
    assert files(fresh_cache) == before


@pytest.mark.usefixtures("compiled")
def test_one_process_builds_a_kernel_once(anew: Callable[[], Kernel]) -> None:
    """The same formula and layout give the same kernel in any thread, another layout does not."""
    first = anew()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: build(parse(rules.sgd), LAYOUT), range(8)))
    assert all(kernel is first for kernel in found)
    assert build(FORMULA, Layout(FLOAT32, FLOAT32, (), zero_grads=True)) is not first


@pytest.mark.usefixtures("compiled")
def test_the_source_is_a_file_that_a_debugger_can_show(
    anew: Callable[[], Kernel], fresh_cache: Path
) -> None:
    """The file holds the woven source, and the compiled function knows that it came from there."""
    kernel = anew()
    assert kernel.path
    assert kernel.path.parent == fresh_cache
    assert kernel.path.read_text("utf-8") == kernel.woven.source
    function: Any = kernel.run
    assert inspect.getsourcefile(function.py_func) == str(kernel.path)
    assert "_scale" in inspect.getsource(function.py_func)


DAMAGE: dict[str, Callable[[Path], Any]] = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-30]),
    "cut to a few bytes": lambda path: path.write_bytes(path.read_bytes()[:20]),
    "not even text": lambda path: path.write_bytes(b"\xff\xfe" * 400),
    "something else": lambda path: path.write_bytes(pickle.dumps({"a": 1})),
}


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("suffix", [".py", ".nbi", ".nbc"])
def test_a_damaged_file_is_made_anew(
    anew: Callable[[], Kernel], fresh_cache: Path, suffix: str
) -> None:
    """Whichever file is damaged and however, the kernel steps, and the next process finds it.

    In some of the ways, others in every run.
    """
    first = anew()
    assert first.path
    written = first.path.stat().st_mtime_ns
    names = set(files(fresh_cache))
    (path,) = (path for path in names if path.suffix == suffix)
    for name in few_of(DAMAGE, 3):
        DAMAGE[name](path)
        kernel = anew()
        assert kernel.path
        # Who writes the same source once more does not outdate the machine code of others.
        assert hits(kernel) == (suffix == ".py")
        assert kernel.path.stat().st_mtime_ns == written
        check_steps()
        assert hits(anew()) == 1
        assert kernel.path.read_text("utf-8") == kernel.woven.source
        assert set(files(fresh_cache)) == names


@pytest.mark.parametrize("place", ["below a file", "no home", "no folder for machine code", "full"])
def test_where_nothing_can_be_written_a_kernel_lives_in_memory(
    anew: Callable[[], Kernel],
    fresh_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    """An unwritable cache costs compiling and nothing else: the step and the source remain."""

    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no home directory") if place == "no home" else OSError(28, "full")

    if place == "below a file":
        (fresh_cache / "file").write_text("in the way")
        monkeypatch.setenv("ADAMAS_CACHE_DIR", str(fresh_cache / "file" / "kernels"))
    elif place == "no folder for machine code":
        (fresh_cache / "__pycache__").write_text("in the way")
    elif place == "no home":
        monkeypatch.delenv("ADAMAS_CACHE_DIR")
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        monkeypatch.setattr(Path, "expanduser", fail)
    else:
        monkeypatch.setattr(os, "replace", fail)
    kernel = anew()
    assert kernel.path is None
    check_steps()
    function: Any = kernel.run
    assert "_scale" in inspect.getsource(function.py_func)
    assert "_scale" in "".join(linecache.getlines(function.py_func.__code__.co_filename))
    assert not [path for path in files(fresh_cache) if path.suffix == ".tmp"]


def test_machine_code_that_cannot_be_saved_still_runs(
    anew: Callable[[], Kernel], fresh_cache: Path
) -> None:
    """A disk that fills up between source and machine code does not cost the step."""

    def full(*_: Any) -> None:
        raise OSError(28, "full")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(caching.IndexDataCacheFile, "_save_data", full)
        assert anew().path
        check_steps()
    assert [path.suffix for path in files(fresh_cache) if path.suffix == ".nbc"] == []
    assert hits(anew()) == 0
    assert hits(anew()) == 1


def test_a_fault_of_the_kernel_is_not_taken_for_one_of_the_disk(fresh_cache: Path) -> None:
    """Source that does not compile raises Numba's error, from disk and from memory alike."""
    woven = Woven("broken", "def run(_job, _phases):\n    return _job + nothing\n")
    for folder in (fresh_cache, fresh_cache / "file" / "below"):
        (fresh_cache / "file").touch()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ADAMAS_CACHE_DIR", str(folder))
            with pytest.raises(Exception, match="nothing"):
                building._build(woven)


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The variable of adamas wins, then the user's cache folder of the system."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ADAMAS_CACHE_DIR", str(tmp_path / "mine"))
    assert cache_directory() == tmp_path / "mine"
    monkeypatch.delenv("ADAMAS_CACHE_DIR")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_directory() == tmp_path / "xdg" / "adamas"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_directory() == Path("~/.cache/adamas").expanduser()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache_directory() == tmp_path / "local" / "adamas"


@pytest.mark.usefixtures("compiled")
def test_the_name_of_a_kernel_says_all_that_went_into_it(
    monkeypatch: pytest.MonkeyPatch, anew: Callable[[], Kernel], tmp_path: Path
) -> None:
    """Another source, Numba version or runtime text is another file: no stale kernel is found."""
    woven = anew().woven
    names = {building._digest(woven), building._digest(Woven("sgd", woven.source + "#"))}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("numba.__version__", "0.0")
        names.add(building._digest(woven))
    here = building._FOLDER
    for changed in building._RUNTIME:
        for file in building._RUNTIME:
            text = (here / file).read_text("utf-8")
            (tmp_path / file).write_text(text + "#" * (file == changed), "utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(building, "_FOLDER", tmp_path)
            names.add(building._digest(woven))
    assert len(names) == 3 + len(building._RUNTIME)


@pytest.mark.usefixtures("compiled")
def test_the_runtime_is_all_that_a_kernel_imports(anew: Callable[[], Kernel]) -> None:
    """What Numba compiles into a kernel is hashed; `stepping` and its like never are."""
    seen: set[str] = set()
    left = [anew().woven.source]
    while left:
        for node in ast.walk(ast.parse(left.pop())):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            if not node.module.startswith("adamas"):
                continue
            path = node.module.removeprefix("adamas.kernel.runtime").lstrip(".")
            names = {path} if path else {alias.name for alias in node.names}
            for name in names - seen - {"stepping", "stepping_integers"}:
                seen.add(name)
                left.append((building._FOLDER / f"{name}.py").read_text("utf-8"))
    assert {f"{name}.py" for name in seen} == set(building._RUNTIME)


def test_both_blocks_are_one() -> None:
    """What the runtime takes for a block is what shares a scale."""
    assert job.TILE == BLOCK


def test_a_bare_source_tree_has_a_version_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without installed metadata the version in a kernel's head is 0, and nothing fails."""
    from importlib import metadata

    assert re.fullmatch(r"\d+\.\d+.*", building.adamas_version())

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert building.adamas_version() == "0"

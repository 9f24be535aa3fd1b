"""What the documentation shows runs, and no formula is written twice."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from places import ROOT

PAGES = ["README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md"))]
WITH_CODE = [page for page in PAGES if "```python" in (ROOT / page).read_text()]


def blocks(page: str) -> str:
    """All Python blocks of a page, joined as a reader would type them."""
    return "\n".join(re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.S))


def shown(page: str) -> list[str]:
    """The lines of output that a page shows: indented blocks directly after a Python block."""
    found = re.findall(r"```\n\n((?:    .*\n)+)", (ROOT / page).read_text())
    return [line.strip() for block in found for line in block.splitlines()]


@pytest.mark.parametrize("page", WITH_CODE)
def test_every_block_runs_and_prints_what_the_page_shows(page: str, tmp_path: Path) -> None:
    """A reader who types a page's blocks in order sees what the page shows."""
    script = tmp_path / "page.py"
    script.write_text(blocks(page))
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    printed = [line.strip() for line in done.stdout.splitlines()]
    assert not [line for line in shown(page) if line not in printed]


def test_both_languages_of_the_guide_show_the_same_code() -> None:
    """A reader of the Chinese guide types exactly what a reader of the English one does."""
    assert blocks("docs/guide.md") == blocks("docs/guide.zh.md")
    assert shown("docs/guide.md") == shown("docs/guide.zh.md")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """No link to a file of the project is dead."""
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / page).parent.joinpath(target).exists(), target


def test_the_moment_updates_are_written_in_one_file() -> None:
    """Adam's averages stand in rules.py and nowhere else that ships.

    The tutorial's own program is an exception: it is the foreign witness of the demo. So are the
    other formulas that torch's options ask for, and the table of torch's names of states.
    """
    update = re.compile(r"\bv = beta2 \* v \+|exp_avg_sq|\bm = beta1 \* m \+")
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / page for page in PAGES)]
    holders = {f.name for f in files if update.search(f.read_text())}
    assert holders <= {"rules.py", "tutorial_numpy.py", "dialects.py", "signatures.py"}

"""What the documentation shows runs, and says the same in both languages."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from adamas import words
from adamas.kernel.scopes import REDUCTIONS
from places import PACKAGE, ROOT

PAGES = ["README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md"))]
CHINESE = [page for page in PAGES if page.endswith(".zh.md")]
# The code of a Chinese page is that of the English one, which runs.
WITH_CODE = [
    page for page in PAGES if "```python" in (ROOT / page).read_text() and page not in CHINESE
]
BILINGUAL = (
    "check", "coming-from", "convert", "few-bits", "files", "guide", "homes", "how-it-works", "jax",
    "keras", "lab", "lab-tables", "language", "large", "schedules", "scipy", "torch", "tutorial",
)  # fmt: skip
# Pages for whoever works on adamas: a path in them is one of ours, not a reader's own.
INTERNAL = [
    "CONTRIBUTING.md",
    *(page for page in PAGES if page.startswith(("docs/how-it-works", "docs/tutorial"))),
    *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs/decisions").glob("*.md")),
]
FENCED = re.compile(r"^```.*?^```$|<!--.*?-->", re.S | re.M)
# Keras 3.15 hands its variables to NumPy as NumPy 1 had it.
KERAS = "ignore:__array__ implementation:DeprecationWarning"
INDENTED = re.compile(r"(?<=\n\n)(?:    .*\n)+")


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
        [sys.executable, "-W", "error", "-W", KERAS, str(script)],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    printed = [line.strip() for line in done.stdout.splitlines()]
    assert not [line for line in shown(page) if line not in printed]


def english(page: str) -> str:
    """The English page of a Chinese one, also of a built page or a notebook."""
    return re.sub(r"\.zh(\.(?:md|ipynb))$", r"\1", re.sub(r"\bzh\.html$", "en.html", page))


def commands(page: str) -> list[str]:
    """The indented lines of a page, without the remarks that stand to their right."""
    found = INDENTED.findall(FENCED.sub("", (ROOT / page).read_text()))
    return [re.split(r" {2,}", line.strip())[0] for block in found for line in block.splitlines()]


def prose(page: str) -> str:
    """What a page says in words: no code, no comments, no targets of links."""
    text = INDENTED.sub("", FENCED.sub("", (ROOT / page).read_text()))
    return re.sub(r"`[^`]*`|\]\([^)]*\)", "`", text)


def numbers(text: str) -> list[str]:
    """Its numbers in digits, however thousands are set apart: 4.8 million and 480 万 are one."""
    found = re.findall(r"(\d+(?:,\d{3})*(?:\.\d+)?)( million| 万)?", text)
    factors = {"": "", " million": "e6", " 万": "e4"}
    return sorted(f"{float(digits.replace(',', '') + factors[unit]):g}" for digits, unit in found)


def cells(page: str) -> list[list[str]]:
    """The numbers of every line of a page's tables, code included."""
    text = FENCED.sub("", (ROOT / page).read_text())
    return [numbers(line) for line in text.splitlines() if line.startswith("|")]


def targets(page: str) -> set[str]:
    """Where a page links to, whichever language it names; places in the same page are left out."""
    found = re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / page).read_text())
    return {english(target) for target in found}


def anchors(page: str) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    heads = re.findall(r"^#+ (.*)$", FENCED.sub("", (ROOT / page).read_text()), re.M)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def verdicts(page: str, language: str) -> list[str]:
    """The names of the verdicts in a page's tables, each after an interval, in their order."""
    texts = tomllib.loads((ROOT / "src/adamas/lab/text/demo.toml").read_text())
    words = {text[language]: key for key, text in texts.items() if key.startswith("word_")}
    found = re.findall(rf"\] ({'|'.join(words)}) \|", (ROOT / page).read_text())
    return [words[word] for word in found]


@pytest.mark.parametrize("name", BILINGUAL)
def test_a_page_in_two_languages_names_the_other(name: str) -> None:
    """Who opens the page in the wrong language finds the other one under its title."""
    for page, other, word in ((name, f"{name}.zh", "中文"), (f"{name}.zh", name, "English")):
        head = (ROOT / "docs" / f"{page}.md").read_text().split("\n\n", 2)
        assert head[1] == f"[{word}]({other}.md)"


@pytest.mark.parametrize("page", CHINESE)
def test_both_languages_show_the_same_code(page: str) -> None:
    """A reader of a Chinese page types exactly what a reader of the English one does."""
    assert blocks(page) == blocks(english(page))
    assert shown(page) == shown(english(page))
    assert commands(page) == commands(english(page))


@pytest.mark.parametrize("page", CHINESE)
def test_both_languages_tell_the_same_facts(page: str) -> None:
    """Headings, links, the numbers of every line of a table, and those of the text."""
    assert len(anchors(page)) == len(anchors(english(page)))
    assert targets(page) == targets(english(page))
    assert cells(page) == cells(english(page))
    assert not set(numbers(prose(english(page)))) - set(numbers(prose(page)))


def test_both_languages_give_the_same_verdicts() -> None:
    """The table of the lab says better, worse, tie or too few seeds in the words of its pages."""
    said = verdicts("docs/lab.md", "en")
    assert said == verdicts("docs/lab.zh.md", "zh")
    assert set(said) == {"word_better", "word_worse", "word_tie", "word_few"}


@pytest.mark.parametrize("page", CHINESE)
def test_a_chinese_page_is_chinese(page: str) -> None:
    """Nothing was left in English: no five words in a row outside code."""
    assert not re.findall(r"[A-Za-z][\w'-]*(?:[,;:.]?\s+[A-Za-z][\w'-]*){4,}", prose(page))


@pytest.mark.parametrize("page", ["docs/language.md", "docs/language.zh.md"])
def test_the_page_of_the_language_has_every_word_with_its_scope(page: str) -> None:
    """Who looks a word up finds it once, and whether it is of one element or takes `over=`."""
    rows = re.findall(r"^\| (`\w+\(.*?) \| ([^|]*) \| [^|]* \|$", (ROOT / page).read_text(), re.M)
    listed = {word: of for names, of in rows for word in re.findall(r"`(\w+)\(", names)}
    assert sorted(listed) == sorted(words.__all__)
    assert {word for word, of in listed.items() if "over=" in of} == REDUCTIONS


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """No link to a file of the project is dead."""
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / page).parent.joinpath(target).exists(), target
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors(page)


def paths(text: str) -> list[tuple[str, str]]:
    """Every path that stands in backticks, and again with each name that is said to be in it.

    That is said by `a/b.py`, `name`, by `name` in `a/b.py`, and by `a/b.py` 中的 `name`.
    """
    text = INDENTED.sub("", FENCED.sub("", text))
    path = r"`(\w[\w.*/-]*(?:/|\.(?:py|toml|txt|md)))`"
    alone = [(at, "") for at in re.findall(path, text)]
    after = re.findall(rf"{path}, `(\w+)`(?! in)", text)
    before = re.findall(rf"`(\w+)` in {path}", text)
    chinese = re.findall(rf"{path}\s中的?\s`(\w+)`", text)
    return [*alone, *after, *chinese, *((at, name) for name, at in before)]


def missing(text: str) -> list[str]:
    """The paths of a text that lead nowhere from the package, `src` or the root, or lack a name."""
    lost = []
    for path, name in paths(text):
        found = [p for base in (PACKAGE, PACKAGE.parent, ROOT) for p in base.glob(path)]
        made = rf"^(?:(?:def|class) {name}\b|{name}\b.* = )"
        if not found or (name and not re.search(made, found[0].read_text("utf-8"), re.M)):
            lost.append(f"{path} {name}".strip())
    return lost


@pytest.mark.parametrize("page", INTERNAL)
def test_every_file_that_a_page_names_exists(page: str) -> None:
    """Who follows a name into the code finds the file there, and what it is said to hold."""
    assert not missing((ROOT / page).read_text())


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("`rules/adam.py`, `adam`, `lab/text/*.toml`, `tests/house/`, `adamas/words.py`", []),
        (
            "`engine/run.py` and\n`rules/adam.py`, `no_rule`",
            ["engine/run.py", "rules/adam.py no_rule"],
        ),
        ("`sweep` in `engine/phases.py`, `run` in `engine/plan.py`", ["engine/plan.py run"]),
        ("`engine/phases.py` 中的 `sweep`，`engine/plan.py` 中的 `run`", ["engine/plan.py run"]),
        ("`a - b`, `results.json`, `torch.optim`, `python -m pytest\ntests/no/such.py`", []),
    ],
)
def test_a_file_that_does_not_exist_is_found(text: str, lost: list[str]) -> None:
    """The check itself can fail: files that were renamed, and names that are elsewhere now."""
    assert missing(text) == lost

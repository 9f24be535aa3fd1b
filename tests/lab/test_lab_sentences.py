"""No sentence for people stands in the lab's code: it is data in `lab/text`, in both languages.

Reasons why a job cannot start are such sentences, too.
"""

import ast
import re
from collections.abc import Iterator

from adamas.lab.text import SUBJECTS, sentences
from asked_keys import asked
from chinese_pages import RUN
from places import PACKAGE

LAB = PACKAGE / "lab"
# What a program does wrong is told in English, to programmers; a source is cited as it is.
NOT_FOR_PAGES = ("ValueError", "TypeError", "AttributeError", "UnknownError", "Source")
# Files with other English, and why it is in one language.
EXCEPTIONS = {
    "report/code.py": "programs to be copied",
    "report/drawing.py": "names of fonts",
    "report/exports.py": "LaTeX for a paper in English",
}


def passed_over(node: ast.AST) -> bool:
    """Tell whether nothing inside a piece of code is for pages: documentation, errors, sources."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Call) and ast.unparse(node.func).endswith(NOT_FOR_PAGES)


def texts(node: ast.AST) -> Iterator[str]:
    """Yield every text in a piece of code; what an f-string fills in is a 0."""
    if passed_over(node):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else "0" for part in node.values
        )
    else:
        for child in ast.iter_child_nodes(node):
            yield from texts(child)


def english(source: str) -> list[str]:
    """Return the texts of a module that have three English words in a row."""
    return [text for text in texts(ast.parse(source)) if RUN.search(text)]


def sources() -> dict[str, str]:
    """Return every module of the lab by its path there."""
    files = sorted(LAB.rglob("*.py"))
    return {path.relative_to(LAB).as_posix(): path.read_text("utf-8") for path in files}


def found() -> dict[str, list[str]]:
    """Return the English texts of every file of the lab that has some."""
    files = {path.relative_to(LAB).as_posix(): path for path in sorted(LAB.rglob("*.py"))}
    return {
        name: said for name, path in files.items() if (said := english(path.read_text("utf-8")))
    }


def test_sentences_are_data() -> None:
    """What people read on a page or in the terminal is in `lab/text`, not in Python."""
    said = found()
    assert {name: text for name, text in said.items() if name not in EXCEPTIONS} == {}
    assert sorted(set(EXCEPTIONS) - set(said)) == [], "no exception is needed any more"


def test_chinese_is_data() -> None:
    """Chinese sentences, too, are in `lab/text` only; what stands in tables is none."""
    chinese = {
        name
        for name, source in sources().items()
        for text in texts(ast.parse(source))
        if any("\u4e00" <= char <= "\u9fff" for char in text)
    }
    assert chinese <= {f"own/{name}.py" for name in ("dates", "forms", "missing")}


def test_no_sentence_is_left_over() -> None:
    """Every sentence is asked for somewhere; those about a problem have a test of their own."""
    # What a page and the commands of the lab say has its place here, too.
    others = [*(PACKAGE / "pages").glob("*.py"), PACKAGE / "cli_lab.py"]
    read = [*sources().values(), *(path.read_text("utf-8") for path in others)]
    patterns = {re.compile(key) for source in read for key in asked(source)}
    keys = [key for name in SUBJECTS if name != "problems" for key in sentences(name)]
    assert [key for key in keys if not any(p.fullmatch(key) for p in patterns)] == []


def test_a_sentence_in_code_is_found() -> None:
    """The check itself can fail, also on a sentence that numbers interrupt."""
    assert english('print(f"wrote {n} files; try it now")') == ["wrote 0 files; try it now"]
    assert english('x = {"en": "the mean of all"}') == ["the mean of all"]
    assert english('raise LabError("one two three")') == ["one two three"]
    quiet = ['"""One two three four."""', 'raise ValueError("one two three")', 'Source("a b c d")']
    assert [english(text) for text in quiet] == [[], [], []]

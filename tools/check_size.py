"""Lines of code in each part of adamas against a written budget; more than the budget fails.

A line counts when it holds code: blank lines, comments and docstrings are free. Whoever needs a
larger budget edits the table here, and a reviewer sees it.
"""

import ast
import io
import sys
import tokenize
from collections import Counter
from pathlib import Path

CORE, FACES, LAB, CHECK = "core", "faces", "lab", "check"
LEARN, BENCH, COMMANDS = "learn", "bench", "commands"
FILES, DISK, OTHERS = "files", "disk", "files of others"
BUDGET = {
    CORE: 13950, FILES: 1055, DISK: 1015, FACES: 6900, LAB: 14800, CHECK: 1350, LEARN: 3250,
    BENCH: 430, COMMANDS: 1020, OTHERS: 1250,
}  # fmt: skip
FILE_LIMIT = 300
# A module or folder directly under src/adamas, and the part that it counts in.
PARTS = {
    **dict.fromkeys(
        ("newton_schulz", "words", "rules", "dialects", "codecs", "kernel", "engine"), CORE
    ),
    **dict.fromkeys(("classes", "define", "homes", "schedule", "__init__"), CORE),
    **dict.fromkeys(("torch", "jax", "keras", "scipy"), FACES),
    "files": FILES,
    "others": OTHERS,
    "disk": DISK,
    "lab": LAB,
    "check": CHECK,
    **dict.fromkeys(("pages", "learn"), LEARN),
    "bench": BENCH,
    **dict.fromkeys(
        ("cli", "cli_lab", "cli_table", "cli_check", "cli_language", "cli_text", "cli_values"),
        COMMANDS,
    ),
    **dict.fromkeys(("cli_inspect", "cli_convert", "show", "__main__"), COMMANDS),
}
SILENT = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def sloc(source: str) -> int:
    """Count the lines of `source` that hold code."""
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in SILENT:
            code.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            text = node.body[0]
            code.difference_update(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    return len(code)


def measure(package: Path) -> dict[Path, int]:
    """Count every .py file below `package`, keyed by its path relative to it."""
    files = sorted(package.rglob("*.py"))
    return {file.relative_to(package): sloc(file.read_text("utf-8")) for file in files}


def check(sizes: dict[Path, int]) -> tuple[list[str], list[str]]:
    """Return the lines of the table, and one sentence for each limit that is broken."""
    folders: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    problems = []
    for file, lines in sizes.items():
        name = Path(file.parts[0]).stem
        folders[name] += lines
        totals[PARTS.get(name, "")] += lines
        if name not in PARTS:
            problems.append(f"{file} counts in no part: add {name!r} to PARTS in check_size.py")
        if lines > FILE_LIMIT:
            problems.append(f"{file} has {lines} lines of code, limit {FILE_LIMIT}: split it")
    table = []
    for part, budget in BUDGET.items():
        inside = [name for name in sorted(folders) if PARTS.get(name) == part]
        table += [f"  {name:<18}{folders[name]:>6}" for name in inside]
        table.append(f"{part:<20}{totals[part]:>6} of {budget}")
        if totals[part] > budget:
            problems.append(f"{part} has {totals[part]} lines, budget {budget}: remove some")
    return table, problems


def main() -> int:
    """Print the table and the problems; return 1 if there is a problem."""
    package = Path(__file__).resolve().parents[1] / "src" / "adamas"
    table, problems = check(measure(package))
    print("\n".join(table))
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

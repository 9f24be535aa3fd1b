"""What was seen, as a page of the docs in each language and as one file of JSON."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

from benchmarks.field import processor
from benchmarks.real_tables.listed import Table
from benchmarks.real_tables.outcomes import CRASH, Column, Outcome

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {"en": "lab-tables.md", "zh": "lab-tables.zh.md"}
SENTENCES = tomllib.loads(Path(__file__).with_name("sentences.toml").read_text("utf-8"))
COMMAND = "    python -m benchmarks.real_tables --quick --write\n"
# How many columns of one kind a line names.
NAMED = 4
Seen = list[tuple[Table, Outcome]]


def written(listed: Iterable[Table], found: Mapping[str, Outcome], cache: Path) -> None:
    """Write the docs' pages, and all outcomes as `outcomes.json` in the cache."""
    seen = [(table, found[table.slug]) for table in listed if table.slug in found]
    tree = [{**asdict(table), **asdict(one)} for table, one in seen]
    (cache / "outcomes.json").write_text(json.dumps(tree, ensure_ascii=False, indent=1), "utf-8")
    for language, name in PAGES.items():
        (DOCS / name).write_text(page(seen, language), "utf-8")


def page(seen: Seen, language: str) -> str:
    """Return the page in one language."""
    said = {key: one[language] for key, one in SENTENCES.items()}
    ran = [(table, one) for table, one in seen if not one.refusal]
    parts = [
        f"# {said['title']}",
        said["other"],
        said["intro"].format(count=len(seen), packages=len({t.package for t, _ in seen})),
        COMMAND,
        said["when"].format(date=date.today().isoformat(), processor=processor(), **versions()),
        said["counts"].format(**counts(seen)),
        f"## {said['head_tables']}",
        said["about_tables"],
        grid(said["columns_tables"], (row(table, one, said) for table, one in ran)),
        f"## {said['head_refused']}",
        said["about_refused"],
        grid(said["columns_refused"], refusals(seen, language)),
        f"## {said['head_differ']}",
        said["about_differ"],
        grid(said["columns_differ"], differing(ran, said, language)),
        f"## {said['head_again']}",
        said["about_again"],
        grid(said["columns_again"], (again(t, one) for t, one in ran if one.again)),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def versions() -> dict[str, str]:
    """Return the versions that the page names."""
    names = {"adamas": "adamas", "sklearn": "scikit-learn", "pandas": "pandas"}
    return {key: version(name) for key, name in names.items()}


def counts(seen: Seen) -> dict[str, int]:
    """Return what the page counts."""
    found = [one for _, one in seen]
    columns = [column for one in found for column in one.columns]
    unlike = [column for column in columns if not column.agrees]
    crashed = sum(one.refusal.startswith(CRASH) for one in found)
    refused = sum(bool(one.refusal) for one in found) - crashed
    return {
        "count": len(found),
        "ran": len(found) - refused - crashed,
        "refused": refused,
        "crashed": crashed,
        "columns": len(columns),
        "agree": len(columns) - len(unlike),
        "differ": len(unlike),
        "said": sum(bool(column.reason) for column in unlike),
        "blind": sum(one.no_better for one in found),
        "failed": sum(None in one.losses.values() for one in found),
    }


def grid(head: str, rows: Iterable[Iterable[str]]) -> str:
    """Return a table of Markdown."""
    names = head.split(" | ")
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(text: str) -> str:
    """Return a name of somebody else's as code that stays in its cell."""
    return f"`{text.replace('|', '/').replace('`', chr(39))}`"


def row(table: Table, one: Outcome, said: Mapping[str, str]) -> list[str]:
    """Return the line of a table that ran."""
    agree = sum(column.agrees for column in one.columns)
    word = said[f"word_{next(iter(one.verdict.values()), 'few')}"]
    base = [shown(one.baselines.get(name)) for name in ("blind", "linear", "trees")]
    return [
        f"{table.package} {table.version}",
        code(table.name),
        f"{one.rows:,}",
        f"{len(one.columns):,}",
        f"{code(str(table.target))}, {said[one.task]}",
        f"{agree:,}",
        *base,
        shown(one.losses.get("sgd")),
        shown(one.losses.get("adam")),
        word,
    ]


def shown(loss: float | None) -> str:
    """Return a loss with three digits."""
    return "" if loss is None else f"{loss:.3g}"


def refusals(seen: Seen, language: str) -> Iterable[list[str]]:
    """Yield a line for each table that was refused."""
    for table, one in seen:
        if one.refusal:
            sentence = one.refusal if language == "en" else one.refusal_zh
            yield [code(table.name), code(str(table.target)), code(sentence)]


def differing(ran: Seen, said: Mapping[str, str], language: str) -> Iterable[list[str]]:
    """Yield a line for each table and kind of disagreement."""

    def kind(column: Column) -> tuple[str, str]:
        return column.ours, column.theirs

    for table, one in ran:
        unlike = sorted((column for column in one.columns if not column.agrees), key=kind)
        for (ours, theirs), group in groupby(unlike, kind):
            columns = list(group)
            names = ", ".join(code(column.name) for column in columns[:NAMED])
            more = f" +{len(columns) - NAMED}" if len(columns) > NAMED else ""
            reason = columns[0].reason if language == "en" else columns[0].reason_zh
            yield [code(table.name), names + more, said[ours], said[theirs], code(reason)]


def again(table: Table, one: Outcome) -> list[str]:
    """Return the line of a table of which the numbers were computed again."""
    return [code(table.name), *(f"{ours} / {theirs}" for ours, theirs in one.again.values())]

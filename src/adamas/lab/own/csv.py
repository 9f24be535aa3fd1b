"""Read a table of text: any usual encoding and delimiter, and a reason for what is refused.

The standard library's `csv` splits the lines: what decides here is what to refuse and what to tell
the user about it (line numbers, doubled names, missing fields), which readers of whole data frames
repair in silence.
"""

import codecs
import csv
import io
import re
from itertools import islice
from pathlib import Path

from adamas.lab.needs import LabError
from adamas.lab.own.files import check_size, checksum
from adamas.lab.own.frame import Frame, check_names, check_rows, chosen, split_target
from adamas.lab.own.notes import Notes
from adamas.lab.own.numerals import marks

DELIMITERS = ",;\t|"
SNIFFED = 50  # lines that the delimiter is guessed from
# Control characters that no text has.
CONTROL = bytes({*range(32)} - {9, 10, 11, 12, 13, 26, 27})
# In GB18030 nearly all Chinese characters are two high bytes; in Latin-1 letters stand alone.
AFTER_HIGH = re.compile(rb"[\x81-\xfe](.)", re.DOTALL)


def read(path: Path, target: str | None) -> Frame:
    """Read a CSV or TSV file whose first line has the names of the columns.

    Raises `LabError` for anything that is not such a table, has fewer than 40 rows, two columns of
    one name, a row with too few or too many fields, or no column `target`.
    """
    check_size(path)
    notes = Notes()
    text = decoded(path.read_bytes(), path.name, notes)
    delimiter = guessed_delimiter(text)
    rows = _rows(text, delimiter, path.name)
    if not rows:
        raise LabError("error.no_text", file=path.name)
    names = [name.strip() or f"column {i}" for i, name in enumerate(rows[0], 1)]
    check_names(names, path.name)
    target = chosen(names, target, path.name)
    if len(rows) == 1:
        raise LabError("error.no_rows", file=path.name)
    _check_widths(rows, text, delimiter, path.name)
    check_rows(len(rows) - 1, path.name)
    found = zip(names, zip(*rows[1:], strict=True), strict=True)
    columns = {name: [value.strip() for value in column] for name, column in found}
    features, values = split_target(columns, target, path.name)
    used = marks(columns.values(), delimiter == ";")
    return Frame(path.name, checksum(path), features, target, values, used, notes)


def decoded(data: bytes, file: str, notes: Notes) -> str:
    """Return a file's text: UTF-8, UTF-16 with a mark, GB18030 or Latin-1, in this order."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        notes.say("encoding", name="UTF-16")
        return data.decode("utf-16", "replace")
    if data[:65536].translate(None, CONTROL) != data[:65536]:
        raise LabError("error.binary", file=file)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        after = AFTER_HIGH.findall(data)
    if 2 * sum(byte >= b"\x80" for byte in after) > len(after):
        try:
            text = data.decode("gb18030")
            notes.say("encoding", name="GB18030")
            return text
        except UnicodeDecodeError:
            pass
    notes.say("encoding", name="Latin-1")
    return data.decode("latin-1")


def guessed_delimiter(text: str) -> str:
    r"""Return the delimiter that cuts the first lines into the same number of fields, most first.

    >>> guessed_delimiter("a;b\n1,5;2\n")
    ';'
    """

    def evenness(delimiter: str) -> tuple[bool, bool, int]:
        widths = [len(row) for row in _parsed(text, delimiter, SNIFFED)]
        return (
            len(widths) > 0 and max(widths) > 1,
            len(set(widths)) == 1,
            widths[0] if widths else 0,
        )

    return max(DELIMITERS, key=evenness)


def _parsed(text: str, delimiter: str, most: int | None = None) -> list[list[str]]:
    """Return the rows that are not blank; after an unclosed quote, those before it."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    rows: list[list[str]] = []
    try:
        rows.extend(row for row in islice(reader, most) if row and (len(row) > 1 or row[0].strip()))
    except csv.Error:
        if most is None:
            raise
    return rows


def _rows(text: str, delimiter: str, file: str) -> list[list[str]]:
    try:
        return _parsed(text, delimiter)
    except csv.Error as error:
        raise LabError("error.fields", file=file, error=error) from error


def _check_widths(rows: list[list[str]], text: str, delimiter: str, file: str) -> None:
    width = len(rows[0])
    if all(len(row) == width for row in rows):
        return
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    for row in reader:
        if row and (len(row) > 1 or row[0].strip()) and len(row) != width:
            raise LabError(
                "error.widths", file=file, fields=len(row), line=reader.line_num, width=width
            )

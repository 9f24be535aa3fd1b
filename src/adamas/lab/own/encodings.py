"""Which encoding a text is in, by a stated rule, and what to do where none fits.

In this order: a byte order mark; two bytes a character, told by zero bytes; UTF-8 if every byte
fits; GB18030 if every byte fits and those above ASCII come in pairs outside of Latin words, as
Chinese characters do; Windows-1252 (Latin-1 with a euro sign) if every byte fits and they come one
or two together, as the accented letters of Western Europe do.
"""

import codecs
import re
from collections.abc import Iterator
from itertools import islice

from adamas.lab.needs import LabError
from adamas.lab.own.files import BLOCK, Text
from adamas.lab.own.notes import Notes
from adamas.lab.text import words

BEGINNING = 1 << 16  # bytes that tell text from what is none
# Control characters that no text has.
CONTROL = bytes({*range(32)} - {9, 10, 11, 12, 13, 26, 27})
MARKS = {  # the longer ones first: a UTF-32 mark begins as one of UTF-16
    codecs.BOM_UTF32_LE: ("utf-32", "UTF-32"),
    codecs.BOM_UTF32_BE: ("utf-32", "UTF-32"),
    codecs.BOM_UTF8: ("utf-8-sig", None),
    codecs.BOM_UTF16_LE: ("utf-16", "UTF-16"),
    codecs.BOM_UTF16_BE: ("utf-16", "UTF-16"),
}
# Bytes above ASCII, with the letters beside them.
RUN = re.compile(rb"([A-Za-z]?)([\x80-\xff]+)([A-Za-z]?)")
RUNS = 20_000  # of these are looked at
# What is proposed where nothing of the above fits, if it fits.
OTHERS = ("big5", "shift_jis", "euc_kr", "cp1251", "cp1250", "mac_roman", "cp850")


def encoding_of(data: Text, file: str, notes: Notes) -> str:
    """Return the codec of a text, and note one that is not UTF-8; refuse what is no text."""
    codec, shown = _told(data, file)
    if not codec or not fits(data, codec):
        fitting = [other for other in OTHERS if fits(data, other)]
        raise LabError("error.encoding", file=file, shown=", ".join(fitting) or words("hint.none"))
    if shown:
        notes.say("encoding", name=shown)
    return codec


def asked_encoding(data: Text, file: str, asked: str, notes: Notes) -> str:
    """Return the codec that the user named; refuse one that is unknown or does not fit."""
    try:
        name = codecs.lookup(asked).name
        "a".encode(name)  # some codecs turn bytes into bytes
    except (LookupError, UnicodeError, ValueError):
        raise LabError("error.encoding_unknown", asked=asked) from None
    codec = "utf-8-sig" if name == "utf-8" else name
    if not fits(data, codec):
        raise LabError("error.encoding_asked", file=file, asked=asked)
    notes.say("encoding_asked", name=asked)
    return codec


def fits(data: Text, codec: str) -> bool:
    """Return whether all bytes of a text can be read in an encoding."""
    if codec.startswith("utf-8") and isinstance(data, bytes) and data.isascii():
        return True
    try:
        decoder = codecs.getincrementaldecoder(codec)()
        for start in range(0, len(data), BLOCK):
            decoder.decode(data[start : start + BLOCK])
        decoder.decode(b"", final=True)
    except (LookupError, UnicodeError):
        return False
    return True


def _told(data: Text, file: str) -> tuple[str, str | None]:
    """Return the codec that the rule above names, and what the page calls it."""
    for mark, named in MARKS.items():
        if data[: len(mark)] == mark:
            return named
    first = data[:BEGINNING]
    for start, named in enumerate((("utf-16-be", "UTF-16"), ("utf-16-le", "UTF-16"))):
        # ASCII letters in two bytes: every second one is zero, and none of the others.
        if 2 * first[start::2].count(0) > len(first) // 2 and not first[1 - start :: 2].count(0):
            return named
    if first.translate(None, CONTROL) != first:
        raise LabError("error.binary", file=file)
    if fits(data, "utf-8"):
        return "utf-8", None
    runs = [found.groups() for found in islice(_runs(data), RUNS)]
    pairs = sum(len(run) % 2 == 0 and not (before and after) for before, run, after in runs)
    if 2 * pairs > len(runs) and fits(data, "gb18030"):
        return "gb18030", "GB18030"
    western = 2 * sum(len(run) > 2 for _, run, _ in runs) <= len(runs)
    return ("cp1252", "Windows-1252") if western else ("", None)


def _runs(data: Text) -> Iterator[re.Match[bytes]]:
    """Yield the runs of bytes above ASCII; none goes over an end of line, where blocks are cut."""
    rest = b""
    for start in range(0, len(data), BLOCK):
        lines, end, rest = (rest + data[start : start + BLOCK]).rpartition(b"\n")
        yield from RUN.finditer(lines + end)
    yield from RUN.finditer(rest)

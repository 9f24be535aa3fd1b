"""What stands around a number in a text: a sign, a currency, a percent sign, a unit.

Texts are looked at by their shape, in which all digits are alike: half a million prices have a
dozen shapes.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

APOSTROPHES, SPACES = "'\u2019", " \u00a0\u2009\u202f"
MINUS = "\u2212\uff0d\u2013-"
# Digits as one, so that a shape is a number itself; a first zero stays, as it is never before
# thousands.
ALIKE = str.maketrans(dict.fromkeys("023456789", "1"))
SYMBOL = r"[$€£¥￥₹₩₽₺₫฿₪₴₦₱₲₵¢元円원]"
CODES = (
    "AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HKD|HUF|IDR|ILS|INR|JPY|KRW|MXN|MYR|NOK|NZD|PHP|PLN|RMB|"
    "RON|RUB|SEK|SGD|THB|TRY|TWD|USD|VND|ZAR|Fr|Ft|Kč|R|Rp|Rs|SFr|kr|zł"
)
CURRENCY = rf"(?:[A-Z]{{1,2}}\$|{SYMBOL}|(?:{CODES})\b\.?)"
TIMES = {"K": 1e3, "k": 1e3, "M": 1e6, "m": 1e6, "B": 1e9, "bn": 1e9, "万": 1e4, "亿": 1e8}
PERCENT = "[%％‰]"
WORD = r"[A-Za-zµ°²³]{1,6}(?:/[A-Za-zµ²³]{1,4})?"
PART = rf"[\d.,](?:[\d.,{APOSTROPHES}{SPACES}]*[\d.,])?(?:[eE][+-]?\d+)?"
BLANK = rf"[{SPACES}]*"
FORM = re.compile(
    rf"(?P<open>\()?{BLANK}(?P<one>[+{MINUS}])?{BLANK}(?:(?P<before>{CURRENCY}){BLANK})?"
    rf"(?P<inner>\()?(?P<two>[+{MINUS}])?{BLANK}(?P<part>{PART})(?:{BLANK}(?P<times>[KkMmB万亿]|bn)(?![A-Za-z]))?"
    rf"(?:{BLANK}(?:(?P<behind>{CURRENCY})|(?P<percent>{PERCENT})|(?P<word>{WORD})))?{BLANK}"
    rf"(?P<three>[{MINUS}])?(?P<close>\))?"
)


class Form(NamedTuple):
    """Where the number is in texts of one shape, and what is around it.

    `odd` says that a minus sign is not the usual one in front.
    """

    part: slice
    negative: bool = False
    odd: bool = False
    kind: str = "number"  # or "currency", "percent", "unit"
    unit: str = ""
    times: float = 1.0

    def number(self, text: str) -> str:
        """Return the number in a text of this shape, with a usual sign."""
        return f"-{text[self.part]}" if self.negative else text[self.part]


def grouped(texts: Iterable[str]) -> dict[str, list[str]]:
    """Return texts by their shapes.

    >>> grouped(["$72", "$95", "0.5"])
    {'$11': ['$72', '$95'], '0.1': ['0.5']}
    """
    found: dict[str, list[str]] = {}
    firsts: dict[str, int] = {}
    for text in texts:
        shape = text.translate(ALIKE)
        first = firsts.get(shape)
        if first is None:
            first = firsts[shape] = shape.find("1")
        if first >= 0 and text[first] == "0":
            shape = f"{shape[:first]}0{shape[first + 1 :]}"
        found.setdefault(shape, []).append(text)
    return found


def form(shape: str) -> Form | None:
    """Return where the number is in a text, or None if there is none or two signs.

    >>> form("-$11.1"), form("(1,111)").negative, form("11 %").kind, form("1-1")
    (Form(part=slice(2, 6, None), negative=True, odd=False, kind='currency', unit='$', times=1.0), \
True, 'percent', None)
    """
    found = FORM.fullmatch(shape)
    if not found or not any(map(str.isdigit, found["part"])):
        return _as_python(shape)
    signs = [found[name] for name in SIGNS if found[name]]
    if len(signs) > 1 or ("(" in signs) != bool(found["close"]):
        return None
    if found["before"] and (found["behind"] or found["percent"] or found["word"]):
        return None
    kind = next((kind for kind, name in NAMES if found[name]), "number")
    unit = found["before"] or found["behind"] or found["percent"] or found["word"] or ""
    unit = unit.translate(NARROW)
    times = found["times"]
    if times and kind != "currency" and times.isascii():
        # A letter that means a thousand beside money is a unit elsewhere: 5 m, 3 K.
        if kind != "number":
            return None
        kind, unit, times = "unit", times, None
    odd = bool(found["three"]) or any(sign not in "+-" for sign in signs)
    negative = bool(signs) and signs != ["+"]
    scale = TIMES[times] if times else 1.0
    return Form(slice(*found.span("part")), negative, odd and negative, kind, unit, scale)


SIGNS = ("one", "two", "three", "open", "inner")
NARROW = str.maketrans("￥％", "¥%")
NAMES = (("currency", "before"), ("currency", "behind"), ("percent", "percent"), ("unit", "word"))


def _as_python(shape: str) -> Form | None:
    """Return the form of what Python alone reads: infinities, digits of other scripts."""
    try:
        float(shape)
    except ValueError:
        return None
    return Form(slice(None))

"""The two ways in which a formula is written out: MathML for pages, LaTeX for Markdown.

Each class has the same few pieces. A piece is text, and is put together from pieces.
"""

import html
from collections.abc import Sequence
from typing import Protocol

from adamas.learn.symbols import GREEK, TILDE, Symbol

# Functions that LaTeX has by name.
NAMED = frozenset({"cos", "exp", "ln", "max", "min", "sin", "tanh"})


class Notation(Protocol):
    """The pieces that a formula is made of."""

    def symbol(self, symbol: Symbol) -> str:
        """A letter or a word with its accents and what stands below it."""

    def number(self, digits: str) -> str:
        """A number without an exponent."""

    def sign(self, sign: str) -> str:
        """An operation or a relation between its two sides."""

    def times(self, dot: bool) -> str:
        """A product: nothing but a little space, or a dot where that could be misread."""

    def fraction(self, above: str, below: str) -> str:
        """A fraction."""

    def root(self, inside: str) -> str:
        """A square root."""

    def power(self, base: str, exponent: str) -> str:
        """A power; a base of several pieces stands in brackets already."""

    def fenced(self, left: str, inside: str, right: str, below: str = "") -> str:
        """Something between brackets that are as high as it, a word below the right one."""

    def called(self, word: str, below: str) -> str:
        """The name of a function, before its bracket."""

    def comma(self) -> str:
        """What separates arguments."""

    def choice(self, cases: Sequence[tuple[str, str, str]]) -> str:
        """What a number is, a word, and when; the last has no condition."""

    def rows(self, rows: Sequence[tuple[str, str]]) -> str:
        """The whole formula: equations under each other, aligned."""


class MathML:
    """Presentation MathML, as browsers have it without a script."""

    def symbol(self, symbol: Symbol) -> str:
        """Write one letter in italics and a word upright, as `mi` does by itself."""
        text = f"<mi>{_letter(symbol.base)}</mi>"
        for accent in symbol.accents:
            mark = "~" if accent == TILDE else "\N{MODIFIER LETTER CIRCUMFLEX ACCENT}"
            text = f'<mover accent="true">{text}<mo stretchy="false">{mark}</mo></mover>'
        below = "<mo>,</mo>".join(map(self._index, symbol.below))
        return f"<msub>{text}{_group(below)}</msub>" if below else text

    def _index(self, index: str) -> str:
        """What stands below: a step, a number, a letter or a word."""
        if index.startswith("t") and index[1:] in ("-1", "+1"):
            return f"<mrow><mi>t</mi>{self.sign(index[1])}<mn>1</mn></mrow>"
        return f"<mn>{index}</mn>" if index.isdigit() else f"<mi>{_letter(index)}</mi>"

    def number(self, digits: str) -> str:
        """An `mn`."""
        return f"<mn>{digits}</mn>"

    def sign(self, sign: str) -> str:
        """An `mo`, whose space browsers know."""
        shown = {"-": "−", "<=": "≤", ">=": "≥", "!=": "≠", "*": "×"}.get(sign, sign)
        return f"<mo>{html.escape(shown)}</mo>"

    def times(self, dot: bool) -> str:
        """The invisible sign of a product, or a dot."""
        return "<mo>⋅</mo>" if dot else '<mo rspace="0.15em">\N{INVISIBLE TIMES}</mo>'

    def fraction(self, above: str, below: str) -> str:
        """An `mfrac`."""
        return f"<mfrac>{_group(above)}{_group(below)}</mfrac>"

    def root(self, inside: str) -> str:
        """An `msqrt`."""
        return f"<msqrt>{inside}</msqrt>"

    def power(self, base: str, exponent: str) -> str:
        """An `msup`."""
        return f"<msup>{_group(base)}{_group(exponent)}</msup>"

    def fenced(self, left: str, inside: str, right: str, below: str = "") -> str:
        """Brackets, which are as high as what is inside if that has several lines."""
        # Fonts without sizes of brackets make them too high around a single line.
        flat = "" if "<mfrac" in inside or "<mtable" in inside else ' stretchy="false"'
        end = f'<mo form="postfix"{flat}>{right}</mo>'
        end = f"<msub>{end}<mtext>{html.escape(below)}</mtext></msub>" if below else end
        return f'<mrow><mo form="prefix"{flat}>{left}</mo>{inside}{end}</mrow>'

    def called(self, word: str, below: str) -> str:
        """A name and the invisible sign that applies it."""
        text = f"<mi>{word}</mi>"
        text = f"<msub>{text}<mtext>{html.escape(below)}</mtext></msub>" if below else text
        return f"{text}<mo>\N{FUNCTION APPLICATION}</mo>"

    def comma(self) -> str:
        """A comma."""
        return "<mo>,</mo>"

    def choice(self, cases: Sequence[tuple[str, str, str]]) -> str:
        """A table after a brace of the class `brace`, which is two lines high by its style."""
        made = "".join(
            f"<mtr><mtd>{value}</mtd><mtd><mtext>{html.escape(word)}\N{NO-BREAK SPACE}</mtext>"
            f"{when}</mtd></mtr>"
            for value, word, when in cases
        )
        brace = '<mo form="prefix" stretchy="false" class="brace">{</mo>'
        return f'<mrow>{brace}<mtable class="cases" columnalign="left">{made}</mtable></mrow>'

    def rows(self, rows: Sequence[tuple[str, str]]) -> str:
        """One element, of the class `formula`."""
        made = "\n".join(
            f"<mtr><mtd>{left}</mtd><mtd><mo>=</mo>{right}</mtd></mtr>" for left, right in rows
        )
        return (
            '<math display="block" class="formula"><mtable displaystyle="true" '
            f'columnalign="left">\n{made}\n</mtable></math>'
        )


class LaTeX:
    """What stands between two `$$`."""

    def symbol(self, symbol: Symbol) -> str:
        """A command or a letter; a word is upright."""
        text = self._letter(symbol.base)
        for accent in symbol.accents:
            text = rf"\{accent}{{{text}}}"
        below = ",".join(map(self._letter, symbol.below))
        return f"{text}_{{{below}}}" if below else text

    def _letter(self, name: str) -> str:
        if name in GREEK:
            return "\\" + name
        # A step such as t-1 and a number stand as they are.
        plain = len(name) == 1 or name.isdigit() or name[1] in "+-"
        return name if plain else rf"\mathrm{{{name}}}"

    def number(self, digits: str) -> str:
        """The digits."""
        return digits

    def sign(self, sign: str) -> str:
        """A command where there is one."""
        names = {"<=": r"\le", ">=": r"\ge", "!=": r"\ne", "*": r"\times", "mod": r"\bmod"}
        return f" {names.get(sign, sign)} "

    def times(self, dot: bool) -> str:
        """A thin space, or a dot."""
        return r" \cdot " if dot else r" \, "

    def fraction(self, above: str, below: str) -> str:
        """A `frac`."""
        return rf"\frac{{{above}}}{{{below}}}"

    def root(self, inside: str) -> str:
        """A `sqrt`."""
        return rf"\sqrt{{{inside}}}"

    def power(self, base: str, exponent: str) -> str:
        """Both in braces."""
        return f"{{{base}}}^{{{exponent}}}"

    def fenced(self, left: str, inside: str, right: str, below: str = "") -> str:
        """`left` and `right`."""
        names = {"‖": r"\|", "⌊": r"\lfloor", "⌋": r"\rfloor"}
        text = rf"\left{names.get(left, left)} {inside} \right{names.get(right, right)}"
        return rf"{text}_{{\text{{{below}}}}}" if below else text

    def called(self, word: str, below: str) -> str:
        """A command, or an upright word."""
        # GitHub refuses \operatorname.
        text = f"\\{word}" if word in NAMED else rf"\mathrm{{{word}}}"
        return rf"{text}_{{\text{{{below}}}}}" if below else text

    def comma(self) -> str:
        """A comma."""
        return ", "

    def choice(self, cases: Sequence[tuple[str, str, str]]) -> str:
        """The environment `cases`."""
        made = r" \\ ".join(rf"{value} & \text{{{word} }}{when}" for value, word, when in cases)
        return rf"\begin{{cases}} {made} \end{{cases}}"

    def rows(self, rows: Sequence[tuple[str, str]]) -> str:
        """The environment `aligned`."""
        made = " \\\\\n".join(f"{left} &= {right}" for left, right in rows)
        return f"\\begin{{aligned}}\n{made}\n\\end{{aligned}}"


def _letter(name: str) -> str:
    return GREEK.get(name) or html.escape(name)


def _group(text: str) -> str:
    """One element of several."""
    return f"<mrow>{text}</mrow>" if text.count("<m") > 1 or not text.startswith("<m") else text

"""The two ways in which a formula is written out: MathML for pages, LaTeX for Markdown.

Both are the same pieces in other words: a piece is a text with places for others.
"""

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from adamas.learn.symbols import GREEK, Symbol


def letter_of_mathml(name: str) -> str:
    """Write a letter, number or word; `mi` sets one letter in italics and a word upright."""
    if len(name) > 1 and name[1] in "+-":
        return f"<mi>t</mi><mo>{MATHML.signs.get(name[1], name[1])}</mo><mn>{name[2:]}</mn>"
    tag = "mn" if name.isdigit() else "mi"
    return f"<{tag}>{GREEK.get(name) or html.escape(name)}</{tag}>"


def letter_of_latex(name: str) -> str:
    """Write a letter, number or word; an index such as t-1 and a number stand as they are."""
    if name in GREEK:
        return f"\\{name}"
    plain = len(name) == 1 or name.isdigit() or name[1] in "+-"
    return name if plain else rf"\mathrm{{{name}}}"


def row_of_mathml(text: str) -> str:
    """Make one element of several."""
    return f"<mrow>{text}</mrow>" if text.count("<m") > 1 or not text.startswith("<m") else text


@dataclass(frozen=True)
class Notation:
    """The pieces by name; how signs, letters and functions are written; what makes one of several.

    A page's brackets are `flat` around one line, because fonts without sizes of brackets make them
    too high there.
    """

    pieces: Mapping[str, str]
    signs: Mapping[str, str]
    letter: Callable[[str], str]
    function: Callable[[str], str]
    row: Callable[[str], str] = str

    def piece(self, name: str, *parts: str) -> str:
        """Return a piece with these in its places."""
        return self.pieces[name].format(*map(self.row, parts))

    def sign(self, sign: str) -> str:
        """Return an operation, a relation or a bracket."""
        return self.pieces["sign"].format(self.signs.get(sign, sign))

    def symbol(self, symbol: Symbol) -> str:
        """Return a symbol with its accents and what stands below it."""
        text = self.letter(symbol.base)
        for accent in symbol.accents:
            text = self.piece(accent, text)
        below = self.pieces["index"].join(map(self.letter, symbol.below))
        return self.piece("below", text, below) if below else text

    def fenced(self, left: str, inside: str, right: str, below: str = "") -> str:
        """Return something between brackets that are as high as it, a word below the last."""
        ends = [self.signs.get(end, end) for end in (left, right)]
        flat = "" if "<mfrac" in inside or "<mtable" in inside else ' stretchy="false"'
        last = self.pieces["close"].format(ends[1], flat)
        last = self.piece("below", last, self.pieces["text"].format(below)) if below else last
        return self.pieces["fence"].format(ends[0], inside, last, flat)

    def called(self, word: str, below: str, inside: str) -> str:
        """Return a function of what is inside, a word below its name."""
        name = self.function(word)
        name = self.piece("below", name, self.pieces["text"].format(below)) if below else name
        return name + self.pieces["apply"] + self.fenced("(", inside, ")")

    def lines(self, kind: str, lines: Sequence[tuple[str, ...]]) -> str:
        """Return `rows`, equations under each other, or `cases`: a value, a word and when."""
        made = self.pieces[f"{kind} join"].join(self.pieces[kind].format(*one) for one in lines)
        return self.pieces[f"{kind} whole"].format(made)


_ACCENT = '<mover accent="true">{{}}<mo stretchy="false">{}</mo></mover>'
MATHML = Notation(
    {
        "number": "<mn>{}</mn>", "sign": "<mo>{}</mo>", "comma": "<mo>,</mo>",
        "times": '<mo rspace="0.15em">\N{INVISIBLE TIMES}</mo>', "dot": "<mo>⋅</mo>",
        "fraction": "<mfrac>{}{}</mfrac>", "root": "<msqrt>{}</msqrt>",
        "power": "<msup>{}{}</msup>", "below": "<msub>{}{}</msub>", "text": "<mtext>{}</mtext>",
        "index": "<mo>,</mo>",
        "hat": _ACCENT.format("\N{MODIFIER LETTER CIRCUMFLEX ACCENT}"),
        "tilde": _ACCENT.format("~"), "close": "<mo{1}>{0}</mo>",
        "fence": "<mrow><mo{3}>{0}</mo>{1}{2}</mrow>", "apply": "<mo>\N{FUNCTION APPLICATION}</mo>",
        "cases": "<mtr><mtd>{}</mtd><mtd><mtext>{}\N{NO-BREAK SPACE}</mtext>{}</mtd></mtr>",
        "cases join": "",
        "cases whole": '<mrow><mo stretchy="false" class="brace">{{</mo><mtable class="cases" '
        'columnalign="left" displaystyle="true">{}</mtable></mrow>',
        "rows": "<mtr><mtd>{}</mtd><mtd><mo>=</mo>{}</mtd></mtr>", "rows join": "\n",
        "rows whole": '<math display="block" class="formula"><mtable displaystyle="true" '
        'columnalign="left">\n{}\n</mtable></math>',
    },
    {"-": "−", "<": "&lt;", ">": "&gt;", "<=": "≤", ">=": "≥", "!=": "≠", "*": "×"},
    letter_of_mathml,
    lambda word: f"<mi>{word}</mi>",
    row_of_mathml,
)  # fmt: skip
"""Presentation MathML, as browsers have it without a script."""
LATEX = Notation(
    {
        "number": "{}", "sign": " {} ", "comma": ", ", "times": r" \, ", "dot": r" \cdot ",
        "fraction": r"\frac{{{}}}{{{}}}", "root": r"\sqrt{{{}}}", "power": "{{{}}}^{{{}}}",
        "below": "{}_{{{}}}", "text": r"\text{{{}}}", "index": ",", "hat": r"\hat{{{}}}",
        "tilde": r"\tilde{{{}}}", "close": r" \right{}", "fence": r"\left{0} {1}{2}", "apply": "",
        "cases": r"{} & \text{{{} }}{}", "cases join": r" \\ ",
        "cases whole": r"\begin{{cases}} {} \end{{cases}}",
        "rows": "{} &= {}", "rows join": " \\\\\n",
        "rows whole": "\\begin{{aligned}}\n{}\n\\end{{aligned}}",
    },
    {"<=": r"\le", ">=": r"\ge", "!=": r"\ne", "*": r"\times", "mod": r"\bmod", "‖": r"\|",
     "⌊": r"\lfloor", "⌋": r"\rfloor"},
    letter_of_latex,
    # GitHub refuses \operatorname.
    lambda word: f"\\{word}" if word in ("cos", "exp", "ln", "max", "min", "sin", "tanh")
    else rf"\mathrm{{{word}}}",
)  # fmt: skip
"""What stands between two `$$`."""

"""The few pieces of HTML that the page is made of; the only file that writes tags for text.

Sentences arrive as plain text with `code` and **bold**; everything else in them is escaped.
"""

import html
import re
from collections.abc import Sequence

# Columns from which a table is set closer.
MANY = 6
# Where a long name may be broken, and how long a beginning stays in one line with its colour.
WORDS = re.compile(r"(?<=[.:,_=/(])(?=[A-Za-z(])")
FIRST = re.compile(f" |{WORDS.pattern}")
FITS = 12


# A mark without its meaning, and what stands around its code meanwhile.
ESCAPED = re.compile(r"\\([\\`*])")
ASIDE = "\0"


def markup(text: str) -> str:
    r"""Return a sentence as HTML.

    >>> markup("`a < b` is **so**")
    '<code>a &lt; b</code> is <strong>so</strong>'
    >>> markup("**`b**t`**")
    '<strong><code>b**t</code></strong>'
    >>> markup(r"`a\`b`, \*\*c\*\*")
    '<code>a`b</code>, **c**'
    """
    text = ESCAPED.sub(lambda found: ASIDE + str(ord(found[1])) + ASIDE, text)
    pieces = html.escape(text, quote=False).split("`")
    for i, piece in enumerate(pieces):
        if i % 2:
            # Two stars inside code are Python's power, and no bold marks.
            pieces[i] = f"<code>{piece.replace('**', f'{ASIDE}42{ASIDE}' * 2)}</code>"
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", "".join(pieces))
    return re.sub(f"{ASIDE}(42|92|96){ASIDE}", lambda found: chr(int(found[1])), text)


def paragraph(text: str) -> str:
    """Return one paragraph."""
    return f"<p>{markup(text)}</p>"


def small(text: str) -> str:
    """Return one paragraph of small print."""
    return f'<p class="small">{markup(text)}</p>'


def bullets(items: Sequence[str], kind: str = "") -> str:
    """Return an unordered list, with the CSS class `kind`."""
    inner = "\n".join(f"<li>{markup(item)}</li>" for item in items)
    return f'<ul class="{kind}">\n{inner}\n</ul>'


def section(key: str, title: str, *parts: str) -> str:
    """Return a chapter with an anchor."""
    body = "\n".join(parts)
    return f'<section id="{key}">\n<h2>{html.escape(title)}</h2>\n{body}\n</section>'


def fold(key: str, title: str, *parts: str) -> str:
    """Return a chapter that the reader may unfold; it is open in print.

    The anchor is inside, because a browser opens what a fragment points into.
    """
    head = f"<summary>\n<h2>{html.escape(title)}</h2>\n</summary>"
    body = "\n".join(parts)
    inner = f'<div id="{key}">\n{body}\n</div>'
    return f'<section class="fold">\n<details>\n{head}\n{inner}\n</details>\n</section>'


def figure(key: str, svg: str, title: str, note: str) -> str:
    """Return a picture with its caption, which is also what a screen reader is told."""
    described = svg.replace("<svg ", f'<svg role="img" aria-labelledby="caption-{key}" ', 1)
    return (
        f'<figure id="fig-{key}">\n{described}\n'
        f'<figcaption id="caption-{key}"><strong>{html.escape(title)}</strong> '
        f"{markup(note)}</figcaption>\n</figure>"
    )


def figures(*items: str) -> str:
    """Return pictures side by side where the screen is wide enough."""
    return '<div class="figures">\n' + "\n".join(items) + "\n</div>"


def beside(*columns: str, kind: str = "beside") -> str:
    """Return finished HTML in columns where the screen is wide enough, else one below the other.

    With the kind "opening" the first piece, a picture, is on the right, or on top; the second fills
    the left, and a third stands below the first.
    """
    inner = "\n".join(f"<div>\n{column}\n</div>" for column in columns)
    return f'<div class="{kind}">\n{inner}\n</div>'


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose first column names its rows; it scrolls by itself on a narrow screen.

    Cells are finished HTML, so that a row may begin with an optimizer's colour.
    """
    columns = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in head)
    body = "\n".join(
        f'<tr><th scope="row">{row[0]}</th>' + "".join(f"<td>{c}</td>" for c in row[1:]) + "</tr>"
        for row in rows
    )
    dense = ' class="dense"' if len(head) > MANY else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{html.escape(caption)}">'
        f"<table{dense}>\n<caption>{html.escape(caption)}</caption>\n"
        f"<thead><tr>{columns}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def cards(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose rows become cards on a phone: each cell below the name of its column."""
    labels = [f'<span class="label" aria-hidden="true">{html.escape(name)}</span>' for name in head]
    told = [
        [row[0], *(label + cell for label, cell in zip(labels[1:], row[1:], strict=True))]
        for row in rows
    ]
    return f'<div class="cards">\n{table(caption, head, told)}\n</div>'


def details(summary: str, *parts: str) -> str:
    """Return what the reader may unfold; it is open in print."""
    body = "\n".join(parts)
    return f"<details>\n<summary>{html.escape(summary)}</summary>\n{body}\n</details>"


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Return names and values as a list of descriptions; values are finished HTML."""
    inner = "\n".join(f"<div><dt>{html.escape(a)}</dt><dd>{b}</dd></div>" for a, b in pairs)
    return f'<dl class="facts">\n{inner}\n</dl>'


def subheading(text: str) -> str:
    """Return a heading inside a chapter."""
    return f"<h3>{html.escape(text)}</h3>"


def swatch(key: str, name: str) -> str:
    """Return an optimizer's name with its colour before it."""
    return f"{colour(key)}{html.escape(name)}"


def colour(key: str) -> str:
    """Return the dot that shows a colour."""
    return f'<span class="swatch" style="background:var(--{key})"></span>'


def row_name(key: str, name: str) -> str:
    """Return an optimizer's name with its colour, to be broken after its points and commas.

    >>> row_name("adam", "torch.optim.Adam").partition("</span>")[2]
    'torch.</span><wbr>optim.<wbr>Adam'
    """
    end = FIRST.search(name)
    first, rest = (name[: end.start()], name[end.start() :]) if end else (name, "")
    if len(first) > FITS:
        return colour(key) + breakable(name)
    gap = "<wbr>" if rest and rest[0] != " " else ""
    return f'<span class="head">{colour(key)}{html.escape(first)}</span>{gap}{breakable(rest)}'


def breakable(name: str) -> str:
    """Return a name as HTML that may be broken where its words end.

    >>> breakable("torch.optim.SGD:lr=0.1,weight_decay=0.5")
    'torch.<wbr>optim.<wbr>SGD:<wbr>lr=0.1,<wbr>weight_<wbr>decay=0.5'
    """
    return "<wbr>".join(html.escape(part) for part in WORDS.split(name))


def long(cell: str) -> str:
    """Return a cell of many words, which is as wide as it is read easily."""
    return f'<span class="long">{cell}</span>'


def source(code: str) -> str:
    """Return Python source; its docstring is set back so that the formula stands out."""
    text = html.escape(code.rstrip(), quote=False)
    text = re.sub(
        r'""".*?"""',
        lambda found: f'<span class="doc">{found.group()}</span>',
        text,
        flags=re.DOTALL,
    )
    return f'<pre tabindex="0"><code>{text}</code></pre>'

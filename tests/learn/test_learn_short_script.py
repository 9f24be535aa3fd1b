"""A shortened script does what the script does."""

import pytest
from py_mini_racer import MiniRacer

from adamas.learn import book, scripts
from short_script import short


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("let a = 1; // one\nlet b = 2;", "let a=1;let b=2;"),
        ("/* much\n to say */ const a = b\nconst c = d", "const a=b\nconst c=d"),
        ("a + +b - -c; a ++ + b", "a+ +b- -c;a++ +b"),
        ("`a  b ${ c + `  d ${ e } {` }  // f`", "`a  b ${c+`  d ${e} {`}  // f`"),
        ('"//  a" + \'/*  b\' + "\\"  c"', '"//  a"+\'/*  b\'+"\\"  c"'),
        ("x.replace(/\"  `/g, ' ') / 2 / y", "x.replace(/\"  `/g,' ')/2/y"),
        ("return /[/ ]  a/.test(b)", "return/[/ ]  a/.test(b)"),
        ("f()\n[1].map(g)", "f()\n[1].map(g)"),
        ("a\n  .b()\n  .c()", "a.b().c()"),
        ("if (a) return\nb()", "if(a)return\nb()"),
        ("`${ { a: 1 }.a }`", "`${{a:1}.a}`"),
        ("a = b ?\n  c :\n  d", "a=b?c:d"),
    ],
)
def test_blanks_that_mean_something_stay(text: str, expected: str) -> None:
    """Strings, templates, expressions and ends of statements are left as they are."""
    assert short(text) == expected
    assert short(expected) == expected


@pytest.mark.parametrize("language", book.GUIDE)
def test_figures_are_the_same(language: str) -> None:
    """Every figure is drawn alike, letter by letter, by the script and by the page's own."""
    engines = []
    for text in (book.script(language), short(book.script(language))):
        context = MiniRacer()
        context.eval(text)
        engines.append(context)
    assert "play" in scripts.library()
    names = str(engines[0].eval("Object.keys(PLAYS).join()")).split(",")
    for width in (280, 640):
        for name in names:
            whole, shortened = (one.eval(f"playHtml({name!r}, {width})") for one in engines)
            assert whole == shortened, name

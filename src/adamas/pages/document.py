"""The frame that every page of adamas stands in: head, style, title, contents, body."""

import html
from collections.abc import Sequence
from importlib.resources import files
from urllib.parse import quote

from adamas.pages.elements import breakable
from adamas.pages.sentences import Phrases

HTML_LANGUAGE = {"en": "en", "zh": "zh-Hans"}
OWN_NAME = {"en": "English", "zh": "中文"}


def switch(twin: str, say: Phrases) -> str:
    """Return a link to the file that says the same in the other language."""
    there = next(code for code in HTML_LANGUAGE if code != say.language)
    tag = f'lang="{HTML_LANGUAGE[there]}" hreflang="{HTML_LANGUAGE[there]}"'
    return f'<p class="switch"><a href="{html.escape(quote(twin))}" {tag}>{OWN_NAME[there]}</a></p>'


def document(
    title: str,
    lead: Sequence[str],
    chapters: Sequence[tuple[str, str]],
    body: str,
    say: Phrases,
    twin: str | None = None,
    *,
    style: str = "",
    script: str = "",
) -> str:
    """Return a whole HTML file that loads nothing, and runs nothing but the `script` given.

    `lead` is finished HTML that stands between the title and the contents; `chapters` are the
    (anchor, title) of the sections in `body`. `twin` is the file beside it in the other language.
    """
    base = files("adamas.pages").joinpath("page.css").read_text(encoding="utf-8")
    links = "\n".join(
        f'<li><a href="#{key}">{html.escape(name)}</a></li>' for key, name in chapters
    )
    return f"""<!DOCTYPE html>
<html lang="{HTML_LANGUAGE[say.language]}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{html.escape(title)}</title>
<style>
{base}{style}</style>
</head>
<body>
<a class="skip" href="#{chapters[0][0]}">{html.escape(say("skip"))}</a>
<header>
{switch(twin, say) if twin else ""}
<h1>{breakable(title)}</h1>
{chr(10).join(lead)}
<nav aria-label="{html.escape(say("contents"))}">
<ol>
{links}
</ol>
</nav>
</header>
<main>
{body}
</main>
{f"<script>{script}</script>" if script else ""}
</body>
</html>
"""

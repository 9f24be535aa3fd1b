"""The way from the guide to the playground, with states worth a look."""

from adamas.learn.frames import Draw
from adamas.learn.playground_page import FOLDER, PAGE, presets
from adamas.learn.text import Say
from adamas.pages.elements import paragraph, section


def chapter(say: Say, _: Draw) -> str:
    """Return the section."""
    page = f"../{FOLDER}/{PAGE[say.language]}"
    return section(
        "playground",
        say("playground.title"),
        paragraph(say("playground.invite")),
        f'<p><a href="{page}">{say("playground.open")}</a></p>',
        presets(say, page),
    )

"""The page of `adamas suite`: profiles over all problems, an aggregate, a table per problem."""

import html
from urllib.parse import quote

from matplotlib.axes import Axes

from adamas.lab.page.plotting import name_lines
from adamas.lab.page.svg import COLOURS, Labels, Picture, drawn
from adamas.lab.protocol.results import Tree
from adamas.lab.protocol.results_types import Results
from adamas.lab.report import frames
from adamas.lab.report.numbers import NONE, learning_rate, measured, whole, with_spread
from adamas.lab.report.subject import Subject, gaps, known, subject
from adamas.lab.text import Say
from adamas.pages.document import document
from adamas.pages.elements import beside, markup, paragraph, section, small, table
from adamas.pages.sentences import literal

CHAPTERS = ("profiles", "problems")
REPORT = "report.html"
NEAR = 0.05


def render_suite(results: Tree, say: Say, twin: str | None = None, report: str = REPORT) -> str:
    """Return the page of a suite, from the tree of `suite.json`.

    `twin` is the file that says the same in the other language, `report` what each problem's own
    page in this language is called.
    """
    about = subject(next(iter(results["problems"].values())), None, say)
    title = say("suite_title", count=len(results["problems"]))
    body = "\n".join([profiles(results, about), problems(results, about, report)])
    chapters = [(key, say(f"suite_{key}")) for key in CHAPTERS]
    return document(title, opening(results, about), chapters, body, say, twin)


def opening(results: Tree, about: Subject) -> list[str]:
    """Return who is most often near the best, who has the lowest aggregate, and a warning."""
    say = about.say
    area = results["area"]
    ranked = sorted(about.looks, key=lambda name: -area[name])
    mean = {name: results["aggregate"][name]["mean"] for name in about.looks}
    lowest = sorted((n for n in mean if mean[n] is not None), key=lambda n: mean[n])
    # Areas that differ by less than this are not told apart by some twenty problems.
    near = [name for name in ranked if area[name] > area[ranked[0]] - NEAR]
    names = say.names([about.said(name) for name in near])
    sentences = [say("suite_area", names=names, area=f"{area[ranked[0]]:.2f}")]
    if lowest:
        sentences.append(
            say(
                "suite_aggregate",
                name=about.said(lowest[0]),
                reference=about.said(results["reference"]),
                **{
                    end: measured(results["aggregate"][lowest[0]][end], 3)
                    for end in ("mean", "low", "high")
                },
            )
        )
    text = say("sentence_gap").join(sentences)
    words = f'<p class="answer">{markup(text)}</p>\n' + paragraph(say("suite_warning"))
    picture = drawn(profile(results, about), say("fig_profile"), say("fig_profile_note"))
    return [beside(picture, words, kind="opening")]


def profiles(results: Tree, about: Subject) -> str:
    """Return the aggregate, in numbers and as a picture."""
    say = about.say
    limit = results["profiles"]["limit"]
    rows = [
        [
            about.swatch(name),
            measured(results["area"][name], 3),
            with_spread(results["aggregate"][name]),
        ]
        for name in about.looks
    ]
    reference = about.name(results["reference"])
    head = [say("race_optimizer"), say("suite_head_area"), say("suite_head_aggregate")]
    return section(
        "profiles",
        say("suite_profiles"),
        beside(
            paragraph(say("suite_profiles_text"))
            + table(say("suite_caption", reference=reference), head, rows)
            + small(say("suite_area_note", limit=whole(limit))),
            drawn(
                aggregate(results, about),
                say("fig_aggregate"),
                say("fig_aggregate_note", reference=literal(reference)),
            ),
        ),
    )


def profile(results: Tree, about: Subject) -> Picture:
    """The share of problems that each optimizer solves within tau times the best's updates."""
    taus = results["profiles"]["tau"]

    def paint(axes: Axes, labels: Labels) -> None:
        axes.set_xlim(taus[0], taus[-1])
        axes.set_ylim(-0.02, 1.04)
        names = []
        for name, look in about.looks.items():
            rho = gaps(results["profiles"]["rho"][name][: len(taus)])
            stairs = axes.step(taus[: len(rho)], rho, where="post", color=look.colour)[0]
            stairs.set_dashes(look.dashes) if look.dashes else None
            names += [(labels(look.short), value, look.colour) for value in known(rho[-1:])]
        name_lines(axes, names)
        axes.set(xlabel=labels(about.say("axis_tau")), ylabel=labels(about.say("axis_share")))

    return frames.traces("profile", about.looks.values(), paint, len(about.looks))


def aggregate(results: Tree, about: Subject) -> Picture:
    """The interquartile mean of the final losses, in units of the reference's."""
    looks = list(about.looks.values())

    def paint(axes: Axes, labels: Labels) -> None:
        heights = frames.row_names(axes, labels, looks)
        axes.axvline(1, color=COLOURS["ink"], linewidth=0.8, dashes=(1, 2))
        for name, look in about.looks.items():
            found = results["aggregate"][name]
            ends = known([found[end] for end in ("low", "high")])
            axes.plot(ends, [heights[look.name]] * len(ends), color=look.colour, linewidth=2)
            mean = gaps([found["mean"]])
            axes.plot(mean, [heights[look.name]], look.marker, color=look.colour, markersize=5)
        axes.set(xlabel=labels(about.say("axis_aggregate")))

    height = 0.75 + frames.LINE * max(len(looks), 2)
    return Picture("aggregate", paint, height, right=frames.room(looks))


def problems(results: Tree, about: Subject, report: str) -> str:
    """Return a table with a row for each problem and optimizer, and what was left out."""
    say = about.say
    parts = [one_problem(name, tree, say, report) for name, tree in results["problems"].items()]
    parts += [
        small(say("suite_left", name=name, reason=literal(about.words(reason))))
        for name, reason in results["skipped"].items()
    ]
    return section("problems", say("suite_problems"), paragraph(say("suite_problems_text")), *parts)


def one_problem(name: str, tree: Results, say: Say, report: str) -> str:
    """Return the results on one problem, with a link to its own page beside this one."""
    about = subject(tree, None, say)
    reference = about.references[0]
    words = {one["optimizer"]: one["word"] for one in about.compared(reference)}
    rows = []
    for optimizer, row in about.rows.items():
        word = "reference" if optimizer == reference else words.get(optimizer)
        median = row["target"]["median"]
        rows.append(
            [
                about.swatch(optimizer),
                learning_rate(row["lr"]),
                with_spread(row["interval"]),
                say("target_not") if median is None else whole(median),
                NONE if word is None else html.escape(say(f"word_{word}")),
            ]
        )
    title = about.words(about.problem["title"])
    label = about.problem["label"]
    head = [say("race_optimizer"), say("race_lr"), say("digits_loss"), say("suite_updates")]
    head.append(say("result_beside", name=about.name(reference)))
    link = f'<a href="{quote(name)}/{report}">{html.escape(title)}</a>'
    badge = f'<span class="badge {label}">{html.escape(say(f"label_{label}"))}</span>'
    caption = say("suite_problem_caption", title=title, seeds=about.seeds)
    return f"<h3>{link} {badge}</h3>\n{table(caption, head, rows)}"

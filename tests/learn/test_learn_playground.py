"""The playground as it is drawn: the numbers of runs, states as addresses, presets that hold."""

import json
import re
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from py_mini_racer import MiniRacer

from adamas import rules
from adamas.kernel.formula import parse
from adamas.learn import javascript
from adamas.learn import playground_page as playground
from adamas.learn.numbers import shown
from adamas.learn.problems import PROBLEMS, best_line
from adamas.learn.text import Say
from adamas.learn.trace import trace

LINES = ("line", "line_bias")
WIDTH = 480
# Not those of matrices.
RUN = [name for name in rules.__all__ if javascript.runs(parse(getattr(rules, name)))]


@cache
def engine(language: str) -> MiniRacer:
    """Return one V8 with the script of the playground in a language."""
    context = MiniRacer()
    context.eval(playground.script(language))
    return context


def run(text: str, language: str = "en") -> Any:
    """Return the value of an expression."""
    return json.loads(str(engine(language).eval(f"JSON.stringify({text})", timeout_sec=10)))


def state_of(address: str) -> str:
    """The expression of the state that an address names."""
    return f"stateOf({json.dumps(address)})"


def parts(address: str, language: str = "en") -> dict[str, str]:
    """What the playground shows at an address."""
    found: dict[str, str] = run(f"playgroundParts({state_of(address)}, {WIDTH})", language)
    return found


def cells(numbers: str) -> list[list[str]]:
    """The rows of tables."""
    rows = re.findall(r"<tr>(.*?)</tr>", numbers)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def sound(text: str) -> None:
    """Assert that every number of a picture is one, and no name of JavaScript is shown."""
    assert not re.search(r"NaN|Infinity|undefined|null|\[object", text), text[:200]


@pytest.mark.parametrize("name", RUN)
def test_a_rule_as_text_is_the_rule(name: str) -> None:
    """What the text of one's own begins with is read as the rule that stood there."""
    found = run(f"readRule(textOf(RULES.{name}))")
    assert found["faults"] == []
    step = javascript.rule(parse(getattr(rules, name))).partition(', "step": ')[2]
    assert found["step"] == step[:-1]


def test_numbers_are_those_of_the_reference() -> None:
    """Every line of Adam, its loss and its point are the reference's, at a step in the middle."""
    way = trace(rules.adam, PROBLEMS["valley"], 7, lr=0.2, noise=0.5, seed=3)
    table = cells(parts("t=7&noise=0.5&seed=3&o=adam,lr:0.2")["numbers"])
    found = {row[0]: row[1:] for row in table}
    assert found["A Adam"] == [shown(x, 5) for x in (*way.last, way.losses[-1])]
    assert found["g"] == [shown(x, 5) for x in way.gradients[-1]]
    for name in ("m", "v"):
        (line,) = [row for key, row in found.items() if key.startswith(f"{name} = ")]
        assert line == [shown(x, 5) for x in way.states[-1][name]]
    assert found["p before"] == [shown(x, 5) for x in way.points[-2]]


def test_the_effective_rate_makes_the_step() -> None:
    """The rate that is shown times the corrected mean is the length of Adam's step."""
    found = run("insideOf(runsOf(startState())[0], 1, 200)")
    memory, moving = (dict(found[name]) for name in ("memory", "moving"))
    assert list(memory) == ["g", "m", "v", "m_hat", "v_hat"]
    points = trace(rules.adam, PROBLEMS["valley"], 200, lr=0.1).points
    lengths = [abs(b[1] - a[1]) for a, b in pairwise(points)]
    for (_, step), (_, rate), (_, mean), length in zip(
        moving["|Δ|"], moving["lr/(√v̂+ε)"], memory["m_hat"], lengths, strict=True
    ):
        assert step == length
        assert rate * mean == pytest.approx(length, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("problem", [*LINES, *PROBLEMS])
def test_every_rule_is_drawn_on_every_problem(problem: str) -> None:
    """Pictures, tables and sentences hold for every rule, also where it diverges."""
    # Four at a time; the last ones are drawn with the first.
    drawn = [*RUN, *RUN[: -len(RUN) % 4]]
    for names in zip(*[iter(drawn)] * 4, strict=True):
        chosen = "&".join(
            f"o={name},lr:{lr}" for name, lr in zip(names, (3, 1e-3, 0.1, 10), strict=True)
        )
        for t in (0, 50):
            for kind, text in parts(f"problem={problem}&length=50&t={t}&{chosen}").items():
                if kind != "numbers":
                    sound(text)


def test_a_run_that_diverges_is_said_to() -> None:
    """SGD beyond 2 / 50 in the valley leaves every picture, and the sentence says when."""
    points = trace(rules.sgd, PROBLEMS["valley"], 200, lr=0.2).points
    lost = next(t for t, point in enumerate(points) if not max(map(abs, point)) < 1e6)
    found = parts("t=200&o=sgd,lr:0.2&o=adam,lr:0.1")
    assert f"A SGD diverged at step {lost}; B Adam: x = " in found["sentence"]
    assert "diverged" not in parts(f"t={lost - 1}&o=sgd,lr:0.2")["sentence"]


OF_ALL_LETTERS = "def f(p, g, *, 动量=0.9, β=0.1, lr=0.1):\n    return p - lr * β * 动量 * g"
# As long as the page reads, most of it comments.
LONG = f"{playground.EXAMPLE}# {'长' * (7997 - len(playground.EXAMPLE))}\n"
NAMES = st.sampled_from([*RUN, "own"])
OPTIMIZER = st.fixed_dictionaries(
    {
        "rule": NAMES,
        "hypers": st.dictionaries(
            st.sampled_from(["lr", "beta1", "eps", "beta2", "动量", "β"]),
            st.floats(1e-9, 3),
            max_size=3,
        ),
        "text": st.sampled_from(
            [
                playground.EXAMPLE,
                "def f(p, g):\n    return p - 学习率",
                "",
                OF_ALL_LETTERS,
                LONG,
                "&#<%=;\n",
            ]
        ),
    }
)
STATE = st.fixed_dictionaries(
    {
        "problem": st.sampled_from(["valley", "line_bias", "saddle"]),
        "length": st.sampled_from([50, 200, 1000]),
        "t": st.integers(0, 50),
        "noise": st.floats(0, 3),
        "seed": st.integers(0, 20),
        "start": st.none()
        | st.lists(st.sampled_from([-1.5, 0.0, 0.25, 3.0]), min_size=2, max_size=2),
        "coordinate": st.integers(0, 1),
        "optimizers": st.lists(OPTIMIZER, min_size=1, max_size=4),
    }
)


@settings(max_examples=25, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(STATE, st.integers(0, 3))
def test_an_address_is_the_state(state: Mapping[str, Any], chosen: int) -> None:
    """Whoever opens the address sees what was set, own texts too."""
    optimizers = [
        dict(one, text=one["text"] if one["rule"] == "own" else "") for one in state["optimizers"]
    ]
    sent = dict(state, optimizers=optimizers, chosen=min(chosen, len(optimizers) - 1))
    shown_then = run(
        f"((s) => [playgroundHtml(s), playgroundHtml(stateOf(addressOf(s)))])({json.dumps(sent)})"
    )
    assert shown_then[0] == shown_then[1]


ADDRESSES = [
    "", "#", "%", "%E0%A4%A", "=", "&&&", "problem=__proto__", "problem=constructor&o=constructor",
    "o=toString,lr:1", "t=1e999&length=1e9&seed=-3&noise=NaN", "t=abc&start=1", "start=a,b",
    "start=1e999,0", "start=,", "o=adam,lr:NaN", "o=adam,__proto__:1,constructor:2,lr:0.1",
    "o=adam,lr", "o=,,,", "o=own", "o=own&text=%3Cimg%20src=x%20onerror=alert(1)%3E",
    "o=own,%3Cb%3E:1&text=def+f(p,+g,+*,+b%3D1):%0A+return+p", "coordinate=7&chosen=9",
    "&".join(["o=adam"] * 40), "problem=line&coordinate=1&start=2,3", "o=own&text=" + "x" * 20_000,
    "o=adam,eps:0,lr:0,beta1:1,beta2:1", "problem=line&start=7",
    "o=own&text=def r(p, g, *, lr%3Duniform(1)):%0A return p - lr * g",
    "o=own&text=k %3D normal()%0Adef r(p, g):%0A return p - k * g",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_any_address_shows_something(address: str) -> None:
    """A broken or hostile address is a state like any other, and nothing of it becomes markup."""
    html = run(f"playgroundHtml({state_of(address)})")
    assert "<svg" in html and "<img" not in html and "<b>" not in html
    assert 1 <= html.count("<fieldset") <= 4


@settings(max_examples=25, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.text(max_size=80))
def test_any_text_is_an_address(text: str) -> None:
    """No text of an address makes the page fail."""
    assert "<svg" in run(f"playgroundHtml({state_of(text)})")


def test_a_text_shows_its_faults() -> None:
    """Faults stand below the text with line, place and advice; the others run on."""
    text = "def f(p, g):\n    return p - 0.1 * erf(g)"
    html = run(
        f"playgroundHtml(stateOf('o=own&o=adam&text=' + encodeURIComponent({json.dumps(text)})))"
    )
    assert (
        "<mark>erf</mark>(g)" in html
        and "Line 2:" in html
        and "'erf' is not one of the words" in html
    )
    assert "A own: the text is no rule yet; B Adam: x = " in html


def test_what_the_presets_say_holds() -> None:
    """Each sentence about a state is true of the runs that its address makes."""
    plain = str.maketrans("−⁻⁴⁵", "--45", "\N{NO-BREAK SPACE}")
    said = {
        name: float(text.translate(plain).replace("×10", "e"))
        for name, text in playground.numbers().items()
    }
    assert said["fault_slow"] < best_line()[0] / 2
    assert said["fault_best"] == pytest.approx(best_line()[0], abs=0.005)
    assert said["narrow_momentum"] < said["narrow_adam"] < said["narrow_sgd"]
    assert said["beta2_ratio"] > 1.5
    assert said["reddi_adam"] > 0.9 and said["reddi_amsgrad"] < -0.9


def runs_of(name: str) -> list[tuple[list[float], list[list[float]]]]:
    """Losses and points of each optimizer of a preset."""
    text = f"runsOf({state_of(playground.PRESETS[name])}).map((one) => [one.losses, one.points])"
    found: list[tuple[list[float], list[list[float]]]] = run(text)
    return found


def test_presets_show_what_they_say() -> None:
    """The addresses of the presets run what the sentences are filled from."""
    numbers = playground.numbers()
    fault = [shown(points[1000][0], 3) for _, points in runs_of("fault")]
    assert fault[:2] == [numbers["fault_slow"], numbers["fault_best"]]
    reddi = [shown(points[200][0], 3) for _, points in runs_of("reddi")]
    assert reddi == [numbers["reddi_adam"], numbers["reddi_amsgrad"]]
    narrow = [shown(losses[100], 2) for losses, _ in runs_of("narrow")]
    assert narrow[:2] + narrow[3:] == [numbers[f"narrow_{n}"] for n in ("sgd", "momentum", "adam")]
    late = [sum(losses[-250:]) for losses, _ in runs_of("beta2")]
    assert shown(late[0] / late[1], 3) == numbers["beta2_ratio"]
    assert "B mine: x = " in parts(playground.PRESETS["own"])["sentence"]


@pytest.mark.parametrize("language", playground.PAGE)
def test_the_page_is_whole_without_a_script(language: str) -> None:
    """Pictures, table and sentence of the first state stand in the page; slots are filled."""
    page = playground.page(language, lambda text: str(engine(language).eval(text)))
    plain = re.sub(r"<(script|style)>.*?</\1>", "", page, flags=re.DOTALL)
    assert plain.count("<svg") == 4 and plain.count("<table") == 3
    assert not re.findall(
        r"\{\w+\}", re.sub(r"<textarea.*?</textarea>", "", plain, flags=re.DOTALL)
    )
    sound(re.sub(r"<code>.*?</code>", "", plain))
    assert dict(parse_qsl(playground.PRESETS["own"]))["text"] == playground.EXAMPLE
    assert Say(language)("playground.name") in plain

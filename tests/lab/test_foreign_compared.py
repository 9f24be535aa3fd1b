"""Optimizers that others wrote through whole comparisons: names, pages, processes, going on."""

import csv
import io
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from adamas import lab
from adamas.cli import build_parser, main
from adamas.lab.entrants import entrant, hand
from adamas.lab.needs import LabError
from adamas.lab.notebook.entering import entered_optimizers
from adamas.lab.notebook.strangers import public
from adamas.lab.page.given_names import check_names
from adamas.lab.page.looks import looks_of
from adamas.lab.problems import Problem
from adamas.lab.protocol.measure import timing
from adamas.lab.report.again import command
from adamas.lab.report.code import snippets
from adamas.lab.report.exports import to_csv, to_latex
from adamas.lab.report.record import cost
from adamas.lab.report.subject import subject
from adamas.lab.text import Say
from bowl import BOWL, HERE
from foreign_optimizers import Arrays, Plain
from html_pages import Page
from report_sample import sample

HOSTILE = "<i>A</i> **b** `c` $d$ & \\e_f"
TINY = Problem("bowl", 8, 2, 1, BOWL.task, random=False)


@pytest.fixture(scope="module")
def found() -> lab.ComparisonResult:
    """Compare a rule, a class, a factory, a class of PyTorch and a line search."""

    def half(params: Any, lr: float = 0.05) -> torch.optim.Optimizer:
        return torch.optim.SGD(params, lr=lr, momentum=0.5)

    optimizers = {
        HOSTILE: "sgd",
        "Mine": Plain,
        "Factory": half,
        "Search": partial(torch.optim.LBFGS, max_iter=3),
        "Sharp": f"{HERE}:Sharp",
    }
    return lab.compare(TINY, optimizers, workers=1, progress=False, reference=HOSTILE)


def test_names_are_the_same_everywhere(found: lab.ComparisonResult, tmp_path: Path) -> None:
    """Terminal, tables, CSV, LaTeX and page call an optimizer as the user does, escaped."""
    names = {HOSTILE, "Mine", "Factory", "Search", "Sharp"}
    assert set(found.words) == names - {HOSTILE}
    assert {row["optimizer"] for row in found.optimizers} == names
    assert {row["reference"] for row in found.comparisons} == {HOSTILE}
    tree: Any = found.to_dict()
    rows = csv.DictReader(io.StringIO(to_csv(tree)))
    assert {row["optimizer"] for row in rows} == names
    assert r"\textless{}i\textgreater{}A" in to_latex(tree)
    assert r"\$d\$ \& \textbackslash{}e\_f" in to_latex(tree)
    assert HOSTILE in found.table
    assert HOSTILE in found.verdict
    page = found.save(tmp_path / "page.html").read_text()
    assert "<i>A</i>" not in page
    assert "<strong>b</strong>" not in page
    assert Page(page).tags["i"] == 0
    assert "&lt;i&gt;A&lt;/i&gt; **b** `c` $d$ &amp; \\e_f" in page
    assert found._repr_html_().count("&lt;i&gt;A&lt;/i&gt; **b** `c` $d$ &amp; \\e_f") >= 2


def test_the_page_says_what_a_gradient_costs(found: lab.ComparisonResult) -> None:
    """Where steps take several gradients the page says how all are charged, and no doctor looks."""
    tree: Any = found.to_dict()
    asks = {name: row["asks"] for name, row in tree["optimizers"].items()}
    assert [name for name, yes in asks.items() if yes] == [
        "torch.optim.LBFGS:max_iter=3",
        f"{HERE}:Sharp",
    ]
    assert not {name for name, yes in asks.items() if yes} & set(tree["inside"])
    assert all(row["curve"]["at"] == [0, 2, 4, 6, 8] for row in tree["optimizers"].values())
    times = timing(TINY, [f"{HERE}:Sharp"])
    assert times["per_step"][f"{HERE}:Sharp"] is None
    assert times["state_bytes_per_parameter"][f"{HERE}:Sharp"] == 0


def test_state_is_counted_as_that_of_rules_is() -> None:
    """Adam of PyTorch keeps as many bytes of state as Adam here."""
    held = timing(BOWL, ["adam", "torch.optim.Adam"])["state_bytes_per_parameter"]
    assert held["torch.optim.Adam"] == held["adam"] == 16


def test_a_call_to_copy_makes_the_same_optimizer() -> None:
    """The code of the page, run, is the class with the arguments that took part."""
    text = "torch.optim.SGD:momentum=0.5,nesterov=true,schedule=cosine"
    (code,) = snippets(text, 0.25, "torch").values()
    scope: dict[str, Any] = {"model": torch.nn.Linear(2, 1)}
    exec(code, scope)
    group = scope["optimizer"].param_groups[0]
    assert (group["lr"], group["momentum"], group["nesterov"]) == (0.25, 0.5, True)
    assert code.startswith("# lr moved along the run: schedule=cosine\n")
    assert snippets("adam:warmup=0.1", 0.25)["torch"].startswith("# lr moved along the run")
    (own,) = snippets("some/mine.py:Mine:bonus=2", 0.25, "torch").values()
    assert own == (
        "from mine import Mine\n\noptimizer = Mine(model.parameters(), lr=0.25, bonus=2)"
    )


def test_the_call_that_makes_it_again_names_all(found: lab.ComparisonResult) -> None:
    """The page's own command or call names what took part, and what it was called."""
    tree: Any = found.to_dict()
    told = command(subject(tree, None, Say("en")))
    assert f"['sgd', Plain, half, 'torch.optim.LBFGS:max_iter=3', '{HERE}:Sharp']" in told
    assert "'Plain': 'Mine'" in told


def test_classes_of_packages_are_texts() -> None:
    """A class of an installed package handed over from Python is its text on the command line."""
    assert public(torch.optim.AdamW) == "torch.optim.AdamW"
    assert public(partial(torch.optim.SGD, momentum=0.9)) == "torch.optim.SGD:momentum=0.9"
    assert public(partial(torch.optim.SGD, lr=0.9)) is None
    assert public(Plain) is None
    assert entrant("torch.optim.SGD:momentum=0.9").hypers == {"momentum": 0.9}


def damped(p: Any, g: Any, *, lr: float = 0.1, share: float = 1.0) -> Any:
    """Gradient descent with a share of the rate, as a rule."""
    p = p - lr * share * g
    return p


def test_partial_calls_are_of_the_kind_of_what_they_call() -> None:
    """A partial call of a class on NumPy's arrays, or of a rule, takes part as that does."""
    arrays, formula = partial(Arrays, beta=0.8), partial(damped, share=0.5)
    texts, *_ = entered_optimizers([arrays, formula], None)
    try:
        kinds = [entrant(text).kind for text in texts]
        assert (texts, kinds) == (["Arrays:beta=0.8", "damped:share=0.5"], ["numpy", "rule"])
        assert entrant(texts[1]).hypers == {"share": 0.5}
    finally:
        hand({})


@pytest.mark.parametrize(("names", "told"), [
    ({"sgd": "Adam"}, "'Adam' is that of two optimizers"),
    ({"sgd": "adam"}, "'adam' is that of two optimizers"),
    ({"sgd": "x", "adam": "x"}, "'x' is that of two optimizers"),
    ({"lion": "x"}, "is for lion, which does not take part"),
    *(({"sgd": name}, "is no name: give printable signs")
      for name in ("=1+1", "a\nb", " ", "x" * 41, "好" * 21, "a\u202eb", "@x", 5, None)),
])  # fmt: skip
def test_names_that_mislead_are_refused(names: dict[str, Any], told: str) -> None:
    """A name is one line that no other optimizer has, and nothing that a spreadsheet computes."""
    with pytest.raises(LabError, match=told):
        check_names(["sgd", "adam"], names)


def test_a_name_belongs_to_the_optimizer_before_it(capsys: pytest.CaptureFixture[str]) -> None:
    """`--name` names the --optimizer or --rule before it, once."""
    words = ["compare", "line", "--optimizer", "adam:beta1=0.8", "--name", "slow", "--rule", "a:b"]
    args = build_parser().parse_args([*words, "--name", "own"])
    assert args.name == {"adam:beta1=0.8": "slow", "a:b": "own"}
    assert (args.optimizer, args.rule) == (["adam:beta1=0.8"], ["a:b"])
    for wrong, told in (
        (["compare", "line", "--name", "x"], "stands before any --optimizer"),
        ([*words, "--name", "x", "--name", "y"], "is the second name of a:b"),
    ):
        with pytest.raises(SystemExit):
            build_parser().parse_args(wrong)
        assert told in capsys.readouterr().err


def test_long_names_are_told_apart_beside_lines() -> None:
    """Beside a line a class goes by its own name, and by its package where two have one."""
    texts = ["adam", "torch.optim.Adam", "torch.optim.Adafactor", "timm.optim:Lamb"]
    shown = [look.short for look in looks_of(texts).values()]
    assert shown == ["Adam", "torch…Adam", "Adafactor", "Lamb"] or shown[3] == "timm.optim:La…"


def test_a_comparison_goes_on_in_other_processes(tmp_path: Path) -> None:
    """Two processes give the bytes of one, and another name changes no plan."""
    problem = f"{HERE.with_name('bowl.py')}:BOWL"
    words = ["compare", problem, "--quick", "--seeds", "3", "--optimizer", f"{HERE}:Noisy"]
    words += ["--optimizer", "torch.optim.SGD:momentum=0.5"]
    assert main([*words, "--out", str(tmp_path / "two"), "--workers", "2"]) == 0
    first = (tmp_path / "two" / "runs.jsonl").read_bytes()
    plan = (tmp_path / "two" / "plan.json").read_bytes()
    again = [*words, "--name", "SGD, half", "--out", str(tmp_path / "two"), "--workers", "1"]
    assert main(again) == 0
    assert (tmp_path / "two" / "plan.json").read_bytes() == plan
    assert (tmp_path / "two" / "runs.jsonl").read_bytes() == first
    assert main([*words, "--out", str(tmp_path / "one"), "--workers", "1"]) == 0
    assert (tmp_path / "one" / "runs.jsonl").read_bytes() == first


def test_what_fails_while_it_is_timed_has_no_time() -> None:
    """An optimizer that fails late leaves the page without its times, and nobody else's."""
    tires = f"{HERE}:Tires"
    plain = f"{HERE}:Plain"
    times = timing(TINY, [plain, tires])
    assert times["per_step"][tires] is None
    assert times["state_bytes_per_parameter"][tires] is None
    assert times["per_step"][plain] is not None
    told: Any = {"model_step": 1.0, "seconds": 1.0, "workers": 1}
    told |= {key: {"sgd": 5.0, "adam": None} for key in ("per_step", "state_bytes_per_parameter")}
    assert cost(subject(sample(("sgd", "adam")), told, Say("en")))

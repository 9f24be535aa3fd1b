"""Write the table of docs/check.md and docs/check.zh.md from the file of `benchmarks.field`.

`python tools/write_check.py FIELD.json` replaces what stands between the two marks in both pages.
"""

import json
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1] / "docs"
HEADS = {
    "check.md": "| optimizer | rule | decay | compared in | 136 × 132 |",
    "check.zh.md": "| 优化器 | 规则 | 衰减 | 比较所用 | 136 × 132 |",
}
# What a page says of a large matrix that is stepped otherwise, and before the names without a rule.
WORDS = {
    "check.md": {"same": "alike", "differs": "otherwise", "unknown": "not told"},
    "check.zh.md": {"same": "相同", "differs": "不同", "unknown": "未能判定"},
}
LEFT = {
    "check.md": "None of the formulas that are known here: ",
    "check.zh.md": "不是这里已知的任何公式：",
}
REFUSED = {
    "check.md": "Not checked: no step with the defaults by planned dense gradients: ",
    "check.zh.md": "没有检查，因为按默认设置，它在这里无法按事先定好的稠密梯度走一步：",
}
# The second table: arguments without effect, states of another dtype, other ways after loading.
SEEN = {
    "check.md": "| optimizer | no effect seen | dtype of parameters: of states | after loading |",
    "check.zh.md": "| 优化器 | 未见作用的参数 | 参数的 dtype：状态的 dtype | 载入之后 |",
}
OTHERWISE = {"check.md": "otherwise: ", "check.zh.md": "走得不同："}
ALL = {"check.md": "all that were tried", "check.zh.md": "试过的全部"}
RAISES = {"check.md": "refused", "check.zh.md": "拒绝"}
# Whole numbers from here on count steps, sizes or ranks beyond what is tried.
BEYOND = 29
BEGIN, END = "<!-- made: field -->\n", "<!-- end of made -->"


def shown(task: str) -> str:
    """The optimizer of a row with its options, as code."""
    _, name, options = json.loads(task)
    given = ", ".join(f"{key}={value!r}" for key, value in options.items())
    return f"`{name}({given})`" if given else f"`{name}`"


def row(task: str, found: dict[str, Any], page: str) -> str:
    """One line of the table."""
    rule = "" if found["rule"].startswith("family") else found["rule"]
    fixed = ", ".join(f"{key}={value:g}" for key, value in found["fixed"].items())
    named = f"`{rule}({fixed})`" if fixed else f"`{rule}`"
    traits = ", ".join(f"{key} {value}" for key, value in found["traits"].items())
    dtype = f"`{found['dtype']}`" + ("*" if found["precision"] == "narrow" else "")
    cells = (shown(task), named if rule else f"`{traits}`", f"`{found['decay']}`", dtype,
             WORDS[page][found["large"]])  # fmt: skip
    return f"| {' | '.join(cells)} |"


def idle(found: dict[str, Any]) -> list[str]:
    """The arguments without an effect, but for numbers that cannot have one in so few steps."""
    tried = found["effects"]["without"]
    large = {name for name, values in tried.items()
             if all(value.isdigit() and int(value) >= BEYOND for value in values)}  # fmt: skip
    return [name for name in tried if name not in large]


def promoted(found: dict[str, Any]) -> dict[str, str]:
    """What states have in another dtype than the parameters, by theirs; "" where a step raises."""
    told = {}
    for kind, kept in found["numerics"]["dtypes"].items():
        others = [name for name in kept["states"] if name not in (kind, "bool")]
        if kept["error"] or others:
            told[kind] = "" if kept["error"] else ", ".join(others)
    # Where none could be run, that says nothing of dtypes.
    return told if any(told.values()) or len(told) < len(found["numerics"]["dtypes"]) else {}


def seen(rows: dict[str, Any], page: str) -> list[str]:
    """The lines of the second table; those who have the same of everything share one."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for task, each in rows.items():
        if not each or not (each["idle"] or each["promoted"] or each["lost"]):
            continue
        unused = ", ".join(f"`{name}`" for name in each["idle"])
        unused = ALL[page] if {"lr", "weight_decay"} <= set(each["idle"]) else unused
        kinds = "; ".join(f"`{kind}`: " + (f"`{what}`" if what else RAISES[page])
                          for kind, what in each["promoted"].items())  # fmt: skip
        lost = OTHERWISE[page] + ", ".join(f"`{one}`" for one in each["lost"])
        cells = (unused or "–", kinds or "–", lost if each["lost"] else "–")
        alike.setdefault(cells, []).append(shown(task))
    comma = ", " if page == "check.md" else "、"
    return [f"| {comma.join(who)} | {' | '.join(cells)} |" for cells, who in alike.items()]


def table(kept: dict[str, Any], page: str) -> str:
    """All that stands between the marks of a page."""
    rows = kept["rows"]
    known = {task: each for task, each in rows.items() if each.get("rule")}
    lines = [HEADS[page], "|---|---|---|---|---|"]
    lines += [row(task, each, page) for task, each in known.items()]
    left = [shown(task) for task, each in rows.items() if each.get("rule", "") is None]
    refused = [shown(task) for task, each in rows.items() if "rule" not in each]
    comma = ", " if page == "check.md" else "、"
    end = "." if page == "check.md" else "。"
    versions = comma.join(f"{name} {number}" for name, number in kept["versions"].items())
    return "\n".join([
        "", f"{kept['date']}{comma}{versions}{comma}{kept['machine']}", "", *lines, "",
        SEEN[page], "|---|---|---|---|", *seen(rows, page), "",
        f"{LEFT[page]}{comma.join(left)}{end}", "",
        f"{REFUSED[page]}{comma.join(refused)}{end}", "", "",
    ])  # fmt: skip


def compact(kept: dict[str, Any]) -> dict[str, Any]:
    """Of every row what the table holds, from the file of `benchmarks.field`."""
    rows: dict[str, Any] = {}
    for task, each in kept["rows"].items():
        found = each.get("found", {}).get("dialect")
        names = ("rule", "decay", "dtype", "precision", "traits", "fixed", "large")
        rows[task] = {}
        if found:
            whole = each["found"]
            lost = [] if whole["resume"]["exact"] else whole["resume"]["lost"]
            told = {"idle": idle(whole), "promoted": promoted(whole), "lost": lost}
            rows[task] = {name: found[name] for name in names} | told
    return {**kept, "rows": rows}


def main() -> None:
    """Write both pages."""
    kept = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    first = next(iter(kept["rows"].values()))
    kept = compact(kept) if first.keys() & {"found", "refused", "failed"} else kept
    for page in HEADS:
        path = DOCS / page
        before, mark, rest = path.read_text("utf-8").partition(BEGIN)
        after = rest[rest.index(END) :]
        path.write_text(f"{before}{mark}{table(kept, page)}{after}", "utf-8")


if __name__ == "__main__":
    main()

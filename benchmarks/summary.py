"""The short tables of README and docs, made from the JSON files alone, as the page of results is.

A page holds a table between the lines `<!-- measured: NAME -->` and `<!-- end of measured -->`, in
the language of the page.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adamas.bench.run import number
from benchmarks.table import Records, label

PAGES = (
    "README.md",
    "docs/few-bits.md",
    "docs/few-bits.zh.md",
    "docs/torch.md",
    "docs/torch.zh.md",
)
HEAD = "adamas takes, of the other's time"
BLOCK = re.compile(r"(<!-- measured: ([a-z-]+) -->\n).*?(<!-- end of measured -->)", re.S)


@dataclass(frozen=True)
class Row:
    """One line of a table: its words, and the figure that it shows in the column of each kind."""

    words: str
    section: str
    figure: str
    inverse: bool = False

    def cell(self, record: Mapping[str, Any]) -> str:
        """What this kind of processor measured, or nothing."""
        saved = record["sections"].get(self.section, {"figures": []})["figures"]
        found = [each for each in saved if each["what"] == self.figure]
        if not found:
            return ""
        value, unit = found[0]["value"], found[0].get("unit", "")
        if self.inverse:
            return f"1/{value:.0f}"
        return f"{value:.2f}" if unit in ("", "x") else f"{number(value)} {unit}"


FORMATS = (
    Row("float32, 64 Mi parameters", "large", "adamas / torch fused"),
    Row("bfloat16 state", "bits", "adamas bfloat16 / torch fused, 64 Mi"),
    Row("int8 state", "bits", "adamas int8 / torch fused, 64 Mi"),
    Row("int4 state", "bits", "adamas int4 / torch fused, 64 Mi"),
    Row(
        "bf16 parameters and gradients, int8 state, beside torch fused bf16",
        "bits",
        "adamas int8, bf16 p and g / torch fused bf16, 64 Mi",
    ),
)
SLOW = Row(
    "the same without AVX-512 in the fork",
    "fork",
    "bitsandbytes-cpu-fork 8-bit / adamas int8, 16 Mi, without AVX-512 in the fork",
    inverse=True,
)
PEERS = (
    Row(
        "int8 state, beside bitsandbytes' 8-bit AdamW",
        "bits",
        "bitsandbytes 8-bit / adamas int8, 64 Mi",
        inverse=True,
    ),
    Row(
        "the same beside bitsandbytes-cpu-fork, which is fused too, 16 Mi",
        "fork",
        "bitsandbytes-cpu-fork 8-bit / adamas int8, 16 Mi",
        inverse=True,
    ),
    SLOW,
)
CACHED = (
    Row("float32, 1 Mi parameters", "growth", "adamas / torch fused at 1 Mi"),
    Row("int8 state, 1 Mi parameters", "bits", "adamas int8 / torch fused, 1 Mi"),
)
DENSE = (
    Row(
        "right after a backward pass, float32",
        "dense",
        "adamas / torch fused, of it the optimizer",
    ),
    Row(
        "right after a backward pass, int8 state",
        "dense",
        "adamas int8 / torch fused, of it the optimizer",
    ),
)
WHOLE = Row(
    "clip, AdamW and average, beside torch's three calls", "whole", "adamas / torch's three calls"
)
ROWS = Row(
    "4,096 rows of 1 Mi x 32, beside SparseAdam",
    "rows",
    "adamas / SparseAdam, as backward leaves it",
)
SMALL = (
    Row("300 arrays of 4,096", "many", "adamas / torch fused, 300 x 4,096"),
    Row(
        "the same, new gradient arrays every step",
        "many",
        "adamas / torch fused, fresh gradients, 300 x 4,096",
    ),
)
TENSORS = (
    Row("1,000 tensors of 256", "torch", "adamas.torch / torch fused, 1,000 tensors of 256"),
    Row(
        "a layer of 10 parameters", "torch", "adamas.torch / torch fused, a layer of 10 parameters"
    ),
)
GUARD = Row('float32, beside itself with `on_nonfinite="allow"`', "guard", "float32, 64 Mi")
NUMPY = Row("beside a tutorial's NumPy code", "large", "NumPy tutorial / adamas", inverse=True)
BLOCKS: dict[str, tuple[Row, ...]] = {
    "readme": (*FORMATS, GUARD, *CACHED, *DENSE, WHOLE, *SMALL, ROWS, *PEERS, NUMPY),
    "few-bits": (*FORMATS, CACHED[1], *PEERS),
    "torch": (*DENSE, *TENSORS, ROWS, FORMATS[0], WHOLE),
}


CHINESE = {
    HEAD: "adamas 的用时与对方之比",
    "float32, 64 Mi parameters": "float32，64 Mi 个参数",
    "bfloat16 state": "bfloat16 状态",
    "int8 state": "int8 状态",
    "int4 state": "int4 状态",
    FORMATS[4].words: "bf16 参数和梯度，int8 状态，对比 torch fused bf16",
    PEERS[0].words: "int8 状态，对比 bitsandbytes 的 8 位 AdamW",
    PEERS[1].words: "同上，对比同样融合成一遍的 bitsandbytes-cpu-fork，16 Mi 个参数",
    SLOW.words: "同上，后者不用 AVX-512",
    CACHED[1].words: "int8 状态，1 Mi 个参数",
    DENSE[0].words: "紧接在反向传播之后，float32",
    DENSE[1].words: "紧接在反向传播之后，int8 状态",
    TENSORS[0].words: "1000 个张量，各 256 个元素",
    TENSORS[1].words: "只有 10 个参数的一层",
    ROWS.words: "1 Mi x 32 中的 4096 行，对比 SparseAdam",
    WHOLE.words: "裁剪、AdamW 加移动平均，对比 torch 的三次调用",
}


def block(name: str, records: Records, language: str = "en") -> str:
    """A table by its name: rows down, kinds of processor across, and what must be known of them."""
    said = CHINESE if language == "zh" else {}
    lines = [f"| {said.get(HEAD, HEAD)} |"]
    lines[0] += "".join(f" {label(each)} |" for each in records.values())
    lines.append("|---|" + "---:|" * len(records))
    for row in BLOCKS[name]:
        cells = "".join(f" {row.cell(each)} |" for each in records.values())
        lines.append(f"| {said.get(row.words, row.words)} |{cells}")
    return "\n".join(lines) + "\n" + "".join(remarks(records, language))


def remarks(records: Records, language: str) -> list[str]:
    """A paragraph for each kind of which something must be known."""
    key, colon = ("remark_zh", "：") if language == "zh" else ("remark", ": ")
    return [f"\n{label(each)}{colon}{each[key]}\n" for each in records.values() if key in each]


def language(page: str) -> str:
    """The language of a page, from its name."""
    return "zh" if page.endswith(".zh.md") else "en"


def rewrite(root: Path, records: Records) -> list[Path]:
    """Make every table in the pages below `root` anew; returns the pages that hold one."""
    written = []
    for page in (root / name for name in PAGES):
        text = page.read_text("utf-8") if page.exists() else ""
        if BLOCK.search(text):
            page.write_text(anew(text, records, language(page.name)), encoding="utf-8")
            written.append(page)
    return written


def anew(text: str, records: Records, language: str) -> str:
    """A page whose tables are those of the records, in its language."""
    return BLOCK.sub(lambda old: f"{old[1]}\n{block(old[2], records, language)}\n{old[3]}", text)

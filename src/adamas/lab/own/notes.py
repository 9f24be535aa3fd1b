"""What was done to a table, told in each language: nothing is dropped or changed in silence."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from adamas.lab.problems import Words

# How many columns one note names before it counts the others.
NAMED = 6

# key -> (English, Chinese); {names} is a list of columns, everything else a number or a word.
SENTENCES = {
    "encoding": (
        "The file is not UTF-8; it was read as {name}.",
        "文件不是 UTF-8，按 {name} 读取。",
    ),
    "empty": ("Dropped, without any value: {names}.", "已删除没有任何值的列：{names}。"),
    "constant": ("Dropped, the same in every row: {names}.", "已删除每行都相同的列：{names}。"),
    "counter": (
        "Dropped, whole numbers that only number the rows (in any order, with or without gaps; a "
        "time is kept if it is written as dates such as 2024-01-31): {names}.",
        "已删除只给各行编号的整数列（不论顺序、有无缺号；如果是时间，写成 2024-01-31 这样的日期即可"
        "保留）：{names}。",
    ),
    "ordered": (
        "Kept, though they rise or fall with every row. If this is a time or the order in which "
        "rows were taken, a random split judges by rows whose neighbours trained: {names}.",
        "以下列逐行递增或递减，仍然保留；如果它是时间或记录的先后，随机划分会让评判用的行与训练用的"
        "行相邻：{names}。",
    ),
    "unique": (
        "Kept as measurements, whole numbers that differ in every row; delete what is only a "
        "name or number of the row: {names}.",
        "以下整数列每行都不同，按测量值保留；如果只是编号，请删去该列：{names}。",
    ),
    "many": (
        "Dropped, texts with too many different values (names, ids, sentences): {names}.",
        "已删除不同取值过多的文本列（名称、编号、句子）：{names}。",
    ),
    "nested": (
        "Dropped, not numbers, texts or dates: {names}.",
        "已删除既非数字、文本也非日期的列：{names}。",
    ),
    "dates": ("Dates, read as days: {names}.", "日期列，按天数读取：{names}。"),
    "ambiguous": (
        "Dates that may be day/month or month/day were kept as texts; "
        "write them as 2024-01-31: {names}.",
        "无法分辨日/月与月/日的日期按文本处理，请写成 2024-01-31：{names}。",
    ),
    "comma": ("Decimal commas were read: {names}.", "按小数逗号读取：{names}。"),
    "thousands": (
        "Marks between thousands were ignored: {names}.",
        "忽略了千位分隔符：{names}。",
    ),
    "as_thousands": (
        "Each mark stands before three digits, so it may be a decimal one; it was read as one "
        "between thousands, 1.250 or 1,250 as 1250; if that is wrong, write more or fewer "
        "decimals: {names}.",
        "以下列的每个逗号或句点后面都正好有三位数字，也可能是小数点；这里按千位分隔符读取，1.250 "
        "或 1,250 读作 1250；如有误，请改变小数位数：{names}。",
    ),
    "as_decimals": (
        "Each mark stands before three digits, so it may be one between thousands; it was read as "
        "a decimal one, 1.250 or 1,250 as 1.25; if that is wrong, delete the marks: {names}.",
        "以下列的每个逗号或句点后面都正好有三位数字，也可能是千位分隔符；这里按小数点读取，1.250 "
        "或 1,250 读作 1.25；如有误，请删去这些符号：{names}。",
    ),
    "minus": (
        "Minus signs behind a number, dashes, or parentheses around it were read as negative: "
        "{names}.",
        "数字后面的负号、破折号或括住数字的括号按负数读取：{names}。",
    ),
    "words": (
        "Numbers with a few words among them, which count as missing: {names}.",
        "数字列中夹杂少量文字，按缺失值处理：{names}。",
    ),
    "infinite": (
        "Values that are infinite or beyond 1e100 count as missing: {names}.",
        "无穷大或超过 1e100 的值按缺失值处理：{names}。",
    ),
    "missing": (
        "Missing numbers became the training median, with a column of their own that says so: "
        "{names}.",
        "缺失的数字用训练集中位数填充，并各加一列标记：{names}。",
    ),
    "one_hot": (
        "Texts became one column for each of their most frequent values (at most 20) and one for "
        "the others: {names}.",
        "文本列按最常见的取值（最多 20 个）各成一列，其余合为一列：{names}。",
    ),
    "standard": (
        "Numbers are standardised by the training rows of each seed and clipped at {limit} "
        "standard deviations.",
        "数字按每个种子的训练行标准化，并截断在 {limit} 个标准差处。",
    ),
    "left_out": (
        "{count} of {rows} rows were left out because {target} is missing there.",
        "{rows} 行中有 {count} 行因 {target} 缺失而略去。",
    ),
    "rare": (
        "{count} rows were left out because their value of {target} occurs only once.",
        "有 {count} 行因其 {target} 的取值只出现一次而略去。",
    ),
    "duplicates": (
        "{count} of {rows} rows repeat another one; copies may be on both sides of the split.",
        "{rows} 行中有 {count} 行与其他行重复，可能同时出现在训练集和验证集中。",
    ),
    "flattened": (
        "Each sample of shape {shape} was laid out as one row.",
        "形状为 {shape} 的样本被展平成一行。",
    ),
    "classes": (
        "{target} has {count} classes; the largest has {share} of the rows. Always answering with "
        "the shares of the classes gives a loss of {loss}.",
        "{target} 有 {count} 个类别，最大的占 {share}。总按各类占比作答的损失为 {loss}。",
    ),
    "numbers": (
        "{target} is a number. A loss of 1 is what always answering with the training mean gives.",
        "{target} 是数值。总以训练集平均值作答，损失为 1。",
    ),
}


@dataclass
class Notes:
    """Sentences by key: those about columns gather names, the others are said once."""

    names: dict[str, list[str]] = field(default_factory=dict)
    said: dict[str, dict[str, str]] = field(default_factory=dict)

    def column(self, key: str, name: str) -> None:
        """Add a column to the sentence `key`."""
        self.names.setdefault(key, []).append(name)

    def say(self, key: str, **values: str) -> None:
        """Say the sentence `key` with these values."""
        self.said[key] = values

    def words(self) -> Words:
        """Return all sentences as one text for each language."""
        return {
            language: between.join(self._sentences(index, comma))
            for index, (language, between, comma) in enumerate(
                (("en", " ", ", "), ("zh", "", "、"))
            )
        }

    def _sentences(self, index: int, comma: str) -> Iterable[str]:
        for key, sentences in SENTENCES.items():
            if key in self.names:
                yield sentences[index].format(names=_listed(self.names[key], index, comma))
            elif key in self.said:
                yield sentences[index].format(**self.said[key])


def _listed(names: list[str], index: int, comma: str) -> str:
    """Name the first few columns and how many there are."""
    text = comma.join(names[:NAMED])
    if len(names) <= NAMED:
        return text
    return text + (" and {} more", "等共 {} 列")[index].format(len(names) - NAMED * (index == 0))

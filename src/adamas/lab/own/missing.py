"""Words that stand where a value is missing.

Among numbers and dates all of them do. In a column of texts some may be values (a class "None", "-"
for no): these count as missing there if they do so among the numbers of the same file, or if
nothing else stands in the column.
"""

# In lower case.
SURE = frozenset(
    {"", "nan", "null", "<na>", "#n/a", "?", "\\n"}
    | {f"#{error}" for error in ("div/0!", "value!", "ref!", "num!", "name?", "null!", "na")}
)
PERHAPS = frozenset(
    {"na", "n/a", "n.a.", "none", "nil", "nat", "missing", "unknown", "not available", "undefined"}
    | {"-", "--", "---", "\u2013", "\u2014", ".", "..", "...", "*", "k.a.", "n.d."}
    | {"无", "空", "缺失", "缺", "未知", "不详", "暂无", "无数据", "缺测"}
)
WORDS = SURE | PERHAPS
# What nobody is surprised to find counted as missing among numbers.
ORDINARY = frozenset({"", "nan", "null", "<na>", "#n/a", "?", "\\n", "na", "n/a"})


def is_missing(text: str) -> bool:
    """Return whether a text is a word for a missing value, if it stands among numbers.

    >>> is_missing("#DIV/0!"), is_missing("-"), is_missing("0")
    (True, True, False)
    """
    return text.lower() in WORDS

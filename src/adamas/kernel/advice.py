"""What to write instead of what the language has not: other libraries' words, and what is missing.

A rule that is typed from a paper meets these first, so each is answered with what comes nearest.
"""

import ast
import re

from adamas.kernel.scopes import REDUCTIONS, reduction

CHOOSE = "assign in an `if`, or choose with `a if c else b` or `where(c, a, b)`."
MATRICES = (
    'A rule sees rows and columns by sums, as in `total(x * y, over="row")`, and a whole matrix by '
    "`orthogonalize(x)`; other products of matrices are not there."
)
NO_MATRIX = (
    "a matrix has a number for each element, and this has one for many",
    "Orthogonalize the gradient, or what is made of it for each element.",
)
MATRIX_AND_ALL = (
    'a rule that orthogonalizes matrices cannot sum over all tensors (over="all")',
    "Matrices are stepped one after another, so that one room serves all. Sum over each tensor.",
)
ORDER = (
    "Numbers are not compared with each other across a tensor; there are `norm`, `rms`, `mean` and "
    "`total`, and `maximum(x, y)` takes two values of one element."
)
SIZE = "Ask for `rows` and `columns` by name, without a default: `*, rows, columns, lr=1e-3`."
LIKE = "Write the number alone: every element has it."
DRAWN = (
    "a random number is drawn for each element, and this is one number for many",
    "Write `uniform(p)` or `normal(p)`.",
)
REMAINDER = (
    "a remainder is computed once a step: of hyper-parameters, numbers and t only",
    "For elements there is none: compare and choose, as in `where(x > y, x - y, x)`, or wrap an "
    "angle with `atan2(sin(x), cos(x))`.",
)
PARTS = ("a formula assigns names, not parts of them", "Write `name = ...`.")
SAMPLES = "That is the mean over all n, as in NumPy; torch divides by n - 1."
OUTSIDE = "A number beside the rule has a plain name: write `EPS = 1e-3` above it."
WITHIN = "Write `m = ...` with the value: a formula changes nothing in place."

# What NumPy and torch call an axis, by the scope that a word is over.
AXES = {"0": "column", "-1": "row", "None": "tensor"}
# Words of other libraries, and what is written here instead.
INSTEAD = {
    "fmax": "maximum(x, y)", "fmin": "minimum(x, y)", "absolute": "abs(x)", "fabs": "abs(x)",
    "clamp": "clip(x, low, high)", "clamp_min": "maximum(x, low)", "clamp_max": "minimum(x, high)",
    "pow": "x ** y", "power": "x ** y", "float_power": "x ** y", "square": "x * x",
    "reciprocal": "1 / x", "rsqrt": "1 / sqrt(x)", "cbrt": "sign(x) * abs(x) ** (1 / 3)",
    "hypot": "sqrt(x * x + y * y)", "select": "where(c, x, y)", "expm1": "exp(x) - 1",
    "log1p": "log(1 + x)", "exp2": "2 ** x", "log2": "log(x) / log(2)",
    "log10": "log(x) / log(10)", "tan": "sin(x) / cos(x)", "atan": "atan2(x, 1)",
    "arctan": "atan2(x, 1)", "arctan2": "atan2(y, x)", "sgn": "sign(x)",
    "copysign": "abs(x) * sign(y)", "sigmoid": "1 / (1 + exp(-x))", "relu": "maximum(x, 0)",
    "softplus": "log(1 + exp(x))", "lerp": "x + w * (y - x)", "isnan": "x != x",
    "nan_to_num": "where(x == x, x, 0.0)", "add": "x + y", "subtract": "x - y", "sub": "x - y",
    "multiply": "x * y", "mul": "x * y", "divide": "x / y", "div": "x / y",
    "true_divide": "x / y", "negative": "-x", "neg": "-x", "mod": "x % y", "fmod": "x % y",
    "remainder": "x % y", "floor_divide": "x // y", "logical_and": "a and b",
    "logical_or": "a or b", "logical_not": "not a", "greater": "x > y", "less": "x < y",
    "sum": "total(x)", "fsum": "total(x)", "nansum": "total(x)", "average": "mean(x)",
    "nanmean": "mean(x)", "dot": "total(x * y)", "vdot": "total(x * y)", "inner": "total(x * y)",
    "var": "mean((x - mean(x)) ** 2)", "std": "sqrt(mean((x - mean(x)) ** 2))",
    "count_nonzero": "total(where(x != 0, 1.0, 0.0))",
    "cosine_similarity": "total(x * y) / (norm(x) * norm(y))", "normalize": "x / norm(x)",
    "float": "x", "asarray": "x", "array": "x", "tensor": "x", "copy": "x", "clone": "x",
    "detach": "x", "item": "x",
}  # fmt: skip
MISSING = {
    **dict.fromkeys(("matmul", "mm", "bmm", "einsum", "outer", "tensordot", "svd", "qr", "inv",
                     "trace", "T", "mT", "transpose", "reshape", "view", "flatten"), MATRICES),
    **dict.fromkeys(("amax", "amin", "argmax", "argmin", "sort", "argsort", "median", "quantile",
                     "percentile", "topk", "cumsum", "cummax"), ORDER),
    **dict.fromkeys(("shape", "size", "numel", "len", "ndim", "dim"), SIZE),
    **dict.fromkeys(("zeros_like", "ones_like", "full_like", "empty_like", "zeros", "ones"), LIKE),
    **dict.fromkeys(("add_", "sub_", "mul_", "div_", "addcmul_", "addcdiv_", "lerp_", "copy_",
                     "zero_", "data", "grad"), WITHIN),
    **dict.fromkeys(("rand", "randn", "random", "rand_like", "randn_like", "uniform", "normal",
                     "default_rng", "bernoulli", "randint"),
                    "Write `uniform(x)` or `normal(x)`: one random number for each element of x."),
    **dict.fromkeys(("isfinite", "isinf"), "A step leaves out elements whose gradient is not "
                    "finite by itself; `abs(x) < 1e38` compares."),
    **dict.fromkeys(("floor", "ceil", "round", "trunc"), "Only what depends on hyper-parameters, "
                    "numbers and t can be made whole, as in `t // k`."),
}  # fmt: skip


def other_word(node: ast.Call, known: frozenset[str], method: bool, allowed: str) -> str:
    """The advice for a call of what is no word; `allowed` names those that are `known`.

    A `method` is called on its first argument.
    """
    name = ast.unparse(node.func).rpartition(".")[2]
    given = list(node.args)
    if method and isinstance(node.func, ast.Attribute):
        given.insert(0, node.func.value)
    if name in ("max", "min"):
        return f"Write `{name}imum(x, y)`. {allowed}" if len(given) == 2 else ORDER
    if name in MISSING or not (name in known or name in INSTEAD):
        return MISSING.get(name, allowed)
    if name in ("var", "std"):
        allowed = f"{SAMPLES} {allowed}"
    if name in ("clip", "clamp") and (limited := bounded(given, node.keywords)):
        made = limited
    elif name in INSTEAD:
        made = _filled(INSTEAD[name], given)
    else:
        shown = given[:1] if name in REDUCTIONS else given
        made = f"{name}({', '.join(map(ast.unparse, shown)) if method else 'x'})"
    axis = _axis(name, node.keywords, given[1:])
    return f"Write `{_along(made, axis)}`. {allowed}"


def _filled(template: str, given: list[ast.expr]) -> str:
    """A template with its arguments, where all of them are names or numbers."""
    if not given or not all(isinstance(one, ast.Name | ast.Constant) for one in given):
        return template
    names = dict(zip("xy", map(ast.unparse, given), strict=False))
    return re.sub(r"\b[xy]\b", lambda found: names.get(found[0], found[0]), template)


def reduced(node: ast.Call, word: str) -> str | None:
    """What to write for a reduction with `axis` or `dim`, as NumPy and torch spell it."""
    axis = _axis(word, node.keywords, node.args[1:])
    if word not in REDUCTIONS or not axis or not node.args:
        return None
    return _along(f"{word}({ast.unparse(node.args[0])})", axis)


def _axis(word: str, keywords: list[ast.keyword], others: list[ast.expr]) -> str | None:
    """The scope that `axis` or `dim` names, or the first of the `others`; None for no known one."""
    # The second argument of a norm is its order.
    beside = [] if word == "norm" else others
    given = [*(k.value for k in keywords if k.arg in ("axis", "dim")), *beside]
    axis = ast.unparse(given[0]).strip("()") if given else ""
    # Of more than two dimensions a row has all but the first.
    rest = axis.replace(" ", "").strip(",").split(",")
    return "row" if rest == [str(k + 1) for k in range(len(rest))] else AXES.get(axis)


def bounded(given: list[ast.expr], keywords: list[ast.keyword]) -> str | None:
    """What to write for `clip` with bounds by keyword, of which there may be one only."""
    low, high = (
        [ast.unparse(k.value) for k in keywords if k.arg in names]
        for names in (("min", "a_min"), ("max", "a_max"))
    )
    if len(given) != 1 or not keywords or len(keywords) != len(low) + len(high):
        return None
    word = "clip" if low and high else "maximum" if low else "minimum"
    return f"{word}({', '.join([ast.unparse(given[0]), *low, *high])})"


def _along(text: str, over: str | None) -> str:
    """The same expression, with its reductions over this."""
    tree = ast.parse(text, mode="eval")
    calls = [n for n in ast.walk(tree) if reduction(n)] if over else []
    for call in calls:
        assert isinstance(call, ast.Call)
        call.keywords = [ast.keyword("over", ast.Constant(over))]
    return ast.unparse(tree).replace("'", '"') if calls else text


def statement(node: ast.stmt) -> tuple[str, str]:
    """What is wrong with a statement that is no assignment, and what to write."""
    match node:
        case ast.Return():
            return "a formula returns once, at its end", f"Instead {CHOOSE}"
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name))) if name.endswith("_"):
            return "this line changes a value in place", WITHIN
        case ast.Expr():
            return "this line assigns nothing", "Remove it; a formula has no side effects."
        case ast.AugAssign() | ast.AnnAssign():
            return PARTS
        case ast.For() | ast.While():
            word = type(node).__name__.lower()
            return (
                f"a formula has no `{word}` statement",
                f"Use assignments only, one for each turn, or `total(x)` for a sum; {CHOOSE}",
            )
    kind = type(node).__name__.lower().removeprefix("async")
    kind = {"functiondef": "def", "classdef": "class", "importfrom": "import"}.get(kind, kind)
    advice = (
        "Write the function beside the rule."
        if kind == "def"
        else f"Use assignments only; {CHOOSE}"
    )
    return f"a formula has no `{kind}` statement", advice


def expression(node: ast.expr, allowed: str) -> tuple[str, str]:
    """The same for an expression."""
    problem = f"`{ast.unparse(node)}` is not part of the formula language"
    match node:
        case ast.Subscript(value=ast.Attribute(attr="shape")):
            return problem, SIZE
        case ast.Attribute(attr=name) if name in MISSING:
            return problem, MISSING[name]
        case ast.Attribute() | ast.Subscript():
            return problem, f"{OUTSIDE} {allowed}"
        case ast.BinOp(op=ast.MatMult()):
            return problem, MATRICES
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr() | ast.BitXor()):
            return problem, "Write `a and b` or `a or b`."
        case ast.UnaryOp(op=ast.Invert()):
            return problem, "Write `not a`."
        case ast.Compare():
            return problem, "Compare with < <= > >= == or !=."
        case ast.NamedExpr():
            return problem, "Assign it in a line of its own."
    return problem, allowed

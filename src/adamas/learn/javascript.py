"""A formula as JavaScript: one more home that runs the text of a rule.

The statements are those that the reference executes, one by one and in their order, so in float64
both give the same bits wherever +, -, *, / and the square root are all that occurs. A rule becomes
an object with `step(f, n, p, g, <states>, t, <hyper-parameters>)`, which returns the value of every
statement: an array of `n` numbers where it is one of elements, else a number. `f` rounds: the
identity for float64, `Math.fround` for float32; what hyper-parameters and t alone decide stays in
float64 until it meets an element, as in a kernel. The words are those of `script/runtime.js`.

A page whose reader types a rule makes the same text with `script/reader.js`.
"""

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from adamas.kernel.formula import Formula, target
from adamas.kernel.scopes import ELEMENT, ONCE, ROW, reduction, scope

__all__ = ["NotInJavaScriptError", "expression", "function", "rule", "runs"]

# What a name may not be in JavaScript, or is in the text around it; `$` is in no name of Python.
RESERVED = frozenset(
    """
    arguments await break case catch class const continue debugger default delete do else enum eval
    export extends false finally for function if implements import in instanceof interface let new
    null package private protected public return static super switch this throw true try typeof
    undefined var void while with yield Math W f i n
    """.split()  # noqa: SIM905
)
SYMBOLS: Mapping[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "===", ast.NotEq: "!==",
}  # fmt: skip
# Words that pick one of their arguments, and so round nothing.
EXACT = frozenset({"abs", "sign", "maximum", "minimum", "where", "clip"})


class NotInJavaScriptError(ValueError):
    """A rule that a page cannot run: it draws, asks for h or orthogonalizes."""


@dataclass
class _Scopes:
    """What is known of each name while the statements are read, and how JavaScript calls it."""

    scopes: dict[str, str]
    names: dict[str, str] = field(default_factory=dict)

    def of(self, node: ast.AST) -> str:
        return scope(node, self.scopes)


def runs(formula: Formula) -> bool:
    """Return whether a page can run a rule."""
    return not (formula.draws or formula.orthogonalizes or "h" in formula.given)


def rule(formula: Formula) -> str:
    """Return the JavaScript object of a formula.

    The tensor of a page is all tensors there are. Raises NotInJavaScriptError for one that draws
    random numbers, asks for h or orthogonalizes matrices.
    """
    if not runs(formula):
        raise NotInJavaScriptError(
            f"{formula.name} draws random numbers, asks for h or orthogonalizes matrices: a page "
            "does not, so run it in Python."
        )
    # A page steps vectors: each element is a row of its own, the whole is one column.
    arrays, numbers = (*formula.states, *formula.rows), (*formula.columns, *formula.scalars)
    states = (*arrays, *numbers)
    known = _Scopes(dict.fromkeys(("p", "g", *arrays), ELEMENT))
    given = ("p", "g", *states, "t", *formula.hypers)
    known.names = {"rows": "n", "columns": "1"} | {name: _safe(name) for name in given}
    lines, names = [], []
    for number, statement in enumerate(formula.statements):
        name = target(statement)
        here = _scope(statement.value, known)
        lines.append(_line(f"${number}", statement.value, here, known))
        names.append(name)
        known.scopes[name], known.names[name] = here, f"${number}"
    arguments = ", ".join(["f", "n", *map(_safe, given)])
    made = ", ".join(f"${number}" for number in range(len(lines)))
    last = {name: number for number, name in enumerate(names)}
    outputs = [last.get(formula.outputs[name], formula.outputs[name]) for name in ("p", *states)]
    entry = {
        "name": formula.name,
        "states": [[name, formula.initial[name], name in numbers] for name in states],
        "hypers": [[name, value] for name, value in formula.hypers.items()],
        "names": names,
        "lines": [ast.unparse(one) for one in formula.statements],
        "outputs": outputs,
    }
    body = "".join(f" {line}\n" for line in lines)
    step = f"({arguments}) => {{\n{body} return [{made}];\n}}"
    return json.dumps(entry, ensure_ascii=False)[:-1] + f', "step": {step}}}'


def function(tree: ast.FunctionDef, constants: Mapping[str, float] | None = None) -> str:
    """Return the arrow function of a definition: assignments and one `return`, all in float64.

    `constants` are numbers that the definition finds in its file.
    """
    given = {argument.arg: _safe(argument.arg) for argument in tree.args.args}
    arguments, lines = ", ".join(given.values()), []
    numbers = {name: _number(value) for name, value in (constants or {}).items()}
    known = _Scopes({}, numbers | given)
    for statement in tree.body[ast.get_docstring(tree) is not None :]:
        match statement:
            case ast.Return(value=ast.Tuple(elts=parts)):
                lines.append(f"return [{', '.join(expression(one, known) for one in parts)}];")
            case ast.Return(value=ast.expr() as value):
                lines.append(f"return {expression(value, known)};")
            case ast.Assign(targets=[ast.Tuple(elts=parts)], value=ast.Tuple(elts=values)):
                found = ", ".join(expression(one, known) for one in values)
                new = {ast.unparse(part): _safe(ast.unparse(part)) for part in parts}
                lines.append(f"let [{', '.join(new.values())}] = [{found}];")
                known.names |= new
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                let = "" if name in known.names else "let "
                lines.append(f"{let}{_safe(name)} = {expression(value, known)};")
                known.names[name] = _safe(name)
            case _:
                raise NotInJavaScriptError(
                    f"{ast.unparse(statement)} is no assignment and no return."
                )
    return f"({arguments}) => {{ {' '.join(lines)} }}"


def _scope(node: ast.expr, known: _Scopes) -> str:
    """Once, of the tensor or of elements: a row of a vector is an element."""
    found = reduction(node)
    if found is None:
        return known.of(node)
    inner = known.of(found.argument)
    return (
        ONCE if inner == ONCE else ELEMENT if found.over == ROW and inner == ELEMENT else found.over
    )


def _line(name: str, node: ast.expr, here: str, known: _Scopes) -> str:
    found = reduction(node)
    if found is not None and here != ELEMENT:
        inner = known.of(found.argument)
        text = expression(found.argument, known)
        if inner != ELEMENT:
            return f"const {name} = {_word_of_one(found.word, text)};"
        return f"const {name} = W.{found.word}(f, n, (i) => {text});"
    text = expression(found.argument if found else node, known)
    if found and found.word in ("norm", "rms"):
        text = f"Math.abs({text})"
    if here == ELEMENT:
        if known.of(found.argument if found else node) != ELEMENT:
            text = f"f({text})"
        return f"const {name} = W.each(n, (i) => {text});"
    return f"const {name} = {text};"


def _word_of_one(word: str, text: str) -> str:
    """A reduction of a number that the tensor has one of."""
    return f"Math.abs({text})" if word in ("norm", "rms") else f"({text})"


def expression(node: ast.expr, known: _Scopes) -> str:
    """Return one expression; parentheses stand around whatever is no name, number or call."""
    match node:
        case ast.Constant(value=value):
            return _number(float(str(value)))
        case ast.Name(id=name):
            found = known.names[name]
            return f"{found}[i]" if known.scopes.get(name) == ELEMENT else found
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return f"(-{expression(inner, known)})"
        case ast.UnaryOp(op=ast.UAdd(), operand=inner):
            return expression(inner, known)
        case ast.BinOp(left=left, op=op, right=right):
            return _arithmetic(node, op, left, right, known)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            a, b = _met(node, [left, right], known)
            return f"({a} {SYMBOLS[type(op)]} {b} ? 1 : 0)"
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _choice(node, test, body, orelse, known)
        case ast.Call(func=ast.Name(id="where"), args=[test, body, orelse]):
            return _choice(node, test, body, orelse, known)
        case ast.Call(func=ast.Name(id=word), args=arguments):
            text = f"W.{word}({', '.join(_met(node, arguments, known))})"
            return text if word in EXACT or known.of(node) == ONCE else f"f({text})"
    raise NotInJavaScriptError(f"{ast.unparse(node)} cannot be translated.")


def _arithmetic(
    node: ast.expr, op: ast.operator, left: ast.expr, right: ast.expr, known: _Scopes
) -> str:
    a, b = _met(node, [left, right], known)
    if isinstance(op, ast.Pow):
        text = f"W.power({a}, {b})"
    elif isinstance(op, ast.Mod):
        text = f"W.remainder({a}, {b})"
    elif isinstance(op, ast.FloorDiv):
        text = f"W.floored({a}, {b})"
    else:
        text = f"({a} {SYMBOLS[type(op)]} {b})"
    if known.of(node) == ONCE:
        return text
    return f"f{text}" if text.startswith("(") else f"f({text})"


def _choice(
    node: ast.expr, test: ast.expr, body: ast.expr, orelse: ast.expr, known: _Scopes
) -> str:
    a, b = _met(node, [body, orelse], known)
    text = expression(test, known)
    # A number is tested against 0: NaN, which is not 0, is true in Python.
    return f"({text if isinstance(test, ast.Compare) else f'{text} !== 0'} ? {a} : {b})"


def _met(node: ast.expr, parts: list[ast.expr], known: _Scopes) -> list[str]:
    """The parts of a whole; where it is not once a step, parts that are come in its precision."""
    texts = [expression(part, known) for part in parts]
    if all(known.of(part) == ONCE for part in parts):
        return texts
    return [f"f({t})" if known.of(p) == ONCE else t for t, p in zip(texts, parts, strict=True)]


def _number(value: float) -> str:
    return re.sub(r"e([+-])0*", r"e\1", repr(value).removesuffix(".0"))


def _safe(name: str) -> str:
    return f"${name}" if name in RESERVED else name

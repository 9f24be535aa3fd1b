"""What may be called in a formula: the words, by whatever name, and functions beside the rule."""

import ast
import math
from collections.abc import Sequence
from types import FunctionType
from typing import Any

from adamas.kernel import advice
from adamas.kernel.draws import PREFIX
from adamas.kernel.language import WORDS, Expressions, Read
from adamas.kernel.nodes import assigned, called
from adamas.kernel.origin import NOTHING, is_local, of_a_library, outside, word_of
from adamas.kernel.scopes import MATRICES, OVER, REDUCTIONS, Matrix
from adamas.newton_schulz import COEFFICIENTS

ARITIES = {"atan2": 2, "clip": 3, "maximum": 2, "minimum": 2, "where": 3}
DRAWN = ("normal", "uniform")
CALLED = f"The words are {', '.join(sorted(WORDS))}."


class Calls(Expressions):
    """Reads the calls of one function."""

    def call(self, node: ast.Call) -> Read:
        """A call of a word, or of a function beside the rule."""
        word = self.word(node.func)
        if word is not None:
            return self.apply(word, node)
        function = self.beside(node)
        if function is NOTHING:
            return self.no_word(node)
        made = self.helper(node, function)
        if len(made) > 1:
            self.fault(
                node,
                f"`{ast.unparse(node.func)}` returns {len(made)} values",
                "Assign them: `a, b = ...`.",
            )
        return made[0] if made else Read(ast.Constant(1.0), False)

    def beside(self, node: ast.Call) -> Any:
        """The function beside the rule that is called; `NOTHING` if it is none."""
        value = outside(self.function, node.func)
        known = self.word(node.func) is not None or of_a_library(value)
        # What has the name of a word, and is no function of ours, may be meant for the word.
        other = ast.unparse(node.func) in WORDS and not isinstance(value, FunctionType)
        return NOTHING if known or other else value

    def word(self, node: ast.expr) -> str | None:
        """Which word a function is here, by what it does and not by what it is called."""
        value = outside(self.function, node)
        found = word_of(value)
        if found is None and isinstance(node, ast.Name) and node.id in WORDS:
            local = is_local(self.function, node.id)
            return node.id if value is NOTHING and not local else None
        return found

    def no_word(self, node: ast.Call) -> Read:
        """Say what is wrong with a call of what is neither a word nor a function of the file."""
        name = ast.unparse(node.func)
        if name in WORDS:
            return self.fault(
                node.func,
                f"{name!r} is another function here than the word of this name",
                f"Write `from adamas.words import {name}`, or write the formula out.",
            )
        if not self.first(name):
            return Read(ast.Constant(1.0), False)
        root = node.func
        while isinstance(root, ast.Attribute):
            root = root.value
        method = not isinstance(root, ast.Name) or root.id in self.known
        instead = advice.other_word(node, WORDS, method, CALLED)
        return self.fault(node.func, f"{name!r} is not one of the words", instead)

    def apply(self, word: str, node: ast.Call) -> Read:
        """A call of a word."""
        if word in REDUCTIONS:
            return self.reduces(node, word)
        if word in MATRICES:
            return self.orthogonal(node)
        arity = ARITIES.get(word, 1)
        if node.keywords or len(node.args) != arity:
            spelled = advice.bounded(node.args, node.keywords) if word == "clip" else None
            instead = f"Write `{spelled}`." if spelled else CALLED
            return self.fault(node, f"`{word}` takes {arity} positional argument(s)", instead)
        if word == "where":
            test = self.test(node.args[0])
            yes, no = self.expression(node.args[1]), self.expression(node.args[2])
            made = called(word, [test, yes.node, no.node], node)
            return Read(made, yes.truth and no.truth)
        arguments = [self.number(argument) for argument in node.args]
        if word in DRAWN:
            return self.random(word, arguments[0], node)
        if word == "clip":
            x, low, high = arguments
            return Read(called("minimum", [called("maximum", [x, low], node), high], node), False)
        return Read(called(word, arguments, node), False)

    def random(self, word: str, like: ast.expr, node: ast.Call) -> Read:
        """A random number for each element; of two uniform ones a normal one is made."""
        if word == "uniform":
            return Read(self.draw(like, node), False)
        u, v = self.draw(like, node), self.draw(like, node)
        text = f"sqrt(-2 * log(1 - {ast.unparse(u)})) * cos({2 * math.pi!r} * {ast.unparse(v)})"
        made = ast.parse(text, mode="eval").body
        for one in ast.walk(made):
            ast.copy_location(one, node)
        return Read(made, False)

    def draw(self, like: ast.expr, node: ast.Call) -> ast.expr:
        """The next draw of the formula, under a name of its own; `like` has its shape."""
        draw = ast.copy_location(ast.Name(f"{PREFIX}{self.shared.draws}", ast.Load()), node)
        self.shared.draws += 1
        self.shared.like.append((draw, like))
        target = self.shared.fresh("noise")
        self.block.append(assigned(target, draw))
        return ast.copy_location(ast.Name(target, ast.Load()), node)

    def reduces(self, node: ast.Call, word: str) -> Read:
        """A call of a word that makes one number of many."""
        over = [*node.args[1:], *(k.value for k in node.keywords)]
        named = all(k.arg == "over" for k in node.keywords)
        known_scope = all(isinstance(one, ast.Constant) and one.value in OVER for one in over)
        if not node.args or len(over) > 1 or not named or not known_scope:
            allowed = ", ".join(f'"{one}"' for one in OVER)
            spelled = advice.reduced(node, word)
            return self.fault(
                node,
                f"`{word}` takes one value, and over= which numbers",
                f"Write `{spelled}`; over is one of {allowed}."
                if spelled
                else f'Write `{word}(x)` for the whole tensor, or `{word}(x, over="row")`; over is '
                f"one of {allowed}.",
            )
        made = called(word, [self.number(node.args[0])], node)
        made.keywords = [ast.keyword("over", one) for one in over]
        return Read(made, False)

    def orthogonal(self, node: ast.Call) -> Read:
        """A call of the word that makes a matrix of a matrix."""
        given = [*node.args[1:], *(k.value for k in node.keywords)]
        named = all(k.arg == "coefficients" for k in node.keywords)
        chosen = [one.value for one in given if isinstance(one, ast.Constant)] or ["jordan"]
        known = len(given) <= 1 and len(chosen) == max(1, len(given)) and chosen[0] in COEFFICIENTS
        if not node.args or not named or not known:
            names = ", ".join(f'"{one}"' for one in COEFFICIENTS)
            return self.fault(
                node,
                "`orthogonalize` takes one value, and coefficients= which steps",
                f'Write `orthogonalize(x)`, or `orthogonalize(x, coefficients="polar_express")`; '
                f"coefficients is one of {names}.",
            )
        made = Matrix(self.number(node.args[0]), str(chosen[0])).call
        for part in ast.walk(made):
            if not hasattr(part, "lineno"):
                ast.copy_location(part, node)
        return Read(ast.copy_location(made, node), False)

    def helper(self, node: ast.Call, function: Any) -> Sequence[Read]:
        """What a call of a function beside the rule returns; empty where that is a fault."""
        raise NotImplementedError

"""A function's statements become a straight list of assignments, each to one name.

Both branches of an `if` are computed under names of their own, and each name that one of them
assigns becomes a choice. Values of a tuple are all there before a name is assigned.
"""

import ast
import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from adamas.kernel import advice
from adamas.kernel.calls import Calls
from adamas.kernel.constants import too_deep
from adamas.kernel.language import TAKEN, Lacking, Read
from adamas.kernel.nodes import again, assigned
from adamas.kernel.origin import NOTHING

Known = dict[str, Read | Lacking]
# A name as it is assigned, with its new value.
Pair = tuple[ast.Name, Read]


@dataclass
class Statements(Calls):
    """Reads the statements of one function.

    Where it is `nested`, in a branch or a function that was called, every value has a name of its
    own; elsewhere the names are those of the rule, but for `moved`. Names that are `free` may be
    any, because they end up in no kernel.
    """

    nested: bool = False
    free: bool = False
    moved: frozenset[str] = frozenset()

    def statements(self, body: Sequence[ast.stmt]) -> None:
        """Read these one after the other."""
        for node in body:
            if not too_deep(self.shared.text, node.test if isinstance(node, ast.If) else node):
                self.statement(node)

    def statement(self, node: ast.stmt) -> None:
        """Read one."""
        match node:
            case ast.AugAssign(target=ast.Name(id=name)):
                left = ast.copy_location(ast.Name(name, ast.Load()), node.target)
                value = ast.copy_location(ast.BinOp(left, node.op, node.value), node)
                self.assign([node.target], value)
            case ast.AnnAssign(target=ast.Name(), value=ast.expr() as value):
                self.assign([node.target], value)
            case ast.Assign(targets=targets, value=value):
                self.assign(targets, value)
            case ast.If():
                self.branches(node)
            case ast.Pass() | ast.AnnAssign(target=ast.Name()):
                pass
            case _:
                self.fault(node, *advice.statement(node))

    def assign(self, targets: Sequence[ast.expr], value: ast.expr) -> None:
        """Give names to the values of an expression, from the left."""
        several = any(isinstance(target, ast.Tuple | ast.List) for target in targets)
        found = self.values(value) if several else [self.expression(value)]
        for target in targets:
            parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
            names = self.targets([part for part in parts if isinstance(part, ast.Name)])
            for part in parts:
                if not isinstance(part, ast.Name):
                    self.fault(part, *advice.PARTS)
            if len(parts) != len(found):
                problem = f"{len(found)} value(s) for {len(parts)} name(s)"
                self.fault(target, problem, "Write one value for each name.")
            if not len(names) == len(parts) == len(found):
                found = [Read(ast.Constant(1.0), False)] * len(names)
            self.together(list(zip(names, found, strict=True)))
            found = [now for name in names if isinstance(now := self.known[name.id], Read)]

    def targets(self, names: list[ast.Name]) -> list[ast.Name]:
        """The same targets, with another name for each that is assigned again further right."""
        left, found = Counter(name.id for name in names), list[ast.Name]()
        for name in names:
            left[name.id] -= 1
            if left[name.id]:
                before = self.shared.fresh(f"{name.id.strip('_') or 'value'}_before")
                name = ast.copy_location(ast.Name(before, ast.Store()), name)
            found.append(name)
        return found

    def values(self, node: ast.expr) -> Sequence[Read]:
        """The values of an expression, of which a tuple has several, and a call may."""
        if isinstance(node, ast.Tuple | ast.List):
            return [self.expression(part) for part in node.elts]
        if isinstance(node, ast.Call) and (function := self.beside(node)) is not NOTHING:
            return self.helper(node, function) or [Read(ast.Constant(1.0), False)]
        return [self.expression(node)]

    def together(self, pairs: Sequence[Pair]) -> None:
        """Assign all of these at once: none reads what another one assigns."""
        left = list(pairs)
        while left:
            for k, (name, _) in enumerate(left):
                others = [v.node for n, v in left if n is not name]
                if not self.overwrites(name.id) or not any(reads(v, name.id) for v in others):
                    self.store(*left.pop(k))
                    break
            else:
                # Each is read by another one: keep the old value of the first.
                name, value = left.pop(0)
                old = self.shared.fresh(f"{name.id}_before")
                read = ast.copy_location(ast.Name(name.id, ast.Load()), name)
                self.block.append(assigned(old, read))
                left = [(n, Read(_renamed(v.node, name.id, old), v.truth)) for n, v in left]
                self.store(name, value)

    def overwrites(self, name: str) -> bool:
        """Whether an assignment here gives a name of the rule another value."""
        return not self.nested and name not in self.moved

    def store(self, node: ast.Name, value: Read) -> None:
        """Assign one value to one name."""
        name = node.id
        if not self.free and (name in TAKEN or name.startswith("_")):
            problem = f"the name {name!r} is taken by the machinery"
            self.fault(node, problem, "Choose another name.")
        if self.nested and isinstance(value.node, ast.Name | ast.Constant):
            self.known[name] = value
            return
        if not self.overwrites(name):
            name = self.shared.fresh(name.strip("_") or "value")
        target = ast.copy_location(ast.Name(name, ast.Store()), node)
        self.block.append(ast.copy_location(ast.Assign([target], value.node), node))
        read = ast.copy_location(ast.Name(name, ast.Load()), node)
        self.known[node.id] = Read(read, value.truth)

    def branches(self, node: ast.If) -> None:
        """Read an `if`: whatever it assigns is chosen afterwards."""
        test, before = self.test(node.test), self.known
        yes, first = self.branch(node.body)
        no, second = self.branch(node.orelse)
        chosen: dict[str, tuple[Read, Read]] = {}
        for name in {**yes, **no}:
            a, b = yes.get(name), no.get(name)
            if a is b is before.get(name):
                continue
            if isinstance(a, Read) and isinstance(b, Read):
                chosen[name] = a, b
            else:
                before[name] = _lacking(node, a, b)
        if len(chosen) > 1:
            test = self.named("condition", test)
        block = [*first, *second]
        finals = [[side[k].node for side in chosen.values()] for k in (0, 1)]
        values = _folded(block, [*finals[0], *finals[1]])
        self.block += block
        places = {n.id: n for n in ast.walk(node) if isinstance(n, ast.Name)}
        pairs: list[Pair] = []
        for k, (name, (a, b)) in enumerate(chosen.items()):
            choice = ast.IfExp(again(test), values[k], values[k + len(chosen)])
            made = Read(ast.copy_location(choice, node), a.truth and b.truth)
            pairs.append((ast.copy_location(ast.Name(name, ast.Store()), places[name]), made))
        self.together(pairs)

    def branch(self, body: Sequence[ast.stmt]) -> tuple[Known, list[ast.Assign]]:
        """The names after these statements, and the values that they compute."""
        outer = self.known, self.block, self.nested
        self.known, self.block, self.nested = dict(self.known), [], True
        self.statements(body)
        found = self.known, self.block
        self.known, self.block, self.nested = outer
        return found


def _lacking(node: ast.If, yes: Read | Lacking | None, no: Read | Lacking | None) -> Lacking:
    """What a name is that one of two branches gave a value."""
    if isinstance(yes, Lacking):
        return yes
    shown = f"`{ast.unparse(node.test)}`"
    if yes is None:
        return Lacking(f"{shown} holds", "first branch")
    return no if isinstance(no, Lacking) else Lacking(f"{shown} does not hold", "`else` branch")


def _folded(block: list[ast.Assign], finals: Sequence[ast.expr]) -> list[ast.expr]:
    """The values themselves of names that nothing else reads; these leave the block."""
    every = [*(s.value for s in block), *finals]
    count = Counter(n.id for one in every for n in ast.walk(one) if isinstance(n, ast.Name))
    made = {n.id: s for s in block for n in s.targets if isinstance(n, ast.Name)}
    found = []
    for final in finals:
        known = made.get(final.id) if isinstance(final, ast.Name) else None
        if known is None or count[ast.unparse(final)] > 1:
            found.append(again(final))
        else:
            block.remove(known)
            found.append(known.value)
    return found


def reads(node: ast.AST, name: str) -> bool:
    """Whether an expression reads a name."""
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))


def _renamed(node: ast.expr, name: str, new: str) -> ast.expr:
    made = copy.deepcopy(node)
    for one in ast.walk(made):
        if isinstance(one, ast.Name) and one.id == name:
            one.id = new
    return made

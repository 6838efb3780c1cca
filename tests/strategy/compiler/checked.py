"""The oracle: the same source as Python, with every integer of every step held to 64 bits.

Python's own ints never overflow. Compiled ones do, and say so; this rewrites `a + b` to `_held(a + b)`, which raises
where compiled code must fail, and so says of each program which of the two answers is right.
"""

import ast


def held(value):
    """`value`, if 64 bits hold it."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise OverflowError("an integer beyond 64 bits")
    return value


def shifted(left, right):
    """left << right without making the number first."""
    if right > 64 and left != 0:
        raise OverflowError("an integer beyond 64 bits")
    return held(left << right)


def is_constant(node):
    """Worked out when it is compiled, exactly as Python does it."""
    if isinstance(node, ast.BinOp):
        return is_constant(node.left) and is_constant(node.right)
    if isinstance(node, ast.UnaryOp):
        return is_constant(node.operand)
    return isinstance(node, ast.Constant) or ast.unparse(node) in ("STEP", "RATE", "self.LIMIT", "len(self.window)")


class _Hold(ast.NodeTransformer):
    def visit_BinOp(self, node):
        if is_constant(node):
            return node
        self.generic_visit(node)
        return self._wrap(node.op, node.left, node.right, node)

    def _wrap(self, sign, left, right, node):
        if isinstance(sign, ast.LShift):
            made = ast.Call(ast.Name("_shifted", ast.Load()), [left, right], [])
        else:
            made = ast.Call(ast.Name("_held", ast.Load()), [ast.BinOp(left, sign, right)], [])
        return ast.copy_location(made, node)

    def visit_UnaryOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.USub):
            return ast.copy_location(ast.Call(ast.Name("_held", ast.Load()), [node], []), node)
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in ("abs", "int", "round"):
            return ast.copy_location(ast.Call(ast.Name("_held", ast.Load()), [node], []), node)
        return node

    def visit_AugAssign(self, node):
        self.generic_visit(node)
        if isinstance(node.target, ast.Subscript):  # the place is worked out once, before the value
            place = ast.copy_location(ast.Assign([ast.Name("_place", ast.Store())], node.target.slice), node)
            node.target.slice = ast.Name("_place", ast.Load())
            return [place, self._stored(node)]
        return self._stored(node)

    def _stored(self, node):
        loaded = ast.parse(ast.unparse(node.target), mode="eval").body
        return ast.copy_location(ast.Assign([node.target], self._wrap(node.op, loaded, node.value, node)), node)


def rewrite(text: str) -> str:
    """The source whose steps are held to 64 bits."""
    tree = ast.fix_missing_locations(_Hold().visit(ast.parse(text)))
    names = "held as _held, shifted as _shifted"
    return f"from strategy.compiler.checked import {names}\n{ast.unparse(tree)}"

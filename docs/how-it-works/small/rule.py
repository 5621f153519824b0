"""4. Rules: two expressions, the one that is found and the one that is put there.

A pattern is an expression over wildcards, written as users write theirs. The engine walks a graph
once, from the inputs up, so that the operands of a node are finished when it is looked at. Equal
nodes become one: a table knows each node by its operation and its finished operands.

The real one: `src/theano/_core/rewrite/pattern.py` and `engine.py`; the rules are in `rules/`. They
have conditions, say what they preserve, and may be functions where a pattern says too little.
"""

import numpy as np
from graph import Apply, Constant, Variable, evaluate, toposort
from op import exp, log, log1p, total

X, Y = Variable(0, name="X"), Variable(0, name="Y")

RULES = [
    (0 + X, X),
    (X + 0, X),
    (X * 1, X),
    (1 * X, X),
    (X / 1, X),
    (-(-X), X),
    (X - X, 0 * X),
    (exp(X) * exp(Y), exp(X + Y)),
    # Keeps digits where x is small.
    (log(1 + X), log1p(X)),
]


def matched(pattern, variable, found):
    """Tell whether a variable has the form of a pattern; note what wildcards stand for."""
    if pattern in (X, Y):
        return found.setdefault(pattern, variable) is variable
    if isinstance(pattern, Constant):
        return isinstance(variable, Constant) and np.array_equal(pattern.value, variable.value)
    node = variable.owner
    return (
        node is not None
        and node.op is pattern.owner.op
        and all(
            matched(p, v, found) for p, v in zip(pattern.owner.inputs, node.inputs, strict=True)
        )
    )


def replaced(pattern, found):
    """Return a pattern with what the wildcards stand for."""
    if pattern.owner is None:
        return found.get(pattern, pattern)
    return pattern.owner.op(*(replaced(v, found) for v in pattern.owner.inputs))


class Rewriter:
    """One walk with some rules."""

    def __init__(self, rules):
        self.rules = rules
        self.table = {}
        self.finished = {}

    def finish(self, variable):
        """Return the finished form of a variable."""
        for node in toposort([variable]):
            if node.output not in self.finished:
                self.finished[node.output] = self.apply(node)
        return self.finished.get(variable, self.leaf(variable))

    def leaf(self, variable):
        """Return the one variable for equal constants."""
        if isinstance(variable, Constant):
            key = (variable.value.shape, variable.value.tobytes())
            return self.table.setdefault(key, variable)
        return variable

    def apply(self, node):
        inputs = [self.finished.get(v, self.leaf(v)) for v in node.inputs]
        key = (node.op, *inputs)
        if key not in self.table:
            fresh = Apply(node.op, inputs, node.output.ndim).output
            self.table[key] = self.rewritten(fresh)
        return self.table[key]

    def rewritten(self, variable):
        for pattern, replacement in self.rules:
            found = {}
            if matched(pattern, variable, found):
                new = replaced(replacement, found)
                # A rule that would change the type does not fire.
                if new.ndim == variable.ndim:
                    return self.finish(new)
        self.finished[variable] = variable
        return variable


if __name__ == "__main__":
    x, y = Variable(1, name="x"), Variable(1, name="y")
    out = Rewriter(RULES).finish(log(1 + x * 1) + log(1 + x))
    assert repr(out) == "add(log1p(x), log1p(x))"
    assert out.owner.inputs[0] is out.owner.inputs[1]
    small = {x: np.array([1e-20]), y: np.array([0.5])}
    assert evaluate([log(1 + x)], small)[0] == 0
    assert evaluate([Rewriter(RULES).finish(log(1 + x))], small)[0] == 1e-20
    assert repr(Rewriter(RULES).finish(total(exp(x) * exp(-(-y))))) == "sum(exp(add(x, y)))"

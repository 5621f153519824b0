"""1. A graph.

An expression is not computed when it is written: it is kept, as variables and the nodes
that make them. This chapter is the whole data structure. The next ones add operations to it, take
derivatives of it, rewrite it, and turn it into machine code; `function.py` puts them together.
Each chapter is a program: run it, and it checks what it says.

The real one: `src/theano/_core/ir/variable.py` and `graph.py`. It adds types, the user's line that
made each node, names, and copies of graphs.
"""

import numpy as np


class Variable:
    """A value that is not there yet. `owner` is the node that makes it, None for an input.

    `ndim` is its type: 0 for a number, 1 for a vector. All numbers are float64 here.
    """

    def __init__(self, ndim, owner=None, name=None):
        self.ndim, self.owner, self.name = ndim, owner, name

    def __repr__(self):
        return self.name or (repr(self.owner) if self.owner else "?")


class Constant(Variable):
    """A value that is there."""

    def __init__(self, value):
        self.value = np.asarray(value, "float64")
        super().__init__(self.value.ndim, name=str(value))


class Apply:
    """An operation, what it is applied to, and the variable that comes out."""

    def __init__(self, op, inputs, ndim):
        self.op, self.inputs = op, tuple(inputs)
        self.output = Variable(ndim, owner=self)

    def __repr__(self):
        return f"{self.op}({', '.join(map(repr, self.inputs))})"


def toposort(outputs):
    """Return the nodes that `outputs` need, each after those it depends on.

    There is no recursion: graphs are deeper than Python's stack.
    """
    order, done, stack = [], set(), [v.owner for v in outputs if v.owner]
    while stack:
        node = stack[-1]
        waiting = [v.owner for v in node.inputs if v.owner and v.owner not in done]
        if waiting:
            stack += waiting
            continue
        stack.pop()
        if node not in done:
            done.add(node)
            order.append(node)
    return order


def evaluate(outputs, values):
    """Return the values of `outputs`, one node after the other: what a graph means."""
    known = dict(values)

    def value(v):
        return v.value if isinstance(v, Constant) else known[v]

    for node in toposort(outputs):
        known[node.output] = node.op.compute(*map(value, node.inputs))
    return [value(v) for v in outputs]


if __name__ == "__main__":

    class Next:
        """An operation is whatever has a `compute`."""

        def compute(self, x):
            return x + 1

    x = Variable(1, name="x")
    y = x
    for _ in range(5000):
        y = Apply(Next(), [y], y.ndim).output
    assert len(toposort([y])) == 5000
    (value,) = evaluate([y], {x: np.array([0.0, 0.5])})
    assert value.tolist() == [5000, 5000.5]

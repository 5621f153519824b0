"""6. Loops: which operations share a pass over memory.

NumPy computes one operation after the other, and each reads and writes whole vectors. Most of the
time goes into that. Operations on the same positions can share one loop, in which results between
them are numbers in registers. A sum ends a loop: what depends on it must wait until it is complete.

The real one: `src/theano/_core/lower/schedule.py` groups operations, `loops.py` is the form of a
loop. Views such as transpositions are only other steps through memory there, and cost nothing.
"""

from typing import NamedTuple

import numpy as np
from gradient import grad
from graph import Constant, Variable, evaluate, toposort
from op import Sum, exp, log, total
from pipeline import rewrite


class Loop(NamedTuple):
    """One pass: over the items of vectors if `ndim` is 1, or a single step with numbers.

    `stores` are what others need of it; of those, `sums` are added up over the steps.
    """

    ndim: int
    nodes: list
    loads: list
    stores: list
    sums: list


def schedule(outputs):
    """Return the loops that compute `outputs`, in order."""
    level, groups = {}, {}
    for node in toposort(outputs):
        ndim = max(v.ndim for v in node.inputs)
        own = 0
        for v in node.inputs:
            if v.owner:
                # A finished number, or a vector that another kind of loop makes, comes before.
                inside, kind = level[v.owner]
                own = max(own, inside + (kind != ndim or isinstance(v.owner.op, Sum)))
        level[node] = own, ndim
        groups.setdefault((own, ndim), []).append(node)
    return [_loop(ndim, groups[own, ndim], level, outputs) for own, ndim in sorted(groups)]


def _loop(ndim, nodes, level, outputs):
    made = {node.output for node in nodes}
    loads = {v for node in nodes for v in node.inputs if v not in made}
    elsewhere = {v for node in level if level[node] != level[nodes[0]] for v in node.inputs}
    sums = [node.output for node in nodes if isinstance(node.op, Sum)]
    stores = [v for v in made if v in elsewhere or v in outputs or v in sums]
    return Loop(ndim, nodes, [v for v in loads if not isinstance(v, Constant)], stores, sums)


def interpret(loops, values, length):
    """Run loops item by item, in Python: what `llvm.py` does in machine code."""
    memory = dict(values)
    for loop in loops:
        for v in loop.stores:
            memory[v] = np.zeros(length if v.ndim else ())
        for i in range(length if loop.ndim else 1):
            known = {v: memory[v][i] if v.ndim else memory[v] for v in loop.loads}
            for node in loop.nodes:
                inputs = [v.value if isinstance(v, Constant) else known[v] for v in node.inputs]
                known[node.output] = node.op.compute(*inputs)
            for v in loop.stores:
                if v in loop.sums:
                    memory[v] = memory[v] + known[v]
                elif v.ndim:
                    memory[v][i] = known[v]
                else:
                    memory[v] = known[v]
    return memory


if __name__ == "__main__":
    x, s = Variable(1, name="x"), Variable(0, name="s")
    cost = total(log(1 + exp(x * s)))
    outputs = rewrite([cost / 2, *grad(cost, [x, s])])
    loops = schedule(outputs)
    # The cost, both derivatives, and all between them: one pass over x. Then the division.
    assert [loop.ndim for loop in loops] == [1, 0]
    values = {x: np.linspace(-1, 1, 5), s: np.array(0.5)}
    memory = interpret(loops, values, 5)
    for v, wanted in zip(outputs, evaluate(outputs, values), strict=True):
        np.testing.assert_allclose(memory[v], wanted, rtol=1e-14)

"""8. A function: everything together.

`function` rewrites the graph, groups it into loops and compiles them, once. A call then checks the
arguments, allocates, and runs the loops. No new shape compiles anything.

The real one: `src/theano/_core/compile/maker.py` puts the steps together, and `runtime/` makes the
calls, in C++: with shared variables, reused memory, threads, and errors that name the user's line.
"""

import ctypes

import numpy as np
from gradient import grad
from graph import Variable, evaluate
from llvm import compiled, text_of
from loops import schedule
from op import exp, log, total
from pipeline import rewrite


class Function:
    """Machine code for some outputs."""

    def __init__(self, inputs, outputs):
        self.inputs, self.outputs = inputs, rewrite(outputs)
        self.loops = [(loop, compiled(text_of(loop))) for loop in schedule(self.outputs)]

    def __call__(self, *values):
        memory = {}
        for v, value in zip(self.inputs, values, strict=True):
            memory[v] = np.ascontiguousarray(value, "float64").reshape(np.shape(value))
            if memory[v].ndim != v.ndim:
                raise TypeError(f"{v} has {v.ndim} axes, not {memory[v].ndim}")
        lengths = {len(a) for a in memory.values() if a.ndim}
        if len(lengths) > 1:
            raise ValueError(f"vectors of different lengths: {sorted(lengths)}")
        length = max(lengths, default=0)
        for loop, run in self.loops:
            memory.update((v, np.zeros(length if v.ndim else ())) for v in loop.stores)
            arrays = [memory[v].ctypes.data for v in (*loop.loads, *loop.stores)]
            run((ctypes.c_void_p * len(arrays))(*arrays), length if loop.ndim else 1)
        return [memory[v] if v in memory else evaluate([v], {})[0] for v in self.outputs]


def function(inputs, outputs):
    """Return a function of `inputs` that computes `outputs`."""
    return Function(inputs, outputs)


if __name__ == "__main__":
    # Logistic regression with one weight, from noisy labels.
    x, y, w = Variable(1, name="x"), Variable(1, name="y"), Variable(0, name="w")
    cost = total(log(1 + exp(-(y * x * w))))
    step = function([x, y, w], [cost, *grad(cost, [w])])
    rng = np.random.default_rng(0)
    xs = rng.normal(size=1000)
    ys = np.where(xs + rng.normal(size=1000) > 0, 1.0, -1.0)
    weight, costs = 0.0, []
    for _ in range(50):
        value, slope = step(xs, ys, weight)
        costs.append(float(value))
        weight -= 0.005 * float(slope)
    assert abs(costs[0] - 1000 * np.log(2)) < 1e-9
    assert costs[-1] < 0.9 * costs[0]
    assert abs(float(slope)) < 1
    # The whole step, cost and gradient, is one pass over the data.
    assert len(step.loops) == 1
    print(f"weight {weight:.3f}, cost {costs[-1]:.1f}")

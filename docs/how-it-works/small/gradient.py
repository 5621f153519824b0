"""3. Gradients: another graph.

The derivative of a cost is an expression like any other, made by walking the graph backwards: each
node is asked what its inputs' derivatives are, given that of its output. Nothing is computed
here; the gradient is rewritten and compiled together with the cost, and shares what they share.

The real one: `src/theano/_core/autodiff/reverse.py`. It knows inputs that are not connected, and
operations with several outputs; `forward.py` is the other direction.
"""

import numpy as np
from graph import Constant, Variable, evaluate, toposort
from op import add, exp, log, total


def fitted(g, x):
    """Return `g` in the shape of `x`: what was broadcast adds up."""
    return total(g) if g.ndim > x.ndim else g


def grad(cost, wrt):
    """Return the derivatives of a number with respect to each of `wrt`."""
    known = {cost: Constant(1.0)}
    for node in reversed(toposort([cost])):
        g = known.get(node.output)
        if g is None:
            continue
        found = node.op.grad(g, *node.inputs, node.output)
        for x, gx in zip(node.inputs, found, strict=True):
            gx = fitted(gx, x)
            known[x] = add(known[x], gx) if x in known else gx
    return [known[x] for x in wrt]


if __name__ == "__main__":
    x, s = Variable(1, name="x"), Variable(0, name="s")
    cost = total(log(1 + exp(x * s)) / (1 + x * x))
    values = {x: np.array([0.3, -1.2, 2.0]), s: np.array(0.7)}
    gx, gs = evaluate(grad(cost, [x, s]), values)

    def at(step):
        moved = {x: values[x] + step * np.array([1.0, -2.0, 0.5]), s: values[s] + step * 3}
        return evaluate([cost], moved)[0]

    slope = (at(1e-6) - at(-1e-6)) / 2e-6
    np.testing.assert_allclose(gx @ [1.0, -2.0, 0.5] + 3 * gs, slope, rtol=1e-8)
    # A derivative of a derivative needs nothing new.
    (second,) = grad(total(grad(cost, [x])[0]), [x])
    assert evaluate([second], values)[0].shape == (3,)

"""2. Operations: one declaration each.

Whatever the system must know of an operation stands in one place: what it means, its derivative,
and how machine code does it. The other chapters read these fields, and none of them names an
operation. To add one is to write one declaration.

The real one: `src/theano/_core/ops/core/op.py` is what an operation is, `arithmetic.py` and its
neighbours declare them. A declaration there also says the dtype of the result, where the tests draw
their samples, its error bound, and what it does to a batch of rows.
"""

import numpy as np
from graph import Apply, Constant, Variable, evaluate


class Elementwise:
    """A function of numbers, applied at each position; numbers broadcast to vectors."""

    def __init__(self, name, compute, grad, llvm):
        self.name, self.compute, self.grad, self.llvm = name, compute, grad, llvm

    def __call__(self, *inputs):
        inputs = [v if isinstance(v, Variable) else Constant(v) for v in inputs]
        return Apply(self, inputs, max(v.ndim for v in inputs)).output

    def __repr__(self):
        return self.name


class Sum:
    """The sum of a vector."""

    def compute(self, x):
        return np.sum(x)

    def grad(self, g, x, y):
        return (fill(x, g),)

    def __call__(self, x):
        return x if x.ndim == 0 else Apply(self, [x], 0).output

    def __repr__(self):
        return "sum"


# `grad(g, *inputs, output)` gives the derivative of a cost with respect to each input, from
# `g`, that with respect to the output. `llvm(b, *names)` is described in `llvm.py`.
add = Elementwise("add", np.add, lambda g, x, y, z: (g, g), lambda b, x, y: b("fadd", x, y))
sub = Elementwise("sub", np.subtract, lambda g, x, y, z: (g, -g), lambda b, x, y: b("fsub", x, y))
mul = Elementwise(
    "mul", np.multiply, lambda g, x, y, z: (g * y, g * x), lambda b, x, y: b("fmul", x, y)
)
div = Elementwise(
    "div", np.divide, lambda g, x, y, z: (g / y, -g * z / y), lambda b, x, y: b("fdiv", x, y)
)
neg = Elementwise("neg", np.negative, lambda g, x, y: (-g,), lambda b, x: b("fneg", x))
exp = Elementwise("exp", np.exp, lambda g, x, y: (g * y,), lambda b, x: b.call("exp", x))
log = Elementwise("log", np.log, lambda g, x, y: (g / x,), lambda b, x: b.call("log", x))
log1p = Elementwise(
    "log1p", np.log1p, lambda g, x, y: (g / (1 + x),), lambda b, x: b.call("log1p", x)
)
# The second argument, at each position of the first.
fill = Elementwise("fill", lambda x, y: y + 0 * x, lambda g, x, y, z: (0 * x, g), lambda b, x, y: y)
total = Sum()

Variable.__add__ = lambda x, y: add(x, y)
Variable.__radd__ = lambda x, y: add(y, x)
Variable.__sub__ = lambda x, y: sub(x, y)
Variable.__rsub__ = lambda x, y: sub(y, x)
Variable.__mul__ = lambda x, y: mul(x, y)
Variable.__rmul__ = lambda x, y: mul(y, x)
Variable.__truediv__ = lambda x, y: div(x, y)
Variable.__rtruediv__ = lambda x, y: div(y, x)
Variable.__neg__ = lambda x: neg(x)


if __name__ == "__main__":
    x = Variable(1, name="x")
    y = total(log(1 + exp(x)) * 2)
    assert repr(y) == "sum(mul(log(add(1, exp(x))), 2))"
    (value,) = evaluate([y], {x: np.array([0.0, 1.0])})
    np.testing.assert_allclose(value, 2 * np.log(1 + np.exp([0.0, 1.0])).sum())

"""Operations declared with `theano.extend`, in a module that pickles can name."""

from __future__ import annotations

import numpy as np

import theano.tensor as T
from theano import extend

softsquare = extend.elementwise(
    "softsquare",
    lambda xp, x: x * x / (1 + x * x),
    grad=lambda g, x, y: (g * 2 * x / T.sqr(1 + x * x),),
    llvm=lambda b, x: b.true_div(b.mul(x, x), b.add(b.mul(x, x), b.const(1, x.dtype))),
    dtype=extend.to_real_float,
    samples=extend.reals(-3, 3),
)
# Without native code: `compute` is called for whole arrays.
wave = extend.elementwise(
    "wave",
    lambda xp, x, y: xp.sin(x) * y,
    grad=lambda g, x, y, z: (g * T.cos(x) * y, g * T.sin(x)),
    dtype=extend.to_real_float,
    samples=(extend.reals(-9, 9), extend.anything),
)


class OuterProduct(extend.Structured):
    """Products of all pairs of items of two vectors."""

    __props__ = ()

    def make_node(self, x, y):
        x, y = extend.as_variable(x), extend.as_variable(y)
        kind = extend.TensorType(x.dtype, (False, False))
        return extend.Apply(self, [x, y], [kind()])

    def compute(self, xp, node, x, y):
        return (xp.outer(x, y),)

    def shape(self, node, shapes):
        return [(shapes[0][0], shapes[1][0])]

    def vjp(self, node, cotangents):
        x, y = node.inputs
        (g,) = cotangents
        return [T.dot(g, y), T.dot(x, g)]


class Total(extend.Structured):
    """The sum of all items, as a NumPy scalar."""

    __props__ = ()

    def make_node(self, x):
        return self.one([x], x.dtype, ())

    def compute(self, xp, node, x):
        return (np.sum(x),)

    def shape(self, node, shapes):
        return [()]

    def vjp(self, node, cotangents):
        return [T.ones_like(node.inputs[0]) * cotangents[0]]

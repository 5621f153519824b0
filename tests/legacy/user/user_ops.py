"""Operations as programs for Theano 1.0.5 write them."""

import numpy as np

import theano
import theano.tensor as T
from theano.gof import Apply
from theano.gradient import DisconnectedType, grad_undefined


class Same(theano.Op):
    """A base: one output, of the type of the first input; it computes nothing."""

    __props__ = ()

    def make_node(self, *inputs):
        inputs = [T.as_tensor_variable(x) for x in inputs]
        return Apply(self, inputs, [inputs[0].type()])


def operation(name, base=Same, **methods):
    """Return an operation of a new class of that name, with these methods and attributes."""
    return type(name, (base,), methods)()


def computes(function):
    """Return a `perform` with one output, what a function makes of the inputs."""

    def perform(op, node, inputs, output_storage):
        output_storage[0][0] = function(*inputs)

    return perform


class Double(Same):
    """Twice its input, with everything optional."""

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = inputs[0] * 2

    def infer_shape(self, node, input_shapes):
        return input_shapes

    def grad(self, inputs, output_grads):
        return [output_grads[0] * 2]

    def R_op(self, inputs, eval_points):
        if eval_points[0] is None:
            return eval_points
        return self.grad(inputs, eval_points)


class TypedDouble(theano.Op):
    """Twice its input, by `itypes` and `otypes`."""

    __props__ = ()
    itypes = [T.dvector]
    otypes = [T.dvector]

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = inputs[0] * 2

    def grad(self, inputs, output_grads):
        return [2 * output_grads[0]]


class Scaled(theano.Op):
    """`a * x + b`, with equality and text written by hand, and storage that is used again."""

    def __init__(self, a, b):
        self.a, self.b = a, b
        super().__init__()

    def __eq__(self, other):
        return type(self) is type(other) and (self.a, self.b) == (other.a, other.b)

    def __hash__(self):
        return hash(type(self)) ^ hash(self.a) ^ hash(self.b)

    def __str__(self):
        return f"Scaled{{{self.a},{self.b}}}"

    make_node = Same.make_node

    def perform(self, node, inp, out):
        (x,) = inp
        (z,) = out
        if z[0] is None or z[0].shape != x.shape:
            z[0] = np.empty(x.shape, x.dtype)
        z[0][...] = self.a * x + self.b

    def infer_shape(self, node, i0_shapes):
        return i0_shapes

    def grad(self, inputs, output_grads):
        return [self.a * output_grads[0]]


class Square(Same):
    """Its square, whose gradient (`L_op`) is an operation too."""

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = np.asarray(inputs[0] ** 2)

    def L_op(self, inputs, outputs, output_grads):
        return [SquareGrad()(inputs[0], output_grads[0])]

    def infer_shape(self, node, shapes):
        return [shapes[0]]


class SquareGrad(Same):
    """`2 * x * g`."""

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = np.asarray(2 * inputs[0] * inputs[1])

    def grad(self, inputs, output_grads):
        x, g = inputs
        return [2 * g * output_grads[0], 2 * x * output_grads[0]]


class SumAndProduct(theano.Op):
    """Two outputs of two inputs; the third input is only looked at for its length."""

    __props__ = ("scale",)

    def __init__(self, scale=1):
        self.scale = scale

    def make_node(self, x, y, z):
        x, y, z = map(T.as_tensor_variable, (x, y, z))
        return Apply(self, [x, y, z], [x.type(), x.type()])

    def perform(self, node, inputs, output_storage):
        x, y, z = inputs
        output_storage[0][0] = (x + y) * self.scale
        output_storage[1][0] = x * y * len(z)

    def infer_shape(self, node, shapes):
        return [shapes[0], shapes[1]]

    def connection_pattern(self, node):
        return [[True, True], [True, True], [False, False]]

    def grad(self, inputs, output_grads):
        x, y, z = inputs
        of_sum, of_product = output_grads
        terms = []
        for factor in (y, x):
            term = T.zeros_like(x)
            if not isinstance(of_sum.type, DisconnectedType):
                term = term + of_sum * self.scale
            if not isinstance(of_product.type, DisconnectedType):
                term = term + of_product * factor * z.shape[0]
            terms.append(term)
        return [*terms, DisconnectedType()()]


class Undefined(Double):
    """Twice its input; its gradient is declared undefined."""

    def grad(self, inputs, output_grads):
        return [grad_undefined(self, 0, inputs[0], "nobody knows")]


class InPlace(Same):
    """One more than its input, which it overwrites."""

    destroy_map = {0: [0]}

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = np.add(inputs[0], 1, inputs[0])


class Reversed(Same):
    """A view of its input."""

    view_map = {0: [0]}

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = inputs[0][::-1]


class ByThunk(Same):
    """Three times its input, by a thunk."""

    def make_thunk(self, node, storage_map, compute_map, no_recycling, impl):
        source, target = storage_map[node.inputs[0]], storage_map[node.outputs[0]]

        def thunk():
            target[0] = source[0] * 3
            compute_map[node.outputs[0]][0] = True

        return thunk

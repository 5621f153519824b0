"""Loops that write to a part of an array themselves."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.comparison import ROUNDING, Tolerance
from support.loops import agree
from theano._core.lower import program as ir

IN = slice(1, -1)


def put(m, x, part, y, add=False):
    """Return `x` with a part of it set to `y`, or with `y` added to it."""
    if m is T:
        return (T.inc_subtensor if add else T.set_subtensor)(x[part], y)
    x, y = np.array(x), np.asarray(y).astype(x.dtype)
    x[part] = x[part] + y if add else y
    return x


def dying_from_itself(m, x, u, v):
    w = m.exp(u)
    return put(m, w, IN, w[:-2] - w[2:])


def read_later(m, x, u, v):
    w = m.exp(u)
    return put(m, w, IN, v[:-2] * 2 + v[1:-1]) + w * w.sum()


def values_read_later(m, x, u, v):
    y = v[1:-1] * 2 + v[2:]
    return put(m, u, IN, y)[1:-1] + y[::-1]


def two_parts(m, x, u, v):
    return put(m, put(m, u, np.s_[:2], v[:2] * 3), np.s_[-2:], m.tanh(v[:2]), add=True)


def part_from_part(m, x, u, v):
    w = put(m, m.sin(u), np.s_[:2], v[:2] * 3)
    return put(m, w, np.s_[2:4], w[:2] * w[1:3])


def one_row_for_several(m, x, u, v):
    row = T.addbroadcast(x[:1], 0) if m is T else x[:1]
    return put(m, x, np.s_[1:3], row * 2 + row)


# Programs of a matrix and two vectors: elementary functions of bytes are of other dtypes in NumPy.
OF_FLOATS = {
    "what dies": lambda m, x, u, v: put(m, m.exp(u), IN, v[:-2] * v[2:]),
    "what dies, from itself": dying_from_itself,
    "what is read later": read_later,
    "values that are read later": values_read_later,
    "two parts": two_parts,
    "a part from a part": part_from_part,
}
OF_ANY = {
    "an argument": lambda m, x, u, v: put(m, u, IN, u[:-2] * 0.5 + u[2:]),
    "a row": lambda m, x, u, v: put(m, x, 2, x[1] * 0.5 + x[0]),
    "a column": lambda m, x, u, v: put(m, x, np.s_[:, 1], x[:, 2] * 0.5, add=True),
    "every second, backwards": lambda m, x, u, v: put(m, u, np.s_[::-2], v[::2] * 2.5),
    "an argument added to": lambda m, x, u, v: put(m, u, IN, u[:-2] * v[2:], add=True),
    "a matrix": lambda m, x, u, v: put(m, x, (IN, IN), x[:-2, 1:-1] + x[1:-1, 2:]),
    "a turned matrix": lambda m, x, u, v: put(m, x.T, np.s_[1:3, 1:-1], x[1:-1, :2].T * 2),
    "everything": lambda m, x, u, v: put(m, u, np.s_[:], v * 2 + u, add=True),
    "one vector for several rows": lambda m, x, u, v: put(m, x, np.s_[1:3], x[0] * 2 + x[1]),
    "one row for several": one_row_for_several,
    "rows of one vector": lambda m, x, u, v: put(m, x, np.s_[1:3,], x[:2] * x[0], add=True),
}
KINDS = ["float64", "float32", "float16", "complex64"]
CASES = [(n, d) for n in OF_FLOATS | OF_ANY for d in KINDS] + [(n, "int8") for n in OF_ANY]
CLOSE = Tolerance(8, "halves are rounded in each loop", floor=8)


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_parts_that_are_written_are_those_of_numpy(name, dtype):
    shapes = [[(rows, columns), (rows,), (rows,)] for rows, columns in [(5, 4), (40, 37)] * 4]
    agree((OF_FLOATS | OF_ANY)[name], dtype, shapes, tolerance=CLOSE)


def test_arguments_stay_as_they_are():
    u = T.dvector()
    for build in (OF_ANY["an argument"], OF_ANY["everything"]):
        given = np.arange(6.0)
        theano.function([u], build(T, None, u, u))(given)
        np.testing.assert_array_equal(given, np.arange(6.0))


@pytest.mark.parametrize("add", [False, True])
def test_what_has_one_item_is_broadcast(add):
    u, v, n = T.dvector(), T.dvector(), T.lscalar()
    f = theano.function([u, v], put(T, T.exp(u), IN, v * 2 + 1, add))
    rows, _ = theano.scan(lambda w: put(T, w, IN, v * 2 + 1, add), outputs_info=u, n_steps=n)
    g = theano.function([u, v, n], rows[-1])
    given = np.arange(6.0)
    for values in (np.asarray([3.0]), np.asarray([3.0, 1.0, 4.0, 1.0])):
        wanted = put(np, np.exp(given), IN, values * 2 + 1, add)
        np.testing.assert_allclose(f(given, values), wanted, rtol=1e-14)
        for steps in (1, 3):
            wanted = given
            for _ in range(steps):
                wanted = put(np, wanted, IN, values * 2 + 1, add)
            np.testing.assert_array_equal(g(given, values, steps), wanted)
    for values in (np.zeros(0), np.zeros(3), np.zeros(7)):
        with pytest.raises(ValueError, match="broadcast"):
            f(given, values)
        with pytest.raises(ValueError, match="broadcast"):
            g(given, values, 2)
    assert f(np.zeros(2), np.zeros(0)).tolist() == [1.0, 1.0]


def test_an_update_that_fails_leaves_what_was():
    u, s = T.dvector(), theano.shared(np.arange(6.0))
    f = theano.function([u], updates=[(s, T.set_subtensor(s[1:-1], u * 2 + s[:-2]))])
    with pytest.raises(ValueError):
        f(np.ones(3))
    np.testing.assert_array_equal(s.get_value(), np.arange(6.0))
    f(np.ones(4))
    np.testing.assert_array_equal(s.get_value(), [0, 2, 3, 4, 5, 5])


def launched(block):
    """Yield what runs kernels where lengths are as they mostly are: they fit."""
    for i in block:
        if isinstance(i, ir.Launch):
            yield i
        elif isinstance(i, ir.If):
            yield from launched(i.then)


def test_nothing_is_copied():
    def step(a, b):
        b = put(T, b, (IN, IN), a[:-2, 1:-1] + a[2:, 1:-1])
        return put(T, a, (IN, IN), b[1:-1, :-2] + b[1:-1, 2:], add=True), b

    a, b = T.dmatrix(), T.dmatrix()
    rows, _ = theano.scan(step, outputs_info=[a, b], n_steps=5)
    program = theano.function([a, b], [rows[0][-1], rows[1][-1]]).maker.program_text.program
    (loop,) = [i for i in ir.walk(program.body) if isinstance(i, ir.For)]
    run = [program.kernels[i.kernel] for i in launched(loop.body)]
    assert run and all(kernel.loop.weight for kernel in run)


def test_constants_are_known_behind_the_branch():
    def build(m, x, y, z):
        part = put(m, x, IN, m.tanh(y * numbers) + numbers)
        return [part, m.cumsum(z * numbers, axis=0), m.dot(z, numbers)]

    numbers = np.arange(1.0, 6.0)
    agree(build, "float64", [[(7,), (5,), (2, 5)]], tolerance=ROUNDING)


@pytest.mark.parametrize("shape", [(2, 4), (1, 4), (2, 1), (1, 1)])
@pytest.mark.parametrize("add", [False, True])
def test_a_part_of_known_length_is_broadcast_to(shape, add):
    """Its kernels run without the runtime, which would compile what is missing."""
    agree(
        lambda m, s, y: put(m, m.zeros((5, 7)) + s, np.s_[1:3, 1:5], y * 2 + 1, add),
        "float64",
        [[(), shape]],
    )


def test_a_part_of_no_items_is_written():
    x, y = T.dtensor3(), T.dmatrix()
    for add in (False, True):
        f = theano.function([x, y], put(T, x, np.s_[:0, 3:3, 9:2], y[None] + 1, add))
        np.testing.assert_array_equal(f(np.ones((2, 3, 1)), np.ones((1, 1))), np.ones((2, 3, 1)))

"""`theano.vectorize`: the same as calling item by item and stacking."""

import importlib
import itertools

import numpy as np
import pytest
from registry import OPS

import theano
import theano.tensor as T
from support.arrays import values
from support.compiling import compiled
from theano._core.api.debug.checks import accepts, draw
from theano.ifelse import ifelse

structured = importlib.import_module("test_structured")
forward = importlib.import_module("test_forward")
linalg = importlib.import_module("linalg_programs")

ROWS = 3
KINDS = ["float64", "int16", "complex64"]
CASES = [(name, kind) for name, op in OPS.items() for kind in KINDS if accepts(op, [kind] * op.nin)]


def moved(a):
    """Return three copies of an array with their items at other places."""
    return np.stack([a, a[::-1] if a.ndim else a, np.roll(a, 1)])


def scaled(a):
    """Return three multiples of an array."""
    return np.stack([a, 1.5 * a, 2 * a])


def check(build, arrays, rtol=0, copies=moved, combined=True):
    """Compare `build` over rows of some arguments, and of all, with one call for each row."""
    f = compiled(build, *arrays)
    choices = combinations(len(arrays)) if combined is True else [combined]
    for which in choices:
        given = [copies(a) if row else a for a, row in zip(arrays, which, strict=True)]
        rows = [
            [g[k] if row else g for g, row in zip(given, which, strict=True)] for k in range(ROWS)
        ]
        wanted = [f(*row) for row in rows]
        axes = [0 if row else None for row in which]
        run = compiled(theano.vectorize(build, axes), *given)
        if len({np.shape(w) for w in wanted if not isinstance(w, list)}) > 1:
            with pytest.raises(ValueError, match=r"changes the shape|mis-match"):
                run(*given)
            continue
        got = run(*given)
        if not isinstance(got, list):
            got, wanted = [got], [[w] for w in wanted]
        for part, *parts in zip(got, *wanted, strict=True):
            whole = np.stack(parts)
            assert part.dtype == whole.dtype
            np.testing.assert_allclose(part, whole, rtol, 1e-12 if rtol else 0)


def combinations(count):
    return [c for c in itertools.product([True, False], repeat=count) if any(c)]


@pytest.mark.parametrize("name, kind", CASES)
def test_elementwise(name, kind):
    op = OPS[name]
    rng = np.random.default_rng(3)
    arrays = [draw(rng, where, kind, (4, 2)) for where in op.samples]
    arrays[1:2] = [a[0, 0] for a in arrays[1:2]]
    check(op, arrays, 1e-6)


@pytest.mark.parametrize("name", structured.CASES)
def test_structured(name):
    build, _, arrays = structured.CASES[name]
    check(build, arrays, 1e-12)


@pytest.mark.parametrize("name", forward.REDUCTIONS)
def test_more(name):
    check(forward.REDUCTIONS[name], [forward.POINT], 1e-12)


@pytest.mark.parametrize("name", linalg.CASES)
def test_linear_algebra(name):
    build, arrays = linalg.CASES[name]
    check(build, arrays, 1e-9, scaled)


def _with_matrix(x, w):
    rows, _ = theano.scan(
        lambda r, h, m: T.tanh(r + T.dot(h, m)), sequences=x, outputs_info=x[0], non_sequences=w
    )
    return rows


LOOPS = [
    forward._recurrence,
    forward._taps,
    forward._collected,
    forward._nested,
    forward._checkpointed,
    lambda x: theano.scan(lambda r: r.sum(), sequences=x)[0],
    lambda x: theano.scan(lambda h: h + 1.0, outputs_info=T.zeros(()), n_steps=3)[0] + x[0, 0],
]


@pytest.mark.parametrize("build", LOOPS)
def test_loops(build):
    check(build, [forward.POINT], 1e-12)


def test_loops_with_what_does_not_change():
    check(_with_matrix, [values((5, 3)), values((3, 3))], 1e-12)


def test_loops_that_end_at_different_steps():
    def last(x):
        def step(h):
            return h * 2, theano.scan_module.until(h > 10)

        return theano.scan(step, outputs_info=x, n_steps=20)[0][-1]

    x = T.dvector("x")
    many = theano.vectorize(last)(x)
    values, slopes = theano.function([x], [many, theano.grad(many.sum(), x)])([1.0, 3.0, 20.0])
    assert values.tolist() == [32.0, 24.0, 40.0]
    assert slopes.tolist() == [32.0, 8.0, 2.0]


def test_a_loop_over_rows_is_one_loop():
    x, w = T.dtensor3("x"), T.dmatrix("w")
    f = theano.function([x, w], theano.vectorize(_with_matrix, (0, None))(x, w))
    assert sum("for" in str(n.op) for n in f.maker.graph.toposort()) == 1


@pytest.mark.parametrize("which", combinations(3))
def test_branches(which):
    def build(c, x, y):
        one, two = ifelse(T.gt(c, 0), [x * 2, y], [y, x - 1])
        return one + two

    c, given = (
        T.dvector("c"),
        [np.array([1, -1, 0.5]), np.arange(6.0).reshape(3, 2), np.ones((3, 2))],
    )
    variables = [v if row else v[0] for v, row in zip((c, x, y), which, strict=True)]
    out = theano.vectorize(build, [0 if row else None for row in which])(*variables)
    got = theano.function([c, x, y], out, on_unused_input="ignore")(*given)
    for k in range(3):
        c_k, x_k, y_k = (g[k] if row else g[0] for g, row in zip(given, which, strict=True))
        np.testing.assert_array_equal(got[k], x_k * 2 + y_k if c_k > 0 else y_k + x_k - 1)


def test_axes():
    x, w = T.dtensor3("x"), T.dmatrix("w")
    product = theano.vectorize(T.dot, in_axes=(2, None), out_axes=-1)(x, w)
    a, b = values((2, 3, 4)), values((3, 5))
    np.testing.assert_allclose(product.eval({x: a, w: b}), np.einsum("ikn,kj->ijn", a, b))
    one, two = theano.vectorize(lambda r, m: (r * 2, m + 1), (0, None), (1, None))(w, x)
    assert (one.ndim, two.ndim) == (2, 3)
    assert isinstance(theano.vectorize(lambda r: [r, r])(w), list)
    assert theano.vectorize(lambda r: (r,))(w)[0].ndim == 2


def test_nested_and_differentiated():
    def kernel(a, b):
        return T.exp(-T.sqr(a - b).sum())

    table = theano.vectorize(lambda a: theano.vectorize(lambda b: kernel(a, b))(y))(x)
    by_item = theano.vectorize(lambda row: T.grad(kernel(row, y[0]), row))(x)
    a, b = values((4, 3)), values((5, 3))
    found = theano.function([x, y], [table, T.grad(table.sum(), x), by_item])(a, b)
    wanted = np.exp(-((a[:, None] - b[None]) ** 2).sum(-1))
    inner = -2 * (a[:, None] - b[None]) * wanted[..., None]
    for one, two in zip(found, (wanted, inner.sum(1), inner[:, 0]), strict=True):
        np.testing.assert_allclose(one, two)


def test_expressions():
    x, w = T.dvector("x"), T.dvector("w")
    cost = T.dot(x, w) ** 2
    xs = T.dmatrix("xs")
    costs = theano.vectorize([cost, T.grad(cost, w)], (0, None), inputs=[x, w])(xs, w)
    values, slopes = theano.function([xs, w], costs)(np.eye(2), [3.0, 4.0])
    assert values.tolist() == [9.0, 16.0]
    assert slopes.tolist() == [[6.0, 0.0], [0.0, 8.0]]


def test_names_and_documentation_stay():
    def scaled(x):
        """Twice."""
        return x * 2

    f = theano.vectorize(scaled)
    assert (f.__name__, f.__doc__) == ("scaled", "Twice.")


def test_shared_variables_and_random_numbers_are_the_same_for_all():
    w = theano.shared(np.array([2.0, 3.0]))
    noise = T.shared_randomstreams.RandomStreams(1).uniform((2,))
    x = T.dmatrix("x")
    f = theano.function([x], theano.vectorize(lambda r: r * w + noise)(x))
    one, two = f(np.zeros((2, 2)))
    assert one.tolist() == two.tolist()
    assert f(np.zeros((2, 2)))[0].tolist() != one.tolist()


def test_parts_whose_shapes_differ():
    w = T.dvector("w")

    def positive(row):
        return T.dot(row[(row > 0).nonzero()], w[: T.gt(row, 0).sum()]), T.exp(row)

    x = T.dmatrix("x")
    rows, whole = theano.vectorize(positive)(x)
    given = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -1.0], [-1.0, -1.0, -1.0]])
    f = theano.function([x, w], [rows, whole, T.grad(rows.sum(), x)])
    got, exps, slope = f(given, [10.0, 100.0, 1000.0])
    assert got.tolist() == [310.0, 540.0, 0.0]
    np.testing.assert_allclose(exps, np.exp(given))
    assert slope.tolist() == [[10, 0, 100], [10, 100, 0], [0, 0, 0]]


def test_keys_as_values():
    from theano.tensor import random

    keys = random.split(random.key(3), 4)
    draws = theano.vectorize(lambda k: random.normal(k, (2,)))(keys)
    got = theano.function([], draws)()
    for k in range(4):
        np.testing.assert_array_equal(got[k], random.normal(keys[k], (2,)).eval())


def test_no_rows():
    x = T.dmatrix("x")
    f = theano.function([x], theano.vectorize(lambda r: T.dot(r, r) + T.sort(r)[0])(x))
    assert f(np.zeros((0, 3))).shape == (0,)


x, y = T.dmatrix("x"), T.dmatrix("y")
STREAM = T.shared_randomstreams.RandomStreams(1)
ERRORS = [
    (ValueError, "in_axes is", lambda: theano.vectorize(T.dot, (0,))(x, y)),
    (ValueError, "no argument has items", lambda: theano.vectorize(T.dot, None)(x, y)),
    (
        IndexError,
        "in_axes is 2, but x has 2 axes",
        lambda: theano.vectorize(T.dot, (2, None))(x, y),
    ),
    (IndexError, "out_axes is 3", lambda: theano.vectorize(T.exp, out_axes=3)(x)),
    (ValueError, "differs from item to item", lambda: theano.vectorize(T.exp, out_axes=None)(x)),
    (TypeError, "no variable", lambda: theano.vectorize(lambda r: 3)(x)),
    (TypeError, "inputs", lambda: theano.vectorize(x)),
    (TypeError, "is a function", lambda: theano.vectorize(T.exp, inputs=[x])),
    (TypeError, "are no", lambda: theano.vectorize(x, inputs=[x])(y)),
    (ValueError, "2 inputs, got 1", lambda: theano.vectorize(x, inputs=[x, y])(y)),
    (
        ValueError,
        "different numbers of items",
        lambda: theano.vectorize(T.dot)(x, y).eval({x: np.ones((2, 3)), y: np.ones((3, 3))}),
    ),
    (
        NotImplementedError,
        "not a function of arrays",
        lambda: theano.vectorize(lambda r: STREAM.normal((2,), avg=r[0]))(x),
    ),
]


@pytest.mark.parametrize("error, text, call", ERRORS)
def test_errors(error, text, call):
    with pytest.raises(error, match=text):
        call()

"""`theano.vectorize`: the same as calling item by item and stacking."""

import importlib
import itertools

import numpy as np
import pytest
from registry import OPS

import theano
import theano.tensor as T
from theano._core.api.debug.checks import accepts, draw, tensor
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


def check(build, arrays, which, rtol=0, copies=moved):
    """Compare `build` over rows of some arguments with one call for each row."""
    inputs = [tensor(str(a.dtype), a.shape) for a in arrays]
    f = theano.function(inputs, build(*inputs), on_unused_input="ignore")
    given = [copies(a) if row else a for a, row in zip(arrays, which, strict=True)]
    wanted = [
        f(*(g[k] if row else g for g, row in zip(given, which, strict=True))) for k in range(ROWS)
    ]
    axes = [0 if row else None for row in which]
    batched = [tensor(str(g.dtype), g.shape) for g in given]
    run = theano.function(
        batched, theano.vectorize(build, axes)(*batched), on_unused_input="ignore"
    )
    if len({np.shape(w) for w in wanted if not isinstance(w, list)}) > 1:
        with pytest.raises(ValueError, match=r"changes the shape|mis-match"):
            run(*given)
        return
    got = run(*given)
    if not isinstance(got, list):
        got, wanted = [got], [[w] for w in wanted]
    for k, part in enumerate(got):
        whole = np.stack([w[k] for w in wanted])
        assert part.dtype == whole.dtype
        if rtol:
            np.testing.assert_allclose(part, whole, rtol, 1e-12)
        else:
            np.testing.assert_array_equal(part, whole)


def combinations(count):
    return [c for c in itertools.product([True, False], repeat=count) if any(c)]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_elementwise(name, kind):
    op = OPS[name]
    rng = np.random.default_rng(3)
    arrays = [draw(rng, where, kind, (4, 2)) for where in op.samples]
    if op.nin > 1:
        arrays[1] = arrays[1][0, 0]
    for which in combinations(op.nin):
        check(op, arrays, which, 1e-6)


@pytest.mark.parametrize("name", structured.CASES)
def test_structured(name):
    build, _, arrays = structured.CASES[name]
    for which in combinations(len(arrays)):
        check(build, list(arrays), which, 1e-12)


@pytest.mark.parametrize("name", forward.REDUCTIONS)
def test_more(name):
    check(forward.REDUCTIONS[name], [forward.POINT], (True,), 1e-12)


@pytest.mark.parametrize("name", linalg.CASES)
def test_linear_algebra(name):
    build, arrays = linalg.CASES[name]
    for which in combinations(len(arrays)):
        check(build, list(arrays), which, 1e-9, scaled)


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
    check(build, [forward.POINT], (True,), 1e-12)


@pytest.mark.parametrize("which", combinations(2))
def test_loops_with_what_does_not_change(which):
    rng = np.random.default_rng(2)
    check(_with_matrix, [rng.normal(size=(5, 3)), rng.normal(size=(3, 3))], which, 1e-12)


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

    c, x, y = T.dvector("c"), T.dmatrix("x"), T.dmatrix("y")
    given = [np.array([1.0, -1.0, 0.5]), np.arange(6.0).reshape(3, 2), np.ones((3, 2))]
    axes = [0 if row else None for row in which]
    variables = [v if row else v[0] for v, row in zip((c, x, y), which, strict=True)]
    got = theano.function([c, x, y], theano.vectorize(build, axes)(*variables))(*given)
    for k in range(3):
        c_k, x_k, y_k = (g[k] if row else g[0] for g, row in zip(given, which, strict=True))
        one, two = (x_k * 2, y_k) if c_k > 0 else (y_k, x_k - 1)
        np.testing.assert_array_equal(got[k], one + two)


def test_axes():
    x, w = T.dtensor3("x"), T.dmatrix("w")
    product = theano.vectorize(T.dot, in_axes=(2, None), out_axes=-1)(x, w)
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3, 4)), rng.normal(size=(3, 5))
    got = theano.function([x, w], product)(a, b)
    np.testing.assert_allclose(got, np.einsum("ikn,kj->ijn", a, b))
    one, two = theano.vectorize(lambda r, m: (r * 2, m + 1), (0, None), (1, None))(w, x)
    assert (one.ndim, two.ndim) == (2, 3)
    assert isinstance(theano.vectorize(lambda r: [r, r])(w), list)
    assert theano.vectorize(lambda r: (r,))(w)[0].ndim == 2


def test_nested_and_differentiated():
    x, y = T.dmatrix("x"), T.dmatrix("y")

    def kernel(a, b):
        return T.exp(-T.sqr(a - b).sum())

    table = theano.vectorize(lambda a: theano.vectorize(lambda b: kernel(a, b))(y))(x)
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
    wanted = np.exp(-((a[:, None] - b[None]) ** 2).sum(-1))
    slope = T.grad(table.sum(), x)
    got, by_x = theano.function([x, y], [table, slope])(a, b)
    np.testing.assert_allclose(got, wanted)
    inner = (-2 * (a[:, None] - b[None]) * wanted[..., None]).sum(1)
    np.testing.assert_allclose(by_x, inner)
    by_item = theano.vectorize(lambda row: T.grad(kernel(row, y[0]), row))(x)
    np.testing.assert_allclose(
        theano.function([x, y], by_item)(a, b), (-2 * (a - b[0]) * wanted[:, :1])
    )


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


def test_errors():
    x, y = T.dmatrix("x"), T.dmatrix("y")
    with pytest.raises(ValueError, match="in_axes is"):
        theano.vectorize(T.dot, (0,))(x, y)
    with pytest.raises(ValueError, match="no argument has items"):
        theano.vectorize(T.dot, None)(x, y)
    with pytest.raises(IndexError, match="in_axes is 2, but x has 2 axes"):
        theano.vectorize(T.dot, (2, None))(x, y)
    with pytest.raises(IndexError, match="out_axes is 3"):
        theano.vectorize(T.exp, out_axes=3)(x)
    with pytest.raises(ValueError, match="differs from item to item"):
        theano.vectorize(T.exp, out_axes=None)(x)
    with pytest.raises(TypeError, match="no variable"):
        theano.vectorize(lambda r: 3)(x)
    with pytest.raises(TypeError, match="inputs"):
        theano.vectorize(x)
    with pytest.raises(TypeError, match="is a function"):
        theano.vectorize(T.exp, inputs=[x])
    with pytest.raises(TypeError, match="are no"):
        theano.vectorize(x, inputs=[x])(y)
    with pytest.raises(ValueError, match="2 inputs, got 1"):
        theano.vectorize(x, inputs=[x, y])(y)
    with pytest.raises(ValueError, match="different numbers of items"):
        theano.function([x, y], theano.vectorize(T.dot)(x, y))(np.ones((2, 3)), np.ones((3, 3)))
    stream = T.shared_randomstreams.RandomStreams(1)
    with pytest.raises(NotImplementedError, match="not a function of arrays"):
        theano.vectorize(lambda r: stream.normal((2,), avg=r[0]))(x)

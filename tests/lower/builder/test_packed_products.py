"""Products with a matrix that stays the same through a loop: packed once, by our own kernels."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import variable, variables
from support.compiling import ops
from support.errors import refused
from theano._core.ir.graph import toposort
from theano._core.ops.array.shaping import Length
from theano._core.ops.control.scan import Loop
from theano._core.runtime import native
from theano.ifelse import ifelse

SHAPES = [
    *[(32, 128, 512), (1, 1, 1), (7, 5, 3), (8, 0, 4), (0, 3, 3), (3, 4, 0)],
    *[(33, 130, 97), (16, 64, 48), (300, 20, 20), (5, 1500, 9)],
]
x3, w, u, b = T.tensor3("x"), T.dmatrix("w"), T.dmatrix("u"), T.dvector("b")


def normal(*shape, seed=8, dtype="float64"):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def scanned(step, sequence, start, fixed, **options):
    return theano.scan(step, sequence, start, fixed, **options)[0]


@pytest.fixture
def packed(monkeypatch):
    """Collect how wide the panels are for which products are asked."""
    asked, width = [], native.panel_width
    monkeypatch.setattr(native, "panel_width", lambda *a: asked.append(a) or width(*a))
    return asked


def looped(kind, added):
    """Return a function of rows, a matrix and what is added: their products for three steps."""
    x, w, z = (variable(kind, 2, name) for name in "xwz")
    half = np.asarray(0.5, kind)

    def step(x, w, z):
        product = T.dot(x, w)
        return x * half + half, product + z if added else product + z[0, 0]

    (_, products), _ = theano.scan(step, outputs_info=[x, None], non_sequences=[w, z], n_steps=3)
    return theano.function([x, w, z], products)


def stepped(x, w, z):
    result, half = [], np.asarray(0.5, x.dtype)
    for _ in range(3):
        result.append(x @ w + z)
        x = x * half + half
    return np.stack(result)


def assert_rounded(got, wanted, sizes, terms):
    """Allow what rounding may do to a sum of so many terms, with room for a second order."""
    assert np.all(abs(got - wanted) <= 2 * (terms + 2) * np.finfo(got.dtype).eps * sizes)


@pytest.mark.parametrize("added", [False, True])
@pytest.mark.parametrize("bits", [128, 256, 512])
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_products_of_matrices(kind, bits, added, packed):
    with theano.change_flags(vector_width=bits, cache_programs=False):
        f = looped(kind, added)
    assert packed == [(np.dtype(kind).itemsize, bits)]
    for rows, terms, columns in SHAPES:
        x, w = normal(rows, terms, dtype=kind), normal(terms, columns, dtype=kind)
        z = normal(*(rows, columns) if added else (1, 1), dtype=kind)
        term = z if added else z[0, 0]
        for matrix in (w, np.asfortranarray(w), w[::-1]):
            got = f(x, matrix, z)
            assert got.dtype == kind
            sizes = stepped(abs(x), abs(matrix), abs(term))
            assert_rounded(got, stepped(x, matrix, term), sizes, terms)


@pytest.mark.parametrize("bits", [128, 256, 512])
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_products_of_vectors(kind, bits, packed):
    x, y, z = (variable(kind, 1, name) for name in "xyz")
    w, steps = variable(kind, 2, "w"), T.lscalar("steps")
    (_, _, before, after), _ = theano.scan(
        lambda x, y, w, z: (x * 0.5 + 1, y * 0.5 + 1, T.dot(x, w), T.dot(w, y) + z),
        outputs_info=[x, y, None, None],
        non_sequences=[w, z],
        n_steps=steps,
    )
    with theano.change_flags(vector_width=bits, cache_programs=False, floatX=kind):
        f = theano.function([x, y, w, z, steps], [before, after])
    # Each asks whether the matrix is wide enough, and packs it.
    assert len(packed) == 4
    shapes = ((1, 1), (3, 40), (40, 3), (64, 64), (50, 33), (0, 8), (8, 0), (9, 1500))
    for (rows, columns), count in itertools.product(shapes, (0, 1, 3, 17)):
        a, b, c = (normal(n, seed=k, dtype=kind) for k, n in enumerate((rows, columns, rows)))
        m = normal(rows, columns, dtype=kind)
        for matrix in (m, np.asfortranarray(m), m[::-1], m[:, ::-1]):
            got, p, q = f(a, b, matrix, c, count), a, b
            assert [len(own) for own in got] == [count, count]
            for n in range(count):
                sizes = abs(p) @ abs(matrix), abs(matrix) @ abs(q) + abs(c)
                assert_rounded(got[0][n], p @ matrix, sizes[0], max(m.shape))
                assert_rounded(got[1][n], matrix @ q + c, sizes[1], max(m.shape))
                p, q = p * np.asarray(0.5, kind) + 1, q * np.asarray(0.5, kind) + 1


def test_bits_do_not_depend_on_vectors():
    values = [normal(*s, dtype="float32") for s in ((9, 40), (40, 70), (9, 70))]
    results = []
    for bits in (128, 256, 512):
        with theano.change_flags(vector_width=bits):
            results.append(looped("float32", True)(*values))
    np.testing.assert_array_equal(results[1:], results[:1] * 2)


def test_infinity_and_nan_go_through_products():
    x, w, z = np.ones((2, 3)), np.ones((3, 2)), np.zeros((2, 2))
    x[0, 1], w[2, 0] = np.nan, np.inf
    f = looped("float64", True)
    np.testing.assert_array_equal(f(x, w, z), stepped(x, w, z))
    with pytest.raises(ValueError, match=r"Shape mismatch: in .* has 3 items"):
        f(np.ones((2, 3)), np.ones((4, 2)), np.ones((2, 2)))


def test_sums_with_two_products_and_two_terms_known_before():
    v = T.dmatrix("v")
    step = lambda row, h, w, u, v, b: T.tanh(T.dot(row, w) + T.dot(h, u) + b + T.dot(h * h, v))
    rows = scanned(step, x3, T.zeros((4, 3)), [w, u, v, b])
    f = theano.function([x3, w, u, v, b], [rows, T.grad(rows.sum(), w)])
    values = [normal(*shape) for shape in ((5, 4, 2), (2, 3), (3, 3), (3, 3), (3,))]
    h = np.zeros((4, 3))
    for row, got in zip(values[0], f(*values)[0], strict=True):
        h = np.tanh(row @ values[1] + h @ values[2] + values[4] + h * h @ values[3])
        np.testing.assert_allclose(got, h, rtol=1e-12)


STEPS = {
    "state": lambda m, xw, hu, h: xw + hu,
    "function": lambda m, xw, hu, h: m.tanh(xw + hu),
    "used twice": lambda m, xw, hu, h: m.tanh(xw + hu) * xw,
    "subtracted": lambda m, xw, hu, h: m.tanh(xw - hu),
    "scaled": lambda m, xw, hu, h: m.tanh(xw * 0.5 + hu * 3),
    "other sum": lambda m, xw, hu, h: m.tanh(xw + hu + h),
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize(
    ("rows", "inputs", "hidden"),
    [(32, 20, 64), (9, 0, 40), (9, 40, 8), (300, 4, 33), (8, 1100, 33), (16, 4, 1100), (0, 3, 40)],
)
def test_two_products_in_a_sum(name, rows, inputs, hidden):
    step = STEPS[name]
    states = scanned(
        lambda row, h, w, u: step(T, T.dot(row, w), T.dot(h, u), h),
        x3,
        T.zeros((x3.shape[1], u.shape[0])),
        [w, u],
    )
    shapes = (4, rows, inputs), (inputs, hidden), (hidden, hidden)
    values = [normal(*s) / np.sqrt(max(s)) for s in shapes]
    h = np.zeros((rows, hidden))
    for row, got in zip(values[0], theano.function([x3, w, u], states)(*values), strict=True):
        h = step(np, row @ values[1], h @ values[2], h)
        np.testing.assert_allclose(got, h, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("length", [6, 40])
def test_a_product_that_is_multiplied_and_added_to_the_result(length):
    def step(m, row, h, w):
        product = m.dot(row, w)
        return m.tanh(product + m.dot(product, h))

    states = scanned(lambda row, h, w: step(T, row, h, w), x3, u, w)
    rows, matrix, h = (normal(*n, length, length, seed=9) for n in ((3,), (), ()))
    for row, got in zip(rows, theano.function([x3, w, u], states)(rows, matrix, h), strict=True):
        h = step(np, row, h, matrix)
        np.testing.assert_allclose(got, h, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize(("rows", "hidden"), [(32, 128), (19, 33), (2, 64), (130, 16)])
def test_gates_and_their_gradients_have_the_same_bits_for_any_number_of_threads(kind, rows, hidden):
    shapes = ((6, rows, 20), (20, 4 * hidden), (hidden, 4 * hidden), (4 * hidden,))
    values = [(0.3 * normal(*s, seed=2)).astype(kind) for s in shapes]
    inputs = variables(*values)
    start = T.zeros((rows, hidden), dtype=kind)

    def step(row, h, c, w, u, b):
        z = T.dot(row, w) + T.dot(h, u) + b
        i, f, o, g = (z[:, k * hidden : (k + 1) * hidden] for k in range(4))
        c = T.nnet.sigmoid(f) * c + T.nnet.sigmoid(i) * T.tanh(g)
        return T.nnet.sigmoid(o) * T.tanh(c), c

    states = scanned(step, inputs[0], [start, start], inputs[1:])[0]
    f = theano.function(inputs, [states, *T.grad(T.sqr(states[-1]).sum(), inputs[1:])])
    results = []
    for count in (1, 2, 5):
        with theano.config.change_flags(threads=count):
            results += [f(*values) for _ in range(3)]
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(one, two)
    h = c = np.zeros((rows, hidden))
    for row, got in zip(values[0].astype("float64"), results[0][0], strict=True):
        i, k, o, g = np.split(row @ values[1] + h @ values[2] + values[3], 4, axis=1)
        i, k, o = (1 / (1 + np.exp(-v)) for v in (i, k, o))
        c = k * c + i * np.tanh(g)
        h = o * np.tanh(c)
        np.testing.assert_allclose(got, h, rtol=1e-3 if kind == "float32" else 1e-10, atol=1e-6)
    with refused(ValueError, "mis-match"):
        f(*values[:3], np.concatenate([values[3], values[3][:1]]))


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("n_steps", [None, 2])
def test_rows_of_a_sequence(kind, backwards, n_steps):
    x, w = variable(kind, 3, "x"), variable(kind, 2, "w")
    half, close = np.asarray(0.5, kind), 1e-5 if kind == "float32" else 1e-12
    # Both operations of a step may write into the memory of the product.
    rows = scanned(
        lambda row, h, w: T.tanh(T.dot(row, w) * half + h),
        x,
        T.alloc(half, x.shape[1], w.shape[1]),
        w,
        n_steps=n_steps,
        go_backwards=backwards,
    )
    gradients = T.grad(rows.sum(), [x, w])
    f, g = theano.function([x, w], rows), theano.function([x, w], gradients)
    plain = theano.function([x, w], [rows, *gradients], mode="FAST_COMPILE")
    for steps, batch, terms, columns in [
        *[(5, 1, 3, 4), (4, 7, 5, 33), (3, 8, 5, 50), (6, 40, 9, 64), (2, 300, 4, 3)],
        *[(3, 2, 1100, 3), (3, 9, 1100, 5), (2, 0, 3, 4), (2, 3, 0, 4), (2, 9, 3, 0)],
    ]:
        a, b = normal(steps, batch, terms, dtype=kind), normal(terms, columns, dtype=kind)
        h, wanted = np.full((batch, columns), half), []
        for row in (a[::-1] if backwards else a)[:n_steps]:
            h = np.tanh(row @ b * half + h)
            wanted.append(h)
        for given in (a, np.asfortranarray(a), a[:, ::-1].copy()[:, ::-1]):
            np.testing.assert_allclose(f(given, b), np.stack(wanted), close, close)
        for got, reference in zip([f(a, b), *g(a, b)], plain(a, b), strict=True):
            size = 1 + abs(reference).max(initial=0)
            np.testing.assert_allclose(got, reference, atol=20 * close * size)


def gated(z):
    return T.tanh(z[:, :8]) * T.tanh(z[:, 8:])


def test_a_product_whose_length_is_checked_is_not_copied():
    counts = []
    for term in (0, b):
        step = lambda row, h, w, u, term=term: gated(T.dot(row, w) + T.dot(h, u) + term)
        rows = scanned(step, x3, T.zeros((4, 8)), [w, u])
        f = theano.function([x3, w, u, b], rows, on_unused_input="ignore")
        counts.append(sum(kernel.layout == "packed" for kernel in f.maker.kernels))
    assert counts[0] == counts[1]


def test_gradients_do_not_keep_products_for_their_lengths():
    step = lambda row, h, w, u, b: gated(T.dot(row, w) + T.dot(h, u) + b)
    rows = scanned(step, x3, T.zeros((4, 8)), [w, u, b])
    loops = ops(theano.function([x3, w, u, b], T.grad(rows[-1].sum(), [w, u, b])), Loop)
    assert len(loops) == 2
    for loop in loops:
        used = [n for n in toposort(loop.body.outputs) if not isinstance(n.op, Length)]
        read = {v for n in used for v in n.inputs} | set(loop.body.outputs)
        assert set(loop.inner.sequences) <= read


def test_products_with_rows_are_one_product_before_the_loops_that_read_it():
    one = scanned(lambda row, h, w: T.dot(row, w) * h, x3, T.ones((2, 3)), w)
    two = scanned(lambda row, h, w: T.dot(row, w) + h, x3, T.ones((2, 3)), w)
    f = theano.function([x3, w], [one, two, T.dot(x3, w)])
    a, b = normal(5, 2, 4), np.ones((4, 3))
    z = a @ b
    for got, wanted in zip(f(a, b), (np.cumprod(z, 0), 1 + np.cumsum(z, 0), z), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-12)
    g = theano.function([x3, w], two)
    assert [str(node.op) for node in g.maker.graph.toposort()].count("dot") == 1
    words = "in T.dot(row, w), axis 1 of", "has 4 items, axis 0 of w has 5"
    with refused(ValueError, *words):
        g(np.ones((6, 2, 4)), np.ones((5, 3)))


def test_a_matrix_that_a_branch_and_the_step_multiply_by():
    start, n = T.dmatrix("start"), T.lscalar("n")

    def step(k, h):
        return T.dot(w.T, ifelse(T.ge(k, n), T.tanh(T.dot(w.T, h)), h * 0.5))

    f = theano.function([w, start, n], theano.scan(step, T.arange(3), start)[0][-1])
    matrix, h = normal(5, 5), normal(5, 5, seed=1)
    for first in (3, 1, 0, 3):
        wanted = h
        for k in range(3):
            wanted = matrix.T @ (np.tanh(matrix.T @ wanted) if k >= first else wanted * 0.5)
        np.testing.assert_allclose(f(matrix, h, first), wanted, rtol=1e-12)

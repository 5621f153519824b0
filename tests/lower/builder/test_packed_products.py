"""Products with a matrix that stays the same through a loop: packed once, by our own kernels."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.ir.graph import toposort
from theano._core.ops.array.shaping import Length
from theano._core.ops.control.scan import Loop
from theano._core.runtime import native
from theano.ifelse import ifelse

SHAPES = [
    (32, 128, 512),
    (1, 1, 1),
    (7, 5, 3),
    (8, 0, 4),
    (0, 3, 3),
    (3, 4, 0),
    (33, 130, 97),
    (16, 64, 48),
    (300, 20, 20),
    (5, 1500, 9),
]


def looped(kind, added):
    """Return a function of rows, a matrix and what is added: their products for three steps."""
    x, w, z = (T.TensorType(kind, (False,) * 2)(name) for name in "xwz")
    half = np.asarray(0.5, kind)

    def step(x, w, z):
        product = T.dot(x, w)
        return x * half + half, product + z if added else product + z[0, 0]

    (_, products), _ = theano.scan(step, outputs_info=[x, None], non_sequences=[w, z], n_steps=3)
    return theano.function([x, w, z], products)


def stepped(x, w, z):
    result = []
    for _ in range(3):
        result.append(x @ w + z)
        x = x * np.asarray(0.5, x.dtype) + np.asarray(0.5, x.dtype)
    return np.stack(result)


@pytest.mark.parametrize("added", [False, True])
@pytest.mark.parametrize("bits", [128, 256, 512])
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_products(kind, bits, added, monkeypatch):
    rng = np.random.default_rng(8)
    packed, width = [], native.panel_width
    monkeypatch.setattr(native, "panel_width", lambda *a: packed.append(a) or width(*a))
    with theano.change_flags(vector_width=bits, cache_programs=False):
        f = looped(kind, added)
    assert packed == [(np.dtype(kind).itemsize, bits)]
    for rows, terms, columns in SHAPES:
        x, w = rng.normal(size=(rows, terms)), rng.normal(size=(terms, columns))
        z = rng.normal(size=(rows, columns)) if added else rng.normal(size=(1, 1))
        x, w, z = (a.astype(kind) for a in (x, w, z))
        for matrix in (w, np.asfortranarray(w), w[::-1]):
            got = f(x, matrix, z)
            wanted = stepped(x, matrix, z if added else z[0, 0])
            assert got.dtype == kind
            # What rounding may do to a sum of so many terms, with room for a second order.
            sizes = stepped(abs(x), abs(matrix), abs(z if added else z[0, 0]))
            allowed = 2 * (terms + 2) * np.finfo(kind).eps * sizes
            assert np.all(abs(got - wanted) <= allowed)


@pytest.mark.parametrize("bits", [128, 256, 512])
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_products_of_vectors(kind, bits, monkeypatch):
    rng = np.random.default_rng(8)
    packed, width = [], native.panel_width
    monkeypatch.setattr(native, "panel_width", lambda *a: packed.append(a) or width(*a))
    x, y, z = (T.TensorType(kind, (False,))(name) for name in "xyz")
    w, steps = T.TensorType(kind, (False,) * 2)("w"), T.lscalar("steps")
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
    for rows, columns in ((1, 1), (3, 40), (40, 3), (64, 64), (50, 33), (0, 8), (8, 0), (9, 1500)):
        a, b, c = (rng.normal(size=n).astype(kind) for n in (rows, columns, rows))
        m = rng.normal(size=(rows, columns)).astype(kind)
        for matrix in (m, np.asfortranarray(m), m[::-1], m[:, ::-1]):
            for count in (0, 1, 3, 17):
                got, p, q = f(a, b, matrix, c, count), a, b
                for n in range(count):
                    wanted = p @ matrix, matrix @ q + c
                    sizes = abs(p) @ abs(matrix), abs(matrix) @ abs(q) + abs(c)
                    for own, right, size in zip(got, wanted, sizes, strict=True):
                        allowed = 2 * (max(m.shape) + 2) * np.finfo(kind).eps * size
                        assert np.all(abs(own[n] - right) <= allowed)
                    p, q = p * np.asarray(0.5, kind) + 1, q * np.asarray(0.5, kind) + 1
                assert [len(own) for own in got] == [count, count]


def test_bits_do_not_depend_on_vectors():
    rng = np.random.default_rng(3)
    x, w, z = (rng.normal(size=s).astype("float32") for s in ((9, 40), (40, 70), (9, 70)))
    results = []
    for bits in (128, 256, 512):
        with theano.change_flags(vector_width=bits):
            results.append(looped("float32", True)(x, w, z))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_numbers_that_are_none():
    x, w, z = np.ones((2, 3)), np.ones((3, 2)), np.zeros((2, 2))
    x[0, 1], w[2, 0] = np.nan, np.inf
    np.testing.assert_array_equal(looped("float64", True)(x, w, z), stepped(x, w, z))


def test_lengths_that_do_not_fit():
    f = looped("float64", True)
    with pytest.raises(ValueError, match=r"Shape mismatch: in .* has 3 items"):
        f(np.ones((2, 3)), np.ones((4, 2)), np.ones((2, 2)))


def test_sums_with_two_products_and_two_terms_known_before():
    x, w, u, v, b = T.tensor3("x"), T.dmatrix("w"), T.dmatrix("u"), T.dmatrix("v"), T.dvector("b")

    def step(row, h, w, u, v, b):
        return T.tanh(T.dot(row, w) + T.dot(h, u) + b + T.dot(h * h, v))

    start = T.zeros((4, 3))
    rows, _ = theano.scan(step, x, start, [w, u, v, b])
    f = theano.function([x, w, u, v, b], [rows, T.grad(rows.sum(), w)])
    rng = np.random.RandomState(0)
    values = [rng.randn(*shape) for shape in ((5, 4, 2), (2, 3), (3, 3), (3, 3), (3,))]
    h, wanted = np.zeros((4, 3)), []
    for row in values[0]:
        h = np.tanh(row @ values[1] + h @ values[2] + values[4] + h * h @ values[3])
        wanted.append(h)
    np.testing.assert_allclose(f(*values)[0], wanted, rtol=1e-12)


STEPS = {
    "state": lambda xw, hu, h: xw + hu,
    "function": lambda xw, hu, h: T.tanh(xw + hu),
    "used twice": lambda xw, hu, h: T.tanh(xw + hu) * xw,
    "subtracted": lambda xw, hu, h: T.tanh(xw - hu),
    "scaled": lambda xw, hu, h: T.tanh(xw * 0.5 + hu * 3),
    "other sum": lambda xw, hu, h: T.tanh(xw + hu + h),
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize(
    ("rows", "inputs", "hidden"),
    [(32, 20, 64), (9, 0, 40), (9, 40, 8), (300, 4, 33), (8, 1100, 33), (16, 4, 1100), (0, 3, 40)],
)
def test_two_products_in_a_sum(name, rows, inputs, hidden):
    x, w, u = T.tensor3("x"), T.dmatrix("w"), T.dmatrix("u")

    def step(row, h, w, u):
        return STEPS[name](T.dot(row, w), T.dot(h, u), h)

    states, _ = theano.scan(step, x, T.zeros((x.shape[1], u.shape[0])), [w, u])
    f = theano.function([x, w, u], states)
    rng = np.random.default_rng(5)
    shapes = (4, rows, inputs), (inputs, hidden), (hidden, hidden)
    values = [rng.normal(size=s) / np.sqrt(max(s)) for s in shapes]
    h = np.zeros((rows, hidden))
    product, total, old = T.dmatrices("product", "total", "old")
    g = theano.function(
        [product, total, old],
        STEPS[name](product, total, old),
        mode="FAST_COMPILE",
        on_unused_input="ignore",
    )
    for row, got in zip(values[0], f(*values), strict=True):
        h = g(row @ values[1], h @ values[2], h)
        np.testing.assert_allclose(got, h, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("length", [6, 40])
def test_a_product_that_is_multiplied_and_added_to_the_result(length):
    x, w, s = T.tensor3("x"), T.dmatrix("w"), T.dmatrix("s")

    def step(m, row, h, w):
        product = m.dot(row, w)
        return m.tanh(product + m.dot(product, h))

    states, _ = theano.scan(lambda row, h, w: step(T, row, h, w), x, s, w)
    f = theano.function([x, w, s], states)
    rng = np.random.default_rng(9)
    rows, matrix, h = (rng.normal(size=(*n, length, length)) for n in ((3,), (), ()))
    for row, got in zip(rows, f(rows, matrix, h), strict=True):
        h = step(np, row, h, matrix)
        np.testing.assert_allclose(got, h, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize(("rows", "hidden"), [(32, 128), (19, 33), (2, 64), (130, 16)])
def test_gates_and_their_gradients_have_the_same_bits_for_any_number_of_threads(kind, rows, hidden):
    x, w, u = T.TensorType(kind, (False,) * 3)("x"), *(T.matrix(n, dtype=kind) for n in "wu")
    b = T.vector("b", dtype=kind)

    def step(row, h, c, w, u, b):
        z = T.dot(row, w) + T.dot(h, u) + b
        i, f, o, g = (z[:, k * hidden : (k + 1) * hidden] for k in range(4))
        c = T.nnet.sigmoid(f) * c + T.nnet.sigmoid(i) * T.tanh(g)
        return T.nnet.sigmoid(o) * T.tanh(c), c

    start = T.zeros((rows, hidden), dtype=kind)
    (states, _), _ = theano.scan(step, x, [start, start], [w, u, b])
    cost = T.sqr(states[-1]).sum()
    f = theano.function([x, w, u, b], [states, *T.grad(cost, [w, u, b])])
    rng = np.random.default_rng(2)
    shapes = ((6, rows, 20), (20, 4 * hidden), (hidden, 4 * hidden), (4 * hidden,))
    values = [(0.3 * rng.normal(size=s)).astype(kind) for s in shapes]
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
    with pytest.raises(ValueError, match="mis-match"):
        f(*values[:3], np.concatenate([values[3], values[3][:1]]))


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("n_steps", [None, 2])
def test_rows_of_a_sequence(kind, backwards, n_steps):
    x, w = T.TensorType(kind, (False,) * 3)("x"), T.TensorType(kind, (False,) * 2)("w")
    half = np.asarray(0.5, kind)

    def step(row, h, w):
        # Both operations may write into the memory of the product.
        return T.tanh(T.dot(row, w) * half + h)

    start = T.alloc(half, x.shape[1], w.shape[1])
    rows, _ = theano.scan(step, x, start, w, n_steps=n_steps, go_backwards=backwards)
    f = theano.function([x, w], rows)
    g = theano.function([x, w], T.grad(rows.sum(), [x, w]))
    plain = theano.function([x, w], [rows, *T.grad(rows.sum(), [x, w])], mode="FAST_COMPILE")
    rng = np.random.default_rng(5)
    for steps, batch, terms, columns in [
        (5, 1, 3, 4), (4, 7, 5, 33), (3, 8, 5, 50), (6, 40, 9, 64), (2, 300, 4, 3), (3, 2, 1100, 3),
        (3, 9, 1100, 5), (2, 0, 3, 4), (2, 3, 0, 4), (2, 9, 3, 0),
    ]:  # fmt: skip
        a = rng.normal(size=(steps, batch, terms)).astype(kind)
        b = rng.normal(size=(terms, columns)).astype(kind)
        used = a[::-1] if backwards else a
        h, wanted = np.full((batch, columns), half), []
        for row in used[:n_steps]:
            h = np.tanh(row @ b * half + h)
            wanted.append(h)
        tolerance = 1e-5 if kind == "float32" else 1e-12
        for given in (a, np.asfortranarray(a), a[:, ::-1][:, ::-1]):
            np.testing.assert_allclose(f(given, b), np.stack(wanted), tolerance, tolerance)
        for got, reference in zip([f(a, b), *g(a, b)], plain(a, b), strict=True):
            size = 1 + abs(reference).max(initial=0)
            np.testing.assert_allclose(got, reference, atol=20 * tolerance * size)


def test_a_product_whose_length_is_checked_is_not_copied():
    x, w, u, b = T.tensor3("x"), T.dmatrix("w"), T.dmatrix("u"), T.dvector("b")

    def kernels(step):
        start = T.zeros((4, 8))
        rows, _ = theano.scan(step, x, start, [w, u, b])
        f = theano.function([x, w, u, b], rows, on_unused_input="ignore")
        return sum(kernel.layout == "packed" for kernel in f.maker.kernels)

    def parts(z):
        return T.tanh(z[:, :8]) * z[:, 8:]

    plain = kernels(lambda row, h, w, u, b: parts(T.dot(row, w) + T.dot(h, u)))
    assert kernels(lambda row, h, w, u, b: parts(T.dot(row, w) + T.dot(h, u) + b)) == plain


def test_gradients_do_not_keep_products_for_their_lengths():
    x, w, u, b = T.tensor3("x"), T.dmatrix("w"), T.dmatrix("u"), T.dvector("b")

    def step(row, h, w, u, b):
        z = T.dot(row, w) + T.dot(h, u) + b
        return T.tanh(z[:, :8]) * T.tanh(z[:, 8:])

    rows, _ = theano.scan(step, x, T.zeros((4, 8)), [w, u, b])
    f = theano.function([x, w, u, b], T.grad(rows[-1].sum(), [w, u, b]))
    loops = [node for node in f.maker.graph.toposort() if isinstance(node.op, Loop)]
    assert len(loops) == 2
    for loop in loops:
        used = [n for n in toposort(loop.op.body.outputs) if not isinstance(n.op, Length)]
        read = {v for n in used for v in n.inputs} | set(loop.op.body.outputs)
        assert set(loop.op.inner.sequences) <= read


def test_rows_that_do_not_fit_the_matrix():
    x, w = T.tensor3("x"), T.dmatrix("w")
    rows, _ = theano.scan(lambda row, h, w: T.dot(row, w) + h, x, T.zeros((2, 3)), w)
    f = theano.function([x, w], rows)
    with pytest.raises(
        ValueError, match=r"in T.dot\(row, w\), axis 1 of .* has 4 items, axis 0 of w has 5"
    ):
        f(np.ones((6, 2, 4)), np.ones((5, 3)))


def test_rows_that_several_read():
    x, w = T.tensor3("x"), T.dmatrix("w")
    one, _ = theano.scan(lambda row, h, w: T.dot(row, w) * h, x, T.ones((2, 3)), w)
    two, _ = theano.scan(lambda row, h, w: T.dot(row, w) + h, x, T.ones((2, 3)), w)
    a, b = np.random.default_rng(6).normal(size=(5, 2, 4)), np.ones((4, 3))
    z = a @ b
    for got, wanted in zip(
        theano.function([x, w], [one, two, T.dot(x, w)])(a, b),
        (np.cumprod(z, 0), 1 + np.cumsum(z, 0), z),
        strict=True,
    ):
        np.testing.assert_allclose(got, wanted, rtol=1e-12)


def test_products_before_a_loop_are_shown_there():
    x, w = T.tensor3("x"), T.dmatrix("w")
    rows, _ = theano.scan(lambda row, h, w: T.tanh(T.dot(row, w) + h), x, T.zeros((2, 3)), w)
    nodes = theano.function([x, w], rows).maker.graph.toposort()
    assert sum(str(node.op) == "dot" for node in nodes) == 1


def test_a_matrix_that_a_branch_and_the_step_multiply_by():
    w, start, n = T.dmatrix("w"), T.dmatrix("start"), T.lscalar("n")

    def step(k, h):
        return T.dot(w.T, ifelse(T.ge(k, n), T.tanh(T.dot(w.T, h)), h * 0.5))

    rows, _ = theano.scan(step, T.arange(3), start)
    f = theano.function([w, start, n], rows[-1])
    random = np.random.default_rng(1)
    matrix, h = random.normal(size=(5, 5)), random.normal(size=(5, 5))
    for first in (3, 1, 0, 3):
        wanted = h
        for k in range(3):
            chosen = np.tanh(matrix.T @ wanted) if k >= first else wanted * 0.5
            wanted = matrix.T @ chosen
        np.testing.assert_allclose(f(matrix, h, first), wanted, rtol=1e-12)

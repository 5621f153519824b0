"""Stacks of small matrices, several of which are computed at once."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.runtime import native

# As many as are computed at once, and one less; what is left of vectors of any length.
COUNTS = (0, 1, 15, 16, 17, 31, 40)
ROWS = (0, 1, 2, 3, 4, 7, 16, 17)
POSITIVE = ("lower", "upper", "positive", "slope")
LAYOUTS = {
    "C": lambda a: a,
    "columns first": lambda a: np.ascontiguousarray(a.swapaxes(1, 2)).swapaxes(1, 2),
    "backwards": lambda a: np.ascontiguousarray(a[::-1, :, ::-1])[::-1, :, ::-1],
    "one for all": lambda a: np.broadcast_to(a[:1], a.shape) if len(a) else a,
}


def stacks(count, n, dtype, columns=3):
    rng = np.random.default_rng(100 * count + n)
    a = rng.normal(size=(count, n, n)) + n * np.eye(n)
    return a[:, rng.permutation(n)].astype(dtype), rng.normal(size=(count, n, columns)).astype(
        dtype
    )


def functions(dtype):
    a, b = (T.TensorType(dtype, (False,) * 3)(name) for name in "ab")
    x, inverse, det = T.slinalg.solve(a, b), T.nlinalg.matrix_inverse(a), T.nlinalg.det(a)
    return {
        # One factor serves all.
        "all": theano.function([a, b], [x, inverse, det, T.grad(x.sum(), b)]),
        "solve": theano.function([a, b], x),
        "inverse": theano.function([a], inverse),
        "det": theano.function([a], det),
        "lower": theano.function([a], T.slinalg.cholesky(a)),
        "upper": theano.function([a], T.slinalg.Cholesky(lower=False)(a)),
        "under": theano.function([a, b], T.slinalg.solve_lower_triangular(a, b)),
        "over": theano.function([a, b], T.slinalg.solve_upper_triangular(a, b)),
        "positive": theano.function([a, b], T.slinalg.solve_positive_definite(a, b)),
        "adjugate": theano.function([a], T.grad(det.sum(), a)),
        "slope": theano.function([a], T.grad((T.slinalg.cholesky(a) ** 3).sum(), a)),
    }


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values(dtype, layout):
    fs, tolerance = functions(dtype), 1e-11 if dtype == "float64" else 2e-3
    for count in COUNTS:
        for n in ROWS:
            a, b = stacks(count, n, dtype, 17 if n == 4 else 3)
            a, b = LAYOUTS[layout](a), LAYOUTS[layout](b)
            exact, near = a.astype(float), {"rtol": tolerance, "atol": tolerance}
            x, inverse, det, turned = fs["all"](a, b)
            np.testing.assert_allclose(exact @ x, b, **near)
            np.testing.assert_allclose(exact @ inverse, np.broadcast_to(np.eye(n), a.shape), **near)
            np.testing.assert_allclose(det, np.linalg.det(exact), rtol=10 * tolerance)
            np.testing.assert_allclose(exact.swapaxes(1, 2) @ turned, np.ones(b.shape), **near)
            np.testing.assert_allclose(fs["solve"](a, b), x, **near)
            np.testing.assert_allclose(fs["inverse"](a), inverse, **near)
            np.testing.assert_allclose(fs["det"](a), det, rtol=10 * tolerance)
            positive = (exact @ exact.swapaxes(1, 2) / (n + 1) + np.eye(n)).astype(dtype)
            lower, upper = fs["lower"](positive), fs["upper"](positive)
            under, over = fs["under"](lower, b), fs["over"](upper, b)
            np.testing.assert_allclose(lower @ under, b, **near)
            np.testing.assert_allclose(upper @ over, b, **near)
            np.testing.assert_allclose(positive @ fs["positive"](positive, b), b, **near)
            slopes = [fs["slope"](positive[i : i + 1]) for i in range(count)]
            if slopes:
                np.testing.assert_allclose(fs["slope"](positive), np.concatenate(slopes), **near)
            adjugate = np.linalg.det(exact)[:, None, None] * np.linalg.inv(exact).swapaxes(1, 2)
            np.testing.assert_allclose(fs["adjugate"](a), adjugate, rtol=tolerance, atol=tolerance)
            size = 1 + (np.abs(positive).max() if positive.size else 0)
            for factor in (lower @ lower.swapaxes(1, 2), upper.swapaxes(1, 2) @ upper):
                np.testing.assert_allclose(factor, positive, atol=tolerance * size)
            assert not np.triu(lower, 1).any()
            assert not np.tril(upper, -1).any()


def test_a_result_depends_on_its_matrix_alone():
    """Not on the others, its place among them, the length of vectors, or threads."""
    fs = functions("float64")
    before = native.get_threads()
    results = {}
    try:
        for threads, n in itertools.product((1, 3), (2, 3, 4, 5)):
            native.set_threads(threads)
            a, b = stacks(40, n, "float64")
            positive = a @ a.swapaxes(1, 2)
            for name, f in fs.items():
                own = [positive if name in POSITIVE else a, b][: len(f.maker.inputs)]
                whole, part = (
                    r if name == "all" else [r] for r in (f(*own), f(*(x[7:30] for x in own)))
                )
                results.setdefault((name, n), whole)
                for one, two, first in zip(whole, part, results[name, n], strict=True):
                    np.testing.assert_array_equal(one[7:30], two)
                    np.testing.assert_array_equal(one, first)
    finally:
        native.set_threads(before)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_needs_care_is_as_it_is_alone(dtype):
    """Pivots of zero, infinities, and determinants whose factors overflow."""
    fs = functions(dtype)
    far = 1e30 if dtype == "float32" else 1e200
    a, b = stacks(24, 3, dtype)
    a[2] = 0
    a[5] = np.diag([far, far, 1 / far])
    a[7, 1, 1] = np.nan
    a[11, 0, 2] = np.inf
    a[13] = np.diag([1 / far, 1 / far, far])
    with np.errstate(all="ignore"):
        alone = [fs["det"](a[i : i + 1])[0] for i in range(24)]
    np.testing.assert_allclose(fs["det"](a), alone, rtol=1e-5)
    np.testing.assert_allclose(fs["det"](a)[[2, 5, 13]], [0, far, 1 / far], rtol=1e-5)
    for name in ("solve", "all"):
        with pytest.raises(np.linalg.LinAlgError, match=r"Matrix 2 \(0-based\) of the stack"):
            fs[name](a, b)
    a[2] = np.eye(3)
    np.testing.assert_allclose(fs["solve"](a, b)[5], np.linalg.solve(a[5], b[5]), rtol=1e-5)
    positive = np.tile(np.eye(3, dtype=dtype), (24, 1, 1))
    positive[19, 1, 1] = -1
    with pytest.raises(np.linalg.LinAlgError, match=r"Matrix 19 \(0-based\) of the stack"):
        fs["lower"](positive)


def test_complex_stacks():
    a = T.ztensor3("a")
    f = theano.function([a], [T.nlinalg.matrix_inverse(a), T.nlinalg.det(a)])
    values = stacks(20, 4, "float64")[0] * (1 + 0.5j)
    inverse, det = f(values)
    np.testing.assert_allclose(inverse, np.linalg.inv(values), rtol=1e-10)
    np.testing.assert_allclose(det, np.linalg.det(values), rtol=1e-10)

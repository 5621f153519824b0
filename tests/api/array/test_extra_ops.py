"""Counting, cumulating, selecting, numbering: against NumPy, and the errors."""

import numpy as np
import pytest
from numpy.exceptions import AxisError

import theano
import theano.tensor as T

CASES = [
    ("T.sort(x)", "np.sort(x)"),
    ("T.sort(x, axis=None)", "np.sort(x, axis=None)"),
    ("x.sort(0)", "np.sort(x, 0)"),
    ("T.argsort(t, axis=1)", "np.argsort(t, axis=1)"),
    ("x.argsort(axis=None)", "np.argsort(x, axis=None)"),
    ("T.topk(v, 2)", "np.sort(v)[:-3:-1]"),
    ("T.topk(x, 2, axis=0, sorted=False)", "np.sort(x, 0)[-2:]"),
    ("T.argtopk(v, i[0])", "np.argsort(v)[:-3:-1]"),
    ("T.topk_and_argtopk(x, -1, axis=None)[1]", "np.argsort(x, None)[:1]"),
    ("v.sort().searchsorted(w)", "np.searchsorted(np.sort(v), w)"),
    ("T.extra_ops.searchsorted(v.sort(), s, 'right')", "np.searchsorted(np.sort(v), s, 'right')"),
    ("T.cumsum(x)", "np.cumsum(x)"),
    ("x.cumsum(1)", "np.cumsum(x, 1)"),
    ("T.cumprod(t, axis=-2)", "np.cumprod(t, -2)"),
    ("x.cumprod(0)", "np.cumprod(x, 0)"),
    ("T.extra_ops.diff(x)", "np.diff(x)"),
    ("T.diff(x, n=2, axis=0)", "np.diff(x, 2, 0)"),
    ("T.diff(x, n=0)", "x"),
    ("T.bincount(i)", "np.bincount(i)"),
    ("T.bincount(i, weights=w)", "np.bincount(i, w)"),
    ("T.bincount(i, minlength=7)", "np.bincount(i, minlength=7)"),
    ("T.bincount(i[:0])", "np.bincount(i[:0])"),
    ("T.repeat(w, i)", "np.repeat(w, i)"),
    ("x.repeat(i, axis=0)", "np.repeat(x, i, axis=0)"),
    ("T.repeat(x, 3)", "np.repeat(x, 3)"),
    ("T.repeat(t, i, 1)", "np.repeat(t, i, 1)"),
    ("T.extra_ops.compress(w > 0, x, axis=0)", "np.compress(w > 0, x, axis=0)"),
    ("T.extra_ops.compress(v > 0, x)", "np.compress(v > 0, x)"),
    ("(v > 0).compress(x, axis=1)", "np.compress(v > 0, x, axis=1)"),
    ("T.unravel_index(i + 3, (2, 3))[0]", "np.unravel_index(i + 3, (2, 3))[0]"),
    ("T.unravel_index(m, i + 1, ndim=3)[2]", "np.unravel_index(m, i + 1)[2]"),
    ("T.unravel_index(m, x.shape, order='F')[1]", "np.unravel_index(m, x.shape, order='F')[1]"),
    ("T.ravel_multi_index((i, i), (3, 4))", "np.ravel_multi_index((i, i), (3, 4))"),
    (
        "T.ravel_multi_index((i + 9, m[:, :1]), (3, 4), mode=('wrap', 'clip'), order='F')",
        "np.ravel_multi_index((i + 9, m[:, :1]), (3, 4), mode=('wrap', 'clip'), order='F')",
    ),
    ("T.choose(i, [w, w * 2, w * 3])", "np.choose(i, [w, w * 2, w * 3])"),
    ("i.choose(x[:, :3])", "np.choose(i, x[:, :3])"),
    ("T.choose(m % 2, t[:, :2, :2])", "np.choose(m % 2, t[:, :2, :2])"),
    ("T.choose(i + 2, [w, 1.0], mode='clip')", "np.choose(i + 2, [w, 1.0], mode='clip')"),
    ("T.choose(i - 5, [w, -w], mode='wrap')", "np.choose(i - 5, [w, -w], mode='wrap')"),
    ("T.fill_diagonal(x, 7.0)", "filled(x, 7.0)"),
    ("T.fill_diagonal(x.T, s)", "filled(x.T, s)"),
    ("T.fill_diagonal(t[:, :2, :2], 7)", "filled(t[:, :2, :2], 7)"),
    ("T.fill_diagonal_offset(x, 5.0, i[0])", "np.where(np.eye(3, 4, 2) > 0, 5.0, x)"),
    ("T.fill_diagonal_offset(x, 5.0, -1)", "np.where(np.eye(3, 4, -1) > 0, 5.0, x)"),
    ("T.fill_diagonal_offset(x, 5.0, 9)", "x"),
    ("T.bartlett(i[0] + 3)", "np.bartlett(5)"),
    ("T.cov(x)", "np.cov(x)"),
    ("T.cov(x, t[0], rowvar=False)", "np.cov(x, t[0], rowvar=False)"),
    ("T.cov(v, bias=True)", "np.cov(v, bias=True)"),
    (
        "T.cov(x, ddof=2, fweights=[1, 2, 3, 1], aweights=[1, 0.5, 2, 1])",
        "np.cov(x, ddof=2, fweights=[1, 2, 3, 1], aweights=[1, 0.5, 2, 1])",
    ),
    ("T.join(i[1], x, x)", "np.concatenate([x, x], 0)"),
    ("T.join(-i[0] // 2, t, t * 2)", "np.concatenate([t, t * 2], -1)"),
    ("T.mgrid[0:3, 2:4][1]", "np.mgrid[0:3, 2:4][1]"),
    ("T.mgrid[0 : i[0], 1:9:3][0]", "np.mgrid[0 : i[0], 1:9:3][0]"),
    ("T.ogrid[: i[0], 5:0:-2][1]", "np.ogrid[: i[0], 5:0:-2][1]"),
    ("T.extra_ops.Unique()(m)", "np.unique(m)"),
    ("T.extra_ops.Unique(False, True)(m)[1]", "np.unique(m, return_inverse=True)[1].ravel()"),
]


def filled(x, value):
    x = x.copy()
    np.fill_diagonal(x, value)
    return x


@pytest.mark.parametrize(("expression", "wanted"), CASES)
def test_value(bench, expression, wanted):
    bench.check(bench.build(expression), bench.numpy(wanted, filled=filled))


ERRORS = [
    ("T.sort(x, order='a')", ValueError, "structured arrays"),
    ("T.sort(s)", ValueError, "out of bounds"),
    ("T.topk(x, 1, idx_dtype='float32')", TypeError, "integer dtype"),
    ("T.topk(x, 1.5)", TypeError, "integer scalar"),
    ("v.searchsorted(w, 'blah')", ValueError, "'blah' is an invalid value for keyword 'side'"),
    ("x.searchsorted(w)", ValueError, "must be a vector"),
    ("T.diff(x, -1)", ValueError, "must not be negative"),
    ("T.bincount(v)", TypeError, "integers"),
    ("T.bincount(m)", TypeError, "dimension 1"),
    ("T.repeat(x, m)", ValueError, "should not exceed 1"),
    ("T.fill_diagonal(v, 1.0)", TypeError, "at least two dimensions"),
    ("T.fill_diagonal(m, 1.5)", TypeError, "must be the same as the first's"),
    ("T.fill_diagonal(x, v)", TypeError, "must be a scalar"),
    ("T.fill_diagonal_offset(t, 1.0, 0)", TypeError, "exactly two"),
    ("T.unravel_index(v, (2, 3))", TypeError, "cannot be interpreted as an index"),
    ("T.unravel_index(i, i)", ValueError, "length not known"),
    ("T.unravel_index(i, (2, 3), order='A')", ValueError, "order must be"),
    ("T.ravel_multi_index((i, i), (2, 3), mode='blah')", ValueError, "mode must be"),
    ("T.choose(i, x, mode='blah')", ValueError, "mode must be"),
    ("T.choose(v, x)", TypeError, "cannot be interpreted as an index"),
    ("T.bartlett(s)", TypeError, "integer"),
    ("T.mgrid[0:1:2j]", NotImplementedError, "real steps"),
    ("T.join(s, x, x)", TypeError, "integer"),
]


@pytest.mark.parametrize(("expression", "kind", "message"), ERRORS)
def test_errors_while_building(bench, expression, kind, message):
    with pytest.raises(kind, match=message):
        bench.build(expression)


CALLS = [
    ("T.topk(v, 9)", ValueError, "cannot be larger than the size"),
    ("T.topk(v, 0)", ValueError, "cannot be zero"),
    ("T.bincount(i - 1)", AssertionError, "negative values"),
    ("T.repeat(v, i)", ValueError, "one number for each of the 4 items"),
    ("T.unravel_index(i + 9, (2, 3))[0]", ValueError, "out of bounds for array with size 6"),
    ("T.unravel_index(i, x.shape, ndim=3)[0]", ValueError, "2 items, expected 3"),
    ("T.ravel_multi_index((i, i), (2, 3))", ValueError, "invalid entry"),
    ("T.choose(i, x[:2])", ValueError, "invalid entry in choice array"),
    ("T.fill_diagonal(t, 1.0)", AssertionError, "equal length"),
    ("T.join(i[0], x, x)", AxisError, "Join: axis 2 is out of bounds"),
]


@pytest.mark.parametrize(("expression", "kind", "message"), CALLS)
def test_errors_of_a_call_name_the_line(bench, expression, kind, message):
    expression = bench.build(expression)
    with pytest.raises(kind, match=message) as info:
        bench.value(expression)
    assert "Apply node that caused the error" in str(info.value)
    assert "Backtrace when the node is created" in str(info.value)


def test_cumulated_products_with_zeros_have_gradients():
    x = T.dvector("x")
    weights = np.array([1.0, -2.0, 3.0, 0.5, 7.0])
    slope = theano.function([x], T.grad((T.cumprod(x) * weights).sum(), x))
    for zeros in ([], [2], [0], [1, 3], [4]):
        value = np.array([0.5, 2.0, -1.5, 3.0, 1.25])
        value[zeros] = 0
        step = 1e-6 * np.eye(5)
        moved = [(np.cumprod(value + d) - np.cumprod(value - d)) @ weights / 2e-6 for d in step]
        np.testing.assert_allclose(slope(value), moved, rtol=1e-8, atol=1e-8)


def test_splits_that_do_not_fit():
    x, sizes = T.dvector("x"), T.lvector("sizes")
    with pytest.raises(ValueError, match="3 parts need as many lengths"):
        T.split(x, [1, 3], 3)
    f = theano.function([x, sizes], T.split(x, sizes, 2))
    assert [part.tolist() for part in f([1.0, 2, 3], [2, 1])] == [[1, 2], [3]]
    for shape, text in (([1, 1], "add up"), ([-1, 4], "non-negative"), ([1, 1, 1], "number of")):
        with pytest.raises(ValueError, match=text):
            f([1.0, 2, 3], shape)


def test_infinite_norms_and_integers_at_their_limits():
    x, b = T.dmatrix("x"), T.bvector("b")
    value = np.array([[1.0, -4.0], [3.0, 0.5]])
    assert x.norm(np.inf).eval({x: value}) == 4
    assert x.norm(-np.inf, axis=1).eval({x: value}).tolist() == [1, 0.5]
    largest = np.array([127, -128], "int8")
    assert T.nnet.relu(b).eval({b: largest}).tolist() == [127, 0]
    assert T.chi2sf(x, 3).eval({x: value})[0, 1] == 1
    for function in (T.floor, T.ceil, T.trunc):
        assert function(b).dtype == "float32"
        assert function(b.astype("int32")).dtype == "float64"


@pytest.mark.parametrize(("n", "axis"), [(0, 0), (1, 0), (1, -1), (2, 1)])
def test_differences_of_bools_are_whether_they_differ(n, axis):
    x = T.TensorType("bool", (False, False))("x")
    value = np.array([[True, False, False, True], [True, True, False, False]])
    out = theano.function([x], T.diff(x, n, axis))(value)
    np.testing.assert_array_equal(out, np.diff(value, n, axis), strict=True)

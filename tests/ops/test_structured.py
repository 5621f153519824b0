"""Shape, indexing, creation and products: native code against the reference, and against NumPy."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.api.debug.checks import layouts
from theano._core.compile.function import function
from theano._core.lower.reference import evaluate

a = np.arange(24.0).reshape(4, 6) - 11
c = np.arange(60.0).reshape(3, 4, 5)
v = np.arange(6.0)
n = np.array(2)
i = np.array([3, -1, 0, 3])
j = np.array([[0, 1], [2, -1]])

# name: (expression of symbols, NumPy's expression, arguments)
CASES = {
    "transpose": (lambda x: x.T, lambda x: x.T, (a,)),
    "transpose twice": (lambda x: x.T + x.T, lambda x: x.T + x.T, (a,)),
    "dimshuffle": (lambda x: x.dimshuffle(1, "x", 0), lambda x: x.T[:, None], (a,)),
    "transpose plus row": (lambda x, r: x.T + r[:4], lambda x, r: x.T + r[:4], (a, v)),
    "column": (lambda x, r: x * r[:4].dimshuffle(0, "x"), lambda x, r: x * r[:4, None], (a, v)),
    "row": (lambda x, r: x * r, lambda x, r: x * r, (a, v)),
    "reshape": (lambda x: x.reshape((6, 4)), lambda x: x.reshape(6, 4), (a,)),
    "reshape unknown": (lambda x: x.reshape((-1, 3)), lambda x: x.reshape(-1, 3), (a,)),
    "reshape symbolic": (
        lambda x, k: x.reshape((x.shape[1] * k, -1)),
        lambda x, k: x.reshape(12, -1),
        (a, n),
    ),
    "reshape transposed": (lambda x: x.T.reshape((3, 8)), lambda x: x.T.reshape(3, 8), (a,)),
    "flatten": (lambda x: x.flatten(2), lambda x: x.reshape(3, 20), (c,)),
    "ravel": (lambda x: x.T.ravel(), lambda x: x.T.ravel(), (a,)),
    "item": (lambda x: x[2, 3], lambda x: np.asarray(x[2, 3]), (a,)),
    "item symbolic": (lambda x, k: x[k, -k], lambda x, k: np.asarray(x[2, -2]), (a, n)),
    "one row": (lambda x, k: x[k], lambda x, k: x[2], (a, n)),
    "slice": (lambda x: x[1:3, ::2], lambda x: x[1:3, ::2], (a,)),
    "slice back": (lambda x: x[::-1, 4:0:-2], lambda x: x[::-1, 4:0:-2], (a,)),
    "slice negative": (lambda x: x[-3:-1, -2:], lambda x: x[-3:-1, -2:], (a,)),
    "slice symbolic": (lambda x, k: x[k:, :-k], lambda x, k: x[2:, :-2], (a, n)),
    "slice symbolic step": (lambda x, k: x[:, ::k], lambda x, k: x[:, ::2], (a, n)),
    "slice symbolic back": (lambda x, k: x[:, ::-k], lambda x, k: x[:, ::-2], (a, n)),
    "slice of nothing": (lambda x: x[3:1], lambda x: x[3:1], (a,)),
    "slice past the end": (lambda x: x[2:99], lambda x: x[2:99], (a,)),
    "slice of a slice": (lambda x: x[1:][::2, 1:-1], lambda x: x[1:][::2, 1:-1], (a,)),
    "ellipsis": (lambda x: x[..., 1], lambda x: x[..., 1], (c,)),
    "new axis": (lambda x: x[:, None, :], lambda x: x[:, None, :], (a,)),
    "gather": (lambda x, k: x[k], lambda x, k: x[k], (a, i)),
    "gather columns": (lambda x, k: x[:, k], lambda x, k: x[:, k], (a, i)),
    "gather matrix": (lambda x, k: x[k], lambda x, k: x[k], (a, j)),
    "gather pairs": (lambda x, k: x[k, k], lambda x, k: x[k, k], (a, j)),
    "gather broadcast": (
        lambda x, k: x[k, T.constant(np.array([[1, 2]]))],
        lambda x, k: x[k, np.array([[1, 2]])],
        (a, j),
    ),
    "gather apart": (lambda x, k: x[k[0], :, k[1]], lambda x, k: x[k[0], :, k[1]], (c, j)),
    "gather nothing": (lambda x, k: x[k[:0]], lambda x, k: x[k[:0]], (a, i)),
    "gather a vector": (lambda x, k: x[k], lambda x, k: x[k], (v, i)),
    "set": (lambda x: T.set_subtensor(x[1:3], 7.0), lambda x: _set(x, np.s_[1:3], 7), (a,)),
    "set row": (
        lambda x, r: T.set_subtensor(x[:, ::2], r[:3]),
        lambda x, r: _set(x, np.s_[:, ::2], r[:3]),
        (a, v),
    ),
    "set item": (lambda x: T.set_subtensor(x[1, 1], 7.0), lambda x: _set(x, (1, 1), 7), (a,)),
    "inc": (
        lambda x: T.inc_subtensor(x[1:3, 1], 7.0),
        lambda x: _set(x, np.s_[1:3, 1], 7 + x[1:3, 1]),
        (a,),
    ),
    "inc transposed": (
        lambda x: T.inc_subtensor(x.T[1:3], 7.0),
        lambda x: _set(x.T, np.s_[1:3], 7 + x.T[1:3]),
        (a,),
    ),
    "set positions": (lambda x, k: T.set_subtensor(x[k], 7.0), lambda x, k: _set(x, k, 7), (a, i)),
    "inc positions": (
        lambda x, k: T.inc_subtensor(x[k], 1.0),
        lambda x, k: _add_at(x, k, 1),
        (a, i),
    ),
    "inc pairs": (
        lambda x, k: T.inc_subtensor(x[k, k], 2.0),
        lambda x, k: _add_at(x, (k, k), 2),
        (a, j),
    ),
    "inc columns": (
        lambda x, k, r: T.inc_subtensor(x[:, k], r[:4]),
        lambda x, k, r: _add_at(x, (slice(None), k), r[:4]),
        (a, i, v),
    ),
    "join": (
        lambda x: T.concatenate([x, x[:2], -x], axis=0),
        lambda x: np.concatenate([x, x[:2], -x]),
        (a,),
    ),
    "join columns": (
        lambda x: T.concatenate([x, x[:, :2]], axis=1),
        lambda x: np.concatenate([x, x[:, :2]], 1),
        (a,),
    ),
    "join dtypes": (lambda x, k: T.join(0, x, k), lambda x, k: np.concatenate([x, k]), (v, i)),
    "stack": (lambda x: T.stack([x, x * 2]), lambda x: np.stack([x, x * 2]), (a,)),
    "stack last": (
        lambda x: T.stack([x, x * 2], axis=-1),
        lambda x: np.stack([x, x * 2], -1),
        (a,),
    ),
    "alloc": (
        lambda x, k: T.alloc(x[0], k, x.shape[1]),
        lambda x, k: np.tile(x[0], (2, 1)),
        (a, n),
    ),
    "alloc of number": (lambda k: T.alloc(3.5, k, 3) * 2, lambda k: np.full((2, 3), 7.0), (n,)),
    "zeros": (lambda k: T.zeros((k, 3)), lambda k: np.zeros((2, 3)), (n,)),
    "ones like": (lambda x: T.ones_like(x) + x, lambda x: np.ones_like(x) + x, (a,)),
    "arange": (lambda k: T.arange(k * 3), lambda k: np.arange(6), (n,)),
    "arange from": (lambda k: T.arange(k, 17, k + 1), lambda k: np.arange(2, 17, 3), (n,)),
    "arange back": (lambda k: T.arange(17, k, -3), lambda k: np.arange(17, 2, -3), (n,)),
    "arange float": (lambda x: T.arange(x[0], x[5], 0.25), lambda x: np.arange(0, 5, 0.25), (v,)),
    "eye": (lambda k: T.eye(k + 1, 4, 1), lambda k: np.eye(3, 4, 1), (n,)),
    "shape": (lambda x: x.shape, lambda x: np.array(x.shape), (c,)),
    "shape of expression": (lambda x: T.exp(x.T).shape[0] * 2, lambda x: np.asarray(12), (a,)),
    "dot": (lambda x: T.dot(x, x.T), lambda x: x @ x.T, (a,)),
    "dot vector": (lambda x, y: T.dot(x, y), lambda x, y: x @ y, (a, v)),
    "vector dot": (lambda x, y: T.dot(y[:4], x), lambda x, y: y[:4] @ x, (a, v)),
    "inner": (lambda y: T.dot(y, y), lambda y: np.asarray(y @ y), (v,)),
    "dot slices": (
        lambda x: T.dot(x[::2, ::2], x[::-1, :2][:3]),
        lambda x: x[::2, ::2] @ x[::-1, :2][:3],
        (a,),
    ),
    "dot higher": (lambda x, y: T.dot(x, y[:5]), lambda x, y: x @ y[:5], (c, v)),
    "dot nothing": (lambda x: T.dot(x[:0], x.T), lambda x: x[:0] @ x.T, (a,)),
    "dot over nothing": (lambda x: T.dot(x[:, :0], x.T[:0]), lambda x: np.zeros((4, 4)), (a,)),
    "gemm": (
        lambda x: 3 * x[:, :4] - 0.5 * T.dot(x, x.T),
        lambda x: 3 * x[:, :4] - 0.5 * (x @ x.T),
        (a,),
    ),
    "mean": (
        lambda x: x.mean(axis=1, keepdims=True) - x,
        lambda x: x.mean(1, keepdims=True) - x,
        (a,),
    ),
    "softmax": (
        lambda x: T.exp(x) / T.exp(x).sum(axis=1, keepdims=True),
        lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True),
        (a / 9,),
    ),
    "argmax": (lambda x: T.argmax(x, axis=1), lambda x: x.argmax(1), (np.sin(a),)),
    "var": (lambda x: x.var(axis=0), lambda x: x.var(0), (a,)),
    "tile by alloc": (lambda r, k: (r + T.zeros((k, 6))).sum(axis=0), lambda r, k: 2 * r, (v, n)),
}


def _set(x, at, value):
    x = x.copy()
    x[at] = value
    return x


def _add_at(x, at, value):
    x = x.copy()
    np.add.at(x, at, value)
    return x


@pytest.mark.parametrize("name", list(CASES))
def test_structured(name):
    build, numpy_form, arrays = CASES[name]
    inputs = [T.TensorType(str(x.dtype), (False,) * x.ndim)(f"x{k}") for k, x in enumerate(arrays)]
    out = build(*inputs)
    wanted = numpy_form(*arrays)
    reference = evaluate([out], dict(zip(inputs, arrays, strict=True)))[0]
    np.testing.assert_allclose(reference, wanted, rtol=1e-12, atol=1e-13)
    for mode in ("FAST_RUN", "FAST_COMPILE"):
        f = function(inputs, out, mode=mode)
        for layout in layouts(arrays[0]):
            given = [layouts(x).get(layout, x) for x in arrays]
            got = f(*given)
            assert got.dtype == reference.dtype
            assert got.shape == wanted.shape
            np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-13)


def test_two_outputs_in_one_buffer():
    x = T.dmatrix("x")
    y = x * 2
    one, two, three, four = function([x], [y, y.T, y[1:], y])(a)
    np.testing.assert_array_equal(one, a * 2)
    np.testing.assert_array_equal(two, a.T * 2)
    np.testing.assert_array_equal(three, a[1:] * 2)
    one[...] = 0
    np.testing.assert_array_equal(four, a * 2)
    assert not np.shares_memory(two, three)


def test_results_never_share_memory_with_arguments():
    x = T.dmatrix("x")
    given = a.copy()
    for out in function([x], [x, x.T, x[1:], x.reshape((6, 4))])(given):
        assert not np.shares_memory(out, given)


KINDS = ["int32", "float16", "float32", "float64", "complex64", "complex128"]


@pytest.mark.parametrize("kind", KINDS)
def test_batches_of_products(kind):
    rng = np.random.default_rng(11)
    x, y = (T.TensorType(kind, (False,) * 3)(name) for name in "xy")
    f = function([x, y], T.batched_dot(x, y))
    for n, r, k, c in [(4, 3, 5, 2), (1, 1, 1, 1), (0, 2, 3, 4), (3, 0, 2, 2), (2, 2, 0, 3)]:
        one = np.round(rng.normal(size=(n, r, k)) * 4).astype(kind)
        two = np.round(rng.normal(size=(n, k, c)) * 4).astype(kind)
        for layout in layouts(one):
            got = f(layouts(one)[layout], layouts(two)[layout])
            assert got.dtype == kind
            np.testing.assert_allclose(got, one @ two, rtol=1e-3 if kind == "float16" else 1e-6)


def test_a_batch_of_one_broadcasts():
    x, y = T.dtensor3("x"), T.TensorType("float64", (True, False, False))("y")
    one, two = np.arange(24.0).reshape(2, 3, 4), np.arange(20.0).reshape(1, 4, 5)
    out = x @ y
    f = function([x, y], [out, *T.grad((out**2).sum(), [x, y])])
    got, of_x, of_y = f(one, two)
    np.testing.assert_array_equal(got, one @ two)
    np.testing.assert_array_equal(of_x, 2 * got @ two.transpose(0, 2, 1))
    wanted = (one.transpose(0, 2, 1) @ (2 * got)).sum(0, keepdims=True)
    np.testing.assert_array_equal(of_y, wanted)


def test_batches_that_do_not_fit():
    x, y = T.dtensor3s("x", "y")
    f = function([x, y], T.batched_dot(x, y))
    with pytest.raises(ValueError, match="axis 0 of x has 2 items, axis 0 of y has 3"):
        f(np.zeros((2, 3, 4)), np.zeros((3, 4, 5)))
    with pytest.raises(ValueError, match="axis 2 of x has 4 items"):
        f(np.zeros((2, 3, 4)), np.zeros((2, 3, 5)))


def test_batches_inside_a_loop():
    import theano

    x = T.dtensor4("x")
    rows, _ = theano.scan(lambda stack: T.batched_dot(stack, stack), [x])
    value = np.random.default_rng(12).normal(size=(3, 2, 4, 4))
    np.testing.assert_allclose(rows.eval({x: value}), value @ value, rtol=1e-12)


def test_a_matrix_for_all_rows_that_is_used_again():
    # Its strides are first needed inside the loop over the rows, and then after it.
    x = T.dmatrix("x")
    whole = T.exp(x).dot(x.T).reshape((1, x.shape[0], x.shape[0]))
    products = [T.batched_dot(whole, whole), T.batched_dot(whole.dimshuffle(0, 2, 1), whole)]
    value = np.arange(6.0).reshape(3, 2) / 6
    square = np.exp(value) @ value.T
    first, second = function([x], products)(value)
    assert np.allclose(first[0], square @ square)
    assert np.allclose(second[0], square.T @ square)


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE", "none"])
def test_what_is_broadcast_already_has_to_fit(mode):
    value, k, m, x = T.dscalar("value"), T.lscalar("k"), T.lscalar("m"), T.dvector("x")
    chosen = theano.Mode(optimizer=None) if mode == "none" else mode
    twice = function([value, k, m], T.alloc(T.alloc(value, k, 1), 2, m, 3), mode=chosen)
    of_sum = function([x, value, k], T.alloc(T.alloc(value, k), x.shape[0]) + x, mode=chosen)
    for one, two in ((5, 5), (1, 5), (0, 0), (1, 0)):
        assert twice(7.0, one, two).tolist() == np.full((2, two, 3), 7.0).tolist()
        assert of_sum(np.ones(two), 7.0, one).tolist() == [8.0] * two
    for one, two in ((2, 5), (5, 2), (0, 5), (2, 0), (2, 1)):
        with pytest.raises(ValueError, match="could not broadcast"):
            twice(7.0, one, two)
        with pytest.raises(ValueError, match="could not broadcast"):
            of_sum(np.ones(two), 7.0, one)


@pytest.mark.parametrize("axis", range(-3, 3))
def test_parts_along_an_axis_that_is_an_input(axis):
    x, at, sizes = T.dtensor3("x"), T.bscalar("at"), T.lvector("sizes")
    parts = T.split(x, sizes, 2, axis=at)
    gradient = T.grad((parts[1] ** 2).sum(), x)
    f = function([x, at, sizes], [*parts, gradient])
    array = np.arange(24.0).reshape(2, 3, 4)
    for first in range(array.shape[axis] + 1):
        one, two, slope = f(array, axis, [first, array.shape[axis] - first])
        wanted = np.split(array, [first], axis)
        assert np.array_equal(one, wanted[0]) and np.array_equal(two, wanted[1])
        zeros = np.zeros_like(wanted[0])
        assert np.array_equal(slope, np.concatenate([zeros, 2 * wanted[1]], axis))
    with pytest.raises(ValueError, match="add up to the length"):
        f(array, axis, [1, array.shape[axis]])
    alone = T.split(T.drow("row"), [3], 1, axis=at)
    assert alone.type.broadcastable == (False, False)


def test_an_axis_that_is_an_input_has_to_be_there():
    x, at = T.dmatrix("x"), T.lscalar("at")
    f = function([x, at], T.split(x, [1, 1], 2, axis=at))
    for axis in (-3, 2):
        with pytest.raises(np.exceptions.AxisError, match="out of bounds for 2 dimensions"):
            f(np.ones((2, 2)), axis)
    for wrong in (T.dscalar(), T.lvector()):
        with pytest.raises(TypeError, match="Split needs an integer as its axis"):
            T.split(x, [1, 1], 2, axis=wrong)

"""Operations that native code computes as expressions of others, against their definitions."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.tensor import extra_ops

KINDS = ("bool", "int8", "uint16", "float16", "float32", "float64", "complex64")
DEFINITION = theano.Mode(linker="py", optimizer=None)
rng = np.random.RandomState(0)


def run(function, values):
    try:
        return function(*values)
    except ValueError as error:
        return str(error).splitlines()[0]


def check(inputs, outs, *values, fails=False):
    """Check that native code, without a call of Python, does what the definition says."""
    outs = list(outs) if isinstance(outs, (list, tuple)) else [outs]
    native = theano.function(inputs, outs)
    assert not native.maker.callbacks
    got = run(native, values)
    wanted = run(theano.function(inputs, outs, mode=DEFINITION), values)
    assert isinstance(wanted, str) == fails
    if fails:
        # Only the definition knows which item is wrong.
        assert isinstance(got, str)
        return
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


def matrix_and_vector(kind):
    x, v = T.TensorType(kind, (False, False))(), T.TensorType(kind, (False,))()
    rows, row = rng.randint(0, 4, (5, 6)).astype(kind), rng.randint(0, 3, 9).astype(kind)
    if kind[0] in "fc":
        row[2] = row[5] = np.nan
    return x, v, rows, row


@pytest.mark.parametrize("kind", KINDS)
def test_largest(kind):
    x, _, rows, _ = matrix_and_vector(kind)
    for count, axis in itertools.product((1, 3, -2), (0, 1)):
        check([x], T.topk_and_argtopk(x, count, axis=axis), rows)
    for one in (T.topk(x, 2), T.argtopk(x, 2, sorted=False)):
        assert len(one.owner.outputs) == 1
        check([x], one, rows)
    k = T.lscalar()
    check([x, k], T.topk_and_argtopk(x, k, axis=1), rows, 4)
    check([x, k], T.topk(x, k, axis=1), rows, 7, fails=True)
    check([x, k], T.topk(x, k, axis=1), rows, 0, fails=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wanted", list(itertools.product((False, True), repeat=3)))
def test_distinct(kind, wanted):
    x, v, rows, row = matrix_and_vector(kind)
    unique = extra_ops.Unique(*wanted)
    for value in (row, row[:0], row[:1], row[::-2]):
        check([v], unique(v), value)
    check([x], unique(x), rows)


def parts(kind):
    """Return arrays of three axes with equal parts, also of length 0 and 1."""
    whole = rng.randint(0, 2, (6, 2, 5)).astype(kind)
    if kind[0] in "fc":
        whole[1:3, 0] = np.nan
        whole[whole == 0] *= rng.choice([-1, 1], (whole == 0).sum())
    return [whole, whole[::-1, :1, ::2], whole[:0], whole[:, :0], whole[:1], whole.T[:2]]


@pytest.mark.parametrize("kind", [*KINDS, "complex128"])
@pytest.mark.parametrize("wanted", list(itertools.product((False, True), repeat=3)))
def test_distinct_parts(kind, wanted):
    x, v, _, row = matrix_and_vector(kind)
    x = T.TensorType(kind, (False,) * 3)()
    for value, axis in itertools.product(parts(kind), (0, 1, -1)):
        check([x], extra_ops.Unique(*wanted, axis=axis)(x), value)
    check([v], extra_ops.Unique(*wanted, axis=0)(v), row)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", ["left", "right"])
def test_places(kind, side):
    x, v, rows, row = matrix_and_vector(kind)
    order = T.lvector()
    rising = np.sort(row)
    check([v, x], extra_ops.searchsorted(v, x, side), rising, rows)
    check([v, x], extra_ops.searchsorted(v, x.T, side), rising[::2], rows)
    check([v, x, order], extra_ops.searchsorted(v, x, side, order), row, rows, np.argsort(row))


def test_places_among_another_dtype():
    v, x = T.dvector(), T.lmatrix()
    check([v, x], extra_ops.searchsorted(v, x), np.arange(5.0), rng.randint(-1, 7, (3, 4)))
    check([v], extra_ops.searchsorted(v, 2.5), np.arange(5.0))


def test_repeated():
    x, counts = T.lmatrix(), T.lvector()
    value = rng.randint(0, 9, (2, 3))
    check([x, counts], T.repeat(x, counts, axis=1), value, np.array([2, 0, 3]))
    check([x, counts], T.repeat(x, counts, axis=0), value[:0], np.zeros(0, "int64"))
    check([x, counts], T.repeat(x, counts, axis=1), value, np.array([2, 0]), fails=True)
    check([x, counts], T.repeat(x, counts, axis=1), value, np.array([2, 0, -1]), fails=True)
    for wide in (T.vector(dtype="uint64"), T.scalar(dtype="uint64"), [np.uint64(2)]):
        with pytest.raises(TypeError, match=r"repeats of dtype uint64 are refused.*int64"):
            T.repeat(x, wide)


@pytest.mark.parametrize("order", ["C", "F"])
def test_positions_of_numbers(order):
    x, dims = T.lmatrix(), T.lvector()
    value = np.array([[0, 5, 11], [7, 3, 1]])
    check([x], extra_ops.unravel_index(x, (3, 4), order=order), value)
    for wrong in (value + 5, value - 1):
        check([x], extra_ops.unravel_index(x, (3, 4), order=order), wrong, fails=True)
    found = extra_ops.unravel_index(x, dims, order=order, ndim=2)
    check([x, dims], found, value, np.array([3, 4]))
    check([x, dims], found, value, np.array([3, 4, 5]), fails=True)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("mode", ["raise", "wrap", "clip", ("wrap", "clip")])
def test_numbers_of_positions(mode, order):
    a, b, m = T.lvector(), T.lvector(), T.lmatrix()
    number = extra_ops.ravel_multi_index((a, b), (3, 4), mode=mode, order=order)
    check([a, b], number, np.array([0, 2, 1]), np.array([3, 0, 2]))
    outside = np.array([0, -2, 7]), np.array([3, 0, -9])
    check([a, b], number, *outside, fails=mode == "raise")
    # What has one item at run time broadcasts.
    wide = extra_ops.ravel_multi_index((a, m), (3, 4), mode=mode, order=order)
    check([a, m], wide, np.array([0, 2, 1]), np.array([[3], [0]]))


@pytest.mark.parametrize("mode", ["raise", "wrap", "clip"])
def test_chosen(mode):
    a, x, c, c3 = T.lvector(), T.lmatrix(), T.dmatrix(), T.dtensor3()
    numbers = rng.randint(0, 3, (2, 4))
    check([a, c], T.choose(a, c, mode=mode), np.array([0, 2, 1]), rng.randn(3, 3))
    outside = np.array([0, 2, -7])
    check([a, c], T.choose(a, c, mode=mode), outside, rng.randn(3, 3), fails=mode == "raise")
    for width in (1, 4):
        check([x, c], T.choose(x, c, mode=mode), numbers, rng.randn(3, width))
    check([x, c3], T.choose(x, c3, mode=mode), numbers[:1], rng.randn(3, 2, 4))
    check([a, c], T.choose(a, c, mode=mode), np.zeros(0, "int64"), np.zeros((0, 0)))

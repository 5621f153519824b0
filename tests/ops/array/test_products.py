"""Products of stacks of matrices, of any number of axes."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import function
from theano.gradient import verify_grad

# Lengths of 1 are broadcastable.
STACKS = [((2, 3, 4, 5), two) for two in ((2, 3, 5, 6), (5, 6), (5,))]
STACKS += [(one, (2, 3, 5, 6)) for one in ((5,), (4, 5), (1, 1, 4, 5))]
STACKS += [((2, 1, 4, 5), (1, 3, 5, 6)), ((3, 4, 5), (2, 1, 5, 6)), ((2, 3, 1, 1), (2, 3, 1, 4))]
STACKS += [((2, 3, 2, 4, 5), (1, 2, 5, 6)), ((2, 3, 1, 4, 5), (3, 2, 5, 6))]
STACKS += [((0, 3, 4, 5), (0, 3, 5, 6)), ((2, 3, 4, 0), (2, 3, 0, 6)), ((2, 3, 0, 5), (5, 6))]


def variables(*arrays):
    return [T.TensorType(a.dtype.name, [n == 1 for n in a.shape])() for a in arrays]


def drawn(*shapes):
    rng = np.random.default_rng(3)
    return [rng.normal(size=shape) for shape in shapes]


@pytest.mark.parametrize("kind", ["bool", "int32", "uint8", "float32", "float64", "complex64"])
@pytest.mark.parametrize("shapes", STACKS)
def test_values(shapes, kind):
    a, b = (np.round(x * 4).astype(kind) for x in drawn(*shapes))
    x, y = variables(a, b)
    out = x @ y
    f, wanted = function([x, y], out), a @ b
    assert out.dtype == wanted.dtype
    assert out.type.broadcastable == tuple(n == 1 for n in wanted.shape)
    for one, two in [(a, b), (np.asfortranarray(a), np.asfortranarray(b))]:
        np.testing.assert_array_equal(f(one, two), wanted)
    view = a.repeat(2, axis=-1)[..., ::2], b[..., ::-1]
    np.testing.assert_array_equal(f(*view), view[0] @ view[1])


@pytest.mark.parametrize("shapes", [s for s in STACKS if 0 not in s[0]])
def test_gradients(shapes):
    for build in (lambda x, y: x @ y, lambda x, y: T.grad(((x @ y) ** 2).sum(), x)):
        verify_grad(build, drawn(*shapes), rng=np.random.RandomState(0))


@pytest.mark.parametrize("shapes", STACKS)
def test_gradients_are_products(shapes):
    values = drawn(*shapes)
    x, y = variables(*values)
    f = function([x, y], T.grad((x @ y).sum(), [x, y]))
    names = {str(node.op) for node in f.maker.graph.toposort()}
    assert not any("mul" in name.lower() for name in names)
    for got, value in zip(f(*values), values, strict=True):
        assert got.shape == value.shape


@pytest.mark.parametrize("axes", [(0, None), (None, 0), (0, 0)])
def test_many_rows_of_products(axes):
    both = drawn((3, 2, 4, 5), (3, 2, 5, 6))
    given = [a if axis == 0 else a[0] for a, axis in zip(both, axes, strict=True)]
    u, v = variables(*given)
    got = function([u, v], theano.vectorize(lambda x, y: x @ y, in_axes=axes)(u, v))(*given)
    np.testing.assert_allclose(got, given[0] @ given[1])


def test_stacks_that_do_not_fit():
    (x, y), m, one = T.dtensor4s("x", "y"), T.dmatrix("m"), np.zeros((2, 3, 4, 5))
    for out, other, shape, text in (
        (x @ y, y, (2, 2, 5, 1), r"in x @ y, axis 1 of x has 3 .*\(2, 3, 4, 5\), y \(2, 2, 5, 1"),
        (x @ y, y, (2, 3, 4, 6), r"axis 3 of x has 5 .*\(2, 3, 4, 5\), y \(2, 3, 4, 6\)"),
        (x @ m, m, (4, 6), r"in x @ m, 5 items meet 4\. Shapes: x \(2, 3, 4, 5\), m \(4, 6\)"),
    ):
        with pytest.raises(ValueError, match=text):
            function([x, other], out)(one, np.zeros(shape))


def test_axes_that_are_neighbours_are_joined_in_place():
    x, y = T.dtensor4s("x", "y")
    value = drawn((2, 3, 4, 5))[0]
    out = T.tensordot(x, y, [[0, 1], [0, 1]])
    f = function([x, y], out)
    moves = [n.op for n in f.maker.graph.toposort() if isinstance(n.op, T.DimShuffle)]
    assert all(len(op.new_order) == 2 for op in moves)
    np.testing.assert_allclose(f(value, value), np.tensordot(value, value, [[0, 1], [0, 1]]))


@pytest.mark.parametrize("offset", [np.uint8(1), np.uint64(1), np.int8(-1)])
def test_diagonals_at_an_offset_that_numpy_counted(offset):
    x = T.dmatrix()
    value, k = np.arange(9.0).reshape(3, 3), int(offset)
    for taken in (T.diag(x, offset), x.diagonal(offset), T.ExtractDiag(offset)(x)):
        np.testing.assert_array_equal(theano.function([x], taken)(value), np.diag(value, k))
    for made in (T.diag(x[0], offset), T.AllocDiag(offset)(x[0])):
        np.testing.assert_array_equal(theano.function([x], made)(value), np.diag(value[0], k))

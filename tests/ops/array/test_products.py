"""Products of stacks of matrices, of any number of axes."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import function
from theano.gradient import verify_grad

# Lengths of 1 are broadcastable.
STACKS = [
    ((2, 3, 4, 5), (2, 3, 5, 6)),
    ((2, 1, 4, 5), (1, 3, 5, 6)),
    ((2, 3, 4, 5), (5, 6)),
    ((2, 3, 4, 5), (5,)),
    ((5,), (2, 3, 5, 6)),
    ((4, 5), (2, 3, 5, 6)),
    ((3, 4, 5), (2, 1, 5, 6)),
    ((2, 3, 2, 4, 5), (1, 2, 5, 6)),
    ((2, 3, 1, 4, 5), (3, 2, 5, 6)),
    ((1, 1, 4, 5), (2, 3, 5, 6)),
    ((2, 3, 1, 1), (2, 3, 1, 4)),
    ((0, 3, 4, 5), (0, 3, 5, 6)),
    ((2, 3, 4, 0), (2, 3, 0, 6)),
    ((2, 3, 0, 5), (5, 6)),
]


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
    verify_grad(lambda x, y: x @ y, drawn(*shapes), rng=np.random.RandomState(0))
    verify_grad(
        lambda x, y: T.grad(((x @ y) ** 2).sum(), x), drawn(*shapes), rng=np.random.RandomState(0)
    )


@pytest.mark.parametrize("shapes", STACKS)
def test_gradients_are_products(shapes):
    values = drawn(*shapes)
    x, y = variables(*values)
    f = function([x, y], T.grad((x @ y).sum(), [x, y]))
    names = {str(node.op) for node in f.maker.graph.toposort()}
    assert not any("mul" in name.lower() for name in names)
    for got, value in zip(f(*values), values, strict=True):
        assert got.shape == value.shape


def test_many_rows_of_products():
    a, b = drawn((3, 2, 4, 5), (3, 2, 5, 6))
    x, y = variables(a[0], b[0])
    for rows in ([x, None], [None, y], [x, y]):
        one, two = (0 if v is not None else None for v in rows)
        many = theano.vectorize(lambda x, y: x @ y, in_axes=(one, two))
        u, v = variables(a if one == 0 else a[0], b if two == 0 else b[0])
        got = function([u, v], many(u, v))(*(a if one == 0 else a[0], b if two == 0 else b[0]))
        wanted = (a if one == 0 else a[:1]) @ (b if two == 0 else b[:1])
        np.testing.assert_allclose(got, wanted)


def test_stacks_that_do_not_fit():
    (x, y), m = T.dtensor4s("x", "y"), T.dmatrix("m")
    f = function([x, y], x @ y)
    one = np.zeros((2, 3, 4, 5))
    with pytest.raises(
        ValueError, match=r"in x @ y, axis 1 of x has 3 .*\(2, 3, 4, 5\), y \(2, 2, 5, 1"
    ):
        f(one, np.zeros((2, 2, 5, 1)))
    with pytest.raises(ValueError, match=r"axis 3 of x has 5 .*\(2, 3, 4, 5\), y \(2, 3, 4, 6\)"):
        f(one, np.zeros((2, 3, 4, 6)))
    with pytest.raises(
        ValueError, match=r"in x @ m, 5 items meet 4\. Shapes: x \(2, 3, 4, 5\), m \(4, 6\)"
    ):
        function([x, m], x @ m)(one, np.zeros((4, 6)))


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

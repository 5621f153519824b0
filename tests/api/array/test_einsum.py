"""`einsum` against NumPy's."""

import numpy as np
import pytest

import theano.tensor as T
from theano import function
from theano.gradient import verify_grad

# Lengths of 1 are broadcastable.
CASES = [
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ij,jk", [(2, 3), (3, 4)]),
    ("ij , jk -> k i", [(2, 3), (3, 4)]),
    ("ii", [(3, 3)]),
    ("ii->i", [(3, 3)]),
    ("iii->i", [(3, 3, 3)]),
    ("ijj->ij", [(2, 3, 3)]),
    ("ba", [(2, 3)]),
    ("iJ", [(2, 3)]),
    ("ij->", [(2, 3)]),
    ("->", [()]),
    (",ij", [(), (2, 3)]),
    ("i,j", [(2,), (3,)]),
    ("i,i", [(3,), (3,)]),
    ("ij,ij->i", [(2, 3), (2, 3)]),
    ("ij,j->ij", [(2, 3), (3,)]),
    ("ij,kl->il", [(2, 3), (4, 5)]),
    ("ij,jk", [(2, 1), (3, 4)]),
    ("iij,jk->ik", [(3, 3, 2), (2, 4)]),
    ("bhqd,bhkd->bhqk", [(2, 3, 4, 5), (2, 3, 6, 5)]),
    ("bqhd,bkhd->bhqk", [(2, 4, 3, 5), (2, 6, 3, 5)]),
    ("abcd,cdef->abef", [(2, 3, 4, 5), (4, 5, 2, 3)]),
    ("abcd,ebfd->aecf", [(2, 3, 4, 5), (6, 3, 7, 5)]),
    ("...ij,...jk->...ik", [(2, 1, 3, 4), (5, 4, 2)]),
    ("...ij,jk", [(2, 3, 4), (4, 2)]),
    ("i...j,...j->i...", [(2, 3, 4, 5), (4, 5)]),
    ("i...->...", [(2, 3, 4)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]),
    ("ij,ij,ij->j", [(2, 3), (2, 3), (2, 3)]),
    ("ni,ij,nj->n", [(4, 2), (2, 3), (4, 3)]),
    ("ijk,ilm,njm,nlk,abc->", [(2, 3, 4), (2, 5, 6), (7, 3, 6), (7, 5, 4), (2, 1, 2)]),
    ("ij,jk->ki", [(0, 3), (3, 2)]),
    ("ij,jk->ik", [(2, 0), (0, 3)]),
]


def variables(arrays):
    return [T.TensorType(a.dtype.name, [n == 1 for n in a.shape])() for a in arrays]


@pytest.mark.parametrize("kind", ["bool", "int8", "float32", "complex128"])
@pytest.mark.parametrize(("text", "shapes"), CASES)
def test_values(text, shapes, kind):
    rng = np.random.default_rng(5)
    values = [rng.integers(-3, 4, size=shape).astype(kind) for shape in shapes]
    wanted = np.einsum(text, *values)
    xs = variables(values)
    for optimize in (False, True, "optimal", np.einsum_path(text, *values)[0]):
        got = function(xs, T.einsum(text, *xs, optimize=optimize))(*values)
        assert got.dtype == wanted.dtype
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize(("text", "shapes"), [c for c in CASES if all(map(all, c[1]))])
def test_gradients(text, shapes):
    values = [np.random.default_rng(6).normal(size=shape) for shape in shapes]
    verify_grad(lambda *xs: T.einsum(text, *xs), values, rng=np.random.RandomState(0))


def test_three_factors_at_once_and_a_limit_of_memory():
    values = [np.arange(4.0).reshape(2, 2) + i for i in range(3)]
    wanted = np.einsum("ij,jk,kl", *values)
    for optimize in (["einsum_path", (0, 1, 2)], ("greedy", 100)):
        got = T.einsum("ij,jk,kl", *values, optimize=optimize).eval()
        np.testing.assert_allclose(got, wanted)


def test_the_order_of_fewest_multiplications():
    x, y = T.matrix("x", shape=(50, 40)), T.matrix("y", shape=(40, 50))
    v = T.vector("v", shape=(50,))
    for optimize in (False, True):
        f = function([x, y, v], T.einsum("ij,jk,k->i", x, y, v, optimize=optimize))
        made = [out.type for node in f.maker.graph.toposort() for out in node.outputs]
        matrices = [kind for kind in made if kind.broadcastable == (False, False)]
        assert bool(matrices) is not optimize


def test_lists_of_numbers():
    m = np.arange(24.0).reshape(2, 3, 4)
    for args in (([0, 1, 2],), ([0, 1, Ellipsis], [1, Ellipsis])):
        np.testing.assert_array_equal(T.einsum(m, *args).eval(), np.einsum(m, *args))


@pytest.mark.parametrize(
    ("text", "ranks", "problem"),
    [
        ("ij,jk", [2], "has 2 operands, got 1"),
        ("ij", [1], "does not name the axes"),
        ("i", [2], "does not name the axes"),
        ("i..", [2], "at most one"),
        ("i...j...", [2], "at most one"),
        ("i1", [2], "labels are letters"),
        ("ij->ijj", [2], "'j' multiple times"),
        ("ij->k", [2], "'k', which no operand has"),
        ("...i->i", [2], "axes for '...' that the result 'i' has not"),
    ],
)
def test_what_does_not_fit(text, ranks, problem):
    values = [np.zeros((2,) * rank) for rank in ranks]
    with pytest.raises(ValueError, match=problem):
        T.einsum(text, *values)
    with pytest.raises(ValueError):
        np.einsum(text, *values)


def test_lengths_that_do_not_fit():
    m = T.dmatrix("m")
    with pytest.raises(ValueError, match="same label 'i' have 2 and 3 items"):
        T.einsum("ii", m).eval({m: np.zeros((2, 3))})
    with pytest.raises(ValueError, match="3 items"):
        T.einsum("ij,jk", m, np.zeros((2, 2))).eval({m: np.zeros((2, 3))})

"""Sparse variables: types, constants, shared variables, loops, errors, pickles, old names."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp

import theano
import theano.sparse as S
import theano.tensor as T
from support.compiling import evaluate
from theano.ifelse import ifelse

A = sp.csr_matrix([[1.0, 0, 2], [0, 0, 3]])
x, d = S.csr_matrix("x"), T.dmatrix("d")


def test_types():
    assert S.SparseType("csr", "float64") == x.type != S.SparseType("csc", "float64")
    assert str(x.type) == "Sparse[float64, csr]" and str(x) == "SparseVariable{csr,float64}"
    assert (x.ndim, x.dtype, x.format, x.broadcastable) == (2, "float64", "csr", (False, False))
    assert x.type.is_valid_value(A) and not x.type.is_valid_value(A.tocsc())
    assert x.type.values_eq(A, A.copy()) and not x.type.values_eq(A, 2 * A)
    assert x.type.values_eq_approx(A, A * (1 + 1e-9))


def test_arguments_are_converted():
    f = theano.function([x], x * 2)
    for value in (A, A.tocsc(), A.toarray(), A.toarray().tolist(), sp.csr_array(A), A.astype("f4")):
        got = f(value)
        assert type(got) is sp.csr_matrix
        np.testing.assert_array_equal(got.toarray(), 2 * A.toarray())
    single = S.csr_matrix(dtype="float32")
    g = theano.function([single], single)
    with pytest.raises(NotImplementedError, match="Expected float32 dtype but got float64"):
        g(A)
    with pytest.raises(TypeError, match="is not sparse, or not the right dtype"):
        theano.function([theano.In(x, strict=True)], x)(A.tocsc())


def test_constants():
    c = S.constant(A, name="c")
    kept = A.copy()
    assert "nnz=3" in str(c) and c.name == "c" and c.data is not A
    assert "nnz=3" in str(S.constant(A))
    np.testing.assert_array_equal(theano.function([d], S.dot(c, d))(np.eye(3)), kept.toarray())
    np.testing.assert_array_equal((x + A).eval({x: A}).toarray(), 2 * A.toarray())


def test_shared_variables():
    s = theano.shared(A, name="s")
    assert isinstance(s, S.SparseTensorSharedVariable) and s.type == x.type
    f = theano.function([d], S.dot(s, d), updates=[(s, s * 2)])
    np.testing.assert_array_equal(f(np.eye(3)), A.toarray())
    np.testing.assert_array_equal(f(np.eye(3)), 2 * A.toarray())
    assert (s.get_value() != 4 * A).nnz == 0
    s.get_value().data[:] = 9
    assert (s.get_value() != 4 * A).nnz == 0
    s.set_value(A)
    assert (s.get_value(borrow=True) != A).nnz == 0
    assert theano.shared(A.tocsc(), format="csr").type == x.type
    assert type(theano.shared(sp.csc_array(A)).get_value()) is sp.csc_matrix


def test_gradient_descent_on_a_sparse_parameter():
    w = theano.shared(A)
    cost = T.sqr(S.structured_dot(w, d) - 1).sum()
    step = theano.function([d], cost, updates=[(w, w - T.grad(cost, w) * 0.1)])
    costs = [float(step(np.eye(3))) for _ in range(30)]
    assert costs[-1] < 3.1 < costs[0] and w.get_value().nnz == 3


def test_loops_and_branches():
    rows, _ = theano.scan(lambda v, m: S.dot(m, v), sequences=d, non_sequences=x)
    got = theano.function([x, d], [rows, T.grad(rows.sum(), d)])(A, np.eye(3))
    np.testing.assert_array_equal(got[0], A.toarray().T)
    np.testing.assert_array_equal(got[1], np.ones((3, 2)) @ A)
    powers, _ = theano.scan(lambda m: m * 2, outputs_info=x, n_steps=3)
    assert (theano.function([x], powers)(A) != 8 * A).nnz == 0
    n = T.lscalar()
    chosen = theano.function([x, n], ifelse(n, x * 2, x))
    assert (chosen(A, 1) != 2 * A).nnz == (chosen(A, 0) != A).nnz == 0


def test_pickles_and_copies():
    f = theano.function([x], [S.tanh(x), x.T])
    for g in (pickle.loads(pickle.dumps(f)), f.copy()):
        assert (g(A)[0] != f(A)[0]).nnz == 0
    s = theano.shared(A)
    assert (pickle.loads(pickle.dumps(s)).get_value() != A).nnz == 0
    assert "Assembled" in theano.printing.debugprint(f, file="str")
    assert "SparseTranspose" in theano.printing.debugprint(x.T, file="str")


def called(*values, of):
    """Return what compiles a function of `x` and `d` and calls it."""
    return lambda: evaluate(of(*[x, d][: len(values)]), dict(zip((x, d), values, strict=False)))


INTEGERS, FLOATS = T.ivector(), T.dvector()
BROKEN = A.copy()
BROKEN.indices = np.array([0, 99, 1], "int32")
SHAPES = r"one shape, got \(2, 3\) and \(3, 2\)"
NO_ROW, NO_FIT = "no sparse vector", r"\(2, 3\) and \(2, 2\) do not fit"
ERRORS = {
    "add": (ValueError, SHAPES, called(A, np.ones((3, 2)), of=S.add)),
    "dot": (ValueError, NO_FIT, called(A, np.eye(2), of=S.dot)),
    "row": (NotImplementedError, NO_ROW, lambda: x[1]),
    "row of two": (NotImplementedError, NO_ROW, lambda: x[1, :]),
    "ellipsis": (ValueError, "Advanced indexing is not implemented", lambda: x[...]),
    "iteration": (TypeError, "has no items yet", lambda: list(x)),
    "item": (IndexError, "out of", called(A, of=lambda x: x[5, 0])),
    "indices": (TypeError, "vector of integers", lambda: S.CSR(FLOATS, FLOATS, *[INTEGERS] * 2)),
    "data": (TypeError, "must be a vector", lambda: S.CSR(d, INTEGERS, INTEGERS, INTEGERS)),
    "diag": (ValueError, "square", called(A, of=S.diag)),
    "dense": (TypeError, "at least one sparse", lambda: S.structured_dot(d, d)),
    "axis": (ValueError, "axes are None, 0 and 1", lambda: S.sp_sum(x, 2)),
    "hstack": (ValueError, "number of rows", called(A, of=lambda x: S.hstack([x, x.T]))),
    "nothing": (ValueError, "no blocks", lambda: S.vstack([])),
    "kind of constant": (TypeError, "must be called on a", lambda: S.constant(np.eye(2))),
    "format": (
        NotImplementedError,
        'unsupported format "coo"',
        lambda: S.SparseType("coo", "float64"),
    ),
    "shared": (NotImplementedError, 'unsupported format "coo"', lambda: theano.shared(A.tocoo())),
    "dtype": (NotImplementedError, 'dtype "text"', lambda: S.SparseType("csr", "text")),
    "damaged": (
        ValueError,
        "from 0 to 2, but are from 0 to 99",
        called(BROKEN, np.eye(3), of=S.dot),
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    kind, text, call = ERRORS[name]
    with pytest.raises(kind, match=text):
        call()


def test_random_matrices():
    from theano.sparse.sandbox.sp2 import csr_dbinomial, multinomial, poisson

    np.random.seed(1)
    drawn = theano.function([x], poisson(x))(A * 1e6)
    np.testing.assert_allclose(drawn.toarray() / 1e6, A.toarray(), rtol=0.01)
    n, p, shape = T.lscalar(), T.dscalar(), T.lvector()
    drawn = theano.function([n, p, shape], csr_dbinomial(n, p, shape))(1000, 0.25, [30, 40])
    assert drawn.shape == (30, 40) and abs(drawn.mean() - 250) < 5
    weights = sp.csr_matrix([[0.25, 0, 0.75], [0, 1.0, 0]])
    counts = theano.function([x], multinomial(10000, x))(weights).toarray()
    assert counts.sum(1).tolist() == [10000, 10000] and abs(counts[0, 0] - 2500) < 200
    f = theano.function([x], [poisson(x), poisson(x)])
    assert (f(A * 100)[0] != f(A * 100)[1]).nnz > 0


def test_old_paths():
    import theano.sparse.basic
    from theano.sparse.basic import _is_sparse_variable, structured_dot
    from theano.sparse.opt import StructuredDotCSR
    from theano.sparse.sharedvar import SparseTensorSharedVariable
    from theano.sparse.type import SparseType
    from theano.sparse.utils import hash_from_sparse

    assert theano.sparse.basic.dot is S.dot and SparseType is S.SparseType
    assert _is_sparse_variable(x) and not _is_sparse_variable(d)
    assert isinstance(structured_dot(x, d).owner.op, StructuredDotCSR)
    assert SparseTensorSharedVariable is S.SparseTensorSharedVariable
    assert hash_from_sparse(A) == hash_from_sparse(A.copy()) != hash_from_sparse(A.tocsc())
    assert theano.dot(x, d).type == T.dot(d, x.T).type == d.type


def test_shape_of_a_sparse_matrix_is_specified():
    y = T.specify_shape(x, (2, 3))
    assert y.type == x.type
    assert isinstance(y.owner.op, T.SpecifyShape)
    good, bad = sp.csr_matrix(np.eye(2, 3)), sp.csr_matrix(np.eye(3))
    partial = S.sp_sum(T.specify_shape(x, (2, None)))
    for mode in (None, "FAST_COMPILE", theano.Mode("py", None)):
        f = theano.function([x], [y, partial], mode=mode)
        assert (f(good)[0] != good).nnz == 0
        assert f(good)[1] == 2
        with pytest.raises(AssertionError, match=r"got shape \(3, 3\), expected \(2, 3\)"):
            f(bad)
    # The lengths are known where they are asked for.
    assert theano.function([x], y.shape)(good).tolist() == [2, 3]
    w = theano.shared(np.ones((3, 2)))
    g = theano.function([x], T.grad((S.dot(y, w) ** 2).sum(), w))
    np.testing.assert_array_equal(g(good), [[2, 2], [2, 2], [0, 0]])
    with pytest.raises(AssertionError, match="has 2 axes"):
        T.specify_shape(x, (2, 3, 4))


def test_products_with_tensors_of_known_lengths():
    y = T.TensorType("float64", shape=(3, 4))("y")
    assert S.dot(x, y).type.shape == (None, 4)
    assert S.dot(y, S.csc_matrix("z", "float64")).type.shape == (3, None)
    f = theano.function([x, y], S.dot(x, y))
    np.testing.assert_array_equal(f(sp.csr_matrix(np.eye(3)), np.ones((3, 4))), np.ones((3, 4)))


@pytest.mark.parametrize(
    ("dtype", "wanted"), [("float32", "float32"), ("complex64", "complex64"), ("int8", "float64")]
)
def test_a_gradient_of_zeros_has_the_dtype_of_the_matrix(dtype, wanted):
    x, y = theano.sparse.csr_matrix("x", dtype=dtype), T.dscalar("y")
    zeros = T.grad(y, x, disconnected_inputs="ignore")
    assert (zeros.type.format, zeros.type.dtype) == ("csr", wanted)

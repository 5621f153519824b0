"""Operations on sparse matrices against SciPy, and their gradients against finite differences."""

import numpy as np
import pytest
import scipy.sparse as sp
from sparse_cases import CASES, DTYPES, FORMATS, RIGHT, A, B, D, V, items, variable

import theano
import theano.sparse as S
import theano.tensor as T
from theano.gradient import verify_grad

# Those whose gradients are of stored items only, and those without one to compare.
STRUCTURED = ("add vector", "exp", "items", "add data", "from rows")


def with_format(values, format):
    return tuple(v.asformat(format) if sp.issparse(v) else v for v in values)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", CASES)
def test_values(name, format):
    build, reference, values = CASES[name]
    if name == "items" and format == "csc":
        reference = lambda a: a.T[a.T != 0]
    values = with_format(values, format)
    variables = [variable(v) for v in values]
    out = build(*variables)
    for mode in ("FAST_RUN", "FAST_COMPILE", theano.Mode("py", None)):
        f = theano.function(variables, [out, out.shape], mode=mode)
        got, shape = f(*values)
        if sp.issparse(got):
            assert got.format == out.type.format and isinstance(got, sp.spmatrix)
            got.check_format()
        assert got.dtype == out.type.dtype
        np.testing.assert_allclose(items(got), reference(*map(items, values)), rtol=1e-14)
        assert tuple(shape) == got.shape


@pytest.mark.parametrize("name", CASES)
def test_dense_arguments_whose_lengths_are_known(name):
    build, reference, values = CASES[name]
    variables = [variable(v) if sp.issparse(v) else T.constant(v) for v in values]
    inputs = [v for v, value in zip(variables, values, strict=True) if sp.issparse(value)]
    got = theano.function(inputs, build(*variables))(*filter(sp.issparse, values))
    np.testing.assert_allclose(items(got), reference(*map(items, values)), rtol=1e-12)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", [name for name in CASES if name not in STRUCTURED])
def test_gradients(name, format):
    build, _, values = CASES[name]
    values = with_format(values, format)
    weights = T.constant(np.random.default_rng(3).normal(size=(64,)))

    def cost(*parts):
        given = [
            S.SparseFromDense(v.format)(p) if sp.issparse(v) else p
            for v, p in zip(values, parts, strict=True)
        ]
        out = build(*given)
        out = S.DenseFromSparse(False)(out) if isinstance(out.type, S.SparseType) else out
        flat = out.flatten() if out.ndim else out.dimshuffle("x")
        return (flat * weights[: flat.shape[0]]).sum()

    # No item is zero, so that all are stored.
    rng = np.random.default_rng(4)
    points = [rng.uniform(0.3, 1.3, items(v).shape) for v in values]
    verify_grad(cost, points, rng=np.random.RandomState(5))


def test_ones_have_the_dtype_of_the_matrix():
    for dtype in DTYPES:
        x = S.csc_matrix("x", dtype=dtype)
        got = theano.function([x], S.sp_ones_like(x))(sp.csc_matrix(np.eye(3) * 4, dtype=dtype))
        assert got.dtype == S.sp_ones_like(x).dtype == dtype
        np.testing.assert_array_equal(got.toarray(), np.eye(3))


def test_the_difference_of_two_dense_matrices_is_dense():
    one, two = T.matrix(dtype="uint8"), T.matrix(dtype="int8")
    got = theano.function([one, two], S.sub(one, two))([[1, 2]], [[3, -4]])
    assert got.dtype == "int16" and got.tolist() == [[-2, 6]]


def test_dtypes_meet():
    a, b = S.csr_matrix(dtype="float32"), S.csc_matrix(dtype="int64")
    assert (a + b).type == S.SparseType("csr", "float64")
    assert (b * a).type == S.SparseType("csc", "float64")
    assert S.dot(b, T.fmatrix()).dtype == "float64"
    assert (a > S.csr_matrix()).dtype == "uint8"


COMPARISONS = [(S.eq, np.equal), (S.neq, np.not_equal), (S.lt, np.less), (S.le, np.less_equal)]
COMPARISONS += [(S.gt, np.greater), (S.ge, np.greater_equal)]


@pytest.mark.parametrize("compare, reference", COMPARISONS)
def test_comparisons(compare, reference):
    for one, two in ((A, B), (A, B.toarray()), (A.toarray(), B)):
        x, y = variable(one), variable(two)
        got = theano.function([x, y], compare(x, y))(one, two)
        assert got.dtype == "uint8" and sp.issparse(got) == (sp.issparse(one) and sp.issparse(two))
        np.testing.assert_array_equal(items(got), reference(items(one), items(two)))


@pytest.mark.parametrize("name", ["add vector", "exp", "add data", "chain", "mul vector", "sum"])
def test_gradients_of_stored_items(name):
    build, _, values = CASES[name]

    def cost(data, *rest):
        out = build(S.CSR(data, A.indices, A.indptr, np.array(A.shape)), *rest)
        return S.sp_sum(S.sqr(out), sparse_grad=True) if isinstance(out.type, S.SparseType) else out

    verify_grad(
        cost,
        [A.data, *values[1:]][: 1 if name == "add data" else None],
        rng=np.random.RandomState(1),
    )


def test_structured_dot_has_gradients_of_stored_items():
    a, y = S.csr_matrix("a"), T.dmatrix("y")
    one, two = T.grad(T.sqr(S.structured_dot(a, y)).sum(), [a, y])
    assert one.type == a.type and two.type == y.type
    got, other = theano.function([a, y], [one, two])(A, RIGHT)
    g = 2 * A.toarray() @ RIGHT
    np.testing.assert_allclose(got.toarray(), np.where(A.toarray(), g @ RIGHT.T, 0))
    np.testing.assert_allclose(other, A.T @ g)
    # Of `dot` it is dense, as in Theano 1.0.5.
    full = theano.function([a, y], T.grad(T.sqr(S.dot(a, y)).sum(), a))(A, RIGHT)
    np.testing.assert_allclose(full, g @ RIGHT.T)


def test_second_derivatives():
    a, v = S.csr_matrix("a"), T.dvector("v")
    first = T.grad(T.sqr(S.dot(a, v)).sum(), v)
    second = T.grad(T.sqr(first).sum(), v)
    H = 2 * (A.T @ A).toarray()
    np.testing.assert_allclose(theano.function([a, v], second)(A, V), 2 * H @ H @ V)


def test_forward_mode():
    a, v, d = S.csr_matrix("a"), T.dvector("v"), T.dvector("d")
    push = theano.gradient.Rop(T.tanh(S.dot(a, v)), v, d)
    got = theano.function([a, v, d], push)(A, V, V**2)
    np.testing.assert_allclose(got, (A @ V**2) * (1 - np.tanh(A @ V) ** 2))


def test_parts_make_the_matrix_again():
    for format, make in (("csr", S.CSR), ("csc", S.CSC)):
        x = S.matrix(format)
        data, indices, indptr, shape = S.csm_properties(x)
        assert [v.dtype for v in (data, indices, indptr, shape)] == ["float64", *["int32"] * 3]
        f = theano.function([x], make(data * 2, indices, indptr, shape))
        np.testing.assert_array_equal(f(A.asformat(format)).toarray(), 2 * A.toarray())


def test_sparse_gradient_of_chosen_rows():
    m, v = T.dmatrix("m"), T.lvector("v")
    g = T.grad(T.sqr(theano.sparse_grad(m[v])).sum(), m)
    assert isinstance(g.owner.op, S.ConstructSparseFromList)
    f = theano.function([m, v], [g, m - g])
    sparse, dense = f(D, [1, 1, 3])
    wanted = np.zeros_like(D)
    np.add.at(wanted, [1, 1, 3], 2 * D[[1, 1, 3]])
    assert sparse.format == "csc"
    np.testing.assert_allclose(sparse.toarray(), wanted)
    np.testing.assert_allclose(dense, D - wanted)
    # Below another operation it is dense.
    inner = T.grad(T.sqr(theano.sparse_grad((2 * m)[v])).sum(), m)
    np.testing.assert_allclose(theano.function([m, v], inner)(D, [1, 1, 3]), 4 * wanted)
    stack = T.dtensor3()
    with pytest.raises(TypeError, match="rows of matrices"):
        T.grad(theano.sparse_grad(stack[v]).sum(), stack)


@pytest.mark.parametrize("mode", ["FAST_COMPILE", "FAST_RUN"])
def test_sums_along_an_axis_that_numpy_counted(mode):
    x = S.csr_matrix("x")
    value = sp.csr_matrix(np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]]))
    for axis in (np.int8(0), np.int64(1)):
        f = theano.function([x], S.sp_sum(x, axis), mode=mode)
        np.testing.assert_array_equal(f(value), value.toarray().sum(int(axis)))

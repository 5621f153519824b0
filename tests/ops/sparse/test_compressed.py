"""Sparse matrices as their arrays: SciPy's results, checked once, and without a call of it."""

import numpy as np
import pytest
import scipy.sparse as sp
from sparse_cases import CASES, DTYPES, FORMATS, variable

import theano
import theano.sparse as S
import theano.tensor as T
from support.processes import run_python
from theano._core.ops.sparse import compressed
from theano._core.runtime import native
from theano.ifelse import ifelse

AS_WRITTEN = theano.Mode(optimizer=None)
BY_SCIPY = theano.compile.get_default_mode().excluding("sparse")
CLASSES = {"csr": sp.csr_matrix, "csc": sp.csc_matrix}
# Of matrices with items that are stored twice, in no order, zero, and lines without any.
INDICES, INDPTR = [4, 0, 0, 2, 3, 3, 3, 1], [0, 3, 3, 7, 8]
x, y = S.csr_matrix("x", "float64"), S.csc_matrix("y", "float64")
v, d = T.dvector("v"), T.dmatrix("d")


def hard(shape, format, dtype, index="int32"):
    """Return a matrix whose arrays are as they may be, at least."""
    lines, width = shape if format == "csr" else shape[::-1]
    indptr = np.resize(INDPTR, lines + 1).cumsum() % 3
    indptr[0] = 0
    indptr = np.cumsum(indptr) if width else 0 * indptr
    indices = np.resize(INDICES, indptr[-1]) % max(width, 1)
    data = np.resize([1.5, -2, 0, 0.25, 3, -1, 1, 2], indptr[-1]).astype(dtype)
    made = CLASSES[format]((data, indices.astype("int32"), indptr.astype("int32")), shape)
    made.indices, made.indptr = made.indices.astype(index), made.indptr.astype(index)
    return made


def same(got, wanted):
    """Compare results; matrices must store items in the same places."""
    assert type(got) is type(wanted) and got.dtype == wanted.dtype and got.shape == wanted.shape
    if sp.issparse(got):
        np.testing.assert_array_equal(got.indptr, wanted.indptr)
        np.testing.assert_array_equal(got.indices, wanted.indices)
        got, wanted = got.data, wanted.data
    near = 1e-5 if got.dtype in ("float32", "complex64") else 1e-13
    np.testing.assert_allclose(got, wanted, rtol=near, atol=near)


def as_written(inputs, outputs, *values):
    """Return what a function returns in both ways, which must be the same."""
    kinds = (None, AS_WRITTEN)
    got, wanted = (
        theano.function(inputs, outputs, mode=mode)(*(a.copy() for a in values)) for mode in kinds
    )
    lists = [r if isinstance(r, list) else [r] for r in (outputs, got, wanted)]
    for out, one, two in zip(*lists, strict=True):
        assert one.dtype == out.dtype
        same(one, two)
    return got


def with_items(value, format, dtype, index):
    """Return an operand with other items, matrices with hard ones."""
    if sp.issparse(value):
        return hard(value.shape, format, dtype, index)
    value = np.asarray(value)
    return (value * 4).astype(dtype) if dtype[0] in "iu" else value.astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", CASES)
def test_as_scipy(name, format, dtype):
    function, _, values = CASES[name]
    for index in ("int32", "int64"):
        given = [with_items(value, format, dtype, index) for value in values]
        inputs = [variable(value) for value in given]
        try:
            out = function(*inputs)
        except (TypeError, NotImplementedError):
            return
        as_written(inputs, out, *given)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (1, 1), (3, 1), (1, 5)])
@pytest.mark.parametrize("format", FORMATS)
def test_lengths_of_0_and_1(format, shape):
    z, w, r = S.matrix(format, "z", "float64"), T.dvector("w"), T.dvector("r")
    outs = [-z, S.tanh(z), z.T, z.toarray(), S.sp_sum(z, 0), S.sp_sum(z, 1), S.sp_sum(z)]
    outs += [z * d, z + d, S.mul_s_v(z, w), S.row_scale(z, r), S.dot(z, w), S.dot(r, z)]
    outs += [S.dot(z, d.T), S.dot(d.T, z), S.hstack([z, z]), z[:1], z + z, z * z]
    outs += [S.sampling_dot(d, T.dot(d.T, d), z), S.square_diagonal(w)]
    outs += T.grad(S.structured_dot(S.sqr(z), d.T).sum() + S.sp_sum(z * 2), [z, d])
    given = hard(shape, format, "float64")
    ones = np.ones(shape), np.ones(shape[1]), np.ones(shape[0])
    found = as_written([z, d, w, r], outs, given, *ones)
    for got, wanted in zip(found, (-given.toarray(), np.tanh(given.toarray())), strict=False):
        np.testing.assert_allclose(got.toarray(), wanted, rtol=1e-15)


# -- no SciPy --------------------------------------------------------------------------------------


def test_a_program_without_a_matrix_of_scipy(monkeypatch):
    loss = S.dot(S.structured_sigmoid(x) * 2, d).sum()
    f = theano.function([x, d], [loss, *T.grad(loss, [d])])
    assert [type(record.function).__name__ for record in f.maker.callbacks] == ["_Lent"]
    a, b = hard((4, 5), "csr", "float64"), np.ones((5, 3))
    wanted = theano.function([x, d], loss, mode=AS_WRITTEN)(a, b)
    for kind in CLASSES.values():
        for method in ("__init__", "copy", "toarray", "astype", "transpose"):
            monkeypatch.setattr(kind, method, None)
    np.testing.assert_allclose(f(a, b)[0], wanted)


def test_functions_of_stored_items_are_one_loop():
    f = theano.function([x, v], S.mul_s_v(S.sqr(S.sin(S.tanh(x))) * 2, v).T)
    loops = {id(k.loop) for k in f.maker.kernels if "sin" in str(getattr(k, "loop", ""))}
    assert len(loops) == 1
    called = [type(r.function.node.op).__name__ for r in f.maker.callbacks]
    assert called == ["SparseArrays", "Assembled"]


def test_a_loop_reads_the_arrays_before_its_steps(monkeypatch):
    rows, _ = theano.scan(lambda h: T.tanh(S.dot(S.tanh(x), h)), outputs_info=v, n_steps=20)
    f = theano.function([x, v], [rows[-1], T.grad(rows[-1].sum(), v)])
    reads = []
    original = compressed.arrays_of
    monkeypatch.setattr(compressed, "arrays_of", lambda m: reads.append(m) or original(m))
    a = hard((5, 5), "csr", "float64")
    got = f(a, np.ones(5))
    assert len(reads) <= 2 and not any("scipy" in repr(r.function) for r in f.maker.callbacks)
    h, dense = np.ones(5), np.zeros((5, 5))
    np.add.at(dense, (np.repeat(range(5), np.diff(a.indptr)), a.indices), np.tanh(a.data))
    for _ in range(20):
        h = np.tanh(dense @ h)
    np.testing.assert_allclose(got[0], h)


def test_gradients_of_products_at_stored_places():
    """No dense matrix of the shape of the sparse one is made."""
    loss = T.sqr(S.structured_dot(S.tanh(x), d)).sum() + S.sp_sum(S.sqr(x))
    g = T.grad(loss + S.sp_sum(S.sqr(x) * 3, 1).sum(), [x, d])
    f = theano.function([x, d], g)
    ops = [str(node.op) for node in f.maker.graph.toposort()]
    assert "SampledProducts" in ops
    assert not [o for o in ops if o.startswith(("SparseFromDense", "CSMGrad", "StructuredDotGrad"))]
    as_written([x, d], g, hard((4, 5), "csr", "float64"), np.ones((5, 3)))
    # The same for a product whose gradient is not of stored items: it is read at these.
    g = T.grad(T.sqr(S.dot(S.tanh(x), d)).sum(), x)
    ops = [str(n.op) for n in theano.function([x, d], g).maker.graph.toposort()]
    assert "SampledProducts" in ops and "dot" not in ops
    as_written([x, d], g, hard((4, 5), "csr", "float64"), np.ones((5, 3)))


def test_where_a_dense_matrix_has_zeros_nothing_is_stored():
    # A gradient that is made of what `csr_from_dense` stores, not of NaN times zero.
    g = T.grad(S.sp_sum(S.tanh(x) * v[0]), x)
    a = hard((4, 5), "csr", "float64")
    for factor in (0.0, np.inf, np.nan):
        got = theano.function([x, v], g)(a, [factor])
        wanted = theano.function([x, v], g, mode=AS_WRITTEN)(a, [factor])
        np.testing.assert_array_equal(got.data, wanted.data)


def test_modes_and_backends():
    assert "sparse" in theano.Mode().passes
    assert "sparse" not in theano.Mode(linker="jax").passes
    assert "sparse" not in theano.Mode(optimizer="fast_compile").passes
    out = [S.dot(S.tanh(x), v), S.tanh(x).T, T.grad(S.sp_sum(S.sqr(x)), x)]
    a, b = hard((4, 5), "csr", "float64"), np.arange(5.0)
    wanted = theano.function([x, v], out, mode=AS_WRITTEN)(a, b)
    for mode in ("FAST_COMPILE", "DebugMode", theano.Mode(linker="py"), BY_SCIPY):
        f = theano.function([x, v], out, mode=mode)
        for one, two in zip(f(a, b), wanted, strict=True):
            same(one, two)


def test_dense_programs_do_not_read_the_rules():
    program = """
        import sys, theano, theano.tensor as T
        x = T.dvector()
        theano.function([x], T.exp(x).sum())
        print([m for m in sys.modules if "sparse" in m and "theano._core" in m])
    """
    assert run_python(program) == "[]"


# -- checks ----------------------------------------------------------------------------------------

BAD = {
    "beyond": ([1, 2], [0, 3], [0, 1, 2]),
    "negative": ([1, 2], [0, -1], [0, 1, 2]),
    "decreasing": ([1, 2], [0, 1], [0, 2, 1]),
    "too short": ([1, 2], [0, 1], [0, 1]),
    "miscounted": ([1, 2, 3], [0, 1], [0, 1, 2]),
    "from 1": ([1, 2], [0, 1], [1, 1, 2]),
    "beyond the items": ([1, 2], [0, 1], [0, 1, 5]),
}


def texts(inputs, out, *given):
    """Return how the error of a function begins in both ways; it names the line of this file."""
    for mode in (None, AS_WRITTEN):
        f = theano.function(inputs, out, mode=mode, on_unused_input="ignore")
        with pytest.raises(ValueError) as caught:
            f(*given)
        assert __file__ in str(caught.value)
        yield str(caught.value).partition("Apply node")[0]


@pytest.mark.parametrize("name", BAD)
def test_bad_arrays_are_refused(name):
    inputs = [T.dvector("data"), T.ivector("indices"), T.ivector("indptr")]
    made = S.CSR(*inputs, [2, 3])
    for out in (S.sp_sum(made), S.dot(made, T.ones((3, 2))), S.csm_data(S.tanh(made)), made.T):
        theano.function(inputs, out)([1, 2], [0, 2], [0, 1, 2])
        one, two = texts(inputs, out, *BAD[name])
        assert one == two


def test_arrays_are_checked_once(monkeypatch):
    made = S.CSR(v, T.ivector("i"), T.ivector("p"), [2, 3])
    i, p = made.owner.inputs[1:3]
    out = [S.dot(S.tanh(made) * 2, d), S.sp_sum(S.sqr(made), 0), T.grad(S.sp_sum(made * 2), v)]
    f = theano.function([v, i, p, d], out)
    checks = []
    original = compressed.matrix_of
    monkeypatch.setattr(compressed, "matrix_of", lambda *a: checks.append(a) or original(*a))
    f([1, 2], [0, 2], [0, 1, 2], np.ones((3, 2)))
    assert len(checks) == 1


MISFITS = {
    "mul": (lambda: x * d, (5, 4)),
    "add": (lambda: x + d, (4, 4)),
    "lt": (lambda: S.lt(x, d), (5, 5)),
    "dot": (lambda: S.dot(x, d), (4, 2)),
    "dot of dense": (lambda: S.dot(d, x), (2, 5)),
    "dot vector": (lambda: S.dot(x, d[:, 0]), (6, 1)),
    "vector dot": (lambda: S.dot(d[0], x), (1, 5)),
    "mul_s_v": (lambda: S.mul_s_v(x, d[0]), (1, 4)),
    "row_scale": (lambda: S.row_scale(x, d[0]), (1, 5)),
    "sampling_dot": (lambda: S.sampling_dot(d, d, x), (4, 3)),
    "sampling_dot terms": (lambda: S.sampling_dot(d, d[:, 1:], x), (4, 3)),
    "diag": (lambda: S.diag(x) + d[0], (1, 4)),
    "usmm": (lambda: S.usmm(2.0, x, d, d), (5, 5)),
}


@pytest.mark.parametrize("name", MISFITS)
def test_operands_that_do_not_fit(name):
    make, shape = MISFITS[name]
    one, two = texts([x, d], make(), hard((4, 5), "csr", "float64"), np.ones(shape))
    assert one.partition("\n")[0] == two.partition("\n")[0] or name == "usmm"


def test_places_beyond_the_dense_matrices():
    i, p = T.ivector("i"), T.ivector("p")
    g = S.StructuredDotGradCSR()(S.csm_indices(x), S.csm_indptr(x), d, d)
    a = hard((4, 5), "csr", "float64")
    f = theano.function([x, d], g)
    np.testing.assert_array_equal(f(a, np.ones((5, 2))), np.full(a.nnz, 2.0))
    with pytest.raises(IndexError, match="beyond 3 rows and 3 columns"):
        f(a, np.ones((3, 2)))
    # Vectors of which nothing is known are left to NumPy.
    unknown = theano.function([i, p, d], S.StructuredDotGradCSR()(i, p, d, d))
    np.testing.assert_array_equal(unknown([1, 0], [0, 1, 2], np.ones((2, 2))), [2, 2])
    with pytest.raises(IndexError):
        unknown([1, 7], [0, 1, 2], np.ones((2, 2)))


def test_what_32_bits_do_not_count():
    wide = sp.csr_matrix(([1.0, 2.0], [5, 2**40], [0, 1, 2]), shape=(2, 2**41))
    with pytest.raises(OverflowError, match=r"excluding\('sparse'\)"):
        theano.function([x], -x)(wide)
    assert theano.function([x], -x, mode=BY_SCIPY)(wide)[1, 2**40] == -2


# -- memory, bits ----------------------------------------------------------------------------------


def test_results_have_memory_of_their_own():
    a = hard((4, 5), "csr", "float64")
    s = theano.shared(a.copy(), "s")
    t = theano.shared(hard((4, 5), "csr", "float64"), "t")
    outs = [s, s.T, -s, S.csm_data(s), S.cast(s, "float64"), x, x.T, S.csm_indices(x)]
    outs.append(ifelse(T.gt(S.sp_sum(x), 0), x, s))
    for mode in (None, AS_WRITTEN):
        given = a.copy()
        f = theano.function([x], outs, updates=[(t, x)], mode=mode)
        for result in f(given):
            (result.data if sp.issparse(result) else result)[...] = 9
        t.get_value(borrow=True).data[...] = 9
        same(given, a)
        same(s.get_value(), a)


def test_a_shared_matrix_that_its_owner_changes():
    own = hard((4, 5), "csr", "float64")
    s = theano.shared(own, "s", borrow=True)
    steps, _ = theano.scan(lambda h: S.dot(s.T, S.dot(s, h)), outputs_info=v, n_steps=2)
    fs = [theano.function([v], out) for out in (S.dot(s, v), steps[-1], S.sp_sum(S.tanh(s)) + v)]
    slow = theano.compile.get_default_mode().excluding("loops")
    fs.append(theano.function([v], steps[-1], mode=slow))
    for f in fs:
        f(np.ones(5))
    own.indices[0] = 1 << 28
    for f in fs:
        with pytest.raises(ValueError, match="must be from 0 to 4"):
            f(np.ones(5))


def test_arguments_stay_as_they_are():
    """SciPy takes items together that are stored twice, in its operand, in some of its methods."""
    a = hard((4, 5), "csr", "float64")
    outs = [S.sp_sum(x), S.sp_sum(x, 0), S.cast(x, "complex128"), x + x, x * x, x[1:], S.clean(x)]
    for mode in (None, AS_WRITTEN):
        given = a.copy()
        theano.function([x], outs, mode=mode)(given)
        same(given, a)


def test_items_that_are_stored_twice_stay_two():
    a = hard((4, 5), "csr", "float32")
    z = S.csr_matrix("z", "float32")
    cast, product, scaled = as_written(
        [z, d, v], [S.cast(z, "float64"), z * d, S.mul_s_v(z, v)], a, np.ones((4, 5)), np.ones(5)
    )
    for made in (cast, product, scaled):
        np.testing.assert_array_equal(made.indices, a.indices)
        np.testing.assert_array_equal(made.data, a.data)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("format", FORMATS)
def test_threads_give_the_same_bits(format, dtype):
    z, e = S.matrix(format, "z", dtype), T.matrix("e", dtype)
    outs = [S.dot(S.tanh(z), e), S.dot(z, e[:, 0]), S.sampling_dot(e[: z.shape[0]], e, z)]
    outs += [S.sp_sum(z, 0), S.sp_sum(z, 1), z.toarray().sum(), S.diag(z)]
    rng = np.random.default_rng(0)
    a = sp.random(3000, 3000, 0.01, format, dtype, rng)
    b = rng.normal(size=(3000, 21)).astype(dtype)
    found = []
    for threads in (1, 2, 8):
        native.set_threads(threads)
        results = theano.function([z, e], outs)(a, b)
        found.append([(r.data if sp.issparse(r) else r).tobytes() for r in results])
    assert found[0] == found[1] == found[2]


def test_updates_of_sparse_matrices():
    a = hard((4, 5), "csr", "float64")
    s = theano.shared(a.copy(), "s")
    f = theano.function([v], S.dot(s, v), updates=[(s, S.tanh(s) * 2)])
    for _ in range(3):
        np.testing.assert_allclose(f(np.ones(5)), a @ np.ones(5))
        a.data = np.tanh(a.data) * 2
    same(s.get_value(), a)


@pytest.mark.parametrize("scale", [S.row_scale, S.col_scale])
@pytest.mark.parametrize("mode", [None, AS_WRITTEN, BY_SCIPY])
def test_scaled_floats_keep_their_dtype(scale, mode):
    factors = T.dvector("factors")
    for own in ("float32", "float64", "int8", "complex64"):
        kept = "float64" if own == "int8" else own
        m = S.csr_matrix("m", own)
        out = scale(m, factors)
        assert out.dtype == kept and scale(m, T.zvector()).dtype.startswith("complex")
        given = sp.csr_matrix(np.array([[1, 2], [0, 4]], own))
        got = theano.function([m, factors], out, mode=mode)(given, [0.1, 10.0])
        # Rounded once.
        by = np.array([[0.1], [10.0]]) if scale is S.row_scale else np.array([0.1, 10.0])
        assert got.dtype == kept
        np.testing.assert_array_equal(got.toarray(), (given.toarray() * by).astype(kept))
        if own.startswith("float"):
            slopes = T.grad(S.sp_sum(out), [m, factors])
            assert slopes[0].dtype == own and slopes[1].dtype == "float64"

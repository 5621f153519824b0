"""Values of linear algebra: against NumPy and SciPy, over dtypes, shapes, stacks and layouts."""

import itertools
from functools import partial

import mpmath
import numpy as np
import pytest
import scipy.linalg

import theano
import theano.tensor as T
from support.arrays import layouts, values, variable, variables
from support.comparison import Tolerance, assert_close, assert_same
from support.compiling import compiled
from theano._core.lower.reference import evaluate
from theano.tensor import nlinalg as nl, slinalg as sl

NEAR = Tolerance(2**14, "LAPACK takes other steps", floor=2**14)
DTYPES = ["float32", "float64", "complex64", "complex128"]
NAN = np.nan
SQUARE = [(4, 4), (1, 1), (0, 0), (3, 4, 4), (2, 0, 4, 4), (2, 3, 5, 5), (2, 0, 0)]
SHAPES = [(4, 3), (3, 4), (4, 4), (1, 3), (0, 3), (3, 0), (2, 4, 3), (2, 3, 2, 4), (0, 2, 3)]


def _adjoint(x):
    return np.conj(np.swapaxes(x, -1, -2))


def _positive(shape, dtype):
    a = values(shape, dtype)
    return a @ _adjoint(a) + np.eye(shape[-1], dtype=dtype)


def _check(build, wanted, arrays, dtype):
    """Compare native code, in every layout, and the reference with `wanted`."""
    inputs = variables(*arrays)
    outs = build(*inputs)
    outs = list(outs) if isinstance(outs, (list, tuple)) else [outs]
    results = [evaluate(outs, dict(zip(inputs, arrays, strict=True)))]
    f = theano.function(inputs, outs)
    rest = [np.asfortranarray(a) if a.ndim else a for a in arrays[1:]]
    results += [f(first, *rest) for first in layouts(arrays[0])]
    results.append(theano.function(inputs, outs, mode="FAST_COMPILE")(*arrays))
    for result in results:
        assert [got.dtype for got in result] == [np.asarray(want).dtype for want in wanted]
        assert_close(result, wanted, NEAR)


ORDERS = {None: None, "fro": "fro", "nuc": "nuc", "inf": np.inf, "-inf": -np.inf}
ORDERS |= {order: order for order in (1, -1, 2, -2)}


def _numpys_eig(a):
    return [(x if a.dtype.kind == "c" else x.real).astype(a.dtype) for x in np.linalg.eig(a)]


OF_POSITIVE = {
    "cholesky": (sl.cholesky, np.linalg.cholesky),
    "cholesky upper": (sl.Cholesky(False), lambda a: _adjoint(np.linalg.cholesky(a))),
    "inverse": (nl.matrix_inverse, np.linalg.inv),
    "det": (nl.det, np.linalg.det),
    "slogdet": (nl.slogdet, np.linalg.slogdet),
    "eigvalsh": (sl.eigvalsh, np.linalg.eigvalsh),
    "eigvalsh upper": (lambda a: sl.eigvalsh(a, None, False), np.linalg.eigvalsh),
    "eigh": (nl.eigh, np.linalg.eigh),
    "power": (lambda a: nl.matrix_power(a, 3), lambda a: a @ a @ a),
    "power 0": (lambda a: nl.matrix_power(a, 0), lambda a: np.linalg.matrix_power(a, 0)),
    "trace": (nl.trace, lambda a: np.trace(a, axis1=-2, axis2=-1)),
}
OF_SQUARE = {
    "eig": (nl.eig, _numpys_eig),
    "expm": (sl.expm, scipy.linalg.expm),
    # SciPy 1.18 leaves numbers of the size of errors beside large triangles.
    "expm of more": (lambda a: sl.expm(10 * a), lambda a: scipy.linalg.expm(10 * a)),
    "expm of less": (lambda a: sl.expm(a / 1000), lambda a: scipy.linalg.expm(a / 1000)),
    "expm of zeros": (lambda a: sl.expm(0 * a), lambda a: scipy.linalg.expm(0 * a)),
}
# The definition of `expm` takes triangles whole, as SciPy's.
OF_MATRIX = {
    "expm of a lower triangle": (
        lambda a: sl.expm(T.tril(a)),
        lambda a: scipy.linalg.expm(np.tril(a)),
    ),
    "expm of an upper triangle": (
        lambda a: sl.expm(T.triu(a)),
        lambda a: scipy.linalg.expm(np.triu(a)),
    ),
    "kron": (lambda a: sl.kron(a, a[:, 1:]), lambda a: np.kron(a, a[:, 1:])),
    "kron with nothing": (lambda a: sl.kron(a[:, :0], a), lambda a: np.kron(a[:, :0], a)),
    "pinv of rank 1": (lambda a: nl.pinv(a * 0 + 1), lambda a: np.linalg.pinv(a * 0 + 1)),
    "pinv of zeros": (lambda a: nl.pinv(a * 0), lambda a: np.linalg.pinv(a * 0)),
    **{
        f"norm {order}": (partial(nl.norm, ord=order), partial(np.linalg.norm, ord=numpys))
        for order, numpys in ORDERS.items()
    },
}
OF_ANY = {
    "pinv": (nl.pinv, np.linalg.pinv),
    **{
        f"qr {mode}": (partial(nl.qr, mode=mode), partial(np.linalg.qr, mode=mode))
        for mode in ("reduced", "complete", "r", "raw")
    },
}
ROWS = [(_positive, SQUARE, OF_POSITIVE), (values, SQUARE, OF_SQUARE)]
ROWS += [(values, [(4, 4)], OF_MATRIX), (values, SHAPES, OF_ANY)]
TABLE = {(n, s): (make, f) for make, shapes, fs in ROWS for n, f in fs.items() for s in shapes}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name, shape", TABLE)
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
def test_of_one_matrix(name, shape, dtype):
    make, (build, numpys) = TABLE[name, shape]
    a = make(shape, dtype)
    wanted = numpys(a)
    _check(build, list(wanted) if isinstance(wanted, (list, tuple)) else [wanted], (a,), dtype)


@pytest.mark.parametrize("order", [None, "inf", "-inf", 0, 1, 2, 3, -1, 0.5])
def test_norm_of_vector(order):
    v = np.array([3.0, -4.0, 0.5])
    wanted = np.linalg.norm(v, ORDERS.get(order, order))
    np.testing.assert_allclose(nl.norm(T.constant(v), order).eval(), wanted, rtol=1e-14)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_lu(dtype, shape):
    a = values(shape, dtype)
    x = variable(a)
    outs = sl.lu(x)
    for p, lower, upper in (theano.function([x], outs)(a), evaluate(outs, {x: a})):
        assert_close(p @ lower @ upper, a, NEAR)
        np.testing.assert_array_equal(np.triu(lower, 1), 0)
        np.testing.assert_array_equal(np.tril(upper, -1), 0)
        if a.ndim == 2 and a.size:
            for got, want in zip((p, lower, upper), scipy.linalg.lu(a), strict=True):
                assert_close(got, want, NEAR)


def test_kron_of_a_vector_and_a_matrix_is_that_of_theano_1_0_5():
    a, b = np.arange(2.0), np.arange(6.0).reshape(2, 3)
    got = sl.kron(T.constant(a), T.constant(b)).eval()
    np.testing.assert_array_equal(got, (b[:, None, :] * a[:, None]).reshape(-1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("lower", [True, False])
def test_generalised_eigenvalues_read_one_triangle(lower, dtype):
    a, b = _positive((4, 4), dtype), _positive((4, 4), dtype) + np.eye(4, dtype=dtype)
    wanted = [scipy.linalg.eigvalsh(a, b, lower=lower)]
    _check(sl.Eigvalsh(lower), wanted, (a, b), dtype)


SOLVERS = {
    "general": (sl.solve, lambda a: a),
    "symmetric": (sl.solve_symmetric, lambda a: a),
    "positive definite": (sl.solve_positive_definite, lambda a: a),
    "positive definite upper": (sl.Solve("positive_definite"), lambda a: a),
    "lower": (sl.solve_lower_triangular, np.tril),
    "upper": (sl.solve_upper_triangular, np.triu),
}


@pytest.mark.parametrize("shape", SQUARE)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", list(SOLVERS))
def test_solve(name, dtype, shape):
    build, part = SOLVERS[name]
    a = _positive(shape, dtype)
    for columns in (3, 1, 0):
        b = values((*shape[:-1], columns), dtype, 1)
        _check(build, [np.linalg.solve(part(a), b)], (a, b), dtype)
    b = values(shape[-1:], dtype, 2)
    # NumPy 1 takes an array of one axis less for a stack of vectors.
    column = np.broadcast_to(b[:, None], (*a.shape[:-1], 1))
    whole = np.linalg.solve(part(a), column)[..., 0]
    _check(build, [whole], (a, b), dtype)


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_triangles_with_many_right_sides(dtype, lower):
    """However they lie: by rows and by columns, with gaps, backwards."""
    build = sl.solve_lower_triangular if lower else sl.solve_upper_triangular
    f = compiled(build, *[np.ones((1, 1), dtype)] * 2)
    for n, columns in ((1, 4), (3, 5), (4, 64), (7, 300), (33, 129), (130, 41), (1025, 4), (0, 9)):
        a = values((n, n), dtype, n) / np.asarray(max(n, 1), dtype) + 2 * np.eye(n, dtype=dtype)
        a[np.triu_indices(n, 1) if lower else np.tril_indices(n, -1)] = np.nan
        b = values((n, columns), dtype, columns)
        wanted = np.linalg.solve(np.where(np.isnan(a), 0, a).astype("float64"), b)
        first = f(a, b)
        np.testing.assert_allclose(first, wanted, rtol=0, atol=1e-5 if dtype[5:] == "32" else 1e-13)
        for triangle, side in itertools.product(*([*layouts(m)][1:5] for m in (a, b))):
            np.testing.assert_array_equal(f(triangle, side), first)
        if 0 < n <= 1024:
            # Each number is what it would be among other columns.
            np.testing.assert_array_equal(f(a, b[:, -4:]), first[:, -4:])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_triangles_of_extreme_numbers(dtype):
    """What has no inverse that is a normal number is left to LAPACK."""
    f = compiled(sl.solve_lower_triangular, *[np.ones((1, 1), dtype)] * 2)
    for element in (np.finfo(dtype).max, np.finfo(dtype).tiny):
        b = np.ones((3, 40), dtype) * np.asarray([[1], [element], [3]], dtype)
        found = f(np.diag(np.array([1, element, 2], dtype)), b)
        np.testing.assert_allclose(found, np.repeat([[1.0], [1.0], [1.5]], 40, 1), rtol=1e-6)
    with pytest.raises(np.linalg.LinAlgError):
        f(np.diag(np.array([1, 0, 2], dtype)), b)


def test_solve_broadcasts_stacks():
    a = T.TensorType("float64", (False, True, False, False))("a")
    b = T.TensorType("float64", (True, False, False, False))("b")
    f = theano.function([a, b], sl.solve(a, b))
    one, two = _positive((2, 1, 3, 3), "float64"), values((1, 4, 3, 2), "float64")
    np.testing.assert_allclose(f(one, two), np.linalg.solve(one, two), rtol=1e-10)
    assert f(one[:0], two).shape == (0, 4, 3, 2)


@pytest.mark.parametrize("dtype", DTYPES)
def test_only_one_triangle_is_read(dtype):
    a, b = _positive((4, 4), dtype), values((4, 2), dtype)
    x, y = variables(a, b)
    below = [sl.cholesky(x), nl.eigh(x)[0], sl.solve_positive_definite(x, y)]
    below += [sl.solve_lower_triangular(x, y)]
    above = [sl.Cholesky(False)(x), nl.eigh(x, "U")[0], sl.Solve("positive_definite")(x, y)]
    above += [sl.solve_upper_triangular(x, y)]
    for outs, other in ((below, np.triu_indices(4, 1)), (above, np.tril_indices(4, -1))):
        f, given = theano.function([x, y], outs), a.copy()
        given[other] = np.nan
        assert_same(f(given, b), f(a, b))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_svd(dtype, shape):
    a = values(shape, dtype)
    x, small = variable(a), min(shape[-2:])
    for full in (False, True):
        outs, forms = nl.svd(x, full), np.linalg.svd(a, full)
        f = theano.function([x], outs)
        for u, s, vh in (f(a), f(np.asfortranarray(a)), evaluate(outs, {x: a})):
            assert [(m.shape, m.dtype) for m in (u, s, vh)] == [(m.shape, m.dtype) for m in forms]
            assert_close((u[..., :small] * s[..., None, :]) @ vh[..., :small, :], a, NEAR)
            for one in (_adjoint(u) @ u, vh @ _adjoint(vh)):
                assert_close(one, np.broadcast_to(np.eye(one.shape[-1]), one.shape), NEAR)
    _check(lambda x: nl.svd(x, 1, 0), [np.linalg.svd(a, True, False)], (a,), dtype)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "bool", "float16"])
def test_other_dtypes_become_floats(dtype):
    a = np.array([[2, 1], [0, 1]]).astype(dtype)
    out = theano.function([], nl.matrix_inverse(T.constant(a)))()
    assert out.dtype == ("float32" if dtype == "float16" else "float64")
    np.testing.assert_allclose(out, np.linalg.inv(a.astype("float64")))


def test_diagonals():
    v, a = np.arange(3.0), np.arange(24.0).reshape(2, 3, 4)
    _check(nl.diag, [np.diag(a[0])], (a[0],), "float64")
    np.testing.assert_array_equal(nl.diag(T.constant(v)).eval(), np.diag(v))
    np.testing.assert_array_equal(nl.alloc_diag(T.constant(v)).eval(), np.diag(v))
    _check(nl.extract_diag, [np.diagonal(a)], (a,), "float64")
    for offset in (-2, 0, 1):
        _check(nl.ExtractDiag(offset, 2, 1), [np.diagonal(a, offset, 2, 1)], (a,), "float64")
        made = nl.AllocDiag(offset, 2, 0)(T.constant(a)).eval()
        np.testing.assert_array_equal(np.diagonal(made, offset, 2, 0), a)
        assert made.sum() == a.sum()
        assert made.shape == (4 + abs(offset), 2, 4 + abs(offset), 3)


def test_tensor_equations():
    a, b = values((2, 3, 6)), values((2, 3))
    moved, inverse = np.moveaxis(a, 2, 1), np.linalg.tensorinv(a)
    for op in (nl.tensorsolve, nl.TensorSolve()):
        _check(op, [np.linalg.tensorsolve(a, b)], (a, b), "float64")
    wanted = np.linalg.tensorsolve(moved, b, (1,))
    _check(lambda a, b: nl.tensorsolve(a, b, (1,)), [wanted], (moved, b), "float64")
    for op in (nl.tensorinv, nl.TensorInv()):
        _check(op, [inverse], (a,), "float64")
    _check(lambda a: nl.tensorinv(a, 1), [np.linalg.tensorinv(a.T, 1)], (a.T,), "float64")


def test_spectral_radius_bound():
    from theano.sandbox.linalg import psd, spectral_radius_bound

    a = _positive((5, 5), "float64")
    largest = np.linalg.eigvalsh(a)[-1]
    bounds = [spectral_radius_bound(psd(T.constant(a)), k).eval() for k in (1, 3, 6)]
    assert bounds[0] > bounds[1] > bounds[2] >= largest * (1 - 1e-12)
    np.testing.assert_allclose(bounds[2], largest, rtol=0.02)


def test_det_neither_overflows_nor_underflows_on_the_way():
    f = theano.function([x := T.dmatrix()], nl.det(x))
    np.testing.assert_allclose(f(np.diag([1e200, 1e200, -1e-200, 1e-190])), -1e10, rtol=1e-13)
    assert f(np.diag([1e-200, 1e-200])) == 0
    assert f(np.diag([1e200, 1e200])) == np.inf
    # The smallest number there is.
    assert f(np.diag([2.0**-1000, 2.0**-74])) == 5e-324
    assert np.isnan(f(np.diag([1.0, np.nan])))


def test_slogdet_of_a_singular_matrix():
    sign, logarithm = theano.function([x := T.dmatrix()], nl.slogdet(x))(np.zeros((2, 2)))
    assert (sign, logarithm) == (0, -np.inf)


def test_inside_scan():
    a = _positive((5, 3, 3), "float64")
    b = values((3,), "float64")
    x, y = T.dtensor3(), T.dvector()
    solutions, _ = theano.scan(lambda m, v: [sl.solve(m, v), nl.det(m)], [x], [y, None])
    got, dets = theano.function([x, y], solutions)(a, b)
    v = b
    for i in range(5):
        v = np.linalg.solve(a[i], v)
        np.testing.assert_allclose(got[i], v, rtol=1e-10)
    np.testing.assert_allclose(dets, np.linalg.det(a), rtol=1e-10)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (1, 4), (4, 1), (16, 16), (30, 12)])
@pytest.mark.parametrize("full", [True, False])
def test_singular_vectors_have_the_signs_of_numpy(dtype, shape, full):
    a = values(shape, dtype, 3)
    found = compiled(lambda x: nl.svd(x, full_matrices=full), a)(a)
    # In single precision they would be others where LAPACK works in that.
    bound = 1e-6 if dtype in ("float32", "complex64") else 1e-12
    for got, want in zip(found, np.linalg.svd(a, full_matrices=full), strict=True):
        np.testing.assert_allclose(got, want, rtol=bound, atol=bound)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1, 3, 6, 16, 30])
@pytest.mark.parametrize("triangle", "LU")
def test_eigenvectors_have_the_signs_of_numpy(dtype, size, triangle):
    a = values((2, size, size), dtype, 4)
    bound = 1e-6 if dtype in ("float32", "complex64") else 1e-12
    found = compiled(lambda x: nl.eigh(x, triangle), a)(a)
    for got, want in zip(found, np.linalg.eigh(a, triangle), strict=True):
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=bound, atol=bound)


EXPONENTS = {
    **{f"norm {x}": x / 5 * values((4, 4), "float64") for x in (0.01, 0.1, 0.5, 1, 5, 50, 500)},
    **{f"a turn by {x}": x * np.array([[0, 1.0], [-1, 0]]) for x in (1, 100, 1000)},
    "complex": 20 * values((5, 5), "complex128"),
    "far from normal": np.triu(1e5 * values((3, 3)), 1) + np.diag(values(3)),
    "full and far from normal": np.array([[1, 1e6], [1e-6, -1]]),
    "upper": np.triu(30 * values((6, 6), "float64")),
    "lower": np.tril(30 * values((6, 6), "complex128")),
    "nilpotent": np.diag([1e200, 1e50], 1),
    "infinite": np.diag([-np.inf, 1, np.inf]),
}


@pytest.mark.parametrize("name", list(EXPONENTS))
def test_expm_is_exact(name):
    a = EXPONENTS[name]
    if name == "infinite":
        wanted = np.diag(np.exp(np.diag(a)))
    elif name == "nilpotent":
        wanted = np.eye(3) + a + a @ a / 2
    else:
        with mpmath.workdps(400):
            exact = mpmath.expm(mpmath.matrix(a.tolist()))
        wanted = np.array(exact.tolist(), dtype=a.dtype)
    x = variable(a)
    got = theano.function([x], sl.expm(x))(a)
    limit = 1e-13 * np.abs(wanted[np.isfinite(wanted)]).max()
    np.testing.assert_allclose(got, wanted, rtol=1e-15, atol=limit)


@pytest.mark.parametrize("a", [[[NAN, 1], [1, 0]], [[0, 1], [1, NAN]], [[0, np.inf], [1, 0]]])
def test_expm_of_what_is_no_number(a):
    assert np.isnan(sl.expm(T.constant(a)).eval()).all()


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
@pytest.mark.parametrize("shape", [(6, 6), (40, 40), (200, 5, 5), (3, 2, 4, 4), (0, 3, 3), (0, 0)])
@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_bits_of_numpy_in_single_precision(dtype, shape, mode):
    n = shape[-1]
    hilbert = 1 / (np.arange(n)[:, None] + np.arange(n) + 1)
    a = (hilbert + 1e-3 * values(shape)).astype(dtype)
    x = variable(a)
    outs = [nl.matrix_inverse(x), nl.det(x), *nl.slogdet(x)]
    wanted = [np.linalg.inv(a), np.linalg.det(a), *np.linalg.slogdet(a)]
    if a.ndim == 2:
        outs += nl.qr(x)
        wanted += np.linalg.qr(a)
    together, *alone = (theano.function([x], out, mode=mode) for out in (outs, *outs))
    for given in (a, np.asfortranarray(a), np.flip(np.flip(a).copy())):
        assert_same(together(given), wanted)
        assert_same([f(given) for f in alone], wanted)


@pytest.mark.parametrize("dtype", ["int32", *DTYPES])
@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (3, 3), (0, 2), (3, 0), (0, 0), (1, 1)])
@pytest.mark.parametrize("columns", [(), (0,), (2,)])
def test_least_squares(dtype, shape, columns):
    a, b = 5 * values(shape, dtype, 1), 5 * values((shape[0], *columns), dtype, 2)
    _check_lstsq(a, b, -1.0)


B, DIAGONAL = np.arange(1.0, 5.0), np.diag([1.0, 0.5, 0.1, 0.0])
NEARLY_EQUAL = np.vander(np.float32([1, 1.0001, 1.0002, 1.0003]), 4) * np.float32([1, 0, 1, 0])


@pytest.mark.parametrize("rcond", [-1.0, 0.0, 0.3, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("a", [DIAGONAL[:, :3], DIAGONAL, np.zeros((4, 2)), NEARLY_EQUAL])
def test_rank_of_least_squares(a, rcond):
    _check_lstsq(a, B.astype(a.dtype), rcond)


def _check_lstsq(a, b, rcond):
    f = compiled(nl.lstsq(), a, b, np.array(rcond))
    assert not f.maker.callbacks
    wanted = np.linalg.lstsq(a, b, rcond)
    close = 2e-5 if a.dtype in ("float32", "complex64") else 1e-11
    for got, want, out in zip(f(a, b, rcond), wanted, f.maker.graph.outputs, strict=True):
        assert (got.dtype, got.shape) == (out.type.dtype, np.shape(want))
        np.testing.assert_allclose(got, want, rtol=close, atol=close)


def test_solutions_of_small_integers_are_float32():
    a, b = np.array([[3, 1], [1, 2]], "int8"), np.array([[1, 0], [2, 1]], "uint16")
    for solve in (sl.solve, sl.solve_lower_triangular):
        x, y = T.bmatrix("x"), T.matrix("y", "uint16")
        out = solve(x, y)
        assert out.dtype == solve(x, T.fmatrix()).dtype == solve(T.fmatrix(), y).dtype == "float32"
        assert solve(x, T.imatrix()).dtype == solve(T.lmatrix(), T.fmatrix()).dtype == "float64"
        want = np.linalg.solve(np.tril(a) if solve is not sl.solve else a, b)
        np.testing.assert_allclose(out.eval({x: a, y: b}), want, rtol=1e-6)
        assert solve(x, T.zmatrix()).dtype == "complex128"
        assert solve(x, T.cmatrix()).dtype == "complex64"

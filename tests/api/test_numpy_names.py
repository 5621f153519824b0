"""Functions that NumPy's users look for: NumPy's values and dtypes, gradients, NumPy's spelling."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special

import theano
import theano.tensor as T
from theano.sandbox.rng_mrg import MRG_RandomStreams

RNG = np.random.default_rng(3)
M = RNG.normal(size=(4, 5))
V = RNG.normal(size=7)
S = RNG.normal(size=(2, 3, 4))
HOLES = np.where(M > 0.8, np.nan, M)
GONE = np.array([[np.nan, np.nan], [1.0, np.nan]])
POINTS, HEIGHTS = np.array([0.0, 1.0, 1.0, 2.5]), np.array([1.0, 3.0, 2.0, -1.0])
N = np.array([[3, 0, -2], [5, 5, 1]])

# Name → calls, each (arrays that are variables, what follows them).
Calls = list[tuple[tuple[Any, ...], dict[str, Any]]]
AXES: list[dict[str, Any]] = [
    {},
    {"axis": 0},
    {"axis": -1, "keepdims": True},
    {"axis": (0, 1)},
    {"keepdims": True},
]


def over_axes(*arrays: Any, **more: Any) -> Calls:
    return [((x,), {**axes, **more}) for x in arrays for axes in AXES]


EMPTY = np.zeros((0, 3))
CASES: dict[str, Calls] = {
    "nansum": over_axes(HOLES, GONE, N, EMPTY),
    "nanprod": over_axes(HOLES, GONE, N, EMPTY),
    "nanmean": over_axes(HOLES, GONE, N, EMPTY),
    "nanvar": over_axes(HOLES, GONE, N, ddof=1),
    "nanstd": over_axes(HOLES, GONE, N),
    "nanmax": over_axes(HOLES, GONE, N),
    "nanmin": over_axes(HOLES, GONE, N),
    "median": over_axes(M, HOLES, N, EMPTY, M.astype("float32")),
    "count_nonzero": over_axes(N, M, EMPTY, np.array([[True, False]])),
    "average": [
        ((M,), {}),
        ((M,), {"weights": M**2, "axis": 1}),
        ((M,), {"weights": V[:5] ** 2, "axis": -1, "keepdims": True}),
        ((N,), {"weights": np.array([1, 2, 3]), "axis": 1}),
    ],
    "expand_dims": [((V,), {"axis": 0}), ((M,), {"axis": (0, -1)}), ((V[0],), {"axis": -1})],
    "moveaxis": [
        ((S,), {"source": 0, "destination": -1}),
        ((S,), {"source": [0, 1], "destination": [-1, 0]}),
    ],
    "rollaxis": [((S,), {"axis": 2}), ((S,), {"axis": 0, "start": 2})],
    "rot90": [((M,), {"k": k}) for k in range(-2, 4)] + [((S,), {"axes": (2, 0)})],
    "flip": [((S,), {}), ((S,), {"axis": -1}), ((S,), {"axis": (0, 2)})],
    "flipud": [((M,), {})],
    "fliplr": [((M,), {})],
    "atleast_1d": [((V[0],), {}), ((V,), {})],
    "atleast_2d": [((V[0],), {}), ((V,), {}), ((S,), {})],
    "broadcast_to": [((V,), {"shape": (3, 7)}), ((V[:1],), {"shape": (4,)})],
    "isin": [((N,), {"test_elements": [5, 0]}), ((N, np.array([], int)), {"invert": True})],
    "ediff1d": [((M,), {}), ((V,), {"to_begin": 1.0, "to_end": [2.0, 3.0]}), ((V[:1],), {})],
    "unique": [((N,), {}), ((N,), {"axis": 1}), ((EMPTY,), {})],
    "digitize": [((M,), {"bins": [-1.0, 0.0, 1.0], "right": right}) for right in (False, True)]
    + [((M, np.array([1.0, 0.0, -1.0])), {}), ((M, np.array([0.5])), {})],
    "interp": [
        ((np.array([-1, 0, 0.3, 1, 2.5, 3, np.nan]), POINTS, HEIGHTS), {}),
        ((M, POINTS[:2], HEIGHTS[:2]), {"left": 9.0, "right": -9.0}),
        ((M, POINTS[:1], HEIGHTS[:1]), {}),
    ],
    "trapezoid": [
        ((M,), {}),
        ((M,), {"dx": 0.5, "axis": 0}),
        ((M, np.sort(V[:5])), {}),
        ((N,), {}),
    ],
    "corrcoef": [((M,), {}), ((M,), {"rowvar": False}), ((V, V**2), {})],
    "inner": [((V, V), {}), ((M, M), {}), ((S, M[:, :4]), {}), ((V, V[0]), {})],
    "vdot": [((M, M), {}), ((V + 1j, V * 2j), {})],
    "cross": [((M[:3].T, M[1:].T), {}), ((M[:3], M[1:]), {"axis": 0}), ((S[:, :, 0], V[:3]), {})],
    "kron": [((M, M[:2]), {})],
    "hypot": [((M, M[::-1]), {}), ((np.array([1e300, np.inf]), np.array([1e300, np.nan])), {})],
    "sinc": [((M,), {}), ((np.array([0.0, 1e-30, 3.0]),), {}), ((N,), {})],
    "logaddexp": [
        ((M, -M), {}),
        ((np.array([-np.inf, np.inf, 1e4]), np.array([-np.inf, np.inf, 1e4])), {}),
    ],
    "isfinite": [((GONE,), {}), ((N,), {}), ((np.array([np.inf, 1.0]),), {})],
    "logical_and": [((N, N > 1), {})],
    "logical_or": [((N, M[:2, :3]), {})],
    "logical_xor": [((N, N > 1), {})],
    "logical_not": [((N,), {})],
    "nan_to_num": [
        ((np.array([np.nan, np.inf, -np.inf, 1.0]),), {}),
        ((GONE.astype("float32"),), {"nan": 7.0}),
        ((N,), {}),
    ],
    "pad": [
        ((x,), {"pad_width": width, "mode": mode})
        for mode in ("constant", "edge", "reflect", "symmetric", "wrap")
        for x, width in ((V, 2), (V[:3], (3, 8)), (M, ((1, 0), (0, 2))), (V[:1], 2))
    ]
    + [((N,), {"pad_width": 1, "constant_values": 9}), ((EMPTY,), {"pad_width": 1})],
    "quantile": [
        ((x,), {"q": q, **axes})
        for x in (M, HOLES, N)
        for q in (0.3, [0.0, 0.25, 1.0])
        for axes in AXES
    ]
    + [((M,), {"q": 0.4, "method": method}) for method in ("lower", "higher", "midpoint")],
    "percentile": [((M,), {"q": 30}), ((N,), {"q": [10, 50.5], "axis": 1})],
    "full_like": [((M,), {"fill_value": 2}), ((N,), {"fill_value": 2.5, "dtype": "float32"})],
    "searchsorted": [((np.sort(V), M), {})],
    "sign": [((M,), {})],
    "absolute": [((N,), {})],
}
ROWS = [(name, args, rest) for name, calls in CASES.items() for args, rest in calls]


def same(found: Any, expected: Any, exact: bool = False) -> None:
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    if exact:
        np.testing.assert_array_equal(found, expected)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-12 if found.dtype != "f4" else 1e-6)


def quietly(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


@pytest.mark.parametrize(
    ("name", "args", "rest"), ROWS, ids=[f"{name}-{n}" for n, (name, _, _) in enumerate(ROWS)]
)
def test_values_are_those_of_numpy(name: str, args: tuple[Any, ...], rest: dict[str, Any]) -> None:
    arrays = [np.asarray(x) for x in args]
    variables = [T.tensor(str(x.dtype), (False,) * x.ndim) for x in arrays]
    expected = np.asarray(quietly(getattr(np, name), *arrays, **rest))
    symbolic = getattr(T, name)(*variables, **rest)
    if not name.startswith("atleast"):
        by_numpy = getattr(np, name)(*variables, **rest)
        assert by_numpy.type == symbolic.type
    for mode in ("FAST_RUN", "FAST_COMPILE"):
        found = theano.function(variables, symbolic, mode=mode)(*arrays)
        if expected.dtype.kind in "iub" and symbolic.dtype != str(expected.dtype):
            pytest.fail(f"{symbolic.dtype}, NumPy has {expected.dtype}")
        same(np.asarray(found), expected)


def test_ranges() -> None:
    n = T.iscalar("n")
    for ends in ((0.1, 2.3), (3, -1), (0.0, 0.0)):
        for number in (0, 1, 2, 50):
            for endpoint in (True, False):
                found = T.linspace(*ends, num=n, endpoint=endpoint).eval({n: number})
                same(found, np.linspace(*ends, num=number, endpoint=endpoint), exact=True)
    x = T.dvector("x")
    same(T.linspace(x, 2, 5).eval({x: V}), np.linspace(V, 2, 5), exact=True)
    same(np.linspace(x, 2, 5).eval({x: V}), np.linspace(V, 2, 5), exact=True)
    same(T.linspace(-2, 2, 4, dtype="int64").eval(), np.linspace(-2, 2, 4, dtype="int64"))
    same(T.logspace(0.5, 2, 5).eval(), np.logspace(0.5, 2, 5))
    same(T.logspace(0, 3, 4, base=2).eval(), np.logspace(0, 3, 4, base=2))
    same(T.geomspace(1, 1000, 4).eval(), np.geomspace(1, 1000, 4))
    same(T.geomspace(-2.0, -9.0, 6).eval(), np.geomspace(-2.0, -9.0, 6))
    same(T.geomspace(2.0, 9.0, 6, False).eval(), np.geomspace(2.0, 9.0, 6, False))


def test_full() -> None:
    n = T.lscalar("n")
    same(T.full((n, 3), 1.5).eval({n: 2}), np.full((2, 3), 1.5))
    same(T.full((2,), 3).eval(), np.full((2,), 3))
    same(T.full(2, True).eval(), np.full(2, True))
    same(T.full((2, 2), n, "float32").eval({n: 4}), np.full((2, 2), 4, "float32"))


@pytest.mark.parametrize("options", [{}, {"indexing": "ij"}, {"sparse": True}])
def test_meshgrid(options: dict[str, Any]) -> None:
    x, y, z = T.dvectors("x", "y", "z")
    for count in (1, 2, 3):
        arrays = [V, V[:3], V[:2]][:count]
        variables = [x, y, z][:count]
        for ours in (T.meshgrid, np.meshgrid):
            found = theano.function(variables, ours(*variables, **options))(*arrays)
            for one, other in zip(found, np.meshgrid(*arrays, **options), strict=True):
                same(one, other, exact=True)


def test_stacks() -> None:
    x, y = T.dvector("x"), T.dmatrix("y")
    for name, arrays in (("hstack", [V, V]), ("vstack", [V[:5], M]), ("column_stack", [V[:4], M])):
        variables = [x if a.ndim == 1 else y for a in arrays]
        values = dict(zip(variables, arrays, strict=True))
        expected = getattr(np, name)(arrays)
        same(getattr(T, name)(variables).eval(values), expected, exact=True)
        same(getattr(np, name)(variables).eval(values), expected, exact=True)


def test_histogram() -> None:
    x = T.dmatrix("x")
    for options in ({}, {"bins": 3, "range": (-1, 1)}, {"bins": [-1, 0, 2.0]}, {"density": True}):
        found = theano.function([x], T.histogram(x, **options))(M)
        for one, other in zip(found, np.histogram(M, **options), strict=True):
            same(one, np.asarray(other, one.dtype))
    counts = T.histogram(x, bins=2)[0].eval({x: np.ones((2, 2))})
    np.testing.assert_array_equal(counts, np.histogram(np.ones((2, 2)), bins=2)[0])


def test_logsumexp() -> None:
    x = T.dmatrix("x")
    wide = np.vstack([M * 1000, np.full((1, 5), -np.inf), np.full((1, 5), np.inf)])
    for axes in AXES:
        found = T.logsumexp(x, **axes).eval({x: wide})
        same(np.asarray(found), np.asarray(quietly(scipy.special.logsumexp, wide, **axes)))
    T.verify_grad(lambda v: T.logsumexp(v, axis=1).sum(), [M], rng=np.random)


def test_numbers() -> None:
    assert (T.pi, T.e, T.inf) == (np.pi, np.e, np.inf) and np.isnan(T.nan)
    x = T.dvector("x")
    assert x[:, T.newaxis].broadcastable == (False, True)
    m = T.dmatrix("m")
    np.testing.assert_array_equal(np.linalg.diagonal(m).eval({m: M}), np.linalg.diagonal(M))
    assert T.linalg.inv is T.nlinalg.matrix_inverse
    assert set(T.linalg.__all__) <= set(dir(np.linalg))


GRADIENTS: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "median": (lambda x: T.median(x, axis=0).sum(), [M]),
    "quantile": (lambda x: T.quantile(x, 0.3, axis=1).sum(), [M]),
    "nanmean": (lambda x: T.nanmean(x, axis=1).sum(), [M]),
    "nanstd": (lambda x: T.nanstd(x), [M]),
    "nanmax": (lambda x: T.nanmax(x, axis=0).sum(), [M]),
    "average": (lambda x, w: T.average(x, 1, w).sum(), [M, M**2]),
    "interp": (lambda x, y: (T.interp(x, [0.0, 1.0, 2.5], y) ** 2).sum(), [V, V[:3]]),
    "trapezoid": (lambda y: (T.trapezoid(y) ** 2).sum(), [M]),
    "corrcoef": (lambda x: (T.corrcoef(x) ** 2).sum(), [M]),
    "cross": (lambda x, y: (T.cross(x, y) ** 2).sum(), [M[:, :3], M[:, 2:]]),
    "vdot": (T.vdot, [M, M**2]),
    "inner": (lambda x: (T.inner(x, x) ** 2).sum(), [M]),
    "hypot": (lambda x, y: T.hypot(x, y).sum(), [M, M[::-1]]),
    "sinc": (lambda x: T.sinc(x).sum(), [np.append(V, 0.0)]),
    "logaddexp": (lambda x, y: T.logaddexp(x, y).sum(), [M, M[::-1]]),
    "pad": (lambda x: (T.pad(x, 2, "reflect") ** 2).sum(), [M]),
    "pad constant": (lambda x: (T.pad(x, 1) ** 2).sum(), [M]),
    "rot90": (lambda x: (T.rot90(x) * np.arange(20.0).reshape(5, 4)).sum(), [M]),
    "linspace": (lambda a, b: (T.linspace(a, b, 5) ** 2).sum(), [np.array(0.3), np.array(2.0)]),
    "gelu": (lambda x: T.nnet.gelu(x).sum(), [M]),
    "gelu tanh": (lambda x: T.nnet.gelu(x, "tanh").sum(), [M]),
    "silu": (lambda x: T.nnet.silu(x).sum(), [M]),
    "softmax": (lambda x: (T.nnet.softmax(x, axis=1) ** 2).sum(), [S]),
    "log_softmax": (lambda x: (T.nnet.log_softmax(x, axis=0) ** 2).sum(), [S]),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(name: str) -> None:
    function, points = GRADIENTS[name]
    T.verify_grad(function, points, rng=np.random.RandomState(1))


@pytest.mark.parametrize("x", [V, M, S, S.astype("float32"), np.zeros((2, 0, 3))], ids=np.shape)
def test_softmax_along_any_axis(x: Any) -> None:
    v = T.tensor(str(x.dtype), (False,) * x.ndim)
    for axis in range(-x.ndim, x.ndim):
        if x.shape[axis] == 0:
            continue
        found = theano.function([v], T.nnet.softmax(v, axis=axis))(x)
        same(found, scipy.special.softmax(x, axis=axis))
        found = theano.function([v], T.nnet.log_softmax(v, axis=axis))(x)
        np.testing.assert_allclose(found, scipy.special.log_softmax(x, axis=axis), rtol=1e-5)
    if x.ndim == 1:
        assert T.nnet.softmax(v).ndim == 2
    elif x.shape[-1]:
        same(T.nnet.softmax(v).eval({v: x}), scipy.special.softmax(x, axis=-1))


@pytest.mark.parametrize("rank", [3, 4])
def test_softmax_of_any_rank_joins_the_loops_beside_it(rank: int) -> None:
    x = T.tensor("float32", (False,) * rank, "x")
    soft = T.nnet.softmax(x * np.float32(0.125), axis=-1)
    assert isinstance(soft.owner.op, T.nnet.Softmax)
    scaled = theano.function([x], soft)
    assert not [n for n in scaled.maker.graph.toposort() if isinstance(n.op, T.Reshape)]
    value = np.random.default_rng(2).standard_normal((3, 2, 5, 4)[:rank]).astype("float32")
    for each in (value, value.T, value[::-1, :0], value[:, 1:2]):
        wanted = scipy.special.softmax(each * np.float32(0.125), axis=-1)
        np.testing.assert_allclose(scaled(each), wanted, rtol=1e-6)


def test_activations() -> None:
    x = T.dvector("x")
    wide = np.linspace(-30, 8, 50)
    normal = wide * scipy.special.ndtr(wide)
    np.testing.assert_allclose(T.nnet.gelu(x).eval({x: wide}), normal, rtol=1e-12)
    bent = T.nnet.gelu(x, "tanh").eval({x: wide})
    np.testing.assert_allclose(bent, normal, atol=1e-3)
    np.testing.assert_allclose(
        T.nnet.silu(x).eval({x: wide}), wide * scipy.special.expit(wide), rtol=1e-13
    )


@pytest.mark.parametrize("kind", ["shared", "mrg"])
def test_dropout(kind: str) -> None:
    if kind == "shared":
        stream: Any = T.shared_randomstreams.RandomStreams(5)
    else:
        stream = MRG_RandomStreams(5)
    x = T.fmatrix("x")
    assert T.nnet.dropout(x, 0, stream) is x
    f = theano.function([x], T.nnet.dropout(x, 0.25, stream))
    ones = np.ones((100, 200), "float32")
    first, second = f(ones), f(ones)
    assert first.dtype == "float32" and not np.array_equal(first, second)
    assert set(np.unique(first)) == {np.float32(0), np.float32(1) / np.float32(0.75)}
    assert abs(first.mean() - 1) < 0.02
    with pytest.raises(ValueError, match="p must lie"):
        T.nnet.dropout(x, 1.0, stream)


def test_only_public_names_are_shown() -> None:
    for module in (T, T.nnet, T.nlinalg, T.slinalg, theano.gradient):
        assert not {"attribute", "import_module", "annotations"} & set(dir(module))
    assert {"median", "linalg", "signal", "pi"} <= set(dir(T))
    assert "median" not in T.__all__

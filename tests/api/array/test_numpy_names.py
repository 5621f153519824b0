"""Functions that NumPy's users look for: NumPy's values and dtypes, gradients, NumPy's spelling."""

import warnings

import numpy as np
import pytest
import scipy.special

import theano
import theano.tensor as T
from support.arrays import variable
from support.compiling import compiled, evaluate
from theano.sandbox.rng_mrg import MRG_RandomStreams

RNG = np.random.default_rng(3)
M, V, S = RNG.normal(size=(4, 5)), RNG.normal(size=7), RNG.normal(size=(2, 3, 4))
ARRAYS = {"M": M, "V": V, "S": S, "SORTED": np.sort(V), "W": V[:5] ** 2, "F": M.astype("float32")}
ARRAYS |= {"HOLES": np.where(M > 0.8, np.nan, M), "GONE": np.array([[np.nan, np.nan], [1, np.nan]])}
ARRAYS |= {"POINTS": np.array([0.0, 1, 1, 2.5]), "HEIGHTS": np.array([1.0, 3, 2, -1])}
ARRAYS |= {"N": np.array([[3, 0, -2], [5, 5, 1]]), "COUNTS": np.array([1, 2, 3])}
ARRAYS |= {"EMPTY": np.zeros((0, 3)), "B": np.array([[True, False]]), "NONE": np.array([], int)}
ARRAYS |= {"PLACES": np.array([-1, 0, 0.3, 1, 2.5, 3, np.nan]), "ODD": np.array([0.0, 1e-30, 3])}
ARRAYS |= {"LARGE": np.array([1e300, np.inf]), "HOLE": np.array([1e300, np.nan])}
ARRAYS |= {"ENDS": np.array([np.nan, np.inf, -np.inf, 1e4])}
AXES = [{}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"axis": (0, 1)}, {"keepdims": True}]
OPTIONS = ["", ", axis=0", ", axis=-1, keepdims=True", ", axis=(0, 1)", ", keepdims=True"]
# Each text means the same with `np` and arrays as with `theano.tensor` and variables.
REDUCTIONS = {
    "nansum nanprod nanmean": ["HOLES", "GONE", "N", "EMPTY"],
    "nanstd nanmax nanmin": ["HOLES", "GONE", "N"],
    "median": ["M", "HOLES", "N", "EMPTY", "F"],
    "count_nonzero": ["N", "M", "EMPTY", "B"],
    "nanvar": [f"{x}, ddof=1" for x in ("HOLES", "GONE", "N")],
    "quantile": [f"{x}, q={q}" for x in ("M", "HOLES", "N") for q in ("0.3", "[0.0, 0.25, 1.0]")],
}
CALLS = [
    f"{name}({arguments}{options})"
    for names, of in REDUCTIONS.items()
    for name in names.split()
    for arguments in of
    for options in OPTIONS
]
CALLS += [
    f"pad({x}, pad_width={width}, mode='{mode}')"
    for mode in ("constant", "edge", "reflect", "symmetric", "wrap")
    for x, width in (("V", 2), ("V[:3]", (3, 8)), ("M", ((1, 0), (0, 2))), ("V[:1]", 2))
]
CALLS += (
    """
pad(N, pad_width=1, constant_values=9); pad(EMPTY, pad_width=1); percentile(M, q=30)
percentile(N, q=[10, 50.5], axis=1); quantile(M, q=0.4, method='lower')
quantile(M, q=0.4, method='higher'); quantile(M, q=0.4, method='midpoint'); average(M)
average(M, weights=M**2, axis=1); average(M, weights=W, axis=-1, keepdims=True)
average(N, weights=COUNTS, axis=1); expand_dims(V, axis=0); expand_dims(M, axis=(0, -1))
expand_dims(V[0], axis=-1); moveaxis(S, source=0, destination=-1)
moveaxis(S, source=[0, 1], destination=[-1, 0]); rollaxis(S, axis=2); rollaxis(S, axis=0, start=2)
rot90(M, k=-2); rot90(M, k=-1); rot90(M, k=0); rot90(M, k=1); rot90(M, k=3); rot90(S, axes=(2, 0))
flip(S); flip(S, axis=-1); flip(S, axis=(0, 2)); flipud(M); fliplr(M); atleast_1d(V[0])
atleast_1d(V); atleast_2d(V[0]); atleast_2d(V); atleast_2d(S); broadcast_to(V, shape=(3, 7))
broadcast_to(V[:1], shape=(4,)); isin(N, test_elements=[5, 0]); isin(N, NONE, invert=True)
ediff1d(M); ediff1d(V, to_begin=1.0, to_end=[2.0, 3.0]); ediff1d(V[:1]); unique(N)
unique(N, axis=1); unique(EMPTY); digitize(M, bins=[-1.0, 0.0, 1.0], right=False)
digitize(M, bins=[-1.0, 0.0, 1.0], right=True); digitize(M, POINTS[2::-2]); digitize(M, POINTS[1:2])
interp(PLACES, POINTS, HEIGHTS); interp(M, POINTS[:2], HEIGHTS[:2], left=9.0, right=-9.0)
interp(M, POINTS[:1], HEIGHTS[:1]); trapezoid(M); trapezoid(M, dx=0.5, axis=0)
trapezoid(M, SORTED[:5]); trapezoid(N); corrcoef(M); corrcoef(M, rowvar=False); corrcoef(V, V**2)
inner(V, V); inner(M, M); inner(S, M[:, :4]); inner(V, V[0]); vdot(M, M); vdot(V + 1j, V * 2j)
cross(M[:3].T, M[1:].T); cross(M[:3], M[1:], axis=0); cross(S[:, :, 0], V[:3]); kron(M, M[:2])
hypot(M, M[::-1]); hypot(LARGE, LARGE[::-1]); hypot(LARGE, HOLE); sinc(M); sinc(ODD); sinc(N)
logaddexp(M, -M); logaddexp(ENDS, ENDS); isfinite(GONE); isfinite(N); isfinite(LARGE)
logical_and(N, N > 1); logical_or(N, M[:2, :3]); logical_xor(N, N > 1); logical_not(N)
nan_to_num(ENDS); nan_to_num(F / 0, nan=7.0); nan_to_num(N); full_like(M, fill_value=2)
full_like(N, fill_value=2.5, dtype='float32'); searchsorted(SORTED, M); sign(M); absolute(N)
""".strip()
    .replace("\n", "; ")
    .split("; ")
)
NAMES = sorted({text.partition("(")[0] for text in CALLS})


def same(found, expected, exact=False):
    if isinstance(found, (list, tuple)):
        for one, other in zip(found, expected, strict=True):
            same(one, other, exact)
        return
    found, expected = np.asarray(found), np.asarray(expected)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    rtol = 0 if exact else 1e-6 if found.dtype == "f4" else 1e-12
    np.testing.assert_allclose(found, expected, rtol=rtol)


def quietly(function, *args, **kwargs):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


@pytest.mark.parametrize("name", NAMES)
def test_values_are_those_of_numpy(name):
    texts = [text for text in CALLS if text.partition("(")[0] == name]
    symbols = {each: variable(array, name=each) for each, array in ARRAYS.items()}
    outputs = {text: eval(f"T.{text}", {"T": T, **symbols}) for text in texts}
    for mode in ("FAST_RUN", "FAST_COMPILE"):
        f = theano.function([*symbols.values()], outputs, mode=mode, on_unused_input="ignore")
        for text, found in f(*ARRAYS.values()).items():
            same(found, quietly(eval, f"np.{text}", {"np": np, **ARRAYS}))
    if not name.startswith("atleast"):
        for text, output in outputs.items():
            assert eval(f"np.{text}", {"np": np, **symbols}).type == output.type


N = T.iscalar("n")
x, m = T.dvector("x"), T.dmatrix("m")
RANGES = [
    ("linspace", (-2, 2, 4), {"dtype": "int64"}),
    ("logspace", (0.5, 2, 5), {}),
    ("logspace", (0, 3, 4), {"base": 2}),
    ("geomspace", (1, 1000, 4), {}),
    ("geomspace", (-2.0, -9.0, 6), {}),
    ("geomspace", (2.0, 9.0, 6, False), {}),
    ("full", ((2,), 3), {}),
    ("full", (2, True), {}),
]


@pytest.mark.parametrize(("name", "arguments", "options"), RANGES)
def test_ranges(name, arguments, options):
    found = getattr(T, name)(*arguments, **options).eval()
    same(found, getattr(np, name)(*arguments, **options))


def test_ranges_of_variables():
    for ends in ((0.1, 2.3), (3, -1), (0.0, 0.0)):
        for endpoint in (True, False):
            f = theano.function([N], T.linspace(*ends, num=N, endpoint=endpoint))
            for number in (0, 1, 2, 50):
                same(f(number), np.linspace(*ends, num=number, endpoint=endpoint), exact=True)
    for linspace in (T.linspace, np.linspace):
        same(linspace(x, 2, 5).eval({x: V}), np.linspace(V, 2, 5), exact=True)
    same(T.full((N, 3), 1.5).eval({N: 2}), np.full((2, 3), 1.5))
    same(T.full((2, 2), N, "float32").eval({N: 4}), np.full((2, 2), 4, "float32"))


@pytest.mark.parametrize("options", [{}, {"indexing": "ij"}, {"sparse": True}])
def test_meshgrid(options):
    for arrays in ([V], [V, V[:3]], [V, V[:3], V[:2]]):
        wanted = np.meshgrid(*arrays, **options)
        for ours in (T.meshgrid, np.meshgrid):
            f = compiled(lambda *xs, ours=ours: ours(*xs, **options), *arrays)
            same(f(*arrays), wanted, exact=True)


@pytest.mark.parametrize(
    ("name", "arrays"), [("hstack", [V, V]), ("vstack", [V[:5], M]), ("column_stack", [V[:4], M])]
)
def test_stacks(name, arrays):
    for library in (T, np):
        f = compiled(lambda *xs, library=library: getattr(library, name)(xs), *arrays)
        same(f(*arrays), getattr(np, name)(arrays), exact=True)


@pytest.mark.parametrize(
    "options", [{}, {"bins": 3, "range": (-1, 1)}, {"bins": [-1, 0, 2.0]}, {"density": True}]
)
def test_histogram(options):
    found = evaluate(T.histogram(m, **options), {m: M})
    same(
        found,
        [np.asarray(b, a.dtype) for a, b in zip(found, np.histogram(M, **options), strict=True)],
    )


def test_histogram_of_equal_numbers():
    counts = T.histogram(m, bins=2)[0].eval({m: np.ones((2, 2))})
    np.testing.assert_array_equal(counts, np.histogram(np.ones((2, 2)), bins=2)[0])


def test_logsumexp():
    wide = np.vstack([M * 1000, np.full((1, 5), -np.inf), np.full((1, 5), np.inf)])
    found = evaluate([T.logsumexp(m, **axes) for axes in AXES], {m: wide})
    for one, axes in zip(found, AXES, strict=True):
        same(one, quietly(scipy.special.logsumexp, wide, **axes))
    T.verify_grad(lambda v: T.logsumexp(v, axis=1).sum(), [M], rng=np.random)


def test_numbers():
    assert (T.pi, T.e, T.inf) == (np.pi, np.e, np.inf) and np.isnan(T.nan)
    assert x[:, T.newaxis].broadcastable == (False, True)
    np.testing.assert_array_equal(np.linalg.diagonal(m).eval({m: M}), np.linalg.diagonal(M))
    assert T.linalg.inv is T.nlinalg.matrix_inverse
    assert set(T.linalg.__all__) <= set(dir(np.linalg))


GRADIENTS = {
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
def test_gradients(name):
    function, points = GRADIENTS[name]
    T.verify_grad(function, points, rng=np.random.RandomState(1))


@pytest.mark.parametrize("x", [V, M, S, S.astype("float32"), np.zeros((2, 0, 3))], ids=np.shape)
def test_softmax_along_any_axis(x):
    v = variable(x)
    for axis in (axis for axis in range(-x.ndim, x.ndim) if x.shape[axis]):
        outs = [function(v, axis=axis) for function in (T.nnet.softmax, T.nnet.log_softmax)]
        soft, logarithm = evaluate(outs, {v: x})
        same(soft, scipy.special.softmax(x, axis=axis))
        np.testing.assert_allclose(logarithm, scipy.special.log_softmax(x, axis=axis), rtol=1e-5)
    if x.ndim == 1:
        assert T.nnet.softmax(v).ndim == 2
    elif x.shape[-1]:
        same(T.nnet.softmax(v).eval({v: x}), scipy.special.softmax(x, axis=-1))


@pytest.mark.parametrize("rank", [3, 4])
def test_softmax_of_any_rank_joins_the_loops_beside_it(rank):
    x = variable("float32", rank)
    soft = T.nnet.softmax(x * np.float32(0.125), axis=-1)
    assert isinstance(soft.owner.op, T.nnet.Softmax)
    scaled = theano.function([x], soft)
    assert not [n for n in scaled.maker.graph.toposort() if isinstance(n.op, T.Reshape)]
    value = RNG.standard_normal((3, 2, 5, 4)[:rank]).astype("float32")
    for each in (value, value.T, value[::-1, :0], value[:, 1:2]):
        wanted = scipy.special.softmax(each * np.float32(0.125), axis=-1)
        np.testing.assert_allclose(scaled(each), wanted, rtol=1e-6)


def test_activations():
    wide = np.linspace(-30, 8, 50)
    normal = wide * scipy.special.ndtr(wide)
    activations = [T.nnet.gelu(x), T.nnet.gelu(x, "tanh"), T.nnet.silu(x)]
    exact, bent, weighted = evaluate(activations, {x: wide})
    np.testing.assert_allclose(exact, normal, rtol=1e-12)
    np.testing.assert_allclose(bent, normal, atol=1e-3)
    np.testing.assert_allclose(weighted, wide * scipy.special.expit(wide), rtol=1e-13)


@pytest.mark.parametrize("streams", [T.shared_randomstreams.RandomStreams, MRG_RandomStreams])
def test_dropout(streams):
    x, stream = T.fmatrix("x"), streams(5)
    assert T.nnet.dropout(x, 0, stream) is x
    f = theano.function([x], T.nnet.dropout(x, 0.25, stream))
    ones = np.ones((100, 200), "float32")
    first, second = f(ones), f(ones)
    assert first.dtype == "float32" and not np.array_equal(first, second)
    assert set(np.unique(first)) == {np.float32(0), np.float32(1) / np.float32(0.75)}
    assert abs(first.mean() - 1) < 0.02
    with pytest.raises(ValueError, match="p must lie"):
        T.nnet.dropout(x, 1.0, stream)


def test_only_public_names_are_shown():
    for module in (T, T.nnet, T.nlinalg, T.slinalg, theano.gradient):
        assert not {"attribute", "import_module", "annotations"} & set(dir(module))
    assert {"median", "linalg", "signal", "pi"} <= set(dir(T))
    assert "median" not in T.__all__

"""NumPy's functions on variables: equal to NumPy's on arrays, or an error that names ours."""

import math
import re
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import variable
from support.errors import refused
from theano._core.api.variable.numpy_functions import (
    FUNCTIONS,
    INSTEAD,
    UFUNCS,
    call_function,
    call_ufunc,
)
from theano.gradient import grad

RNG = np.random.default_rng(3)
VALUES = {
    "v": RNG.normal(size=4),
    "w": RNG.normal(size=4),
    "m": RNG.normal(size=(4, 4)) + 4 * np.eye(4),
    "n": RNG.normal(size=(4, 4)),
    "r": RNG.normal(size=(3, 4)),
    "q": RNG.normal(size=(2, 3, 4)),
    "u": RNG.uniform(0.1, 0.9, size=(3, 4)),
    "o": RNG.uniform(1.1, 2, size=(3, 4)),
    "k": np.array([3, 0, 2, 1]),
    "c": np.array([True, False, True, True]),
    "z": RNG.normal(size=4) + 1j * RNG.normal(size=4),
    "s": np.array(0.7),
    "p": np.cov(RNG.normal(size=(4, 9))),
    "t4": RNG.normal(size=(2, 3, 6)),
    "b": RNG.normal(size=(2, 3)),
    "i24": RNG.normal(size=(4, 6, 8, 3)) + np.eye(24).reshape(4, 6, 8, 3) * 9,
}
VARIABLES = {name: variable(a, name=name) for name, a in VALUES.items()}

# Each text means the same with arrays as with variables.
CALLS = """
np.all(c); np.all(r > 0, axis=1, keepdims=True); np.allclose(v, w)
np.allclose(v, v + 1e-9, 1e-5, atol=0); np.amax(r, 1); np.amin(r, axis=0); np.angle(z)
np.angle(z, deg=False); np.any(c); np.any(r > 1, 0); np.argmax(r); np.argmax(r, axis=1)
np.argmax(r, 0, keepdims=True); np.argmin(r); np.argmin(r, axis=-1); np.argsort(v)
np.argsort(r, axis=0, kind='stable'); np.around(v * 3); np.bincount(k)
np.bincount(k, weights=v, minlength=6); np.choose(k, [v, w, v, w])
np.choose(k, [v, w, v, w], mode='clip'); np.clip(v, -1, 0.5); np.clip(v, w - 1, w + 1)
np.clip(a=v, a_min=0, a_max=1); np.clip(v, None, 0.3); np.clip(v, 0.1, None)
np.clip(v, a_max=0.1, a_min=None); np.compress(c, v); np.compress(c, r, axis=1)
np.concatenate([v, w]); np.concatenate((m, n), axis=1); np.copy(v); np.cov(r)
np.cov(r, rowvar=False, bias=True); np.cumprod(v); np.cumprod(r, axis=1); np.cumsum(r)
np.cumsum(r, 0); np.diag(v); np.diag(m); np.diag(v, 1); np.diag(m, k=-1); np.diagonal(m)
np.diagonal(q, 1, 1, 2); np.diff(v); np.diff(r, 2, axis=1); np.dot(m, n); np.dot(v, w)
np.dot(M, n); np.dot(m, N); np.dot(q, m); np.einsum('ij,jk', m, n)
np.einsum('qij,jk->qk', q, m, optimize=True); np.einsum(m, [0, 1], n, [2, 1], [2, 0])
np.expand_dims(r, 1); np.expand_dims(r, axis=-1); np.fix(v * 3); np.flatnonzero(k); np.flip(r)
np.flip(q, 1); np.flip(q, axis=(0, -1)); np.full_like(r, 7); np.full_like(k, 2.5); np.imag(z)
np.inner(v, w); np.inner(r, q); np.inner(s, v); np.inner(m, v); np.isclose(v, w, atol=0.5)
np.isclose(v, v); np.kron(m, r); np.max(r); np.max(r, axis=1, keepdims=True); np.mean(r)
np.mean(r, axis=(0, 1)); np.mean(r, 0, keepdims=True); np.min(r); np.min(r, 1)
np.moveaxis(q, 0, -1); np.moveaxis(q, [0, 1], destination=[2, 0]); np.ndim(q); np.nonzero(k)
np.nonzero(r > 0); np.ones_like(r); np.ones_like(k, dtype='float32'); np.outer(v, w)
np.polyval([1.5, -2, 3], v); np.polyval([2], v); np.prod(r); np.prod(r, axis=1); np.ptp(r)
np.ptp(r, axis=0); np.ravel(q); np.ravel_multi_index((k, k), (4, 5)); np.real(z); np.real(v)
np.repeat(v, 3); np.repeat(r, 2, axis=1); np.repeat(v, k); np.reshape(q, (4, 6))
np.reshape(q, -1); np.reshape(r, (2, -1)); np.roll(v, 1); np.roll(r, -1, axis=0); np.roll(r, 2)
np.rollaxis(q, 2); np.rollaxis(q, 0, start=2); np.round(v * 3); np.round(v + 0.5)
np.searchsorted(np.sort(v), w); np.searchsorted(np.sort(v), v, side='right'); np.shape(q)
np.size(q); np.sort(v); np.sort(r, axis=0); np.sort(r, None); np.squeeze(q); np.stack([v, w])
np.stack((v, w, W), axis=1); np.std(r); np.std(r, axis=1, ddof=1, keepdims=True); np.sum(q)
np.sum(q, axis=(0, 2)); np.sum(c); np.sum(r, 0, 'float64'); np.swapaxes(q, 0, 2)
np.take(v, [0, 2]); np.take(r, k, axis=1, mode='wrap'); np.tensordot(q, m, 1)
np.tensordot(q, r, axes=([1, 2], [0, 1])); np.tile(v, 3); np.tile(r, (2, 1)); np.trace(m)
np.trace(m, offset=0); np.transpose(q); np.transpose(q, (1, 0, 2)); np.tril(m); np.tril(m, 1)
np.triu(m, k=-1); np.unravel_index(k, (2, 3)); np.var(r); np.var(r, 1, ddof=1); np.where(c, v, w)
np.where(v > 0, v, 0); np.where(c, V, w); np.where(k); np.zeros_like(r); np.linalg.cholesky(p)
np.linalg.det(m); np.linalg.eigh(p)[0]; np.linalg.eigh(p, UPLO='U')[0]; np.linalg.eigvalsh(p)
np.linalg.eigvalsh(m, 'U'); np.linalg.inv(m); np.linalg.matmul(q, m); np.linalg.matrix_power(m, 3)
np.linalg.multi_dot([r, m, n, v]); np.linalg.norm(v); np.linalg.norm(m, 'fro')
np.linalg.norm(v, ord=1); np.linalg.outer(v, w); np.linalg.pinv(r); abs(np.linalg.qr(m)[1])
abs(np.linalg.qr(r, mode='r')); np.linalg.slogdet(m)[0]; np.linalg.slogdet(m)[1]
np.linalg.solve(m, v); np.linalg.solve(m, n); np.linalg.solve(M, n)
np.linalg.svd(r, compute_uv=False); np.linalg.svd(r, full_matrices=False)[1]
abs(np.linalg.svd(r)[2])[:3]; np.linalg.tensordot(q, m, axes=1); np.linalg.tensorinv(i24)
np.linalg.tensorsolve(np.reshape(i24, (4, 6, 24)), np.sum(i24, (2, 3))); np.fft.fft(z)
np.fft.fft(r, axis=0); np.fft.fft(v, 3, norm='ortho'); np.fft.fft2(r); np.fft.fftn(q)
np.fft.fftn(q, axes=(0, 2)); np.fft.ifft(z); np.fft.ifft2(r); np.fft.ifftn(q)
"""
# Operands of ufuncs that are not defined everywhere, or not for floats.
OPERANDS = {
    **dict.fromkeys(("arcsin", "arccos", "arctanh", "log", "log2", "log10", "log1p", "sqrt"), "u"),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor", "invert"), "kk"),
    **dict.fromkeys(("floor_divide", "remainder", "divmod", "divide"), "ro"),
    "arccosh": "o",
    "power": "or",
    "matmul": "mn",
}


# By the first function that is called.
CALLED = {}
for text in re.split("; |\n", CALLS.strip()):
    CALLED.setdefault("numpy." + re.search(r"np\.([\w.]+)\(", text)[1], []).append(text)


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def value_of(text):
    return eval(text, {"np": np, **VALUES, "M": VALUES["m"], "N": VALUES["n"], **CAPITALS})


CAPITALS = {name.upper(): VALUES[name] for name in "mnvw"}


def variables_of(text):
    return eval(text, {"np": np, **VARIABLES, **CAPITALS})


def computed(result):
    """Return the values of one or several variables."""
    results = list(result) if isinstance(result, (list, tuple)) else [result]
    assert all(isinstance(one, theano.Variable) for one in results)
    f = theano.function(list(VARIABLES.values()), results, on_unused_input="ignore")
    return f(*VALUES.values())


def equal(result, wanted):
    wanted = wanted if isinstance(result, (list, tuple)) else [wanted]
    for one, two in zip(computed(result), wanted, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-12)


def known_functions():
    """Return what NumPy lets others answer for, by the name it gives the function."""
    found = {}
    for module in (np, np.linalg, np.fft):
        for name in dir(module):
            function = getattr(module, name)
            if not name.startswith("_") and hasattr(function, "_implementation"):
                found[f"{function.__module__}.{function.__name__}"] = function
    return found


def ufuncs():
    return {f.__name__: f for f in vars(np).values() if isinstance(f, np.ufunc)}


def names_ours(error):
    return "theano.tensor" in str(error) or any(f"use x{c}" in str(error) for c in ".[ ")


def test_every_row_is_called():
    assert set(CALLED) <= set(FUNCTIONS)
    # Those that say what they are tried with elsewhere.
    others = (Path(__file__).parents[1] / "array" / "test_numpy_names.py").read_text()
    for name in set(FUNCTIONS) - set(CALLED):
        assert re.search(rf"\b{name.rpartition('.')[2]}\b", others), name
    # Newer names of NumPy 2 are not in NumPy 1.
    later = {f"numpy.linalg.{name}" for name in ("matmul", "outer", "tensordot")}
    later = later if np.__version__ < "2" else set()
    assert set(FUNCTIONS) - set(known_functions()) <= later
    assert set(UFUNCS) <= set(ufuncs())


@pytest.mark.parametrize("name", CALLED)
def test_functions_mean_what_numpys_mean(name):
    if name not in known_functions():
        pytest.skip("not in this NumPy")
    found, wanted = [], []
    for text in CALLED[name]:
        result = variables_of(text)
        several = isinstance(result, (list, tuple))
        found += result if several else [result]
        wanted += value_of(text) if several else [value_of(text)]
    if name == "numpy.ndim":
        assert found == wanted
    else:
        equal(found, wanted)


def operands(name, nin, values):
    letters = OPERANDS.get(name, "rr")[:nin].ljust(nin, "r")
    return [values[letter] for letter in letters]


@pytest.mark.parametrize("name", list(UFUNCS))
def test_ufuncs_mean_what_numpys_mean(name):
    ufunc = getattr(np, name)
    arrays, symbols = (operands(name, ufunc.nin, each) for each in (VALUES, VARIABLES))
    wanted = ufunc(*arrays)
    equal(ufunc(*symbols), wanted)
    if ufunc.nin == 2:
        equal(ufunc(arrays[0], symbols[1]), wanted)
        equal(ufunc(symbols[0], arrays[1]), wanted)


@pytest.mark.parametrize("name", sorted(set(known_functions()) - set(FUNCTIONS)))
def test_what_has_no_row_is_refused(name):
    """However it is called: a TypeError of ours, or NumPy's own before it asks us."""
    v, m, k = VARIABLES["v"], VARIABLES["m"], VARIABLES["k"]
    array, told, function = VALUES["v"], 0, known_functions()[name]
    few = [(v,), (m,), (v, v), (m, m), (v, v, v), (m, 1), (k, 2), (v, k, 1), (v, k, v, 0)]
    odd = [(array, v), (array, v, v), ([array], v), (v, [np.abs]), ("i,i->", v, v), (np.sum, 0, v)]
    for args in (*few, *odd, (v, [v], [v])):
        try:
            result = function(*args)
        except TypeError as error:
            told += names_ours(error)
        except Exception:
            continue
        else:
            # Of the function among the arguments NumPy made an array before.
            if args[0] is not np.sum:
                assert getattr(result, "dtype", None) != np.dtype(object), (args, result)
                assert not isinstance(result, theano.Variable), (args, result)
    # Two take no numbers; of two NumPy walks over the items, which a variable does not let it.
    silent = {"busday_count", "datetime_as_string", "poly", "roots"}
    assert told or name.removeprefix("numpy.") in silent, name


@pytest.mark.parametrize("name", sorted(set(ufuncs()) - set(UFUNCS)))
def test_ufuncs_without_a_row_are_refused(name):
    ufunc = ufuncs()[name]
    with pytest.raises(TypeError) as caught:
        ufunc(*[VARIABLES["r"]] * ufunc.nin)
    assert name in str(caught.value)
    assert names_ours(caught.value)


@pytest.mark.parametrize("method", ["reduce", "accumulate", "outer", "reduceat", "at"])
def test_other_methods_of_ufuncs_are_refused(method):
    v, k = VARIABLES["v"], VARIABLES["k"]
    args = {"outer": (v, v), "reduceat": (v, [0]), "at": (v, [0], 1)}.get(method, (v,))
    for ufunc in (np.add, np.multiply, np.maximum, np.logical_and):
        with pytest.raises(TypeError, match=rf"numpy.{ufunc.__name__}.{method} has no counterpart"):
            getattr(ufunc, method)(*args)
    with pytest.raises(TypeError, match=r"use theano.tensor.sum\."):
        np.add.reduce(k)


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_arguments_without_counterpart_are_refused_by_name(name):
    function = known_functions().get(name)
    if function is None:
        pytest.skip("not in this NumPy")
    texts = [text.lstrip("-").partition(":")[0] for text in FUNCTIONS[name].parameters.split()]
    for text in (text for text in FUNCTIONS[name].parameters.split() if text.startswith("-")):
        key = text.lstrip("-").partition(":")[0]
        for value in (VARIABLES["s"], np.ones(3), "something"):
            with pytest.raises(TypeError, match=rf"{key}=.* is not supported: theano.tensor"):
                call_function(function, (VARIABLES["m"],), {key: value})
    with pytest.raises(TypeError, match=r"unheard=.* is not supported"):
        call_function(function, (VARIABLES["m"],), {"unheard": 1})
    if not texts[0].startswith("*"):
        with pytest.raises(TypeError, match=f"takes {len(texts)} arguments"):
            call_function(function, (VARIABLES["m"],) * (len(texts) + 1), {})


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_arguments_are_never_taken_for_others(name):
    """By name in any order, and one alone: it is what it is called, or it is missed."""
    row = FUNCTIONS[name]
    seen = []
    spy = row.replace(ours=lambda *args, **kwargs: seen.append((args, kwargs)))
    taken = [text for text in row.parameters.split() if text[0] not in "-*"]
    needed = [text for text in taken if "=" not in text]
    given = {text.partition("=")[0]: object() for text in taken}
    function = SimpleNamespace(__module__="numpy", __name__="spy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FUNCTIONS, "numpy.spy", spy)
        call_function(function, (), dict(reversed(given.items())))
        call_function(function, tuple(given[text] for text in needed), {})
        for text in needed:
            rest = {key: value for key, value in given.items() if key != text}
            with pytest.raises(TypeError, match=f"numpy.spy needs {text}"):
                call_function(function, (), rest)
    wanted = [given[text] for text in needed]
    names = {
        (text.partition("=")[2] or text[:-1]): given[text.partition("=")[0]]
        for text in taken
        if "=" in text
    }
    assert seen == [(tuple(wanted), names), (tuple(wanted), {})]


def test_usual_values_of_refused_arguments_are_nothing():
    v, r = VARIABLES["v"], VARIABLES["r"]
    equal(np.sum(r, axis=0, out=None, where=True), VALUES["r"].sum(axis=0))
    equal(np.ravel(r, order="C"), VALUES["r"].ravel())
    equal(np.exp(v, where=True), np.exp(VALUES["v"]))


def test_keywords_of_ufuncs_are_refused_by_name():
    v = VARIABLES["v"]
    arrays = {"out": np.ones(4), "where": np.ones(4, bool)}
    texts = {"dtype": "float32", "casting": "unsafe", "order": "F", "subok": False}
    for key, value in (arrays | texts).items():
        with pytest.raises(TypeError, match=f"numpy.exp\\({key}=\\) of symbolic variables"):
            np.exp(v, **{key: value})
    w = VALUES["w"]
    for call, word in (
        (lambda: np.add(v, VALUES["v"], w), "out="),
        (lambda: np.divmod(w, v, w, VALUES["v"]), "out="),
        (lambda: np.add(w, v, out=w, where=w > 0), "where="),
    ):
        with pytest.raises(TypeError, match=word):
            call()


def test_hints_name_what_exists():
    for text in INSTEAD.values():
        if not text.startswith("x"):
            place = T
            for part in text.partition("(")[0].partition(",")[0].partition(" ")[0].split("."):
                place = getattr(place, part)
    for name, row in FUNCTIONS.items():
        place = T
        for part in (row.name or name.rpartition(".")[2]).split("."):
            place = T.TensorVariable if part == "TensorVariable" else getattr(place, part)


# -- operators -----------------------------------------------------------------------------------

OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">="]


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("left", ["V + 3", "np.float64(2.5)", "np.float32(2.5)", "np.int8(3)"])
def test_operators_with_numpy_on_the_left(operator, left):
    for text in (f"({left}) {operator} (v + 5)", f"(v + 5) {operator} ({left})"):
        result = variables_of(text)
        assert isinstance(result, T.TensorVariable)
        equal(result, value_of(text))


@pytest.mark.parametrize("text", ["K & k", "K | k", "K ^ k", "np.int64(3) & k", "M @ m", "m @ M"])
def test_other_operators_with_numpy_on_the_left(text):
    scope = {"np": np, **VARIABLES, "K": VALUES["k"], "M": VALUES["m"]}
    equal(eval(text, scope), eval(text, {**scope, **VALUES}))


def test_divmod_and_bool():
    equal(variables_of("divmod(V, v)"), value_of("divmod(V, v)"))
    equal(variables_of("np.bool_(True) * v"), VALUES["v"])


@pytest.mark.parametrize("operator", ["+=", "-=", "*=", "/=", "**=", "//=", "%="])
def test_in_place_operators_give_a_variable(operator):
    """An array cannot hold what is not known yet; the name is bound to the variable."""
    before = VALUES["o"].copy()
    scope = {"x": VARIABLES["u"], "array": before}
    exec(f"array {operator} x", scope)
    np.testing.assert_array_equal(before, VALUES["o"])
    both = {"x": VALUES["u"], "array": VALUES["o"].copy()}
    exec(f"array {operator} x", both)
    equal(scope["array"], both["array"])


def test_equality_with_arrays_is_identity_in_python_and_elementwise_in_numpy():
    v, array = VARIABLES["v"], VALUES["v"]
    assert not array == v and not v == array  # noqa: SIM201
    assert array != v and v != array and v not in [array, np.float64(1), array]
    assert [array, v].index(v) == 1
    assert not np.array(["a"]) == v  # noqa: SIM201
    assert np.array([None, v]) != v
    assert v not in [np.array([None, v])]
    equal(np.equal(v, array), np.ones(4, bool))
    equal(np.not_equal(array, v), np.zeros(4, bool))
    assert np.equal(v, v)
    assert not np.not_equal(v, v)


@pytest.mark.parametrize("text", ["v < V", "V < v", "V >= v", "np.less(v, w)", "1.0 < v", "v > V"])
def test_comparisons_have_no_truth(text):
    with pytest.raises(TypeError, match="do not support boolean"):
        bool(variables_of(text))


# -- lists and arrays of variables ---------------------------------------------------------------


def test_arrays_of_variables_are_lists_of_variables():
    """NumPy makes them as of any Python object, and old programs compute with them."""
    s, v = VARIABLES["s"], VARIABLES["v"]
    both = np.array([s, 2 * s])
    assert both.dtype == object
    equal(np.sum([s, s * 3]), VALUES["s"] * 4)
    equal(np.dot(both, both), 5 * VALUES["s"] ** 2)
    for product in (v * both, both * v):
        assert product.shape == (2,)
        equal(product[1], VALUES["v"] * 2 * VALUES["s"])
    equal((both + s)[1], 3 * VALUES["s"])


def test_variables_are_the_items_of_arrays_made_of_them():
    s, v, m = VARIABLES["s"], VARIABLES["v"], VARIABLES["m"]
    for array in (np.array([v, m]), np.array([v, 1.0]), np.asarray(v), np.array([[s, v], [m, s]])):
        assert type(array) is np.ndarray and array.flat[0] in (s, v)
    filled = np.empty(2, object)
    filled[0], filled[1:] = v, [m]
    assert filled[0] is v and filled[1] is m and np.asarray(v)[()] is v


NUMBERS = """
V.dot(v); M.dot(v); M.dot(m); M.dot(s); V.take(k); V.repeat(k); V.searchsorted(v); float(s)
np.asarray(v, dtype=float); np.array([v, w], float); np.float32(s); np.vectorize(abs)(v)
np.asanyarray(v).sum(); np.random.default_rng(1).normal(v); math.exp(s)
"""


@pytest.mark.parametrize("text", re.split("; |\n", NUMBERS.strip()))
def test_what_would_take_a_variable_for_a_number_is_refused(text):
    with pytest.raises(TypeError):
        eval(text, {"np": np, "math": math, **VARIABLES, **CAPITALS})


@pytest.mark.parametrize(
    "text",
    [
        "np.asanyarray(v) * 2 - np.asanyarray(w)",
        "2.5 / (1 + np.exp(np.asanyarray(v)))",
        "np.polynomial.Polynomial([1, 2.0, 3], [0, 2], [-1, 1])(v)",
        "np.polynomial.chebyshev.chebval(v, [1, 2, 3])",
        "np.poly1d([1, 2.0])(v)",
    ],
)
def test_code_of_numpy_that_computes_by_operators(text):
    equal(variables_of(text), value_of(text))


def test_masks_are_not_lost_silently():
    v, masked = VARIABLES["v"], np.ma.masked_array(VALUES["v"], VALUES["c"])
    for text in ("masked * v", "v * masked", "np.add(masked, v)", "T.exp(masked)"):
        with pytest.raises(TypeError, match=r"3 item\(s\) of a masked array .*filled\(number\)"):
            eval(text, {"T": T, "np": np, "masked": masked, "v": v})
    with pytest.raises((TypeError, AttributeError)):
        np.ma.exp(v)


def test_masked_arrays_that_mask_nothing_are_arrays():
    v, array = VARIABLES["v"], np.ma.masked_array(VALUES["v"])
    equal(array - v * 2, -VALUES["v"])
    equal(v * 2 - array, VALUES["v"])
    equal(array**v, VALUES["v"] ** VALUES["v"])


def test_such_refusals_say_what_to_use():
    with pytest.raises(TypeError, match=r"theano\.tensor\.dot\(array, x\) for array\.dot\(x\)"):
        VALUES["m"].dot(VARIABLES["v"])
    with pytest.raises(TypeError, match=r"v is symbolic and has no value of dtype float64"):
        np.asarray(VARIABLES["v"], dtype=float)


def test_shared_variables_and_constants():
    w = theano.shared(np.arange(4.0))
    assert isinstance(np.ones(4) * w, T.TensorVariable)
    assert np.sum(T.constant([1.0, 2.0])).eval() == 3
    np.testing.assert_array_equal(np.exp(w).eval(), np.exp(np.arange(4.0)))


def test_gradients_go_through():
    v = VARIABLES["v"]
    equal(grad(np.sum(np.sin(v) ** 2), v), np.sin(2 * VALUES["v"]))


def test_other_arrays_take_their_turn():
    class Other:
        def __array_ufunc__(self, *args, **kwargs):
            return "other"

    assert np.add(VARIABLES["v"], Other()) == "other"
    with pytest.raises(TypeError):
        np.add(VARIABLES["v"], object())
    with pytest.raises(TypeError):
        np.array(["a"]) + VARIABLES["v"]


def test_reciprocals_of_integers_are_refused():
    with pytest.raises(TypeError, match=r"use theano\.tensor\.inv"):
        np.reciprocal(VARIABLES["k"])


def test_functions_of_scipy_name_ours():
    special, v = pytest.importorskip("scipy.special"), VARIABLES["v"]
    with refused(TypeError, "gammaln has no counterpart", "use theano.tensor.gammaln"):
        special.gammaln(v)
    with refused(TypeError, "theano.tensor.nnet.sigmoid"):
        special.expit(v)
    with refused(TypeError, "has no counterpart"):
        call_ufunc(np.frompyfunc(abs, 1, 1), "__call__", (v,), {})

"""Subtle behaviour of Theano 1.0.5, as measured on it (floatX=float64 unless said)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import function, shared
from theano.compile import UnusedInputError
from theano.gof import MissingInputError
from theano.gradient import DisconnectedInputError
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor.shared_randomstreams import RandomStreams

x, d = T.dmatrix("x"), T.dvector("d")
f, b, i, u = T.fvector("f"), T.bvector("b"), T.ivector("i"), T.TensorType("uint8", (False,))("u")
w, l = T.wvector("w"), T.lvector("l")
u64, bools = T.TensorType("uint64", (False,))("u64"), T.TensorType("bool", (False,))("bools")
row, s = T.drow("row"), T.dscalar("s")

# -- types of results --------------------------------------------------------------------------

DTYPES: dict[str, tuple[Any, str]] = {
    "x > 0": (d > 0, "bool"),
    "eq": (T.eq(d, 0), "bool"),
    "isnan": (T.isnan(d), "bool"),
    "and of comparisons": (T.and_(d > 0, d < 1), "bool"),
    "or of comparisons": (T.or_(d > 0, d < 1), "bool"),
    "xor of comparisons": (T.xor(d > 0, d < 1), "bool"),
    "invert of a comparison": (~(d > 0), "bool"),
    "bool + bool": ((d > 0) + (d > 1), "bool"),
    "1 - bool": (1 - (d > 0), "int8"),
    "bool * 1": ((d > 0) * 1, "int8"),
    "bool * 1.": ((d > 0) * 1.0, "float32"),
    "sum of bool": (bools.sum(), "int64"),
    "sum of int8": (b.sum(), "int64"),
    "prod of int32": (i.prod(), "int64"),
    "sum of uint8": (u.sum(), "uint64"),
    "sum of float32": (f.sum(), "float32"),
    "mean of int8": (b.mean(), "float64"),
    "mean of bool": (bools.mean(), "float64"),
    "mean of float32": (f.mean(), "float32"),
    "cumsum of int8": (T.cumsum(b), "int8"),
    "cumsum of bool": (T.cumsum(T.eq(b, 0)), "bool"),
    "cumprod of bool": (T.cumprod(T.eq(b, 0)), "bool"),
    "cumprod of int8": (T.cumprod(b), "int8"),
    "argmax": (T.argmax(f), "int64"),
    "argsort": (T.argsort(f), "int64"),
    "shape": (f.shape, "int64"),
    "arange of ints": (T.arange(3), "int64"),
    "Python int 1": (T.as_tensor_variable(1), "int8"),
    "Python int 300": (T.as_tensor_variable(300), "int16"),
    "Python int 2**40": (T.as_tensor_variable(2**40), "int64"),
    "int8 + 300": (b + 300, "int16"),
    "fvector * 2.0": (f * 2.0, "float32"),
    "fvector * 0.1": (f * 0.1, "float64"),
    "np.float64 * fvector": (np.float64(2) * f, "float64"),
    "fvector * np.array": (f * np.array(2.0), "float64"),
    "fvector + ivector": (f + i, "float64"),
    "fvector + int8": (f + b, "float32"),
    "fvector + int16": (f + w, "float32"),
    "ivector / 2": (i / 2, "float64"),
    "bvector / bvector": (b / b, "float64"),
    "i // i": (i // i, "int32"),
    "i % i": (i % i, "int32"),
    "i ** 2": (i**2, "int32"),
    "2 ** i": (2**i, "int32"),
    "i ** 2.": (i**2.0, "float64"),
    "exp of bool": (T.exp(bools), "float32"),
    "exp of int8": (T.exp(b), "float32"),
    "sqrt of int16": (T.sqrt(w), "float32"),
    "exp of int32": (T.exp(i), "float64"),
    "exp of int64": (T.exp(l), "float64"),
    "floor of int32": (T.floor(i), "float64"),
    "-uint8": (-u, "uint8"),
    "uint8 - uint8": (u - u, "uint8"),
    "uint8 - 1": (u - 1, "int16"),
    "int64 + uint64": (l + u64, "float64"),
    "switch(c, fvector, 0.)": (T.switch(f > 0, f, 0.0), "float32"),
    "switch(c, fvector, 0.1)": (T.switch(f > 0, f, 0.1), "float64"),
    "clip(i, 0, 1.5)": (T.clip(i, 0, 1.5), "float64"),
    "concatenate of float32 and int32": (T.concatenate([f, i]), "float64"),
    "concatenate of float32 and int8": (T.concatenate([f, b]), "float32"),
    "alloc(0, 3)": (T.alloc(0, 3), "int8"),
    "zeros": (T.zeros(3), "float64"),
    "eye": (T.eye(3), "float64"),
    "zeros_like(ivector)": (T.zeros_like(i), "int32"),
    "arange of floats": (T.arange(0, 1, 0.1), "float64"),
    "dot of int32": (T.dot(T.imatrix(), T.imatrix()), "int32"),
    "dot of int32 and float32": (T.dot(T.imatrix(), T.fmatrix()), "float64"),
    "as_tensor_variable([1, 2])": (T.as_tensor_variable([1, 2]), "int64"),
    "as_tensor_variable([1., 2])": (T.as_tensor_variable([1.0, 2]), "float64"),
    "shared(3)": (shared(3), "int64"),
    "shared(3.0)": (shared(3.0), "float64"),
    "shared(True)": (shared(True), "bool"),
}


@pytest.mark.parametrize("name", list(DTYPES))
def test_dtype(name: str) -> None:
    out, dtype = DTYPES[name]
    assert out.dtype == dtype
    inputs = [v for v in (d, f, b, i, u, w, l, u64, bools) if v in theano.gof.graph.inputs([out])]
    values = [np.ones(2, v.dtype) for v in inputs]
    if not theano.gof.graph.inputs([out]) or inputs:
        assert function(inputs, out)(*values).dtype == dtype


def test_accumulators() -> None:
    tenths = np.full(10**5, 0.1, "float32")
    exact = np.float32(tenths.astype("float64").sum())
    assert function([f], f.sum())(tenths) == exact
    half = T.TensorType("float16", (False,))()
    assert function([half], half.sum())(np.ones(4000, "float16")) == 4000
    assert half.sum().dtype == "float16"


def test_differences_of_bools_are_refused() -> None:
    for build in (lambda: (d > 0) - (d > 1), lambda: -(d > 0), lambda: T.and_(d, d)):
        with pytest.raises(TypeError):
            build()


@theano.change_flags(floatX="float32")
def test_floatx_float32() -> None:
    assert (f * 0.1).dtype == "float32"
    assert (i / i).dtype == "float32"  # measured again: 1.0.5 casts the quotient to floatX
    assert T.exp(i).dtype == "float64"
    assert T.zeros(3).dtype == "float32"
    assert T.as_tensor_variable([1.0, 2]).dtype == "float64"
    assert shared(3.0).dtype == "float64"


def test_cast_policy_numpy_floatx() -> None:
    with theano.change_flags(cast_policy="numpy+floatX"):
        assert T.constant(1).dtype == "int64"
        assert T.constant(1.5).dtype == "float64"
        assert (f * 2.0).dtype == "float64"


# -- broadcastable pattern ---------------------------------------------------------------------

PATTERNS: dict[str, tuple[Any, tuple[bool, ...]]] = {
    "shared": (shared(np.ones((1, 3))), (False, False)),
    "constant": (T.constant(np.ones((1, 3))), (True, False)),
    "as_tensor_variable": (T.as_tensor_variable(np.ones((1, 3))), (True, False)),
    "ones": (T.ones((1, 3)), (True, False)),
    "alloc": (T.alloc(0.0, 1, 3), (True, False)),
    "reshape": (x.reshape((1, -1)), (True, False)),
    "keepdims": (x.sum(axis=0, keepdims=True), (True, False)),
    "x[0:1]": (x[0:1], (False, False)),
    "row[0:1]": (row[0:1], (True, False)),
    "row[::-1]": (row[::-1], (True, False)),
    "x[None, :, :]": (x[None, :, :], (True, False, False)),
    "x[..., None]": (x[..., None], (False, False, True)),
    "specify_shape": (T.specify_shape(x, (1, 3)), (False, False)),
    "eye(1)": (T.eye(1), (False, False)),
    "concatenate of rows": (T.concatenate([row, row]), (False, False)),
    "tile(row, (1, 2))": (T.tile(row, (1, 2)), (True, False)),
    "repeat of a row": (T.repeat(row, 2, axis=0), (False, False)),
    "addbroadcast": (T.addbroadcast(x, 0), (True, False)),
    "patternbroadcast": (T.patternbroadcast(x, (True, False)), (True, False)),
}


@pytest.mark.parametrize("name", list(PATTERNS))
def test_pattern(name: str) -> None:
    out, pattern = PATTERNS[name]
    assert out.broadcastable == pattern


def test_only_declared_lengths_of_1_broadcast() -> None:
    y = T.dmatrix("y")
    with pytest.raises(ValueError, match="mis-match"):
        function([x, y], x + y)(np.ones((1, 3)), np.ones((2, 3)))
    with pytest.raises(ValueError, match="supposed to be 1"):
        function([x], T.addbroadcast(x, 0))(np.ones((2, 3)))
    with pytest.raises(TypeError, match="Bad input argument"):
        function([row], row)(np.ones((2, 3)))


@pytest.mark.parametrize(
    "value", [row * 1.0, T.fmatrix(), T.constant(np.ones((2, 2), "int8"))], ids=str
)
def test_updates_of_another_type(value: Any) -> None:
    plain = shared(np.ones((2, 2)))
    free = value.owner is None and not isinstance(value, T.TensorConstant)
    with pytest.raises(TypeError, match="must have the same type as the original"):
        function([value] if free else [], [], updates=[(plain, value)])


# -- function, shared, updates -----------------------------------------------------------------


def test_what_inputs_take() -> None:
    half = T.fscalar()
    g = function([half], half)
    assert g(1.5) == g(np.float64(1.5)) == 1.5
    for value in (np.array(1.5), np.ones(1)):
        with pytest.raises(TypeError):
            g(value)
    h = function([f], f)
    for good in ([1.0, 2], np.ones(2, "int8"), np.ones(2, "int16")):
        assert h(good).dtype == "float32"
    with pytest.raises(TypeError):
        h(np.ones(2, "int64"))
    k = T.iscalar()
    number = function([k], k)
    assert number(1.0) == 1
    with pytest.raises((TypeError, OverflowError)):
        number(2**40)


def test_results_are_arrays_of_their_own() -> None:
    store = shared(np.ones(3))
    g = function([s, d], [s * 1, d, store])
    given = np.ones(2)
    number, same, stored = g(2.0, given)
    assert type(number) is np.ndarray
    assert number.shape == ()
    assert not np.shares_memory(same, given)
    assert not np.shares_memory(stored, store.get_value(borrow=True))
    assert type(function([s], [s])(1.0)) is list
    assert function([], None)() == []
    assert function([], [])() == []


ERRORS: dict[str, tuple[Callable[[], Any], Any]] = {
    "the same input twice": (lambda: function([s, s], s), UnusedInputError),
    "an unused input": (lambda: function([s, d], s), UnusedInputError),
    "a missing input": (lambda: function([s], s + d), MissingInputError),
    "a number as output": (lambda: function([s], 3), TypeError),
    "an update twice": (
        lambda: (lambda a: function([], [], updates=[(a, a), (a, a)]))(shared(1.0)),
        ValueError,
    ),
    "an update of no shared variable": (lambda: function([], [], updates=[(s, s)]), TypeError),
    "float64 into float32": (
        lambda: shared(np.ones(2, "float32")).set_value(np.ones(2)),
        TypeError,
    ),
    "another rank": (lambda: shared(np.ones(2)).set_value(np.ones((2, 2))), TypeError),
    "shared of a variable": (lambda: shared(d), TypeError),
    "device": (lambda: setattr(theano.config, "device", "cuda"), Exception),
    "an unknown flag": (lambda: theano.config.no_such_flag, AttributeError),
    "a bad value": (lambda: setattr(theano.config, "floatX", "int8"), ValueError),
    "eval without an input": (lambda: (d + s).eval({d: [1.0]}), MissingInputError),
    "bool of a comparison": (lambda: bool(d > 0), TypeError),
    "len": (lambda: len(d), TypeError),
    "len of a shape": (lambda: len(x.shape), TypeError),
    "list of a variable": (lambda: list(x), TypeError),
    "x[True]": (lambda: x[True], TypeError),
    "x[[True, False]]": (lambda: x[[True, False]], TypeError),
    "x[1.0]": (lambda: x[1.0], TypeError),
    "set_subtensor of no subtensor": (lambda: T.set_subtensor(d, 1), TypeError),
    "too many indices": (lambda: d[1, 2], IndexError),
    "a cost that is no scalar": (lambda: T.grad(d, d), TypeError),
    "a disconnected input": (lambda: T.grad(d.sum(), s), DisconnectedInputError),
    "hessian of a matrix": (lambda: theano.gradient.hessian(x.sum(), x), AssertionError),
    "scan without steps": (lambda: theano.scan(lambda a: a, outputs_info=s), ValueError),
    "scan that widens its state": (
        lambda: theano.scan(lambda a: a + d.sum(), outputs_info=T.bscalar(), n_steps=2),
        ValueError,
    ),
    "scan of float32 and float64": (
        lambda: theano.scan(lambda a: a * s, outputs_info=T.fscalar(), n_steps=2),
        ValueError,
    ),
}


@pytest.mark.parametrize("name", list(ERRORS))
def test_error(name: str) -> None:
    build, kind = ERRORS[name]
    with pytest.raises(kind):
        build()


def test_names_of_functions() -> None:
    assert function([s], s).name.startswith("test_measured_behaviour.py:")


def test_updates() -> None:
    a, c = shared(1.0), shared(2.0)
    function([], [], updates={a: c, c: a})()
    assert (a.get_value(), c.get_value()) == (2, 1)
    function([], [], updates=[(a, np.array(5.0)), (c, 7.0)])()
    assert (a.get_value(), c.get_value()) == (5, 7)
    c.default_update = c + 1
    assert function([], c)() == 7
    assert function([], c, no_default_updates=True)() == 8
    function([], c, updates=[(c, c * 2)])()
    assert c.get_value() == 16


def test_values_of_shared_variables() -> None:
    a = shared(np.ones(3))
    a.set_value(np.ones(5, "float32"))
    a.set_value(np.arange(2))
    assert a.get_value().dtype == "float64"
    assert a.get_value() is not a.get_value()
    assert a.get_value(borrow=True) is a.get_value(borrow=True)
    for value in ([1, 2], "text", None):
        assert isinstance(shared(value).type, theano.Generic)


def test_settings_that_do_not_exist_can_be_assigned() -> None:
    theano.config.not_a_setting = 1
    assert theano.config.not_a_setting == 1
    del theano.config.__dict__["not_a_setting"]


def test_eval() -> None:
    assert (d + s).eval({d: [1.0], s: 2.0}) == [3]
    with pytest.raises((TypeError, ValueError, MissingInputError, AttributeError)):
        (d + s).eval({"d": [1.0], s: 2.0})


# -- truth, iteration, indexing ----------------------------------------------------------------


def test_truth_and_identity() -> None:
    assert bool(d)
    assert (d == d) is True
    assert (d == x) is False
    assert d in [x, d]
    assert len(list(x.shape)) == 2


def test_indexing() -> None:
    value = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(
        function([x, b], x[b])(value, np.array([0, 1, 1], "int8")), value[[0, 1, 1]]
    )
    assert function([i], T.set_subtensor(i[0], 1.5))(np.zeros(2, "int32"))[0] == 1
    np.testing.assert_array_equal(function([d], T.inc_subtensor(d[[0, 0]], 1))(np.zeros(2)), [2, 0])
    with pytest.raises(IndexError, match="Apply node"):
        function([d, l], d[l[0]])(np.zeros(2), [5])
    np.testing.assert_array_equal(function([x], x[None, :])(value), value[None])


# -- gradients ---------------------------------------------------------------------------------

GRADIENTS: dict[str, tuple[Callable[[Any], Any], float, float]] = {
    "relu at 0": (T.nnet.relu, 0.0, 0.5),
    "abs at 0": (abs, 0.0, 0.0),
    "clip at its lower edge": (lambda v: T.clip(v, 0, 1), 0.0, 1.0),
    "clip at its upper edge": (lambda v: T.clip(v, 0, 1), 1.0, 1.0),
    "sqrt at 0": (T.sqrt, 0.0, np.inf),
    "floor": (T.floor, 0.5, 0.0),
    "comparison": (lambda v: T.cast(v > 0, "float64"), 0.5, 0.0),
    "cast to int": (lambda v: T.cast(v, "int32") * 1.0, 0.5, 0.0),
    "x ** 0": (lambda v: v**0, 0.0, 0.0),
    "norm(2) at 0": (lambda v: T.stack([v, v]).norm(2), 0.0, np.nan),
    "std of equals": (lambda v: T.stack([v, v]).std(), 1.0, np.nan),
    "zero_grad": (theano.gradient.zero_grad, 0.5, 0.0),
    "round": (lambda v: T.round(v), 0.4, 0.0),
}


@pytest.mark.parametrize("name", list(GRADIENTS))
def test_gradient(name: str) -> None:
    build, at, wanted = GRADIENTS[name]
    gradient = T.grad(build(s).sum(), s, disconnected_inputs="ignore")
    np.testing.assert_equal(float(function([s], gradient, on_unused_input="ignore")(at)), wanted)


def test_gradients_at_ties() -> None:
    t = T.dscalar()
    one, two = function([s, t], T.grad(T.maximum(s, t), [s, t]))(1.0, 1.0)
    assert (one, two) == (1, 0)
    np.testing.assert_array_equal(function([d], T.grad(d.max(), d))([1.0, 2, 2]), [0, 1, 1])
    np.testing.assert_array_equal(function([d], T.grad(d.prod(), d))([0.0, 2, 3]), [6, 0, 0])
    zeros = function([d], T.grad(T.cast(T.argmax(d), "float64"), d, disconnected_inputs="ignore"))
    np.testing.assert_array_equal(zeros([1.0, 2]), [0, 0])


def test_forms_of_gradients() -> None:
    assert isinstance(T.grad(s**2, (s,)), tuple)
    assert isinstance(T.grad(s**2, [s]), list)
    assert T.grad((i * 1.5).sum(), i).dtype in theano.tensor.float_dtypes
    assert function([d], T.round(d))([0.5, 1.5]).tolist() == [0, 2]
    assert function([d], d.round())([0.5, 1.5]).tolist() == [0, 2]


# -- random numbers ----------------------------------------------------------------------------


def draw(build: Callable[[Any], Any]) -> Any:
    return function([], build(RandomStreams(42)))()


STREAMS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "uniform": (lambda r: r.uniform((2,)), [0.37658785, 0.78818459]),
    "normal": (lambda r: r.normal((2,)), [1.25614218, -0.53793023]),
    "permutation": (lambda r: r.permutation(n=5, size=(1,)), [[1, 0, 3, 2, 4]]),
    "binomial": (lambda r: r.binomial((4,), 1, 0.5), [0, 1, 0, 0]),
    "random_integers": (lambda r: r.random_integers((4,), 0, 3), [2, 2, 1, 2]),
    "choice": (lambda r: r.choice((4,), a=3), [2, 2, 1, 2]),
}


@pytest.mark.parametrize("name", list(STREAMS))
def test_first_draw(name: str) -> None:
    build, wanted = STREAMS[name]
    np.testing.assert_allclose(draw(build), wanted, rtol=2e-8)


def test_streams() -> None:
    stream = RandomStreams(42)
    numbers = stream.uniform((2,))
    one, two = function([], [numbers, numbers])()
    np.testing.assert_array_equal(one, two)
    again = function([], numbers)()
    assert not np.array_equal(one, again)
    fixed = function([], numbers, no_default_updates=True)
    np.testing.assert_array_equal(fixed(), fixed())
    state = stream.state_updates[0][0]
    assert state.default_update is not None
    gradient = T.grad((numbers * s).sum(), s)
    assert gradient.ndim == 0


MRG: dict[str, tuple[Callable[[], Any], Any]] = {
    "uniform": (lambda: MRG_RandomStreams(42).uniform((3,)), [0.08075202, 0.92676401, 0.85971985]),
    "nstreams": (
        lambda: MRG_RandomStreams(42).uniform((3,), nstreams=1),
        [0.08075202, 0.08033995, 0.07790071],
    ),
    "float32": (
        lambda: MRG_RandomStreams(42).uniform((3,), dtype="float32"),
        [0.08075201, 0.92676395, 0.8597198],
    ),
    "binomial": (lambda: MRG_RandomStreams(42).binomial((6,), p=0.5), [1, 0, 0, 1, 0, 1]),
    "default seed": (
        lambda: MRG_RandomStreams().uniform((4,)),
        [0.73532445, 0.25856858, 0.69408069],
    ),
    "normal": (lambda: MRG_RandomStreams(1).normal((3,)), [-2.14667203, -0.31296842, 2.81067308]),
}


@pytest.mark.parametrize("name", list(MRG))
def test_mrg(name: str) -> None:
    build, wanted = MRG[name]
    got = function([], build())()[: len(wanted)]
    np.testing.assert_allclose(got, wanted, rtol=1e-6)


def test_second_call_of_mrg() -> None:
    g = function([], MRG_RandomStreams(42).uniform((2,)))
    g()
    np.testing.assert_allclose(g(), [0.08033995, 0.34734231], rtol=1e-6)


# -- scan --------------------------------------------------------------------------------------


def test_scan() -> None:
    counts, _ = theano.scan(lambda a: a + 1, outputs_info=T.constant(0), n_steps=3)
    assert counts.dtype == "int8"
    assert counts.ndim == 1
    halves, _ = theano.scan(lambda a: a * 0.5, outputs_info=T.constant(1.5), n_steps=3)
    assert halves.dtype == "float32"
    listed, _ = theano.scan(
        lambda a: a + 1, outputs_info=T.constant(0), n_steps=3, return_list=True
    )
    assert isinstance(listed, list)
    stopped, _ = theano.scan(
        lambda a: (a * 2, theano.scan_module.until(a * 2 > 5)), outputs_info=s, n_steps=9
    )
    np.testing.assert_array_equal(function([s], stopped)(1.0), [2, 4, 8])


def test_variables_of_unlike_rank_are_no_tensor() -> None:
    cases: list[list[Any]] = [[T.dvector(), T.dscalar()], [1.0, T.dmatrix()]]
    for values in cases:
        with pytest.raises(T.AsTensorError, match="unlike rank"):
            T.as_tensor_variable(values)

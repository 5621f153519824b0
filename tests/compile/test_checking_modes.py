"""Modes that look at every value."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import extend, gof
from theano._core.compile import checking_modes
from theano.compile.debugmode import (
    BadDestroyMap,
    BadOptimization,
    BadThunkOutput,
    BadViewMap,
    DebugMode,
    DebugModeError,
    InvalidValueError,
)
from theano.compile.monitormode import MonitorMode, detect_nan
from theano.compile.nanguardmode import NanGuardMode

x, s = T.dmatrix("x"), T.dscalar("s")
ONES = np.ones((2, 2))
MODES = {
    "NanGuardMode": NanGuardMode(),
    "MonitorMode": MonitorMode(),
    "DebugMode": DebugMode(),
    "by name": "DEBUG_MODE",
}


def step_and_branch(a: Any) -> Any:
    rows, _ = theano.scan(lambda v, h: T.tanh(v + h), sequences=a, outputs_info=a[0])
    return theano.ifelse.ifelse(T.gt(a.sum(), 0), rows, rows * 2)


@pytest.mark.parametrize("name", MODES)
def test_values_are_those_of_other_modes(name: str) -> None:
    w = theano.shared(2.0)
    outs = [T.log(x).sum() + w, T.grad(T.log(x).sum(), x), step_and_branch(x)]
    value = np.arange(1.0, 7).reshape(2, 3)
    f = theano.function([x], outs, updates=[(w, w * 1.5)], mode=MODES[name])
    g = theano.function([x], outs, givens={w: np.float64(2.0)})
    for got, wanted in zip(f(value), g(value), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-14)
    assert w.get_value() == 3.0


# -- NaN ------------------------------------------------------------------------------------------

FAULTS = {
    "NaN in an output": (T.log(x), -ONES, r"NaN detected\n.*output of a node"),
    "infinity in an output": (
        T.log(x),
        0 * ONES,
        r"Inf detected\nBig value detected\n.*output of a node",
    ),
    "big output": (x * 1e9, 99 * ONES, "Big value detected"),
    "NaN in an input": (x + 1, np.nan * ONES, r"NaN detected\n.*an input of the graph: x"),
    "in a step": (theano.scan(lambda v: T.sqrt(v - 2), x)[0], ONES, r"NaN detected\n.*output"),
    "that does not last": (T.switch(T.isnan(T.log(x)), 0, x), -ONES, "NaN detected"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_reported(name: str) -> None:
    out, value, text = FAULTS[name]
    f = theano.function([x], out, mode="NanGuardMode")
    with pytest.raises(AssertionError, match=text) as caught:
        f(value)
    assert "test_checking_modes.py" in str(caught.value)
    f(np.full((2, 2), 3.0))


def test_the_step_is_named_and_a_branch_that_is_not_taken_is_not_looked_at() -> None:
    v, c = T.dvector("v"), T.iscalar("c")
    rows, _ = theano.scan(lambda h: T.log(h) - 1, outputs_info=v, n_steps=5)
    f = theano.function([v], rows[-1], mode=NanGuardMode())
    with pytest.raises(AssertionError, match=r"NaN detected(.|\n)*in step 1 \(0-based\) of for"):
        f([1.5, 2.5])
    f = theano.function([v, c], theano.ifelse.ifelse(c, T.log(v), v * 2), mode=NanGuardMode())
    assert f([-1.0], 0).tolist() == [-2.0]
    with pytest.raises(AssertionError, match="NaN detected"):
        f([-1.0], 1)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 5e10, None])
def test_numbers_of_every_dtype(dtype: str, wrong: float | None) -> None:
    v = T.vector(dtype=dtype)
    value = np.linspace(1, 2, 40).astype(dtype)
    out = v * 2 + 1 if wrong is None else T.set_subtensor(v[7], T.cast(v[7] * wrong, dtype)) + 1
    f = theano.function([v], out, mode=NanGuardMode())
    if wrong is None:
        np.testing.assert_array_equal(f(value), value * 2 + 1)
    else:
        with pytest.raises(AssertionError, match=r"(NaN|Inf|Big value) detected"):
            f(value)


def test_constants_and_variables_that_are_left_out() -> None:
    v = T.dvector("v")
    f = theano.function([v], T.switch(v > 0, v, np.nan), mode=NanGuardMode())
    with pytest.raises(AssertionError, match="NaN detected"):
        f([1.0])
    hidden = T.log(v)
    hidden.tag.nan_guard_mode_check = False
    f = theano.function([v], T.switch(T.isnan(hidden), 0.0, 1.0), mode=NanGuardMode())
    assert f([-1.0, 1.0]).tolist() == [0.0, 1.0]


def test_a_report_that_is_a_warning_lets_results_and_updates_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    w, v = theano.shared(np.array([1.0, -2.0])), T.dvector("v")
    for outputs in (T.log(v * w), [T.log(v * w)], {"out": T.log(v * w)}, None):
        monkeypatch.setattr(theano.config.NanGuardMode, "action", "raise")
        f = theano.function([v], outputs, updates=[(w, T.log(v * w))], mode=NanGuardMode())
        w.set_value(np.array([1.0, -2.0]))
        with pytest.raises(AssertionError, match="NaN detected"):
            f([1.0, 1.0])
        assert w.get_value().tolist() == [1.0, -2.0]
        monkeypatch.setattr(theano.config.NanGuardMode, "action", "warn")
        with pytest.warns(UserWarning, match="NaN detected"):
            got = f([1.0, 1.0])
        kind = {dict: dict, list: list, type(None): list}.get(type(outputs), np.ndarray)
        assert type(got) is kind
        np.testing.assert_array_equal(w.get_value(), [0.0, np.nan])


def test_after_a_warning_a_call_returns_the_outputs_that_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(theano.config.NanGuardMode, "action", "warn")
    v = T.dvector("v")
    a, b = T.log(v), v + 1
    for outputs, subset, wanted in (
        ([a, b], [1], [[0.0]]),
        ([a, b], [1, -1], [[0.0], [0.0]]),
        ({"a": a, "b": b}, ["b"], {"b": [0.0]}),
        (T.switch(T.isnan(a), b, a), [0], [[0.0]]),
    ):
        f = theano.function([v], outputs, mode=NanGuardMode())
        with pytest.warns(UserWarning, match="NaN detected"):
            assert f([-1.0], output_subset=subset) == wanted


def test_what_is_not_asked_for_is_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    f = theano.function([x], T.log(x), mode=NanGuardMode(inf_is_error=False, big_is_error=False))
    assert f(0 * ONES)[0, 0] == -np.inf
    with pytest.raises(AssertionError, match=r"^NaN detected"):
        f(-ONES)
    monkeypatch.setattr(theano.config.NanGuardMode, "action", "warn")
    with pytest.warns(UserWarning, match="NaN detected"):
        assert np.isnan(f(-ONES)).all()


def test_infinity_is_big() -> None:
    f = theano.function([x], T.log(x), mode=NanGuardMode(False, False, True))
    with pytest.raises(AssertionError, match=r"^Big value detected"):
        f(0 * ONES)
    assert np.isnan(f(-ONES)).all()


def test_modes_differ_by_what_they_check() -> None:
    assert NanGuardMode() == NanGuardMode() != NanGuardMode(inf_is_error=False)
    assert NanGuardMode() != theano.Mode("py") and NanGuardMode() != DebugMode()
    changed = NanGuardMode(nan_is_error=False).excluding("fusion")
    assert isinstance(changed, NanGuardMode) and not changed.nan_is_error
    assert theano.function([x], T.log(x), mode=changed)(ONES).sum() == 0


# -- functions of the user ------------------------------------------------------------------------


def test_functions_before_and_after() -> None:
    seen: list[Any] = []
    mode = MonitorMode(
        pre_func=lambda i, node, fn: seen.append((i, [v[0].shape for v in fn.inputs])),
        post_func=lambda i, node, fn: seen.append((i, fn.outputs[0][0].sum())),
    ).excluding("local_elemwise_fusion", "inplace")
    theano.function([x], T.dot(T.exp(x), x), mode=mode)(0 * ONES)
    assert seen == [(0, [(2, 2)]), (0, 4.0), (1, [(2, 2), (2, 2)]), (1, 0.0)]


def test_detect_nan(capsys: pytest.CaptureFixture[str]) -> None:
    f = theano.function([x], T.log(x) * 2, mode=MonitorMode(post_func=detect_nan))
    f(ONES)
    assert not capsys.readouterr().out
    f(-ONES)
    assert capsys.readouterr().out.startswith("*** NaN detected ***\nElemwise{log,no_inplace}(x)\n")


# -- faults ---------------------------------------------------------------------------------------


@pytest.fixture
def wrong_rule() -> Iterator[None]:
    a = extend.wild("a")
    rule = extend.rule("cosh(a) → a * 3", T.cosh(a), a * 3, phase="canonical", why="it is wrong")
    extend.add_rule(rule)
    yield
    extend.remove_rule(rule)


def test_the_rule_that_is_to_blame(wrong_rule: None) -> None:
    f = theano.function([x], T.cosh(T.exp(x)) + 1, mode=DebugMode(stability_patience=2))
    with pytest.raises(BadOptimization, match=r"→ a \* 3 replaced") as caught:
        f(ONES)
    assert caught.value.reason == "cosh(a) → a * 3"
    np.testing.assert_allclose(caught.value.new_r_val, 3 * np.exp(ONES))


def test_debug_mode_has_a_linker_of_its_own() -> None:
    with pytest.raises(ValueError, match="leave 'vm' out"):
        DebugMode(linker="vm")


def test_functions_that_look_for_nan_are_copied_and_pickled() -> None:
    f = theano.function([x], T.log(x), mode=NanGuardMode(True, False, False))
    for g in (f, copy.deepcopy(f), pickle.loads(pickle.dumps(f))):
        assert g(ONES).tolist() == (0 * ONES).tolist()
        with pytest.raises(AssertionError, match="NaN detected"):
            g(-ONES)


def test_the_rule_that_is_to_blame_for_an_error() -> None:
    @gof.local_optimizer([T.add])
    def add_more(node: Any) -> Any:
        last = node.inputs[-1]
        return [node.op(node.inputs[0], T.concatenate([last, last]))] if not last.owner else False

    rules = gof.EquilibriumDB()
    rules.register("add_more", add_more, "all")
    a, b = T.dvectors("ab")
    f = theano.function([a, b], a + b, mode=DebugMode(optimizer=rules.query("+all")))
    with pytest.raises(ValueError, match="'add_more' made what fails"):
        f([1.0, 2.0, 3.0], [2.0, 3.0, 4.0])
    # An error that the program has as it is written is nobody's.
    g = theano.function([a, b], a + b, mode=DebugMode())
    with pytest.raises(ValueError, match="mis-match") as caught:
        g([1.0, 2.0, 3.0], [2.0, 3.0])
    assert "made what fails" not in str(caught.value)


def test_native_code_that_is_to_blame(monkeypatch: pytest.MonkeyPatch) -> None:
    right = checking_modes._native

    def wrong(inputs: Any, outputs: Any) -> Any:
        f = right(inputs, outputs)
        ops = {str(n.op) for n in theano.gof.graph.io_toposort(inputs, outputs)}
        return lambda *v: [out + any("cosh" in op for op in ops) for out in f(*v)]

    monkeypatch.setattr(checking_modes, "_native", wrong)
    f = theano.function([x], T.cosh(T.exp(x)) + 1, mode=DebugMode())
    with pytest.raises(BadThunkOutput, match=r"cosh(.|\n)*by native code") as caught:
        f(ONES)
    assert "cosh" in str(caught.value.offending_op())


def test_values_that_are_not_finite() -> None:
    with pytest.raises(InvalidValueError, match="it is not finite"):
        theano.function([x], T.log(x), mode="DebugMode")(0 * ONES)
    f = theano.function([x], T.log(x), mode=DebugMode(check_isfinite=False))
    assert f(0 * ONES)[0, 0] == -np.inf
    with pytest.raises(ValueError, match="at least one"):
        DebugMode(check_c_code=False, check_py_code=False)


class Double(theano.Op):
    """Twice a matrix."""

    __props__ = ()

    def make_node(self, x: Any) -> Any:
        return theano.Apply(self, [x], [x.type()])

    def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
        outputs[0][0] = inputs[0] * 2


class Overwrites(Double):
    def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
        inputs[0][...] *= 2
        outputs[0][0] = inputs[0].copy()


class Shares(Double):
    def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
        outputs[0][0] = inputs[0][::-1]


def test_operations_that_say_the_truth_about_memory() -> None:
    for op, kind in ((Overwrites(), BadDestroyMap), (Shares(), BadViewMap)):
        with pytest.raises(kind) as caught:
            theano.function([x], op(x), mode=DebugMode())(ONES)
        assert isinstance(caught.value, DebugModeError)
    assert theano.function([x], Double()(x), mode=DebugMode())(ONES).sum() == 8

"""Modes that look at every value: DebugMode, MonitorMode and NanGuardMode."""

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

x = T.dmatrix("x")
ONES = np.ones((2, 2))


@pytest.mark.parametrize(
    "mode", [NanGuardMode(), MonitorMode(), DebugMode(), "DEBUG_MODE"], ids=str
)
def test_values_are_those_of_other_modes(mode):
    w = theano.shared(2.0)
    rows, _ = theano.scan(lambda v, h: T.tanh(v + h), sequences=x, outputs_info=x[0])
    branch = theano.ifelse.ifelse(T.gt(x.sum(), 0), rows, rows * 2)
    outs = [T.log(x).sum() + w, T.grad(T.log(x).sum(), x), branch]
    value = np.arange(1.0, 7).reshape(2, 3)
    f = theano.function([x], outs, updates=[(w, w * 1.5)], mode=mode)
    g = theano.function([x], outs, givens={w: np.float64(2.0)})
    for got, wanted in zip(f(value), g(value), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-14)
    assert w.get_value() == 3.0


def test_functions_before_and_after():
    seen = []
    mode = MonitorMode(
        pre_func=lambda i, node, fn: seen.append((i, [v[0].shape for v in fn.inputs])),
        post_func=lambda i, node, fn: seen.append((i, fn.outputs[0][0].sum())),
    ).excluding("local_elemwise_fusion", "inplace")
    theano.function([x], T.dot(T.exp(x), x), mode=mode)(0 * ONES)
    assert seen == [(0, [(2, 2)]), (0, 4.0), (1, [(2, 2), (2, 2)]), (1, 0.0)]


def test_detect_nan(capsys):
    f = theano.function([x], T.log(x) * 2, mode=MonitorMode(post_func=detect_nan))
    f(ONES)
    assert not capsys.readouterr().out
    f(-ONES)
    assert capsys.readouterr().out.startswith("*** NaN detected ***\nElemwise{log,no_inplace}(x)\n")


def test_the_rule_that_is_to_blame():
    a = extend.wild("a")
    rule = extend.rule("cosh(a) → a * 3", T.cosh(a), a * 3, phase="canonical", why="it is wrong")
    extend.add_rule(rule)
    try:
        f = theano.function([x], T.cosh(T.exp(x)) + 1, mode=DebugMode(stability_patience=2))
        with pytest.raises(BadOptimization, match=r"→ a \* 3 replaced") as caught:
            f(ONES)
    finally:
        extend.remove_rule(rule)
    assert caught.value.reason == "cosh(a) → a * 3"
    np.testing.assert_allclose(caught.value.new_r_val, 3 * np.exp(ONES))


def test_the_rule_that_is_to_blame_for_an_error():
    @gof.local_optimizer([T.add])
    def add_more(node):
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


def test_native_code_that_is_to_blame(monkeypatch):
    right = checking_modes._native

    def wrong(inputs, outputs):
        f = right(inputs, outputs)
        ops = {str(n.op) for n in theano.gof.graph.io_toposort(inputs, outputs)}
        return lambda *v: [out + any("cosh" in op for op in ops) for out in f(*v)]

    monkeypatch.setattr(checking_modes, "_native", wrong)
    f = theano.function([x], T.cosh(T.exp(x)) + 1, mode=DebugMode())
    with pytest.raises(BadThunkOutput, match=r"cosh(.|\n)*by native code") as caught:
        f(ONES)
    assert "cosh" in str(caught.value.offending_op())


def test_values_that_are_not_finite():
    with pytest.raises(InvalidValueError, match="it is not finite"):
        theano.function([x], T.log(x), mode="DebugMode")(0 * ONES)
    f = theano.function([x], T.log(x), mode=DebugMode(check_isfinite=False))
    assert f(0 * ONES)[0, 0] == -np.inf


def test_options_of_debug_mode_that_leave_nothing_to_check():
    with pytest.raises(ValueError, match="at least one"):
        DebugMode(check_c_code=False, check_py_code=False)
    with pytest.raises(ValueError, match="leave 'vm' out"):
        DebugMode(linker="vm")


def test_our_own_views_are_run_too():
    v = T.dvector("v")
    f = theano.function([v], v.dimshuffle("x", 0)[:, ::-1] * 2, mode="DebugMode")
    assert f([1.0, 2.0]).tolist() == [[4.0, 2.0]]


class Double(theano.Op):
    """Twice a matrix."""

    __props__ = ()

    def make_node(self, x):
        return theano.Apply(self, [x], [x.type()])

    def perform(self, node, inputs, outputs):
        outputs[0][0] = inputs[0] * 2


class Overwrites(Double):
    def perform(self, node, inputs, outputs):
        inputs[0][...] *= 2
        outputs[0][0] = inputs[0].copy()


class Shares(Double):
    def perform(self, node, inputs, outputs):
        outputs[0][0] = inputs[0][::-1]


def test_operations_that_say_the_truth_about_memory():
    for op, kind in ((Overwrites(), BadDestroyMap), (Shares(), BadViewMap)):
        with pytest.raises(kind) as caught:
            theano.function([x], op(x), mode=DebugMode())(ONES)
        assert isinstance(caught.value, DebugModeError)
    assert theano.function([x], Double()(x), mode=DebugMode())(ONES).sum() == 8

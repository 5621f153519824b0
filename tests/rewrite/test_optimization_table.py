"""Theano's table of optimizations: the values that must come out, the operations that must vanish.

Each row names the optimizations of Theano 1.0.5 that it stands for.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower.llvm.target import machine
from theano.tensor import nlinalg, nnet, slinalg

s, x, y = T.dscalar("s"), T.dvector("x"), T.dvector("y")
m, n = T.dmatrix("m"), T.dmatrix("n")
labels = T.lvector("labels")
root = T.sqrt(x)
nan, inf = np.nan, np.inf
eye = np.eye(2)


class Row(NamedTuple):
    """An expression, its inputs and their values, the result, and words of operations."""

    out: Any
    inputs: Sequence[Any]
    values: Sequence[Any]
    wanted: Any
    gone: str = ""  # no operation has one of these words in its name
    left: int | None = None  # how many operations are left


def operations(function):
    return [str(node.op) for node in function.maker.graph.toposort()]


HUGE = [[1000.0, 0.0]]
STABLE = {
    "log1pexp_to_softplus": Row(T.log(1 + T.exp(s)), [s], [1000.0], 1000, "exp log"),
    "local_log1p": Row(T.log(1 + s), [s], [1e-20], 1e-20, "log, add"),
    "logsigm_to_softplus": Row(T.log(nnet.sigmoid(s)), [s], [-1000.0], -1000, "log, sigmoid"),
    "log1msigm_to_softplus": Row(T.log(1 - nnet.sigmoid(s)), [s], [1000.0], -1000, "log, sub"),
    "log1p_neg_sigmoid": Row(T.log1p(-nnet.sigmoid(s)), [s], [1000.0], -1000, "log1p sigmoid"),
    "local_inv_1_plus_exp": Row(1 / (1 + T.exp(-x)), [x], [[0.0, -1000]], [0.5, 0], "exp", 1),
    "local_exp_over_1_plus_exp": Row(
        T.exp(x) / (1 + T.exp(x)), [x], [[0.0, 1000]], [0.5, 1], "exp", 1
    ),
    "local_sigm_times_exp": Row(
        nnet.sigmoid(x) * T.exp(-x), [x], [[0.0, -1000]], [0.5, 1], "exp mul"
    ),
    "local_expm1": Row(T.exp(s) - 1, [s], [1e-20], 1e-20, "sub", 1),
    "local_log_sum_exp": Row(T.log(T.sum(T.exp(x))), [x], [[1000.0, 1000]], 1000 + np.log(2)),
    "local_log_add": Row(
        T.log(T.exp(x) + T.exp(y)), [x, y], [[1000.0], [1000.0]], [1000 + np.log(2)]
    ),
    "local_logsoftmax": Row(T.log(nnet.softmax(m)), [m], [HUGE], [[0, -1000]], "true_div"),
    "local_logsoftmax_grad": Row(
        T.grad(T.log(nnet.softmax(m))[0, 1], m), [m], [HUGE], [[-1, 1]], "pow"
    ),
    "local_advanced_indexing_crossentropy_onehot": Row(
        -T.log(nnet.softmax(m))[T.arange(labels.shape[0]), labels],
        [m, labels],
        [HUGE, [1]],
        [1000],
        "true_div",
    ),
    "-log(softmax[arange, y])": Row(
        -T.log(nnet.softmax(m)[T.arange(labels.shape[0]), labels]),
        [m, labels],
        [HUGE, [1]],
        [1000],
        "true_div",
    ),
    "crossentropy_to_crossentropy_with_softmax": Row(
        nnet.categorical_crossentropy(nnet.softmax(m), labels),
        [m, labels],
        [HUGE, [1]],
        [1000],
        "true_div",
    ),
    "crossentropy_to_crossentropy_with_softmax_with_bias": Row(
        nnet.categorical_crossentropy(nnet.softmax(m + x), labels),
        [m, x, labels],
        [HUGE, [0.0, 0], [1]],
        [1000],
        "true_div",
    ),
    "local_softmax_grad_to_crossentropy_with_softmax_grad": Row(
        T.grad(nnet.categorical_crossentropy(nnet.softmax(m), labels).sum(), m),
        [m, labels],
        [HUGE, [1]],
        [[1, -1]],
    ),
    "local_advanced_indexing_crossentropy_onehot_grad": Row(
        T.grad(-T.log(nnet.softmax(m)[T.arange(labels.shape[0]), labels]).sum(), m),
        [m, labels],
        [[[1000.0, 0], [0, 2000]], [1, 0]],
        [[1, -1], [-1, 1]],
    ),
    "local_argmax_pushdown": Row(
        T.argmax(nnet.softmax(m + x), axis=1),
        [m, x],
        [eye, [0.0, 0]],
        [0, 1],
        "exp, true_div Sum Max",
        3,
    ),
    "binary cross-entropy of a sigmoid": Row(
        nnet.binary_crossentropy(nnet.sigmoid(s), 1.0), [s], [-1000.0], 1000, "log, sigmoid"
    ),
    "local_one_plus_erf": Row(T.log(1 + T.erf(s)), [s], [-30.0], -903.9741171106539),
    "local_log_erfc": Row(T.log(T.erfc(s)), [s], [50.0], -2504.4845878484511),
    "local_grad_log_erfc_neg": Row(
        T.grad(T.log(T.erfc(s)), s), [s], [50.0], -100.01999200798819, "exp, erfc,"
    ),
    "local_one_minus_erf": Row(1 - T.erf(s), [s], [10.0], 2.0884875837625448e-45, "erf, sub", 1),
    "local_one_minus_erf2": Row(1 + -T.erf(s), [s], [10.0], 2.0884875837625448e-45, "erf, sub", 1),
    "local_one_plus_erf_neg": Row(1 + T.erf(-s), [s], [10.0], 2.0884875837625448e-45, "erf, add"),
    "local_one_plus_neg_erf": Row(-T.erf(s) + 1, [s], [10.0], 2.0884875837625448e-45, "erf, add"),
    "local_erf_minus_one": Row(T.erf(s) - 1, [s], [10.0], -2.0884875837625448e-45, "erf, sub"),
    "local_erf_neg_minus_one": Row(-1 + T.erf(s), [s], [10.0], -2.0884875837625448e-45, "erf, add"),
    "local_one_minus_erfc": Row(1 - T.erfc(s), [s], [1e-20], 1.1283791670955126e-20, "erfc sub"),
    "local_one_add_neg_erfc": Row(1 + -T.erfc(s), [s], [1e-20], 1.1283791670955126e-20, "erfc sub"),
    "local_erfc_minus_one": Row(T.erfc(s) - 1, [s], [1e-20], -1.1283791670955126e-20, "erfc sub"),
    "local_erf_neg_minus_one2": Row(
        -1 + T.erfc(s), [s], [1e-20], -1.1283791670955126e-20, "erfc add"
    ),
}
ALGEBRA = {
    "local_add_canonizer": Row(x - x, [x], [[nan, 1]], [0, 0], "sub"),
    "local_mul_canonizer": Row(x / x, [x], [[0.0, nan]], [1, 1], "true_div"),
    "local_mul_canonizer of a constant": Row(x * 3 / x, [x], [[0.0, nan]], [3, 3], "true_div mul"),
    "local_mul_zero": Row(0 * x, [x], [[nan, inf]], [0, 0], "mul"),
    "local_greedy_distributor": Row(
        ((x / y) + (s * x / y)) * y, [x, y, s], [[1.0], [0.0], 2.0], [3], "true_div"
    ),
    "constant elimination x**1": Row(x**1, [x], [[2.0]], [2], "", 0),
    "constant elimination x*1": Row(x * 1, [x], [[2.0]], [2], "", 0),
    "constant elimination x+0": Row(x + 0, [x], [[2.0]], [2], "", 0),
    "local_func_inv deg2rad": Row(T.deg2rad(T.rad2deg(x)), [x], [[0.1]], [0.1], "", 0),
    "local_func_inv rad2deg": Row(T.rad2deg(T.deg2rad(x)), [x], [[0.1]], [0.1], "", 0),
    "local_func_inv neg": Row(T.neg(T.neg(x)), [x], [[0.1]], [0.1], "", 0),
    "local_func_inv inv": Row(T.inv(T.inv(x)), [x], [[0.1]], [0.1], "", 0),
    "local_func_inv arcsinh": Row(T.arcsinh(T.sinh(x)), [x], [[0.1]], [0.1], "", 0),
    "log(exp(x))": Row(T.log(T.exp(s)), [s], [1000.0], 1000.0, "", 0),
    "exp(log(x)) stays": Row(T.exp(T.log(s)), [s], [-1.0], nan, "", 2),
    "sqrt(x)**2 stays": Row(T.sqrt(s) ** 2, [s], [-1.0], nan, "", 2),
    "local_pow_specialize 2": Row(x**2, [x], [[3.0]], [9], "pow", 1),
    "local_pow_specialize 0.5": Row(x**0.5, [x], [[9.0]], [3], "pow", 1),
    "local_pow_specialize -1": Row(x**-1, [x], [[4.0]], [0.25], "pow", 1),
    "local_pow_specialize -0.5": Row(x**-0.5, [x], [[4.0]], [0.5], "pow", 2),
    "local_pow_specialize 0": Row(x**0, [x], [[nan]], [1], "pow"),
    "local_mul_to_sqr": Row(x * x, [x], [[3.0]], [9], "mul", 1),
    "local_abs_merge": Row(abs(x) * abs(y), [x, y], [[3.0], [-2.0]], [6], "", 2),
    "local_abs_merge of a quotient": Row(abs(x) / abs(y), [x, y], [[3.0], [-2.0]], [1.5], "", 2),
    "X_over_absX": Row(x / abs(x), [x], [[-2.0, 0, 3]], [-1, 0, 1], "abs div", 1),
    "X_over_absX with a threshold": Row(
        T.maximum(abs(x) - 1, 0) * x / abs(x), [x], [[-2.0, 0, 3]], [-1, 0, 2], "div"
    ),
    "X_over_absX and local_abs_lift": Row(
        3 * x * y / abs(2 * x), [x, y], [[-2.0, 0], [5.0, 6]], [-7.5, 0], "abs div"
    ),
    "local_abs_lift of a quotient": Row(
        (x / y) / abs(x / y), [x, y], [[-2.0, 0], [5.0, -6]], [-1, 0]
    ),
    "X_over_absX of integers": Row(labels / abs(labels), [labels], [[-2, 0, 3]], [-1, 0, 1]),
    "|x| / x stays": Row(abs(x) / x, [x], [[-2.0, 0]], [-1, nan]),
    "local_sumsqr2dot": Row(T.sum(x**2), [x], [[3.0, 4.0]], 25),
    "sum_scalar_mul": Row(T.sum(2 * x), [x], [[3.0, 4.0]], 14, "", 2),
    "neg_neg": Row(T.neg(T.neg(x)) + y, [x, y], [[3.0], [4.0]], [7], "neg", 1),
    "neg_div_neg": Row(-(x / -y), [x, y], [[3.0], [4.0]], [0.75], "neg", 1),
    "local_useless_switch": Row(T.switch(1, x, y), [x, y], [[1.0], [2.0]], [1], "", 0),
    "local_useless_switch of equals": Row(T.switch(x > 0, y, y), [x, y], [[1.0], [2.0]], [2]),
    "local_mul_switch_sink": Row(
        T.grad(T.switch(x > 0, T.sqrt(x), 0).sum(), x), [x], [[0.0, -1, 4]], [0, 0, 0.25]
    ),
    "local_add_canonizer of a factor": Row(
        T.grad((root * root).sum(), x), [x], [[0.0, -1, 4]], [1, 1, 1], "sqrt"
    ),
    "local_mul_switch_sink of numbers": Row(
        T.grad((T.switch(x > 0, 1.0, 0.0) * T.log(x)).sum(), x), [x], [[0.0, -1, 4]], [0, 0, 0.25]
    ),
    "local_mul_switch_sink with other users": Row(
        T.grad(T.sqrt(T.switch(x > 0, x, 0) * x).sum(), x), [x], [[0.0, -1, 4]], [0, 0, 1]
    ),
    "local_mul_canonizer before local_mul_switch_sink": Row(
        T.grad(T.log(T.switch(x > 0, x, 0) * x).sum(), x), [x], [[-0.5, 4]], [-2, 0.5]
    ),
    "local_div_switch_sink": Row(
        T.grad(T.switch(x > 0, T.log(x), 0).sum(), x), [x], [[0.0, -1, 4]], [0, 0, 0.25]
    ),
    "local_remove_useless_assert": Row(
        T.opt.Assert()(x, T.constant(np.array(True))), [x], [[1.0]], [1], "Assert", 0
    ),
}
PARTS = {
    "merge": Row(T.exp(x) + T.exp(x), [x], [[0.0]], [2], "", 2),
    "constant folding": Row(x + T.exp(T.constant(0.0)) * 2, [x], [[1.0]], [3], "exp", 1),
    "shape promotion, ShapeOpt": Row(T.exp(x).shape[0], [x], [[1.0, 2]], 2, "exp", 1),
    # Theano 1.0.5 gave [2, 2]: here the operand whose lengths are known decides.
    "shape errors may vanish": Row((m + T.ones((3, 3))).shape, [m], [eye], [3, 3], "add"),
    "local_shape_to_shape_i": Row(m.shape[1], [m], [np.ones((2, 3))], 3, "Shape{ Subtensor", 1),
    "fill cut": Row(T.fill(x, 0) + y, [x, y], [[5.0], [1.0]], [1], "Alloc second"),
    "reshape_chain": Row(m.reshape((4,)).reshape((4, 1)), [m], [eye], [[1], [0], [0], [1]], "", 1),
    "local_useless_elemwise_comparison >=": Row(T.ge(x.shape[0], 0), [x], [[1.0]], True, "", 0),
    "local_useless_elemwise_comparison <": Row(T.lt(x.shape[0], 0), [x], [[1.0]], False, "", 0),
    "local_useless_elemwise_comparison maximum": Row(
        T.maximum(x.shape[0], 0), [x], [[1.0]], 1, "maximum"
    ),
    "local_useless_elemwise_comparison minimum": Row(
        T.minimum(x.shape[0], 0), [x], [[1.0]], 0, "", 0
    ),
    "local_useless_elemwise_comparison of itself": Row(T.lt(x, x), [x], [[1.0]], [False], "lt"),
    "local_incsubtensor_of_zeros_to_setsubtensor": Row(
        T.inc_subtensor(T.zeros_like(x)[1:], y), [x, y], [[1.0, 2], [3.0]], [0, 3], "Inc;"
    ),
    "local_subtensor_inc_subtensor": Row(
        T.set_subtensor(x[1:], T.exp(x[1:]))[1:], [x], [[1.0, 0]], [1], "Set"
    ),
    "local_subtensor_merge": Row(x[2:][1:], [x], [[1.0, 2, 3, 4, 5]], [4, 5], "", 1),
    "local_subtensor_of_dot": Row(T.dot(m, n)[0, 1:], [m, n], [eye, eye * 2], [0], "", 3),
    "local_subtensor_lift": Row(T.exp(m)[0], [m], [eye - eye], [1, 1], "", 2),
    "dimshuffle of dimshuffle": Row(m.T.T, [m], [eye], eye, "", 0),
}
PRODUCTS = {
    "gemm_optimizer": Row(2 * T.dot(m, n) + 3 * m, [m, n], [eye, eye], 5 * eye, "dot", 1),
    "local_gemm_to_gemv": Row(
        x + 2 * T.dot(m, y), [x, m, y], [[1.0, 1], eye, [1.0, 2]], [3, 5], "dot", 1
    ),
    "transposes are flags": Row(T.dot(m.T, n.T), [m, n], [eye, eye * 3], eye * 3),
    "inv(A) b": Row(
        T.dot(nlinalg.matrix_inverse(m), x), [m, x], [eye * 2, [2.0, 4]], [1, 2], "Inverse"
    ),
    "log(det(A))": Row(
        T.log(nlinalg.det(m)), [m], [np.diag([1e-200, 1e-200])], -400 * np.log(10), "log,"
    ),
    "triangular": Row(slinalg.solve(slinalg.cholesky(m), x), [m, x], [eye * 4, [2.0, 4]], [1, 2]),
    "diagonal": Row(T.dot(T.diag(x), m), [x, m], [[1.0, 2], eye], [[1, 0], [0, 2]], "dot"),
}
TABLE = {**STABLE, **ALGEBRA, **PARTS, **PRODUCTS}


@pytest.mark.parametrize("name", list(TABLE))
def test_row(name):
    row = TABLE[name]
    f = theano.function(list(row.inputs), row.out, on_unused_input="ignore")
    # Twelve digits: the values of special functions are within a few units in the last place.
    np.testing.assert_allclose(f(*row.values), row.wanted, rtol=1e-12, atol=0)
    found = operations(f)
    for word in row.gone.split(" ") if row.gone else ():
        assert not [op for op in found if re.search(rf"\b{re.escape(word)}", op)], found
    assert row.left is None or len(found) <= row.left, found


def test_a_solution_knows_its_triangle():
    row = TABLE["triangular"]
    names = operations(theano.function(list(row.inputs), row.out))
    assert any("riang" in name for name in names), names


def test_transposes_do_not_copy():
    f = theano.function([m, n], T.dot(m.T, n.T))
    assert not f.maker.kernels
    a, b = np.arange(6.0).reshape(2, 3), np.arange(8.0).reshape(4, 2)
    np.testing.assert_array_equal(f(a, b), a.T @ b.T)


def test_levels():
    softmax = T.log(nnet.softmax(m))
    fast = theano.function([m], softmax, mode="FAST_RUN")
    np.testing.assert_array_equal(fast(HUGE), [[0, -1000]])
    plain = theano.function([s], T.log(1 + T.exp(s)), mode="FAST_COMPILE")
    assert plain(1000.0) == inf


def test_elementwise_fusion():
    f = theano.function([x, y], T.exp(x) * T.sin(y) + T.tanh(x - y))
    loops = {kernel.symbol for kernel in f.maker.kernels if kernel.eager}
    assert len(loops) == 1


def test_random_draws_with_one_state_are_merged():
    stream = T.shared_randomstreams.RandomStreams(1)
    draw = stream.normal((2,))
    f = theano.function([], [draw, draw + 0.0])
    one, two = f()
    np.testing.assert_array_equal(one, two)


def test_in_place_writes_keep_what_is_not_borrowed():
    value = np.arange(4.0)
    f = theano.function([x], [T.set_subtensor(x[1:], 7.0), T.exp(x)])
    f(value)
    np.testing.assert_array_equal(value, np.arange(4.0))
    shared = theano.shared(np.zeros(5))
    step = theano.function([], [], updates=[(shared, T.inc_subtensor(shared[1:3], 1.0))])
    step()
    step()
    np.testing.assert_array_equal(shared.get_value(), [0, 2, 2, 0, 0])


def test_scan_optimizations():
    """Work that does not depend on the step moves out, and only what is read is kept."""
    rows, _ = theano.scan(
        lambda a, h: h + a * T.exp(s), sequences=x, outputs_info=T.zeros(()), non_sequences=[]
    )
    f = theano.function([x, s], rows[-1])
    np.testing.assert_allclose(f([1.0, 2], 0.0), 3)
    nodes = f.maker.graph.toposort()
    loops = [node for node in nodes if type(node.op).__name__ == "Scan"]
    inside = [str(inner.op) for loop in loops for inner in loop.op.body.nodes]
    assert not [name for name in inside if "exp" in name]
    assert all(state.keep != "all" for loop in loops for state in loop.op.states)


def test_machine_code_is_made_once_for_equal_kernels():
    compiled = machine.Statistics.compiled
    one = theano.function([x], T.cosh(x) * 1.2345678)
    again = theano.function([x], T.cosh(x) * 1.2345678)
    assert machine.Statistics.compiled <= compiled + 2
    np.testing.assert_array_equal(one([1.0]), again([1.0]))

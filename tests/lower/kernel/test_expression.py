"""Bodies of loops as data: printed, compared, counted; equal ones are one kernel."""

from collections import OrderedDict

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.comparison import assert_same
from theano import extend
from theano._core.lower.builder import kernel_choice
from theano._core.lower.kernel.expression import Emitted, Writer, without_numbers
from theano._core.lower.llvm.print.calls import Kernel
from theano._core.lower.llvm.target import machine
from theano._core.ops.elementwise.elementwise import DEAR, elementwise_ops


def test_a_body_is_printed():
    x, y = T.dmatrix("x"), T.fmatrix("y")
    function = theano.function([x, y], (T.exp(x) * y + 2).sum(axis=1))
    (kernel, *_) = [k for k in function.maker.kernels if isinstance(k, Kernel)]
    assert str(kernel.loop.body).splitlines() == [
        "%0 = read: float64",
        "%1 = read: float32",
        "%2 = exp(%0): float64",
        "%3 = cast(%1): float64",
        "%4 = mul(%2, %3): float64",
        "%5 = 2.0: float64",
        "%6 = add(%4, %5): float64",
        "reduce %6",
    ]


def test_equal_operations_are_one():
    w = Writer(["float64"])
    (x,) = w.operands
    assert w.add(x, 1) == w.add(x, 1)
    assert w.add(x, 1) != w.add(x, 2)
    assert len(w.body([w.add(x, 1)]).operations) == 4


@pytest.mark.parametrize("one, two", [(0.0, -0.0), (1.0, np.nan), (np.nan, -np.nan)])
def test_numbers_are_equal_by_their_bits(one, two):
    w = Writer([])
    assert w.number(one, "float64") == w.number(one, "float64")
    assert w.number(one, "float64") != w.number(two, "float64")
    assert w.number(1, "int64") != w.number(1, "uint64")
    X = T.dvector()
    for number in (one, two):
        chosen = T.switch(X > 0, T.constant(number, dtype="float64"), X)
        (got, _) = theano.function([X], chosen)(np.array([1.0, -2.0]))
        assert np.signbit(got) == np.signbit(number)
        assert np.isnan(got) == np.isnan(number)


def test_written_functions_are_equal_by_their_parameters():
    one, two = (Emitted("f", (1,), lambda b, index: None) for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
    assert one != Emitted("f", (2,), one.emit)
    assert one != Emitted("g", (1,), one.emit)


def test_the_text_of_a_kernel_is_not_written_twice(monkeypatch):
    x, y = T.dmatrices("x", "y")

    def program():
        results = [T.tanh(x * 3.25 + y).sum(axis=1), x[T.arange(2), T.arange(2)]]
        return theano.function([x, y], results)

    first = program()
    before = machine.Statistics.compiled, machine.Statistics.from_disk
    monkeypatch.setattr(Kernel, "text", property(lambda self: pytest.fail("written again")))
    second = program()
    assert (machine.Statistics.compiled, machine.Statistics.from_disk) == before
    given = np.ones((2, 3)), np.arange(6.0).reshape(2, 3)
    assert_same(second(*given), first(*given))


def test_a_kernel_that_is_used_is_kept_under_both_of_its_names(monkeypatch):
    monkeypatch.setattr(machine, "_modules", OrderedDict())
    x = T.dvector("x")
    kernel = theano.function([x], T.tanh(x * 1.375)).maker.kernels[0]
    name = machine.load_kernel(kernel, 0).key
    del machine._modules[name]
    machine.load_kernel(kernel, 0)
    assert name in machine._modules


def test_a_function_that_is_declared_anew_is_another_one():
    def declared(factor):
        return extend.elementwise(
            "scaled_in_test_expression",
            lambda xp, x: x * factor,
            llvm=lambda b, x: b.mul(x, factor),
            doc="Scaled.",
        )

    x = T.dvector()
    for factor in (2.0, 3.0):
        assert declared(factor)(x).eval({x: [1, 2]}).tolist() == [factor, 2 * factor]


def test_costs():
    ops = elementwise_ops()
    dear = {name for name, op in ops.items() if op.cost >= DEAR}
    assert {"exp", "log", "sin", "tanh", "erf", "gamma", "pow", "sigmoid", "xlogx"} <= dear
    assert not {"add", "mul", "true_div", "sqrt", "abs_", "deg2rad", "switch", "neg"} & dear
    w = Writer(["float64"])
    (x,) = w.operands
    body = w.body([w.call(ops["exp"], w.add(x, 1), dtype="float64")], [x])
    assert body.cost == DEAR + 1 + 1


def test_a_body_without_numbers():
    w = Writer(["float64"])
    x = w.operands[0]
    body = w.body([w.add(w.mul(x, 2.5), 0.5)], [w.sub(x, 2.5)])
    plain, numbers = without_numbers(body)
    assert [operation.number for operation in numbers] == [2.5, 0.5]
    assert plain.operands == ("float64",) * 3
    assert str(plain).splitlines()[3:] == [
        "%3 = mul(%0, %1): float64",
        "%4 = add(%3, %2): float64",
        "%5 = sub(%0, %1): float64",
        "store %4",
        "reduce %5",
    ]


def test_many_loops_that_differ_in_numbers_share_a_kernel():
    x, m = T.dvector("x"), T.dmatrix("m")
    factors = np.arange(2 * kernel_choice.MANY) / 7 + 0.1
    outputs = [T.exp(x * k) - 1 / k for k in factors] + [(m * k).sum(axis=0) for k in factors]
    f = theano.function([x, m], outputs, mode=theano.Mode("llvm", "fast_run"))
    a, b = np.linspace(0, 1, 5), np.arange(6.0).reshape(2, 3)
    assert len({kernel.key for kernel in f.maker.kernels}) < 16
    for matrix in (b, np.asfortranarray(b)):
        got = f(a, matrix)
        for i, k in enumerate(factors):
            np.testing.assert_allclose(got[i], np.exp(a * k) - 1 / k, 1e-14, 1e-14)
            np.testing.assert_allclose(got[len(factors) + i], (b * k).sum(axis=0), 1e-15)


def test_few_loops_have_their_numbers_in_the_kernel():
    x, y = T.dvectors("x", "y")
    f = theano.function([x, y], [T.exp(x * 2.5), T.exp(y * 3.5)])
    assert len({kernel.key for kernel in f.maker.kernels}) == 4

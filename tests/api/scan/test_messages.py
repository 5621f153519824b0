"""What errors of loops say: the output, the step, the types and the user's line."""

import numpy as np
import pytest

import theano
import theano.tensor as T

x, X, start = T.dvector("x"), T.dmatrix("X"), T.dscalar("start")


def text_of(error, outputs, *arguments, inputs=(x,)):
    run = theano.function(list(inputs), outputs, on_unused_input="ignore")
    with pytest.raises(error) as caught:
        run(*arguments)
    return str(caught.value)


def test_an_output_keeps_its_number_when_others_are_not_computed():
    def step(a, b):
        grown = T.concatenate([b, b])
        grown.name = "grown"
        return a + 1, grown

    (_, rows), _ = theano.scan(step, outputs_info=[x, x], n_steps=3)
    for what in (rows, T.grad(rows.sum(), x)):
        text = text_of(ValueError, what, np.ones(2))
        assert "shape of output 1 (0-based, 'grown'): its axis 0 had 2 items and now has 4" in text
        assert "step 0" in text and "TensorType(float64, vector)" in text
        assert "test_messages.py" in text and "in step" in text


def test_a_shared_variable_that_grows_is_named():
    memory = theano.shared(np.ones(2), "memory")
    _, updates = theano.scan(lambda: {memory: T.concatenate([memory, memory])}, n_steps=3)
    run = theano.function([], [], updates=updates)
    with pytest.raises(ValueError, match="the new memory"):
        run()


def test_too_few_initial_values_name_the_output():
    (_, sums), _ = theano.scan(
        lambda a, b, c: [a + 1, b + c],
        outputs_info=[start, {"initial": x, "taps": [-2, -1]}],
        n_steps=2,
    )
    text = text_of(ValueError, sums, np.ones(1), 1.0, inputs=(x, start))
    assert "output 1 (0-based) needs 2 initial values, got 1" in text


def test_types_that_differ_name_the_output():
    def step(a, b):
        return a, T.cast(b, "float32")

    with pytest.raises(ValueError, match=r"output 1 .*float64, scalar.*float32, scalar.*in step"):
        theano.scan(step, outputs_info=[start, start], n_steps=2)


def test_work_that_left_the_loop_has_the_line_of_the_step():
    W = T.dmatrix("W")

    def step(row, h):
        product = T.dot(row, W)
        return product + h

    rows, _ = theano.scan(step, X, T.zeros(3))
    text = text_of(ValueError, rows, np.ones((2, 2)), np.ones((3, 3)), inputs=(X, W))
    assert "in T.dot(row, W), axis 0 of X[t] has 2 items, axis 0 of W has 3." in text
    assert "in step\n" in text


def test_checks_of_lengths_have_the_line_of_the_loop():
    sums, _ = theano.scan(lambda a, b: a + b, x, start)
    last = sums[-1]
    for what, values in (
        (theano.scan(lambda a: a + 1, x, n_steps=9)[0], np.ones(3)),
        (last, np.ones(0)),
    ):
        error = ValueError if len(values) else IndexError
        text = text_of(error, what, values, 1.0, inputs=(x, start))
        assert "Backtrace" in text and "in test_checks_of_lengths" in text


def test_errors_are_of_the_classes_of_theano():
    x, s, i = T.dvector("x"), T.dscalar("s"), T.lvector("i")
    with pytest.raises(IndexError, match="a sequence of scan needs at least one axis"):
        theano.scan(lambda v: v, s)
    with pytest.raises(TypeError, match="a sequence of scan needs at least one axis"):
        theano.map(lambda v: v, 3)
    with pytest.raises(IndexError, match=r"taps \[-2, -1\] needs a first axis"):
        theano.scan(lambda a, b: a + b, None, {"initial": s, "taps": [-2, -1]}, n_steps=2)
    with pytest.raises(AssertionError, match="the condition of until must be a scalar"):
        theano.scan(lambda v: (v, theano.scan_module.until(x > 1)), x)
    with pytest.raises(TypeError, match="n_steps must be a scalar"):
        theano.scan(lambda h: h * 2, outputs_info=s, n_steps=i)


def test_numbers_as_initial_values_take_the_dtype_of_the_step():
    wide = T.constant(2.0, dtype="float64")
    (a, b), _ = theano.scan(lambda a, b: (a + 0.5, a * wide), outputs_info=[1.0, 0.0], n_steps=3)
    assert (a.dtype, b.dtype) == ("float32", "float64")
    np.testing.assert_array_equal(theano.function([], b)(), [2, 3, 4])
    total, _ = theano.scan(lambda v, total: total + v, x, outputs_info=0)
    assert total.dtype == "float64"
    np.testing.assert_array_equal(theano.function([x], total)([1, 2]), [1, 3])
    pair = {"initial": np.array([1, 2], "int8"), "taps": [-1, -2]}
    fibonacci, _ = theano.scan(lambda a, b: T.cast(a + b, "int64"), outputs_info=pair, n_steps=3)
    np.testing.assert_array_equal(theano.function([], fibonacci)(), [3, 5, 8])
    narrow, _ = theano.scan(lambda a: T.cast(a, "float32"), outputs_info=np.float64(1), n_steps=2)
    assert narrow.dtype == "float32"


def test_numbers_that_the_dtype_of_the_step_does_not_hold_are_refused():
    with pytest.raises(ValueError, match=r"int32 does not hold the value 0.5.*'float32'.*'int32'"):
        theano.scan(lambda n: T.cast(n, "int32") + 1, outputs_info=T.constant(0.5), n_steps=3)
    narrow = T.fscalar()
    with pytest.raises(ValueError, match=r"cast\(initial, 'float64'\)"):
        theano.scan(lambda v, total: total + v, x, outputs_info=narrow)

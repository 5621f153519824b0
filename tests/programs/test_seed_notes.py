"""The programs of a reader's notes on Theano's tutorial, line by line.

Typing slips in the notes are corrected (`import theano.tensor as T`, `function`, `theano`). The
values asserted are those that Theano 1.0.5 gave.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy
import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import In, function
from theano.tensor.shared_randomstreams import RandomStreams


def test_adding_two_scalars() -> None:
    x = T.dscalar("x")
    y = T.dscalar("y")
    z = x + y
    f = function([x, y], z)
    out = f(1, 2)
    assert isinstance(out, np.ndarray)
    assert (out.shape, out.dtype, float(out)) == ((), np.float64, 3.0)
    assert numpy.allclose(z.eval({x: 1, y: 2}), 3)


def test_adding_two_matrices() -> None:
    x = T.dmatrix("x")
    y = T.dmatrix("y")
    z = x + y
    f = function([x, y], z)
    expected = [[11.0, 22.0], [33.0, 44.0]]
    lists = f([[1, 2], [3, 4]], [[10, 20], [30, 40]])
    arrays = f(np.array([[1, 2], [3, 4]]), np.array([[10, 20], [30, 40]]))
    for out in (lists, arrays):
        assert out.dtype == np.float64
        np.testing.assert_array_equal(out, expected)


def test_a_dmatrix_has_exactly_two_axes() -> None:
    x = T.dmatrix("x")
    f = function([x], x + x)
    with pytest.raises(TypeError):
        f([1.0, 2.0])
    with pytest.raises(TypeError):
        f([[[1.0]]])


def test_logistic_function() -> None:
    x = T.dmatrix("x")
    s = 1 / (1 + T.exp(-x))
    s2 = (1 + T.tanh(x / 2)) / 2
    logistic = function([x], s)
    logistic2 = function([x], s2)
    expected = [[0.5, 0.7310585786300049], [0.2689414213699951, 0.11920292202211755]]
    np.testing.assert_allclose(logistic([[0, 1], [-1, -2]]), expected, rtol=1e-15)
    np.testing.assert_allclose(logistic2([[0, 1], [-1, -2]]), expected, rtol=1e-15)


def test_default_value_of_an_argument() -> None:
    x, y = T.dscalars("x", "y")
    z = x + y
    f = function([x, In(y, value=1)], z)
    assert f(33) == 34.0
    assert f(33, 2) == 35.0
    assert f(33, y=2) == 35.0
    assert f(33) == 34.0, "a value given once must not stay"
    with pytest.raises(TypeError, match="Missing required input: x"):
        f()
    with pytest.raises(TypeError, match="Too many parameter passed"):
        f(1, 2, 3)
    with pytest.raises(TypeError, match="Unknown input or state: w"):
        f(1, w=2)


def test_copy_functions() -> None:
    state = theano.shared(0)
    inc = T.iscalar("inc")
    accumulator = theano.function(
        [inc], state, updates=[(state, state + inc)], on_unused_input="warn"
    )
    assert state.dtype == "int64"
    assert accumulator(10) == 0
    assert state.get_value() == 10

    new_state = theano.shared(0)
    new_accumulator = accumulator.copy(swap={state: new_state})
    # A copy returns a list, as the tutorial shows.
    first = new_accumulator(100)
    assert isinstance(first, list)
    assert first == [np.array(0)]
    assert new_state.get_value() == 100
    assert state.get_value() == 10

    with warnings.catch_warnings():
        # `inc` is of no use without the update; "warn" allows that.
        warnings.simplefilter("ignore")
        null_accumulator = accumulator.copy(delete_updates=True)
    assert null_accumulator(9000) == [np.array(10)]
    assert state.get_value() == 10


def streams() -> tuple[Any, ...]:
    srng = RandomStreams(seed=234)
    rv_u = srng.uniform((2, 2))
    rv_n = srng.normal((2, 2))
    f = function([], rv_u)
    g = function([], rv_n, no_default_updates=True)
    nearly_zeros = function([], rv_u + rv_u - 2 * rv_u)
    return srng, rv_u, rv_n, f, g, nearly_zeros


FIRST_UNIFORM = [[0.12672381, 0.97091597], [0.13989098, 0.88754825]]
SECOND_UNIFORM = [[0.31971415, 0.47584377], [0.24129163, 0.42046081]]
FIRST_NORMAL = [[0.37328447, -0.65746672], [-0.36302373, -0.97484625]]


def test_random_numbers() -> None:
    _, rv_u, rv_n, f, g, nearly_zeros = streams()
    assert (rv_u.dtype, rv_n.dtype) == ("float64", "float64")
    f_val0, f_val1 = f(), f()
    np.testing.assert_allclose(f_val0, FIRST_UNIFORM, atol=1e-8)
    np.testing.assert_allclose(f_val1, SECOND_UNIFORM, atol=1e-8)
    g_val0, g_val1 = g(), g()
    np.testing.assert_allclose(g_val0, FIRST_NORMAL, atol=1e-8)
    np.testing.assert_array_equal(g_val0, g_val1)
    np.testing.assert_allclose(nearly_zeros(), 0, atol=1e-15)


def test_the_draws_are_those_of_numpy_bit_for_bit() -> None:
    _, _, _, f, g, _ = streams()
    seeds = np.random.RandomState(234)
    uniform = np.random.RandomState(int(seeds.randint(2**30)))
    normal = np.random.RandomState(int(seeds.randint(2**30)))
    for _ in range(3):
        np.testing.assert_array_equal(f(), uniform.uniform(size=(2, 2)))
    np.testing.assert_array_equal(g(), normal.normal(size=(2, 2)))


def test_sharing_streams_between_functions() -> None:
    _, rv_u, rv_n, f, _, nearly_zeros = streams()
    state_after_v0 = rv_u.rng.get_value().get_state()
    nearly_zeros()  # this affects rv_u's generator
    v1 = f()
    rng = rv_u.rng.get_value(borrow=True)
    rng.set_state(state_after_v0)
    rv_n.rng.set_value(rng, borrow=True)
    v2 = f()
    v3 = f()  # v3 == v1
    np.testing.assert_allclose(v1, SECOND_UNIFORM, atol=1e-8)
    np.testing.assert_allclose(v2, FIRST_UNIFORM, atol=1e-8)
    np.testing.assert_array_equal(v3, v1)


def test_seeding_streams() -> None:
    srng, rv_u, _, f, _, _ = streams()
    srng.seed(902340)
    np.testing.assert_allclose(f(), [[0.33919835, 0.85344878], [0.14881562, 0.79659413]], atol=1e-8)
    rv_u.rng.set_value(np.random.RandomState(89234))
    np.testing.assert_allclose(f(), [[0.28439105, 0.50552141], [0.00215961, 0.98144963]], atol=1e-8)


def logistic_regression(
    rng: np.random.RandomState, scale: float, training_steps: int
) -> dict[str, Any]:
    """Run the notes' program; `scale` multiplies the initial weights."""
    N = 400  # training sample size
    feats = 784  # number of input variables
    # generate a dataset: D = (input_values, target_class)
    D = (rng.randn(N, feats), rng.randint(size=N, low=0, high=2))
    # Declare Theano symbolic variables
    x = T.dmatrix("x")
    y = T.dvector("y")
    # initialize the weight vector w randomly
    w = theano.shared(scale * rng.randn(feats), name="w")
    # initialize the bias term
    b = theano.shared(0.0, name="b")
    # Construct Theano expression graph
    p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))  # Probability that target = 1
    prediction = p_1 > 0.5  # The prediction thresholded
    xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)  # Cross-entropy loss function
    cost = xent.mean() + 0.01 * (w**2).sum()  # The cost to minimize
    gw, gb = T.grad(cost, [w, b])
    # Compile
    train = theano.function(
        inputs=[x, y],
        outputs=[prediction, xent],
        updates=((w, w - 0.1 * gw), (b, b - 0.1 * gb)),
    )
    predict = theano.function(inputs=[x], outputs=prediction)
    start = w.get_value()
    # Train
    history = [train(D[0], D[1]) for _ in range(training_steps)]
    return {
        "history": history,
        "start": start,
        "w": w.get_value(),
        "b": b.get_value(),
        "predicted": predict(D[0]),
        "data": D,
    }


def test_logistic_regression_gives_theanos_weights() -> None:
    out = logistic_regression(np.random.RandomState(7), 1.0, training_steps=50)
    predictions = [prediction for prediction, _ in out["history"]]
    assert predictions[0].dtype == np.bool_
    assert [int(predictions[i].sum()) for i in (0, 1, 49)] == [182, 181, 178]
    expected = [0.23703752, -0.05435717, 0.67645995, -0.24809613]
    np.testing.assert_allclose(out["w"][:4], expected, atol=1e-8)
    np.testing.assert_allclose(out["w"].sum(), -31.093243827343944, rtol=1e-8)
    np.testing.assert_allclose(out["b"], 0.17395322632389604, rtol=1e-8)
    assert out["predicted"].sum() == 178
    assert (out["predicted"] == out["data"][1]).mean() == 0.6125


def stable_xent(x: np.ndarray, y: np.ndarray, w: np.ndarray, b: float) -> np.ndarray:
    score = x @ w + b
    return y * np.logaddexp(0, -score) + (1 - y) * np.logaddexp(0, score)


@pytest.mark.parametrize("scale", [1.0, 1000 / 28])
def test_cross_entropy_stays_finite(scale: float) -> None:
    # Theano 1.0.5 gave NaN even at scale 1. With 784 features, x·w has 28 times the spread of w.
    out = logistic_regression(np.random.RandomState(7), scale, training_steps=20)
    x, y = out["data"]
    xent = out["history"][0][1]
    if scale > 1:
        assert np.abs(x @ out["start"]).max() > 1000
    np.testing.assert_allclose(xent, stable_xent(x, y, out["start"], 0.0), rtol=1e-9)
    for _, xent in out["history"]:
        assert xent.dtype == np.float64
        assert np.isfinite(xent).all()
        assert (xent >= 0).all()


def test_training_to_the_end_separates_the_data() -> None:
    out = logistic_regression(np.random.RandomState(7), 1.0, training_steps=2000)
    assert (out["predicted"] == out["data"][1]).all()
    assert np.isfinite(out["w"]).all()
    assert out["history"][-1][1].mean() < out["history"][0][1].mean() / 10

"""`mode="JAX"`: whole functions, and what XLA cannot do by itself."""

import numpy as np
import pytest
from user_ops import Scaled

import theano
import theano.tensor as T
from theano._core.lower.jax.compiled import CompiledByXLA
from theano._core.lower.reference import evaluate
from theano.ifelse import ifelse
from theano.tensor import random
from theano.tensor.shared_randomstreams import RandomStreams

X = np.array([[0.5, -1.0, 2.0], [3.0, 0.25, -0.75]])
V = np.array([1.0, -2.0, 0.5])
x, v = T.dmatrix("x"), T.dvector("v")
k = T.lscalar("k")


class TextType(theano.Type):
    __props__ = ()

    def filter(self, data, strict=False, allow_downcast=None):
        return str(data)


class Letters(theano.Op):
    __props__ = ()

    def make_node(self, text):
        return theano.Apply(self, [text], [T.lscalar()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = np.asarray(len(inputs[0]))


text = TextType()("text")
GREETING = theano.gof.Constant(TextType(), "hello")


def agree(inputs, outputs, *values):
    """Return the results of XLA after comparing them with those of native code."""
    found = theano.function(inputs, outputs, mode="JAX")(*values)
    for got, wanted in zip(found, theano.function(inputs, outputs)(*values), strict=True):
        assert (got.dtype, got.shape) == (wanted.dtype, wanted.shape)
        np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-14)
    return found


def test_training_with_updates():
    weights = [theano.shared(np.zeros(3)) for _ in range(2)]
    steps = []
    for w, mode in zip(weights, ("JAX", "FAST_RUN"), strict=True):
        cost = T.nnet.softplus(-T.dot(x, w)).mean()
        steps.append(theano.function([x], cost, updates=[(w, w - T.grad(cost, w))], mode=mode))
    for _ in range(3):
        np.testing.assert_allclose(steps[0](X), steps[1](X), rtol=1e-13)
    np.testing.assert_allclose(weights[0].get_value(), weights[1].get_value(), rtol=1e-13)


def test_results_may_be_written_to():
    f = theano.function([x], x.T, mode="JAX")
    result = f(X)
    result += 1
    np.testing.assert_array_equal(f(X), X.T)


def test_other_shapes():
    f = theano.function([x], T.dot(x, x.T).sum() * x.shape[0], mode="JAX")
    for a in (X, X[:1], X[:, :2], X[:0]):
        np.testing.assert_allclose(f(a), np.dot(a, a.T).sum() * len(a), rtol=1e-13)


def test_lengths_that_are_arguments():
    run = CompiledByXLA([x, k], [T.zeros((k, 2)) + x[:k, :2], x[k - 1]])
    for count in (1, 2, 1):
        got = run(X, np.array(count))
        np.testing.assert_array_equal(got[0], X[:count, :2])
        np.testing.assert_array_equal(got[1], X[count - 1])
    assert run.reason is None


def test_loops():
    rows, _ = theano.scan(lambda a, h, w: T.tanh(a * w + h), x, v, non_sequences=v[0])
    agree([x, v], [rows, rows[-1], T.grad(rows.sum(), v)], X, V)
    taps, _ = theano.scan(
        lambda a, b, h2, h1: [h1 + h2 * a * b, T.exp(-h1)],
        sequences={"input": v, "taps": [0, 1]},
        outputs_info=[{"initial": T.stack([v[0], v[1]]), "taps": [-2, -1]}, None],
    )
    agree([v], [*taps, T.grad(taps[0].sum() + taps[1].sum(), v)], V)
    power, _ = theano.scan(lambda h: h * v, outputs_info=T.ones_like(v), n_steps=k)
    agree([v, k], [power[-1], T.grad(power[-1].sum(), v)], V, 5)
    inner = lambda row: theano.scan(lambda a, h: a * h + 1, row, T.ones(()))[0][-1]
    nested, _ = theano.scan(inner, x)
    agree([x], [nested, T.grad(nested.sum(), x)], X)


def test_a_loop_of_no_step():
    steps, _ = theano.scan(lambda a, h: [T.tanh(a * h), a + h], x, outputs_info=[v, None])
    gradient = T.grad(steps[0].sum() + steps[1].sum(), v)
    agree([x, v], [*steps, gradient], X[:0], V)
    kept, _ = theano.scan(lambda a, h: a + h, x, v)
    agree([x, v], [kept[1:], T.concatenate([v, x[0, :0]])[3:]], X[:1], V)


def test_a_loop_that_a_condition_ends():
    rows, _ = theano.scan(
        lambda h: (h * 2, theano.scan_module.until(abs(h).sum() > 50)), outputs_info=v, n_steps=100
    )
    agree([v], [rows[-1]], V)
    others, _ = theano.scan(
        lambda a, h: ([a + h, a * h.sum()], theano.scan_module.until(h.sum() > k)),
        x,
        outputs_info=[v, None],
    )
    for most in (-5, 100):
        agree([x, v, k], [others[0][-1], others[1][-1]], X, V, most)


def test_branches():
    out = ifelse(T.gt(k, 0), T.exp(x).sum(), T.nlinalg.det(T.dot(x, x.T)))
    for value in (1, -1):
        agree([x, k], [out, T.grad(out, x)], X, value)


def test_a_branch_on_a_length():
    run = CompiledByXLA([x], [ifelse(T.gt(x.shape[0], 1), x[1:], x)])
    for a in (X, X[:1]):
        np.testing.assert_array_equal(run(a)[0], a[1:] if len(a) > 1 else a)
    assert run.reason is None


@pytest.mark.parametrize("generator", ["philox4x64", "philox4x32"])
def test_random_numbers(generator):
    key = random.key(7, generator)
    draws = [random.uniform(key, (5,)), random.uniform(key, (3,), dtype="float32")]
    for got, wanted in zip(agree([], draws), evaluate(draws, {}), strict=True):
        np.testing.assert_array_equal(got, wanted)
    agree([v], [random.normal(key, (3,)) * v, random.gamma(key, (4,), 2.0)], V)
    f, g = (
        theano.function([], RandomStreams(5).normal((3,)), mode=mode)
        for mode in ("JAX", "FAST_RUN")
    )
    for _ in range(3):
        np.testing.assert_array_equal(f(), g())


def test_operations_of_users_are_called(capsys):
    agree([x], [Scaled(3, 4)(x) + 1], X)
    agree([text, k], [Letters()(text) * k, Letters()(GREETING) + k], "abc", 2)
    printed = theano.printing.Print("here")(v) * 2
    rows, _ = theano.scan(lambda a: theano.printing.Print("item")(a) * 2, v)
    theano.function([v], [printed, rows], mode="JAX")(V)
    assert capsys.readouterr().out.count("item __str__") == 3


@pytest.mark.parametrize(
    ("build", "values", "error"),
    [
        (lambda: x[k], (X, 2), IndexError),
        (lambda: x[T.stack([k, k])], (X, -3), IndexError),
        (lambda: x + T.ones((k, 3)), (X, 3), ValueError),
        (lambda: x.reshape((k, 4)), (X, 2), ValueError),
        (lambda: theano.tensor.opt.Assert("too small")(x, k > 5), (X, 2), AssertionError),
        (lambda: T.slinalg.cholesky(T.dot(x, x.T) * k), (X, -1), np.linalg.LinAlgError),
        (lambda: T.nlinalg.matrix_inverse(x[:, :2] * k), (X, 0), np.linalg.LinAlgError),
        (lambda: theano.scan(lambda a: x[k] * a, x)[0], (X, 2), IndexError),
        (lambda: ifelse(k > 1, x[k], x[0]), (X, 2), IndexError),
    ],
)
def test_errors_are_those_of_numpy(build, values, error):
    f = theano.function([x, k], build(), mode="JAX")
    with pytest.raises(error, match=r"(?s)Apply node that caused the error.*test_compiled.py"):
        f(*values)


def test_the_side_that_is_not_taken_does_not_fail():
    f = theano.function([x, k], ifelse(k > 1, x[0], x[k]), mode="JAX")
    np.testing.assert_array_equal(f(X, 5), X[0])


def test_what_xla_cannot_compile_is_computed_and_said():
    f = theano.function([x], x[x > 0], mode="JAX")
    with pytest.warns(UserWarning, match=r"NumPy computes this function, XLA cannot: .*Nonzero"):
        first = f(X)
    np.testing.assert_array_equal(first, X[X > 0])
    np.testing.assert_array_equal(f(X + 1), (X + 1)[X + 1 > 0])


def test_a_jax_user_keeps_the_settings_of_jax():
    import jax

    before = jax.config.jax_enable_x64
    theano.function([x], x + 1, mode="JAX")(X)
    assert jax.config.jax_enable_x64 == before
    assert jax.numpy.ones(2).dtype == ("float64" if before else "float32")

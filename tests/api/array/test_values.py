"""Values of the functions of `theano.tensor`, against NumPy."""

import numpy as np
import pytest

import theano.tensor as T


def softmax(x):
    parts = np.exp(x - x.max(axis=-1, keepdims=True))
    return parts / parts.sum(axis=-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# An expression of `theano.tensor`, and what NumPy says: texts over the names of `Bench`.
CASES = [
    ("T.dot(t, x.T)", "np.dot(t, x.T)"),
    ("T.dot(t, v)", "np.dot(t, v)"),
    ("T.dot(w, t)", "np.dot(w, t)"),
    ("T.dot(t, t.dimshuffle(0, 2, 1))", "np.dot(t, t.transpose(0, 2, 1))"),
    ("T.tensordot(t, t, [[0, 2], [0, 2]])", "np.tensordot(t, t, [[0, 2], [0, 2]])"),
    ("T.tensordot(t, x, [[1, 2], [0, 1]])", "np.tensordot(t, x, [[1, 2], [0, 1]])"),
    ("T.tensordot(x, v, 1)", "np.tensordot(x, v, 1)"),
    ("T.tensordot(x, x, 0)", "np.tensordot(x, x, 0)"),
    ("T.outer(v, w)", "np.outer(v, w)"),
    ("T.outer(x, w)", "np.outer(x, w)"),
    ("T.batched_dot(t, t.dimshuffle(0, 2, 1))", "t @ t.transpose(0, 2, 1)"),
    ("T.batched_dot(x, x)", "(x * x).sum(1)"),
    ("T.batched_tensordot(t, t, [[1], [1]])", 'np.einsum("bij,bik->bjk", t, t)'),
    ("t @ x.T", "t @ x.T"),
    ("x @ v", "x @ v"),
    ("v @ t.dimshuffle(0, 2, 1)", "v @ t.transpose(0, 2, 1)"),
    ("T.mean(x, axis=0)", "x.mean(0)"),
    ("x.var(ddof=1)", "x.var(ddof=1)"),
    ("x.std(axis=1)", "x.std(1)"),
    ("x.ptp(axis=0)", "np.ptp(x, axis=0)"),
    ("x.norm(2, axis=1)", "np.linalg.norm(x, axis=1)"),
    ("T.argmax(t, axis=(0, 2))", "t.transpose(1, 0, 2).reshape(3, -1).argmax(1)"),
    ("x.argmin(axis=1, keepdims=True)", "x.argmin(1)[:, None]"),
    ("T.concatenate([x, x[0:1]], axis=0)", "np.concatenate([x, x[0:1]])"),
    ("T.stack([v, v * 2], axis=1)", "np.stack([v, v * 2], 1)"),
    ("T.stack([s, 2.0])", "np.array([s, 2.0])"),
    ("T.stacklists([[s, s], [1, 2]])", "np.array([[s, s], [1, 2]])"),
    ("T.split(v, [1, 3], 2)[1]", "v[1:]"),
    ("T.repeat(x, 2, axis=0)", "np.repeat(x, 2, axis=0)"),
    ("T.repeat(x, 3)", "np.repeat(x, 3)"),
    ("T.tile(x, (2, 3))", "np.tile(x, (2, 3))"),
    ("T.tile(v, (2, 2))", "np.tile(v, (2, 2))"),
    ("T.tile(x, 2)", "np.tile(x, 2)"),
    ("T.roll(x, 1)", "np.roll(x, 1)"),
    ("T.roll(x, -1, axis=1)", "np.roll(x, -1, axis=1)"),
    ("T.tri(3, 4, 1)", "np.tri(3, 4, 1)"),
    ("T.tril(x)", "np.tril(x)"),
    ("T.triu(x, 1)", "np.triu(x, 1)"),
    ("T.diag(v, 1)", "np.diag(v, 1)"),
    ("T.diag(x)", "np.diag(x)"),
    ("T.diagonal(t, -1, 1, 2)", "np.diagonal(t, -1, 1, 2)"),
    ("T.eye(3, 4, -1)", "np.eye(3, 4, -1)"),
    ("T.identity_like(x)", "np.eye(3, 4)"),
    ("T.arange(1, 10, 3)", "np.arange(1, 10, 3)"),
    ("T.arange(s)", "np.arange(s)"),
    ("T.isclose(x, x + 1e-09)", "np.isclose(x, x + 1e-09)"),
    (
        "T.isclose([np.inf, -np.inf, np.nan, 1], [np.inf, np.inf, np.nan, np.inf])",
        "np.isclose([np.inf, -np.inf, np.nan, 1], [np.inf, np.inf, np.nan, np.inf])",
    ),
    ("T.allclose(x, x)", "np.array(True)"),
    ("T.isnan(i)", "np.isnan(i)"),
    ('T.round(x, "half_away_from_zero")', "np.copysign(np.floor(np.abs(x) + 0.5), x)"),
    ("T.iround(x)", "np.rint(x).astype(int)"),
    ("T.ceil_intdiv(i, 2)", "-(-i // 2)"),
    ("divmod(x, 0.7)[1]", "np.mod(x, 0.7)"),
    ("T.clip(x, -0.5, 0.5)", "np.clip(x, -0.5, 0.5)"),
    ("T.largest(x, 0, 1)", "np.maximum(x, 1)"),
    ("T.complex_from_polar(s, 0.5)", "s * np.exp(0.5j)"),
    ("x.any(axis=0)", "x.any(0)"),
    ("(x > 0).all()", "(x > 0).all()"),
    ("T.nnet.softmax(x)", "softmax(x)"),
    ("T.nnet.logsoftmax(x * 1000)", "1000 * (x - x.max(1, keepdims=True))"),
    ("T.nnet.relu(x)", "np.maximum(x, 0)"),
    ("T.nnet.relu(x, 0.1)", "np.where(x > 0, x, 0.1 * x)"),
    ("T.nnet.elu(x * 1000)", "np.where(x > 0, x * 1000, np.expm1(np.minimum(x * 1000, 0)))"),
    ("T.nnet.hard_sigmoid(x)", "np.clip(0.2 * x + 0.5, 0, 1)"),
    (
        "T.nnet.sigmoid_binary_crossentropy(x, x * 0 + 0.3)",
        "-(0.3 * np.log(sigmoid(x)) + 0.7 * np.log(1 - sigmoid(x)))",
    ),
    (
        "T.nnet.binary_crossentropy(T.nnet.sigmoid(x), 0.3)",
        "-(0.3 * np.log(sigmoid(x)) + 0.7 * np.log(1 - sigmoid(x)))",
    ),
    (
        "T.nnet.categorical_crossentropy(T.nnet.softmax(x), i)",
        "-np.log(softmax(x))[np.arange(3), i]",
    ),
    ("T.nnet.crossentropy_softmax_1hot(x, i)[0]", "-np.log(softmax(x))[np.arange(3), i]"),
    ("T.extra_ops.to_one_hot(i, 3)", "np.eye(3)[i]"),
    ("T.inverse_permutation([2, 0, 1])", "np.argsort([2, 0, 1])"),
    ("T.permute_row_elements(x, [1, 0, 3, 2])", "x[:, [1, 0, 3, 2]]"),
    ("x.flatten(2)", "x"),
    ("t.flatten(2)", "t.reshape(2, -1)"),
    ("x.reshape((2, -1))", "x.reshape(2, -1)"),
    ("x.size", "np.array(12)"),
    ("t.swapaxes(0, 2)", "t.swapaxes(0, 2)"),
    ("x.copy()", "x"),
    ("x.fill(2)", "np.full((3, 4), 2)"),
    ("T.zeros_like(i)", "np.zeros(3, int)"),
    ("T.alloc(v, 2, 4)", "np.tile(v, (2, 1))"),
    ("T.patternbroadcast(x[0:1], (True, False))", "x[0:1]"),
    ("T.shape_padaxis(x, 1)", "x[:, None]"),
    ('T.cast(x * 3, "int8")', '(x * 3).astype("int8")'),
    ("np.ones(4) + v", "1 + v"),
    ("np.float64(2) * x", "2 * x"),
    ("2 ** x", "2 ** x"),
    ("T.sgn(x)", "np.sign(x)"),
    ("T.grad((x ** 2).sum(), x)", "2 * x"),
    ("T.Rop(T.dot(x, v), v, v)", "x @ v"),
    ("T.Lop(T.dot(x, v), v, w)", "x.T @ w"),
    ("T.Rop((x ** 2).sum(axis=0), x, x)", "(2 * x * x).sum(0)"),
    ("T.grad(T.nnet.softmax(x)[0, 0], x)[0]", "softmax(x)[0, 0] * (np.eye(4)[0] - softmax(x)[0])"),
    ("T.grad(T.nnet.logsoftmax(x)[0, 0], x)[0]", "np.eye(4)[0] - softmax(x)[0]"),
    ("T.specify_shape(x, (3, 4))", "x"),
]


@pytest.mark.parametrize(("expression", "wanted"), CASES)
def test_value(bench, expression, wanted):
    numbers = bench.numpy(wanted, softmax=softmax, sigmoid=sigmoid)
    bench.check(bench.build(expression), numbers)


@pytest.mark.parametrize("none", [(), [], np.array([])], ids=["tuple", "list", "array"])
def test_reshape_to_no_axes(none):
    x = T.dvector("x")
    assert x.reshape(none).eval({x: [3.0]}) == 3.0
    assert T.reshape(x, none, ndim=0).eval({x: [3.0]}) == 3.0


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda x: x.reshape(2, 3), (2, 3)),
        (lambda x: x.reshape(3, 1, 2), (3, 1, 2)),
        (lambda x: x.reshape(-1, 3), (2, 3)),
        (lambda x: x.reshape(x.shape[0], -1), (6, 1)),
        # As Theano has them: the second is the number of axes.
        (lambda x: x.reshape((2, 3), 2), (2, 3)),
        (lambda x: x.reshape(T.stack([2, 3]), 2), (2, 3)),
        (lambda x: x.reshape([6, 1], ndim=2), (6, 1)),
        (lambda x: x.reshape(6, 1), (6,)),
    ],
)
def test_lengths_of_reshape_may_stand_by_themselves(make, shape):
    x = T.dvector("x")
    assert make(x).eval({x: np.arange(6.0)}).shape == shape

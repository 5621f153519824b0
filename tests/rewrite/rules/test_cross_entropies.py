"""Cross-entropies as users write them: exact to float32 for logits that are 1e4 apart."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.comparison import DERIVATIVES
from support.tables import case
from theano.tensor import nnet

PLAIN = theano.Mode(optimizer=None)
rng = np.random.default_rng(0)
x, t, y = T.fmatrix("x"), T.fmatrix("t"), T.ivector("y")
u, v = T.fvector("u"), T.fvector("v")
LOGITS = rng.choice([-1e4, 0, 1e4, 3], (6, 5)).astype("float32")
LOGITS[0], LOGITS[1] = [1e4, -1e4, 0, 0, 0], [-1e4, -1e4, -1e4, -1e4, 1e4]
CLASSES = np.array([1, 0, 2, 3, 4, 0], "int32")
ONE_HOT = np.eye(5, dtype="float32")[CLASSES]
DRAWN = rng.dirichlet(np.ones(5), 6).astype("float32")
p, n = nnet.softmax(x), T.arange(y.shape[0])
exps = T.exp(x)
by_hand = exps / exps.sum(axis=1, keepdims=True)
twice = T.exp(x) / T.exp(x).sum(axis=1).dimshuffle(0, "x")
turned = (exps.T / exps.sum(axis=1)).T
top = T.exp(x - x.max(axis=1, keepdims=True))
less_top = top / top.sum(axis=1, keepdims=True)
known = T.ge(y, 0)
# Losses by class numbers, one for each row.
NUMBERS = {
    "rows of log": -T.log(p)[n, y],
    "log of rows": -T.log(p[n, y]),
    "transposed": -T.log(p.T)[y, n],
    "flat": -T.log(p).flatten()[n * 5 + y],
    "log of flat": -T.log(p.flatten())[n * 5 + y],
    "categorical": nnet.categorical_crossentropy(p, y),
    "categorical_1hot": nnet.crossentropy_categorical_1hot(p, y),
    "with softmax": nnet.crossentropy_softmax_1hot(x, y)[0],
    "with argmax": nnet.crossentropy_softmax_argmax_1hot_with_bias(x, T.zeros_like(x[0]), y)[0],
    "logsoftmax": -nnet.logsoftmax(x)[n, y],
    "with bias": -T.log(nnet.softmax_with_bias(x, T.zeros_like(x[0])))[n, y],
    "of known lengths": -T.log(nnet.softmax(x.reshape((6, 5)))[T.arange(6), y]),
    "there and back": -T.log(p.reshape((2, 3, 5)).reshape((6, 5))[n, y]),
    "by hand": -T.log(by_hand)[n, y],
    "by hand, twice": -T.log(twice)[n, y],
    "by hand, transposed": -T.log(turned)[n, y],
    "by hand, over columns": -T.log(T.exp(x.T) / T.exp(x.T).sum(axis=0))[y, n],
    "by hand, less the largest": -T.log(less_top)[n, y],
    "masked rows": T.switch(known, -T.log(p)[n, y], 0),
    "masked inside": T.switch(known, -T.log(p[n, y]), 0),
    "nonzero": -T.log(p)[T.eq(t, 1).nonzero()],
    "row by row": -T.stack([T.log(nnet.softmax(x[k])[0])[y[k]] for k in range(6)]),
    "items": -T.stack([T.log(nnet.softmax(x[k])[0, y[k]]) for k in range(6)]),
}
# Differences of numbers as large as the logits: the last digits of those are lost.
DIFFERENCES = {
    "by hand, rows": -T.log(by_hand[n, y]),
    "log of a sum": T.log(T.exp(x).sum(axis=1)) - x[n, y],
    "log of a sum, axes kept": T.log(T.exp(x).sum(axis=1, keepdims=True)).flatten() - x[n, y],
}
# Losses by probabilities, one for each row.
PROBABILITIES = {
    "sum": -(t * T.log(p)).sum(axis=1),
    "last axis": -T.sum(T.log(p) * t, axis=-1),
    "categorical": nnet.categorical_crossentropy(p, t),
    "diagonal": -T.dot(T.log(p), t.T).diagonal(),
    "batched": -T.batched_dot(t, T.log(p)),
    "by hand": -(t * T.log(by_hand)).sum(axis=1),
    "by hand, twice": -(t * T.log(twice)).sum(axis=1),
    "by hand, transposed": -(t * T.log(turned)).sum(axis=1),
    "by hand, less the largest": -(t * T.log(less_top)).sum(axis=1),
    "reshaped": -(t.reshape((2, 3, 5)) * T.log(p.reshape((2, 3, 5)))).sum(axis=2).flatten(),
    "reshaped by a length": nnet.categorical_crossentropy(
        p.reshape((2, x.shape[0] // 2, -1)), t.reshape((2, x.shape[0] // 2, -1))
    ).flatten(),
    "chosen": -T.switch(T.neq(t, 0), t * T.log(p), 0).sum(axis=1),
    "powers": -T.log(p**t).sum(axis=1),
    "powers, by hand": -T.log(by_hand**t).sum(axis=1),
}
# The logarithm of the probability of some classes together, for each row.
TOGETHER = {
    "log of sum": -T.log((p * t).sum(axis=1)),
    "log of sum, axes kept": -T.log(T.sum(t * p, axis=1, keepdims=True)).flatten(),
    "log of products": -T.log(T.batched_dot(p, t)),
    "log of sum, by hand": -T.log((exps * t).sum(axis=1) / exps.sum(axis=1)),
    "log of sum, twice": T.log(exps.sum(axis=1)) - T.log((t * T.exp(x)).sum(axis=1)),
    "log of sum of quotients": -T.log((by_hand * t).sum(axis=1)),
    "log2 of sum": -T.log2((p * t).sum(axis=1)) * np.float32(np.log(2)),
    "log of chosen": -T.log(T.switch(T.neq(t, 0), p * t, 0).sum(axis=1)),
    "log of scaled": -T.log(0.5 * (p * (2 * t)).sum(axis=1)),
}


def with_gradient(loss, wrt, inputs, mode=None):
    """Return a function of a loss and of the gradients of its sum."""
    outputs = [loss, *T.grad(loss.sum(), wrt if isinstance(wrt, list) else [wrt])]
    return theano.function(inputs, outputs, mode=mode, on_unused_input="ignore")


def near(found, wanted, rtol=1e-6, atol=1e-20):
    for got, want in zip(found, wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=rtol, atol=atol)


def logistic(missed):
    return 1 / (1 + np.exp(-np.clip(missed, -700, 700)))


def check(loss, targets, lost=0.0, mode=None):
    """Check a loss of each row, the mean and a multiple of the sum, and the gradients of these."""
    z = LOGITS.astype("float64")
    z -= z.max(1, keepdims=True)
    logs = z - np.log(np.exp(z).sum(1, keepdims=True))
    wanted, slope = -(targets * logs).sum(1), np.exp(logs) * targets.sum(1, keepdims=True) - targets
    for cost, value, factor in (
        (loss, wanted, 1),
        (loss.mean(), wanted.mean(), 1 / 6),
        (2.5 * loss.sum(), 2.5 * wanted.sum(), 2.5),
    ):
        got, gradient = with_gradient(cost, x, [x, t, y], mode)(LOGITS, targets, CLASSES)
        np.testing.assert_allclose(got, value, rtol=1e-5, atol=lost)
        np.testing.assert_allclose(gradient, factor * slope, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NUMBERS)
def test_of_class_numbers(name):
    check(NUMBERS[name], ONE_HOT)


@pytest.mark.parametrize("name", DIFFERENCES)
def test_of_differences(name):
    check(DIFFERENCES[name], ONE_HOT, 2.5 * float(np.spacing(np.float32(1e4))))


@pytest.mark.parametrize("one_hot", [True, False])
@pytest.mark.parametrize("name", PROBABILITIES)
def test_of_probabilities(name, one_hot):
    check(PROBABILITIES[name], ONE_HOT if one_hot else DRAWN)


# Written so that more than the logarithm of a softmax is rewritten.
MORE = (
    *("by hand", "by hand, twice", "chosen", "transposed", "log of flat", "there and back"),
    *("reshaped", "reshaped by a length", "by hand, transposed", "by hand, over columns"),
    *("powers", "powers, by hand"),
)
LITTLE = [(NUMBERS[name], ONE_HOT) for name in NUMBERS if name not in MORE]
LITTLE += [(PROBABILITIES[name], DRAWN) for name in PROBABILITIES if name not in MORE]


@pytest.mark.parametrize(("loss", "targets"), LITTLE, ids=range(len(LITTLE)))
def test_where_little_is_rewritten(loss, targets):
    check(loss, targets, mode="FAST_COMPILE")


def less_largest(values, weights):
    """Return log(sum(w exp(x))) of each row, and its gradient, of float64."""
    largest = np.where(weights != 0, values, -np.inf).max(1, keepdims=True)
    parts = weights * np.exp(np.where(weights != 0, values - largest, 0))
    total = parts.sum(1, keepdims=True)
    return (np.log(total) + largest)[:, 0], parts / total


@pytest.mark.parametrize("scale", [1e4, 300, 90, 20, 1])
@pytest.mark.parametrize("name", TOGETHER)
def test_of_classes_together(name, scale):
    f = with_gradient(TOGETHER[name], x, [x, t])
    values = LOGITS if scale == 1e4 else (scale * rng.normal(size=(6, 5))).astype("float32")
    some = rng.choice([0, 0.5, 1, 3], (6, 5))
    some[:, 1] = 1
    for weights in (ONE_HOT, some.astype("float32")):
        got, gradient = f(values, weights)
        every, slope = less_largest(values.astype("float64"), np.ones((6, 5)))
        chosen, part = less_largest(values.astype("float64"), weights)
        np.testing.assert_allclose(got, every - chosen, rtol=1e-5, atol=2e-7 * scale)
        np.testing.assert_allclose(gradient, slope - part, rtol=2e-5, atol=1e-6)


def test_of_mixtures():
    # Densities far from all means; a component with the weight 0 counts nowhere.
    z, mean, w = T.fvector("z"), T.fvector("mean"), T.fvector("w")
    square = T.sqr(z[:, None] - mean)
    loss = -T.log(T.sum(w * T.exp(-0.5 * square), axis=1))
    values, means, weights = np.float32([300, -40, 0.5]), np.float32([1, 2, 300]), [0.3, 0.7, 0]
    got = with_gradient(loss, [z, mean], [z, mean, w])(values, means, np.float32(weights))
    far = values[:, None].astype("float64") - means
    logs, part = less_largest(-0.5 * far**2, np.tile(np.float32(weights), (3, 1)))
    near(got, (-logs, (part * far).sum(1), -(part * far).sum(0)), 1e-5)


def test_of_infinite_exponents():
    z, w = T.dmatrix("z"), T.dmatrix("w")
    weighted, plain = w * T.exp(z), T.exp(z)
    first, second = z[:, 0], z[:, 1]
    outs = [
        T.log(weighted.sum(axis=1)),
        weighted / weighted.sum(axis=1, keepdims=True),
        T.log(T.exp(first) + T.exp(second)),
        T.exp(first) / (T.exp(first) + T.exp(second)),
        T.log(w[:, 0] * T.exp(first) + w[:, 1] * T.exp(second)),
        T.log(T.exp(first) * w[:, 0]),
        plain / weighted.sum(axis=1, keepdims=True),
    ]
    some = [-np.inf, -700.0, 0.0, 1.0, 700.0, np.inf]
    values = np.array(list(itertools.product(some, some)))
    f, wanted = (theano.function([z, w], outs, mode=m) for m in (None, PLAIN))
    for weights in ([1, 1], [1, 0], [0, 2], [0.3, 0.7]):
        both = values, np.tile(np.array(weights, "float64"), (len(values), 1))
        for one, other in zip(f(*both), wanted(*both), strict=True):
            # What was no number may be one.
            same = np.isclose(one, other, rtol=1e-12, atol=1e-300) | np.isnan(other)
            assert same.all()


FOCAL = {
    "picked": -((1 - p[n, y]) ** 2 * T.log(p[n, y])),
    "of the loss": (1 - T.exp(T.log(p)[n, y])) ** 2 * -T.log(p)[n, y],
    "sum": -(t * (1 - p) ** 2 * T.log(p)).sum(axis=1),
}


@pytest.mark.parametrize("name", FOCAL)
def test_of_focal_losses(name):
    got, gradient = with_gradient(FOCAL[name], x, [x, t, y])(LOGITS, ONE_HOT, CLASSES)
    every, q = less_largest(LOGITS.astype("float64"), np.ones((6, 5)))
    logs = LOGITS[np.arange(6), CLASSES].astype("float64") - every
    own = np.exp(logs)
    slope = ((1 - own) ** 2 - 2 * (1 - own) * own * logs)[:, None] * (q - ONE_HOT)
    np.testing.assert_allclose(got, -((1 - own) ** 2) * logs, rtol=1e-5)
    np.testing.assert_allclose(gradient, slope, rtol=1e-5, atol=1e-6)


s, inverse = nnet.sigmoid(u), 1 / (1 + T.exp(-u))
quotient, tangent = T.exp(u) / (1 + T.exp(u)), (1 + T.tanh(u / 2)) / 2
BINARY = {
    "binary_crossentropy": nnet.binary_crossentropy(s, v),
    "by hand": -(v * T.log(s) + (1 - v) * T.log(1 - s)),
    "log1p": -(v * T.log(s) + (1 - v) * T.log1p(-s)),
    "two terms": -v * T.log(s) - (1 - v) * T.log(1 - s),
    "of an inverse": nnet.binary_crossentropy(inverse, v),
    "of a quotient": nnet.binary_crossentropy(quotient, v),
    "of logits": nnet.sigmoid_binary_crossentropy(u, v),
    "softplus": nnet.softplus(u) - v * u,
    "two softplus": v * nnet.softplus(-u) + (1 - v) * nnet.softplus(u),
    "signed": T.log(1 + T.exp(-(2 * v - 1) * u)),
    "signed sigmoid": -T.log(nnet.sigmoid((2 * v - 1) * u)),
    "chosen": -T.switch(v > 0.5, T.log(s), T.log(1 - s)),
    "two masks": T.switch(T.eq(v, 1), -T.log(s), 0) + T.switch(T.eq(v, 0), -T.log(1 - s), 0),
    "one": v * -T.log(s) + (1 - v) * -T.log(1 - inverse),
    "log of chosen": -T.log(T.switch(T.eq(v, 1), s, 1 - s)),
    "log of chosen inverse": -T.log(T.switch(T.eq(v, 1), inverse, 1 - inverse)),
    "log of sum": -T.log(v * s + (1 - v) * (1 - s)),
    "of a tangent": nnet.binary_crossentropy(tangent, v),
    **{
        f"log of {how}, {what}": -T.log(chosen(own))
        for what, own in (("quotient", quotient), ("tangent", tangent))
        for how, chosen in (
            ("chosen", lambda p: T.switch(T.eq(v, 1), p, 1 - p)),
            ("sum", lambda p: v * p + (1 - v) * (1 - p)),
        )
    },
    "log of sum, inverse": -T.log(v * inverse + (1 - v) * (1 - inverse)),
    "powers": -T.log(s**v * (1 - s) ** (1 - v)),
    "powers of an inverse": -T.log(inverse**v * (1 - inverse) ** (1 - v)),
    "powers of a quotient": -T.log(T.pow(quotient, v)) - T.log(T.pow(1 - quotient, 1 - v)),
    "two exponentials": -T.log(T.exp(u * v) / (T.exp(u) + T.exp(0 * u))),
}


PAIRS = {
    "difference": lambda a, b: T.log(1 + T.exp(-(a - b))),
    "log1p": lambda a, b: T.log1p(T.exp(b - a)),
    "sigmoid": lambda a, b: -T.log(nnet.sigmoid(a - b)),
    "margin": lambda a, b: T.log(1 + T.exp(1 + b - a - 1)),
    "sum": lambda a, b: T.log(1 + T.exp(-a - (-b))),
}


@pytest.mark.parametrize("name", PAIRS)
def test_of_differences_of_two_scores(name):
    loss = PAIRS[name](u, v)
    better, worse = (np.array(n, "float32") for n in ([1e4, -1e4, 3, -90, 0], [0, 0, 1, 90, 1e4]))
    missed = worse.astype("float64") - better
    wanted = logistic(missed)
    near(
        with_gradient(loss, [u, v], [u, v])(better, worse),
        [np.logaddexp(0, missed), -wanted, wanted],
    )


SCORES = np.array([-1e4, -200, -90, -50, -3, 0, 2, 50, 95, 200, 1e4], "float32")
rows = T.arange(y.shape[0])
# Probabilities in one column, given the form of a vector.
SHAPED = {
    "flat": lambda q: q.flatten(),
    "reshaped": lambda q: q.reshape((-1,)),
    "a column": lambda q: q[:, 0],
    "a row of the transpose": lambda q: q.T[0],
    "chosen": lambda q: q[rows, T.zeros_like(y)],
}
BINARY |= {
    f"{name}, of {what}": nnet.binary_crossentropy(shaped(whole), v)
    for name, shaped in SHAPED.items()
    for what, whole in (("sigmoid", nnet.sigmoid(x)), ("inverse", 1 / (1 + T.exp(-x))))
}
column, target = nnet.sigmoid(u).dimshuffle(0, "x"), T.stack([1 - v, v], axis=1)
two = T.stack([1 - nnet.sigmoid(u), nnet.sigmoid(u)], axis=1)
# Both probabilities of two classes beside each other.
BINARY |= {
    "logarithms chosen": -T.log(two)[rows, y],
    "logarithm of chosen": -T.log(two[rows, y]),
    "rows": -T.log(T.stack([1 - nnet.sigmoid(u), nnet.sigmoid(u)])[y, rows]),
    "transposed": -T.log(T.stack([1 - nnet.sigmoid(u), nnet.sigmoid(u)]).T[rows, y]),
    "columns": nnet.categorical_crossentropy(T.concatenate([1 - column, column], axis=1), y),
    "one-hot": -(T.log(two) * target).sum(axis=1),
    "logarithm of a sum": -T.log((two * target).sum(axis=1)),
}


@pytest.mark.parametrize("name", BINARY)
def test_of_two_classes(name):
    shaped = " of sigmoid" in name or " of inverse" in name
    f = with_gradient(BINARY[name], x if shaped else u, [u, x, v, y])
    for label in (0, 1):
        labels = np.full(len(SCORES), label, "float32")
        chosen = (labels * (not shaped)).astype("int32")
        value, slope = f(SCORES, SCORES[:, None], labels, chosen)
        sign = 1 - 2 * label
        missed = SCORES.astype("float64") * sign
        near([value, slope.ravel()], [np.logaddexp(0, missed), logistic(missed) * sign])


few = np.float32(0.05)
# Expressions of u and v, and of the same that is exact: numbers beside exponentials.
BESIDE = {
    "log of a sum": (lambda a, b: T.log(T.exp(a) + few), lambda a, b: np.logaddexp(a, np.log(few))),
    "log1p": (lambda a, b: T.log1p(T.exp(a) / 3), lambda a, b: np.logaddexp(0, a - np.log(3))),
    "dispersion": case(
        lambda a, b: T.log(T.exp(a) / (T.exp(a) + b)), lambda a, b: a - np.logaddexp(a, np.log(b))
    ),
    "noise": (
        lambda a, b: -T.log(1 - T.exp(a) / (T.exp(a) + few)),
        lambda a, b: np.logaddexp(0, a - np.log(few)),
    ),
    "rate": (
        lambda a, b: T.log(nnet.softplus(a)),
        lambda a, b: np.where(a < -30, a, np.log(np.logaddexp(0, np.maximum(a, -30)))),
    ),
}


@pytest.mark.parametrize("name", BESIDE)
def test_of_numbers_beside_exponentials(name):
    written, exact = BESIDE[name]
    counts = np.full(len(SCORES), 2, "float32")
    value, slope = with_gradient(written(u, v), u, [u, v])(SCORES, counts)
    z, step = SCORES.astype("float64"), 1e-4
    np.testing.assert_allclose(value, exact(z, counts), rtol=1e-6, atol=1e-6)
    wanted = (exact(z + step, counts) - exact(z - step, counts)) / (2 * step)
    np.testing.assert_allclose(slope, wanted, rtol=1e-5, atol=1e-6)


smaller = np.float32(1e-8)
mixed = np.float32(0.3) * p + np.float32(0.7) * nnet.softmax(x[:, ::-1])
picked = x[rows, y]
# Losses of rows, and the same of one row in float64, stable.
ROWS = {
    "mean": (T.log(T.mean(T.exp(x), axis=1)), lambda z, c: full(z) - np.log(5)),
    "number beside": case(
        T.log(T.exp(x).sum(axis=1) + smaller), lambda z, c: np.logaddexp(full(z), np.log(smaller))
    ),
    "log1p": (T.log1p(T.exp(x).sum(axis=1)), lambda z, c: np.logaddexp(0, full(z))),
    "contrast": (
        -T.log(T.exp(picked) / (T.exp(x).sum(axis=1) + smaller)),
        lambda z, c: np.logaddexp(full(z), np.log(smaller)) - z[c],
    ),
    "others": (
        T.log(1 + (T.exp(x - picked.dimshuffle(0, "x")) * (1 - t)).sum(axis=1)),
        lambda z, c: full(z) - z[c],
    ),
    "mixture": (
        -T.log(mixed[rows, y]),
        lambda z, c: full(z) - np.logaddexp(np.log(0.3) + z[c], np.log(0.7) + z[4 - c]),
    ),
    "two at once": (-T.log(p[:, 0] * p[:, 1]), lambda z, c: 2 * full(z) - z[0] - z[1]),
}


def full(values):
    """Return log(sum(exp(x)))."""
    return np.logaddexp.reduce(values)


@pytest.mark.parametrize("name", ROWS)
def test_of_rows(name):
    out, exact = ROWS[name]
    value, slope = with_gradient(out, x, [x, t, y])(LOGITS, ONE_HOT, CLASSES)
    step, lost = 1e-4 * np.eye(5), float(np.spacing(np.float32(1e4)))
    for row, c, got, gradient in zip(LOGITS.astype("float64"), CLASSES, value, slope, strict=True):
        np.testing.assert_allclose(got, exact(row, c), rtol=1e-6, atol=lost)
        wanted = [(exact(row + h, c) - exact(row - h, c)) / 2e-4 for h in step]
        np.testing.assert_allclose(gradient, wanted, rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize("mask", [1, 0])
def test_of_exponentials_divided_by_their_sum_and_more(mask):
    some = T.exp(x) * T.ge(x, -50) if mask else T.exp(x)
    total = some.sum(axis=1, keepdims=True)
    out = (some / (total if mask else total + smaller) * t).sum(axis=1)
    values = np.array([[1e4, -1e4, 0, 3, 2], [300, 299, 0, -90, 298], [1, 2, -3, 0, 1]], "float32")
    weights = rng.random((3, 5)).astype("float32")
    value, slope = with_gradient(out, x, [x, t])(values, weights)
    kept = np.where(values >= -50, values, -np.inf if mask else values).astype("float64")
    powers = np.exp(kept - kept.max(1, keepdims=True))
    share = powers / powers.sum(1, keepdims=True)
    wanted = (share * weights).sum(1)
    np.testing.assert_allclose(value, wanted, rtol=1e-6)
    np.testing.assert_allclose(slope, share * (weights - wanted[:, None]), rtol=1e-5, atol=1e-7)


right = nnet.sigmoid(x)
# Products of the probabilities of what is true.
PRODUCTS = {
    "signed": T.prod(nnet.sigmoid(x * (2 * t - 1)), axis=1),
    "chosen": T.prod(T.switch(T.eq(t, 1), right, 1 - right), axis=1),
    "powers": T.prod(right**t * (1 - right) ** (1 - t), axis=1),
    "axes kept": T.prod(T.switch(t > 0, right, 1 - right), axis=1, keepdims=True)[:, 0],
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_of_products_along_an_axis(name):
    sign = 1 - 2 * ONE_HOT
    missed = LOGITS.astype("float64") * sign
    found = with_gradient(-T.log(PRODUCTS[name]), x, [x, t])(LOGITS, ONE_HOT)
    near(found, [np.logaddexp(0, missed).sum(1), sign * logistic(missed)])


def test_of_small_numbers_added_to_what_may_be_0():
    small, one = np.float32(1e-8), np.ones(1, "float32")
    s = nnet.sigmoid(u)
    for out in (T.log(1 - u + small), T.log(-(u - 1) + small), T.log(small - (u - 1))):
        np.testing.assert_allclose(theano.function([u], out)(one), np.log(small), rtol=1e-6)
    loss = -(v * T.log(s + small) + (1 - v) * T.log(1 - s + small))
    f = with_gradient(loss, u, [u, v])
    near(f(np.float32([200, -200]), np.float32([0, 1])), [[-np.log(small)] * 2, [0, 0]])
    # Where no digits are lost, or few, constants meet.
    for numbers in ((1, 0.5), (0.1, 0.2), (2048, 0.25)):
        out = u + np.float32(numbers[0]) + np.float32(numbers[1])
        nodes = theano.function([u], out).maker.fgraph.toposort()
        assert len(nodes) == 1


def test_of_powers_0_of_what_is_0():
    values, some = np.array([[1, -np.inf, 2], [0, 3, -np.inf]], "float32"), np.eye(3)[[2, 0]]
    for own in (p, by_hand):
        loss = -T.log(own**t).sum(axis=1)
        wanted, probabilities = less_largest(values.astype("float64"), np.ones((2, 3)))
        found = with_gradient(loss, x, [x, t])(values, some.astype("float32"))
        near(found, [wanted - values[[0, 1], [2, 0]], probabilities - some], atol=0)
    infinite = np.array([-np.inf, np.inf], "float32")
    found = with_gradient(T.log(T.exp(u) ** v), u, [u, v])(infinite, np.zeros(2, "float32"))
    np.testing.assert_array_equal(found, np.zeros((2, 2)))


def test_that_others_than_the_target_are_unlikely():
    # What is certain, 1 - p is 0 for: it is nobody's target.
    unlikely = {
        "chosen": T.log((1 - p)[n, y]),
        "a column": T.log((1 - p)[:, 2]),
        "of a product": T.log((1 - p * nnet.sigmoid(x))[n, y]),
        "a quotient": 1 / (1 - by_hand)[n, y],
    }
    scores, others = np.array([[300, 0, 1], [0, 200, 2]], "float32"), np.array([2, 2], "int32")
    for out in unlikely.values():
        f = theano.function([x, y], T.grad(out.sum(), x), on_unused_input="ignore")
        np.testing.assert_allclose(f(scores, others), np.zeros((2, 3)), atol=1e-30)


def test_of_squares_of_probabilities():
    values = np.array([[1, 2, 1000], [-1000, 0, 0]], "float32")
    wanted, probabilities = less_largest(values.astype("float64"), np.ones((2, 3)))
    for own in (p, by_hand):
        out = T.log(own**2)
        got = theano.function([x], out)(values)
        np.testing.assert_allclose(got, 2 * (values - wanted[:, None]), rtol=1e-6, atol=1e-6)
        slope = theano.function([x], T.grad(out.sum(), x))(values)
        np.testing.assert_allclose(slope, 2 - 6 * probabilities, rtol=1e-6, atol=1e-6)


def test_of_products_of_complements_keeps_digits():
    z = T.dmatrix("z")
    values = np.array([[9.6, 20.1], [-3, 2]])

    def slope(scores):
        complements = 1 - nnet.softmax(-scores) * nnet.sigmoid(scores)
        return T.grad(T.log(T.prod(complements**2, axis=1)).sum(), scores)

    got = theano.function([x], slope(x))(values.astype("float32"))
    np.testing.assert_allclose(got, theano.function([z], slope(z))(values), rtol=1e-2, atol=1e-6)


def test_of_a_mixture_with_squares_in_a_wider_type():
    scores = np.array([[42, -22, -7], [-8, 4, 4]], "float32")
    shift, gate = np.array([40, 12, 13], "float32"), np.array([1, -1, 2], "float32")

    def parts(scores, shift, gate):
        exponentials, others = T.exp(scores), T.exp(scores + shift)
        share = exponentials / exponentials.sum(axis=1, keepdims=True)
        other = others / others.sum(axis=1, keepdims=True)
        out = T.log(gate * share + 0.7 * (1 - gate) * other**2)
        return [out, *T.grad(out.sum(), [scores, shift, gate])]

    z = [T.dmatrix(), T.dvector(), T.dvector()]
    gates = nnet.sigmoid(v), nnet.sigmoid(z[2])
    exact = theano.function(z, parts(z[0], z[1], gates[1]), mode=PLAIN)
    f = theano.function([x, u, v], parts(x, u, gates[0]))
    for got, value in zip(f(scores, shift, gate), exact(scores, shift, gate), strict=True):
        np.testing.assert_allclose(got, value, rtol=1e-4, atol=1e-4)


single = lambda *numbers: np.array(numbers, "float32")
COUNTS, MEANS = single(0, 2, 1, 9, 7), single(-1e4, -90, 0, 3, 80)
FAR = single(-80, -30, 0, 3, 30, 80)[None]
SIGMOID = 1 / (1 + np.exp(-FAR.astype("float64")))
square_left = [1 - T.sqr(nnet.sigmoid(x))[:, :2], 1 - T.sqr(nnet.sigmoid(x[:, 2:]))]
no_logarithm = 1 - T.prod(nnet.sigmoid(x), axis=1)
# An expression, a variable, values, the result, and the gradient by the variable.
KNOWN = {
    "a power whose base may be 0": case(
        T.log(u**v),
        u,
        {u: single(-2, 2, 0, 0), v: single(2, 3, 0, 1)},
        [np.log(4), np.log(8), 0, -np.inf],
        [-1, 1.5, 0, np.inf],
    ),
    "no power of one less": case(
        T.exp(u) ** (v - T.cast(v, "int8")) * v / T.exp(u) ** v,
        v,
        {u: single(1, 2), v: single(2.5, 1.5)},
        np.exp([-2, -2]) * [2.5, 1.5],
        np.exp([-2, -2]),
    ),
    # As of the mean of a Poisson regression.
    "Poisson": case(
        T.exp(u) - v * T.log(T.exp(u)),
        u,
        {u: MEANS, v: COUNTS},
        np.exp(MEANS) - COUNTS * MEANS,
        np.exp(MEANS) - COUNTS,
    ),
    "log2(exp)": case(T.log2(T.exp(u)), u, {u: MEANS}, MEANS / np.log(2), [1 / np.log(2)] * 5),
    "log(power)": case(T.log(T.exp(u) ** v), u, {u: MEANS, v: COUNTS}, COUNTS * MEANS, COUNTS),
    "square of a sigmoid": case(
        T.log(T.concatenate(square_left, 1)),
        x,
        {x: FAR},
        np.log1p(SIGMOID) - np.logaddexp(0, FAR),
        -2 * SIGMOID**2 / (1 + SIGMOID),
    ),
    "products that are no logarithms, far": case(
        no_logarithm,
        x,
        {x: np.array([[-200, -200, 3], [-200, 0, 1]], "float32")},
        [1, 1],
        np.zeros((2, 3)),
    ),
    "products that are no logarithms": case(
        no_logarithm, x, {x: np.zeros((1, 3), "float32")}, [0.875], [[-0.0625] * 3]
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_of_what_is_known(name):
    out, wrt, given, *wanted = KNOWN[name]
    near(with_gradient(out, wrt, list(given))(*given.values()), wanted, atol=1e-12)


def test_of_a_choice_of_a_probability_or_a_number_of_a_smaller_type():
    z = T.dmatrix("z")
    out = T.log(T.switch(z < 0, nnet.softmax(z), np.float32(0.5)))
    value = theano.function([z], out)(np.array([[-2000, 0, 2]]))
    np.testing.assert_allclose(value, [[-2000 - np.logaddexp(0, 2), *[np.log(0.5)] * 2]])


z, w, a, b, c = T.dmatrix("z"), T.dmatrix("w"), *T.dvectors("abc")
weighted, powers = w * T.exp(z), T.exp(z)
total, pair = weighted.sum(axis=1, keepdims=True), weighted + (1 - w) * T.exp(-z)
# No softmax, though it looks like one where there are as many rows as columns.
wrong = T.exp(z) / T.exp(z).sum(axis=1).dimshuffle("x", 0)
across = weighted.sum(axis=1).dimshuffle("x", 0)
twice_there = [powers**2 * w / total**2, powers**2 * w / pair**2]
twice_there += [weighted / pair + weighted / total]
sums = [weighted / across, T.exp(z) * T.log(across[0]) / across, wrong, T.log(wrong)]
share = nnet.softmax(z)
masked = [T.exp(z) * w + T.exp(z - 1) * w, share * w + nnet.softmax(2 * z) * w]
picked_of = lambda whole: (whole[np.arange(2), y], whole[:, 0], whole[-1, ::2])
bell = T.exp(-T.sqr(a))
tangents = [T.log(1 - T.tanh(a)), T.log(0.5 * (1 + T.tanh(a)))]
tangents += [T.log(1 - 0.5 * (1 + T.tanh(a))), T.log(1 - T.tanh(3 * a))]
MASKED = {
    z: np.array([[3.0, -8, 1], [2, -9, 4]]),
    w: np.array([[1.0, 0, 1], [1, 0, 1]]),
    y: np.array([0, 2], "int32"),
}
with_slopes = lambda outs: [*outs, *T.grad(sum(T.sqr(o).sum() for o in outs), [z, w])]
SMALL = {z: 3 * rng.normal(size=(4, 4)), w: rng.random((4, 4))}
# Results that are finite as they are written.
WRITTEN = {
    "factors that stand twice": case(with_slopes(twice_there), SMALL),
    "sums along the wrong axis": case(with_slopes(sums), SMALL),
    "what is masked and not chosen": case(
        [T.grad(T.log(o).sum(), z) for whole in masked for o in picked_of(whole)], MASKED
    ),
    # No product of two exponentials is made of a divisor.
    "a divisor": case(
        [T.grad((bell / c / (T.exp(a + b) ** 0.5 + bell / T.exp(a))).sum(), a)],
        {a: np.array([-600.0, -2, 0, 3, 600]), b: np.ones(5), c: np.full(5, 2.0)},
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_of_what_is_finite_as_it_is_written(name):
    outputs, given = WRITTEN[name]
    agree(list(given), outputs, given.values(), tolerance=DERIVATIVES)


def test_of_products_with_numbers():
    one = T.TensorType("float64", (True,))("one")
    cost = T.log(T.exp(T.outer(one, one)).sum(axis=1)) ** 2
    got = theano.function([one], T.grad(cost.sum(), one))([1.5])
    np.testing.assert_allclose(got, [4 * 1.5**3], rtol=1e-12)


def test_tangents_of_logarithms_of_what_tanh_leaves():
    values = np.array([-300.0, -20, 1, 40, 300])
    found = theano.function([a, b], T.Rop(tangents, a, b))(values, np.ones(5))
    wanted = theano.function([a], [T.grad(out.sum(), a) for out in tangents])(values)
    near(found, wanted, 1e-12, 1e-200)
    np.testing.assert_allclose(found[0][-2:], -2)

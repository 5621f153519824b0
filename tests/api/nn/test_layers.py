"""Layers of networks beyond one expression: normalization, patches, blocks, class softmax."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.tensor.nnet.blocksparse import sparse_block_dot
from theano.tensor.nnet.bn import batch_normalization_test, batch_normalization_train
from theano.tensor.nnet.neighbours import images2neibs, neibs2images

images = np.random.default_rng(1).standard_normal((3, 2, 4, 5))


def normalized(x, gamma, beta, axes, epsilon):
    mean, inverse = x.mean(axes, keepdims=True), 1 / np.sqrt(x.var(axes, keepdims=True) + epsilon)
    return (x - mean) * inverse * gamma + beta, mean, inverse


LAYOUTS = [
    ("per-activation", (0,), (2, 4, 5)),
    ("spatial", (0, 2, 3), (2,)),
    ((1, 2), (1, 2), (3, 5)),
]


@pytest.mark.parametrize(("axes", "reduced", "lengths"), LAYOUTS)
def test_normalization_by_the_batch(axes, reduced, lengths):
    rng = np.random.default_rng(2)
    x = T.dtensor4("x")
    kind = T.TensorType("float64", (False,) * len(lengths))
    gamma, beta, old_mean, old_var = (kind(n) for n in ("gamma", "beta", "mean", "var"))
    outs = batch_normalization_train(
        x, gamma, beta, axes, 1e-3, 0.25, running_mean=old_mean, running_var=old_var
    )
    given = [rng.uniform(0.5, 2, lengths) for _ in range(4)]
    wide = [n if axis not in reduced else 1 for axis, n in enumerate(images.shape)]
    spread = [p.reshape(wide) for p in given]
    out, mean, inverse = normalized(images, *spread[:2], reduced, 1e-3)
    count = images.size / mean.size
    var = images.var(reduced, keepdims=True) * count / (count - 1)
    wanted = [out, mean.reshape(lengths), inverse.reshape(lengths)]
    wanted += [0.75 * given[2] + 0.25 * mean.reshape(lengths)]
    wanted += [0.75 * given[3] + 0.25 * var.reshape(lengths)]
    got = theano.function([x, gamma, beta, old_mean, old_var], outs)(images, *given)
    for one, two in zip(got, wanted, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-14)
    test = batch_normalization_test(x, gamma, beta, old_mean, old_var, axes, 1e-3)
    got = theano.function([x, gamma, beta, old_mean, old_var], test)(images, *given)
    wanted_test = (images - spread[2]) / np.sqrt(spread[3] + 1e-3) * spread[0] + spread[1]
    np.testing.assert_allclose(got, wanted_test, rtol=1e-12, atol=1e-14)


def test_normalization_with_broadcastable_parameters():
    x = T.dtensor4("x")
    gamma, beta = (T.TensorType("float64", (True, False, True, True))(n) for n in ("g", "b"))
    outs = batch_normalization_train(x, gamma, beta, "spatial")
    assert [o.type.broadcastable for o in outs[1:]] == [(True, False, True, True)] * 2
    given = np.array([1.5, -1]).reshape(1, 2, 1, 1)
    got = theano.function([x, gamma, beta], outs)(images, given, given)
    for one, two in zip(got, normalized(images, given, given, (0, 2, 3), 1e-4), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-14)


def test_default_updates_of_running_statistics():
    x = T.dmatrix("x")
    one, mean, var = (theano.shared(v) for v in (np.ones(2), np.zeros(2), np.ones(2)))
    factor = theano.shared(0.1)
    factor.default_update = factor / 2
    outs = batch_normalization_train(x, one, one, "per-activation", 1e-4, factor, mean, var)
    mean.default_update, var.default_update = outs[3:]
    given = np.array([[1.0, 2], [3, 6]])
    # Each function of the batch has them, and what is not asked for is not computed.
    theano.function([x], outs[0])(given)
    assert mean.get_value() == pytest.approx(0.1 * given.mean(0))
    assert var.get_value() == pytest.approx(0.9 + 0.2 * given.var(0))
    assert factor.get_value() == 0.05
    theano.function([x], outs[0], no_default_updates=True)(given)
    assert mean.get_value() == pytest.approx(0.1 * given.mean(0))
    cost = (outs[0] * outs[3] + outs[4]).sum()
    theano.gradient.verify_grad(
        lambda b, m, v: theano.clone(cost, {x: b, mean: m, var: v, factor: theano.shared(0.5)}),
        [given, np.array([0.5, 2]), np.array([1.5, 3])],
        rng=np.random.RandomState(3),
    )


def test_gradient_of_normalization():
    theano.gradient.verify_grad(
        lambda x, gamma, beta: batch_normalization_train(x, gamma, beta, "spatial")[0],
        [images[:2, :, :2, :2], np.array([1.0, 2.0]), np.array([0.5, -1.0])],
        rng=np.random.RandomState(3),
    )


def test_errors_of_normalization():
    x, g = T.dmatrix("x"), T.dvector("g")
    with pytest.raises(ValueError, match="epsilon must be at least"):
        batch_normalization_train(x, g, g, epsilon=1e-7)
    with pytest.raises(ValueError, match="invalid axes"):
        batch_normalization_train(x, g, g, axes="blah")
    with pytest.raises(ValueError, match="less than ndim"):
        batch_normalization_train(x, g, g, axes=(5,))
    with pytest.raises(ValueError, match="both be given or both be None"):
        batch_normalization_train(x, g, g, running_mean=g)
    with pytest.raises(ValueError, match="as many dimensions as gamma and beta, 1; got 0 and 1"):
        batch_normalization_train(x, g, g, running_mean=T.dscalar(), running_var=g)
    with pytest.raises(ValueError, match="must match the number of non-normalized axes"):
        batch_normalization_test(x, T.dscalar(), g, g, g)


def patches(x, shape, step, mode):
    """Return the patches of images, one loop per axis."""
    (h, w), (dh, dw) = shape, step
    if mode in ("half", "full"):
        ph, pw = (h // 2, w // 2) if mode == "half" else (h - 1, w - 1)
        x = np.pad(x, [(0, 0), (0, 0), (ph, ph), (pw, pw)])
    rows, columns = x.shape[2:]
    if mode == "wrap_centered":
        tops = [i - h // 2 for i in range(0, rows, dh)]
        lefts = [j - w // 2 for j in range(0, columns, dw)]
    else:
        tops = list(range(0, rows - h + 1, dh))
        lefts = list(range(0, columns - w + 1, dw))
    result = []
    for image in x.reshape(-1, rows, columns):
        for top in tops:
            for left in lefts:
                at = np.ix_((top + np.arange(h)) % rows, (left + np.arange(w)) % columns)
                result.append(image[at].reshape(-1))
    return np.array(result).reshape(-1, h * w)


PATCHES = [
    ("valid", (2, 5), None),
    ("valid", (2, 2), (1, 1)),
    ("valid", (2, 3), (2, 2)),
    ("ignore_borders", (3, 2), None),
    ("wrap_centered", (3, 3), (1, 1)),
    ("wrap_centered", (3, 1), (3, 2)),
    ("half", (3, 3), (1, 1)),
    ("half", (2, 3), (1, 2)),
    ("full", (3, 2), (1, 1)),
]


@pytest.mark.parametrize(("mode", "shape", "step"), PATCHES)
def test_patches_of_images(mode, shape, step):
    x = T.dtensor4("x")
    out = images2neibs(x, shape, step, mode)
    wanted = patches(images, shape, step or shape, mode)
    slope = T.grad((out**2).sum(), x)
    got, of_x = theano.function([x], [out, slope])(images)
    np.testing.assert_array_equal(got, wanted)
    # How often each item lies in a patch.
    numbers = np.arange(images.size).reshape(images.shape) + 1
    counts = np.bincount(patches(numbers, shape, step or shape, mode).reshape(-1))
    counts = np.pad(counts, (0, images.size + 1 - len(counts)))[1:].reshape(images.shape)
    np.testing.assert_allclose(of_x, 2 * images * counts, rtol=1e-12)


def test_patches_of_symbolic_shape_and_back():
    x, size = T.dtensor4("x"), T.lvector("size")
    f = theano.function([x, size], neibs2images(images2neibs(x, size), size, x.shape))
    np.testing.assert_array_equal(f(images, [2, 5]), images)
    cut = neibs2images(
        images2neibs(x, size, mode="ignore_borders"), size, x.shape, mode="ignore_borders"
    )
    wanted = images.copy()
    wanted[:, :, 3:] = wanted[:, :, :, 4:] = 0
    np.testing.assert_array_equal(theano.function([x, size], cut)(images, [3, 2]), wanted)


def test_errors_of_patches():
    x = T.dtensor4("x")
    with pytest.raises(NotImplementedError, match="Only modes"):
        images2neibs(x, (2, 2), mode="blah")
    with pytest.raises(NotImplementedError, match="mode=half"):
        neibs2images(T.dmatrix(), (2, 2), (1, 1, 2, 2), mode="half")
    for size, mode, text in (
        ((3, 5), "valid", "not fill axis 2"),
        ((2, 3), "wrap_centered", "odd"),
    ):
        with pytest.raises(TypeError, match=text):
            images2neibs(x, size, mode=mode).eval({x: images})


def test_blocks_of_a_layer():
    rng = np.random.default_rng(4)
    weights, bias = rng.standard_normal((4, 5, 3, 2)), rng.standard_normal((5, 2))
    h = rng.standard_normal((6, 2, 3))
    one, two = rng.integers(0, 4, (6, 2)), rng.integers(0, 5, (6, 3))
    wanted = np.zeros((6, 3, 2))
    for n in range(6):
        for o in range(3):
            wanted[n, o] = bias[two[n, o]]
            for i in range(2):
                wanted[n, o] += h[n, i] @ weights[one[n, i], two[n, o]]
    got = sparse_block_dot(*map(T.as_tensor_variable, (weights, h, one, bias, two))).eval()
    np.testing.assert_allclose(got, wanted, rtol=1e-12)
    first = sparse_block_dot(*map(T.as_tensor_variable, (weights, h[0], one[0], bias, two[0])))
    np.testing.assert_allclose(first.eval(), wanted[0], rtol=1e-12)


def test_softmax_over_classes_of_outputs():
    rng = np.random.default_rng(5)
    batch, features, outputs, classes, per_class = 4, 6, 11, 3, 4
    x, w1 = rng.standard_normal((batch, features)), rng.standard_normal((features, classes))
    b1 = rng.standard_normal(classes)
    w2 = rng.standard_normal((classes, features, per_class))
    b2 = rng.standard_normal((classes, per_class))
    sizes = (batch, outputs, classes, per_class)

    def soft(z):
        return np.exp(z) / np.exp(z).sum(-1, keepdims=True)

    inner = soft(np.einsum("nf,cfo->nco", x, w2) + b2)
    wanted = (soft(x @ w1 + b1)[:, :, None] * inner).reshape(batch, -1)
    got = T.nnet.h_softmax(x, *sizes, w1, b1, w2, b2).eval()
    np.testing.assert_allclose(got, wanted[:, :outputs], rtol=1e-12)
    target = np.array([0, 5, 10, 7])
    chosen = T.nnet.h_softmax(x, *sizes, w1, b1, w2, b2, target=target).eval()
    np.testing.assert_allclose(chosen, wanted[np.arange(batch), target], rtol=1e-12)


def test_functions_of_rows():
    m, i, j = T.dmatrix("m"), T.lvector("i"), T.lvector("j")
    value = np.arange(6.0).reshape(2, 3)
    for got, first in (
        (T.nnet.prepend_scalar_to_each_row(3, m), 3),
        (T.nnet.prepend_0_to_each_row(m), 0),
        (T.nnet.prepend_1_to_each_row(m), 1),
    ):
        wanted = np.concatenate([np.full((2, 1), float(first)), value], 1)
        np.testing.assert_array_equal(got.eval({m: value}), wanted)
    table, order = T.nnet.confusion_matrix(i, j)
    true, guessed = np.array([1, 2, 2, 5]), np.array([1, 2, 5, 2])
    assert table.eval({i: true, j: guessed}).tolist() == [[1, 0, 0], [0, 1, 1], [0, 1, 0]]
    assert order.eval({i: true, j: guessed}).tolist() == [1, 2, 5]
    b = T.dvector("b")
    outs = T.nnet.crossentropy_softmax_max_and_argmax_1hot_with_bias(m, b, i)
    given = {m: value, b: np.array([1.0, 0, -3]), i: np.array([0, 2])}
    f = theano.function([m, b, i], outs)
    loss, probabilities, best, where = f(*given.values())
    exact = np.exp(value + given[b])
    exact /= exact.sum(1, keepdims=True)
    np.testing.assert_allclose(probabilities, exact, rtol=1e-12)
    np.testing.assert_allclose(loss, -np.log(exact[[0, 1], [0, 2]]), rtol=1e-12)
    np.testing.assert_allclose(best, exact.max(1), rtol=1e-12)
    assert where.tolist() == exact.argmax(1).tolist()


def test_cotangents_by_hand_are_those_of_grad():
    m, g, i, t = T.dmatrix("m"), T.dvector("g"), T.lvector("i"), T.dmatrix("t")
    probabilities = T.nnet.softmax(m)
    pairs = [
        (T.grad((probabilities * t).sum(), m), T.nnet.softmax_grad(t, probabilities)),
        (
            T.grad((T.nnet.crossentropy_softmax_1hot(m, i)[0] * g).sum(), m),
            T.nnet.crossentropy_softmax_1hot_with_bias_dx(g, probabilities, i),
        ),
        (
            T.grad((T.nnet.crossentropy_categorical_1hot(t, i) * g).sum(), t),
            T.nnet.crossentropy_categorical_1hot_grad(g, t, i),
        ),
    ]
    rng = np.random.default_rng(6)
    given = [rng.standard_normal((3, 4)), rng.standard_normal(3), np.array([1, 3, 0])]
    given.append(rng.uniform(0.1, 1, (3, 4)))
    for wanted, got in pairs:
        f = theano.function([m, g, i, t], [wanted, got], on_unused_input="ignore")
        np.testing.assert_allclose(*f(*given), rtol=1e-12, atol=1e-14)

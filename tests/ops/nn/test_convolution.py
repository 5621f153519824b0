"""Convolutions: generic tests of the three operations, errors, and the texts of errors."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.ops.nn.convolution import FAMILIES
from theano._core.runtime import native
from theano.extend import check
from theano.tensor.signal.pool import pool_2d

CASES = {
    "valid": (2, {}, (2, 3, 5, 6), (4, 3, 3, 2)),
    "of single items": (2, {}, (2, 3, 3, 4), (2, 3, 1, 1)),
    "one axis": (1, {"border_mode": "half"}, (2, 2, 7), (3, 2, 3)),
    "three axes": (3, {"subsample": (1, 2, 1)}, (2, 2, 3, 5, 3), (2, 2, 2, 2, 1)),
    "full": (2, {"border_mode": "full", "filter_flip": False}, (1, 2, 3, 3), (2, 2, 2, 3)),
    "uneven border": (2, {"border_mode": ((1, 0), (0, 2))}, (2, 1, 3, 3), (1, 1, 2, 2)),
    "apart": (2, {"subsample": (2, 3), "filter_dilation": (2, 1)}, (2, 2, 7, 6), (2, 2, 2, 3)),
    "groups": (2, {"num_groups": 2, "border_mode": (1, 1)}, (2, 4, 3, 4), (4, 2, 2, 2)),
    "each channel": (2, {"num_groups": 3}, (2, 3, 4, 4), (3, 1, 2, 2)),
    "unshared": (2, {"unshared": True, "num_groups": 2}, (2, 4, 3, 3), (2, 2, 2, 2, 2, 2)),
    "no images": (2, {}, (0, 2, 4, 4), (3, 2, 2, 2)),
}


@pytest.mark.parametrize("name", list(CASES))
@pytest.mark.parametrize("gives", ["result", "images", "kernels"])
def test_generic(name, gives):
    axes, options, images, kernels = CASES[name]
    family = {gives: make(**options) for gives, make in FAMILIES[axes].items()}
    rng = np.random.default_rng(7)
    op = family["result"]
    result = (images[0], kernels[0], *op.windows(images, kernels))
    x, w, y = (rng.normal(size=s) for s in (images, kernels, result))
    operands = {
        "result": (x, w),
        "images": (w, y, np.array(images[2:])),
        "kernels": (x, y, np.array(kernels[-axes:])),
    }
    check(family[gives], operands[gives], ulp=2**20)


def test_forward_mode():
    x, w, dx, dw = (T.dtensor4(n) for n in ("x", "w", "dx", "dw"))
    out = T.nnet.conv2d(x, w, border_mode="half")
    tangent = T.Rop(out, [x, w], [dx, dw])
    rng = np.random.default_rng(3)
    a, b, c, d = (rng.normal(size=s) for s in [(2, 2, 4, 4), (3, 2, 3, 3)] * 2)
    f = theano.function([x, w], out)
    got = theano.function([x, w, dx, dw], tangent)(a, b, c, d)
    np.testing.assert_allclose(got, f(c, b) + f(a, d), rtol=1e-10, atol=1e-12)


def test_inside_a_loop():
    x, w = T.TensorType("float64", (False,) * 5)("x"), T.dtensor4("w")
    out, _ = theano.scan(lambda image: T.nnet.conv2d(image, w, border_mode="full"), [x])
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(3, 2, 2, 4, 4)), rng.normal(size=(3, 2, 2, 3))
    one = theano.function([], T.nnet.conv2d(a.reshape(6, 2, 4, 4), b, border_mode="full"))()
    np.testing.assert_allclose(out.eval({x: a, w: b}), one.reshape(3, 2, 3, 5, 6), rtol=1e-12)


def test_gradients_of_loops_keep_convolutions():
    x, w = T.TensorType("float64", (False,) * 5)("x"), T.dtensor4("w")
    out, _ = theano.scan(
        lambda image, h: T.sqr(T.nnet.conv2d(image + h, w, border_mode="half")),
        sequences=x,
        outputs_info=T.zeros_like(x[0]),
    )
    f = theano.function([x, w], T.grad(out.sum(), [x, w]))
    bodies = [node.op.body for node in f.maker.graph.toposort() if hasattr(node.op, "body")]
    names = [type(node.op).__name__ for body in bodies for node in body.nodes]
    assert names.count("AbstractConv2d") == 1


def test_the_bits_do_not_depend_on_threads():
    x, w = T.ftensor4s("x", "w")
    out = T.nnet.conv2d(x, w, border_mode="half", subsample=(2, 1))
    pools = [
        pool_2d(out, (3, 2), ignore_border=False, mode="average_exc_pad"),
        pool_2d(out, (5, 5), ignore_border=True, stride=(2, 2)),
    ]
    cost = T.add(*((p**2).sum() for p in pools))
    f = theano.function([x, w], [out, *pools, *T.grad(cost, [x, w])])
    rng = np.random.default_rng(11)
    shapes = (5, 32, 40, 41), (48, 32, 3, 3)
    values = [rng.normal(size=s).astype("float32") for s in shapes]
    before, found = native.get_threads(), []
    try:
        for threads in (1, 3):
            native.set_threads(threads)
            found.append([v.tobytes() for v in f(*values)])
    finally:
        native.set_threads(before)
    assert found[0] == found[1]


def test_many_at_once():
    x, w = T.dtensor4("x"), T.dtensor4("w")
    f = theano.vectorize(lambda x: T.nnet.conv2d(x, w))
    rows = T.TensorType("float64", (False,) * 5)("rows")
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(3, 2, 2, 4, 4)), rng.normal(size=(3, 2, 2, 3))
    got = f(rows).eval({rows: a, w: b})
    wanted = [T.nnet.conv2d(x, w).eval({x: item, w: b}) for item in a]
    np.testing.assert_allclose(got, wanted, rtol=1e-12)


def fails(options, images, kernels):
    x, w = T.dtensor4("x"), T.TensorType("float64", (False,) * len(kernels))("w")
    out = T.nnet.conv2d(x, w, **options)
    texts = []
    # The second is rewritten to something without the convolution.
    for outputs in (out, T.switch(T.constant(1), x.sum(), out.sum())):
        with pytest.raises(ValueError) as caught:
            theano.function([x, w], outputs)(np.zeros(images), np.zeros(kernels))
        texts.append(str(caught.value).splitlines()[0])
    with pytest.raises(ValueError) as caught:
        theano.function([x, w], out, mode=theano.Mode("py"))(np.zeros(images), np.zeros(kernels))
    texts.append(str(caught.value).splitlines()[0])
    assert len(set(texts)) == 1
    return texts[0]


def test_kernels_larger_than_images():
    text = fails({}, (1, 1, 3, 3), (1, 1, 2, 4))
    assert "the kernels are larger than the images with their borders" in text
    assert "images of shape (1, 1, 3, 3), kernels of shape (1, 1, 2, 4)" in text
    assert "a kernel has no items" in fails({}, (1, 1, 3, 3), (1, 1, 0, 2))


def test_channels_that_do_not_fit():
    assert "must have the same stack size" in fails({}, (1, 2, 3, 3), (1, 3, 2, 2))
    text = fails({"num_groups": 2}, (1, 4, 3, 3), (3, 2, 2, 2))
    assert "the number of kernels is no multiple of num_groups" in text
    text = fails({"unshared": True}, (1, 1, 3, 3), (1, 2, 1, 1, 2, 2))
    assert "there must be kernels for each window" in text


def test_lengths_that_gradients_cannot_have():
    y, w = T.dtensor4s("y", "w")
    out = T.nnet.conv2d_grad_wrt_inputs(y, w, (None, None, 9, 5))
    with pytest.raises(ValueError, match="the result has other lengths than the windows"):
        theano.function([y, w], out)(np.zeros((1, 2, 3, 4)), np.zeros((2, 1, 2, 2)))


@pytest.mark.parametrize("dtype", ["int32", "bool", "complex64"])
def test_only_floats(dtype):
    x = T.TensorType(dtype, (False,) * 4)("x")
    with pytest.raises(AssertionError, match="takes floating-point numbers"):
        T.nnet.conv2d(x, x)


def test_dtypes_are_joined():
    x, w = T.ftensor4("x"), T.dtensor4("w")
    image = T.TensorType("uint8", (False,) * 4)("image")
    assert T.nnet.conv2d(x, w).dtype == T.nnet.conv2d(w, x).dtype == "float64"
    assert T.nnet.conv2d(image, x).dtype == "float32"


@pytest.mark.parametrize(
    "options",
    [
        {"border_mode": "same"},
        {"border_mode": -1},
        {"border_mode": (1, 2, 3)},
        {"border_mode": (1, -1)},
        {"border_mode": (1.5, 1)},
        {"subsample": (1,)},
        {"subsample": (0, 1)},
        {"filter_dilation": (1, 1, 1)},
        {"num_groups": 0},
        {"input_shape": T.dtensor4().shape},
        {"filter_shape": (1, 2, 3)},
    ],
)
def test_options_out_of_range(options):
    with pytest.raises(ValueError):
        T.nnet.conv2d(T.dtensor4(), T.dtensor4(), **options)


def test_numbers_of_axes():
    with pytest.raises(TypeError, match="img must be 4D tensor"):
        T.nnet.conv2d(T.dmatrix(), T.dtensor4())
    with pytest.raises(TypeError, match="kern must be 6D tensor"):
        T.nnet.conv2d(T.dtensor4(), T.dtensor4(), unshared=True)

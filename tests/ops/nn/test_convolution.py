"""Convolutions: generic tests of the three operations, errors, and the texts of errors."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import values, variables
from theano._core.ops.nn.convolution import FAMILIES
from theano.extend import check

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


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("gives", ["result", "images", "kernels"])
def test_generic(name, gives):
    axes, options, images, kernels = CASES[name]
    family = {gives: make(**options) for gives, make in FAMILIES[axes].items()}
    result = (images[0], kernels[0], *family["result"].windows(images, kernels))
    x, w, y = (values(shape, seed=n) for n, shape in enumerate((images, kernels, result)))
    operands = {"result": (x, w), "images": (w, y, np.array(images[2:]))}
    operands["kernels"] = (x, y, np.array(kernels[-axes:]))
    check(family[gives], operands[gives], ulp=2**20)


def test_forward_mode():
    x, w, dx, dw = (T.dtensor4(n) for n in ("x", "w", "dx", "dw"))
    out = T.nnet.conv2d(x, w, border_mode="half")
    a, c = values((2, 2, 2, 4, 4))
    b, d = values((2, 3, 2, 3, 3))
    f = theano.function([x, w], out)
    got = theano.function([x, w, dx, dw], T.Rop(out, [x, w], [dx, dw]))(a, b, c, d)
    np.testing.assert_allclose(got, f(c, b) + f(a, d), rtol=1e-10, atol=1e-12)


def test_inside_a_loop_and_many_at_once():
    x, w = T.TensorType("float64", (False,) * 5)("x"), T.dtensor4("w")
    loop, _ = theano.scan(lambda image: T.nnet.conv2d(image, w, border_mode="full"), [x])
    many = theano.vectorize(lambda x: T.nnet.conv2d(x, w, border_mode="full"))(x)
    a, b = values((3, 2, 2, 4, 4)), values((3, 2, 2, 3))
    one = T.nnet.conv2d(a.reshape(6, 2, 4, 4), b, border_mode="full").eval().reshape(3, 2, 3, 5, 6)
    for found in theano.function([x, w], [loop, many])(a, b):
        np.testing.assert_allclose(found, one, rtol=1e-12)


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


def fails(options, images, kernels, *words):
    x, w = variables(np.zeros(images), np.zeros(kernels))
    out = T.nnet.conv2d(x, w, **options)
    texts = set()
    # The second is rewritten to something without the convolution.
    for outputs in (out, T.switch(T.constant(1), x.sum(), out.sum())):
        for mode in (None, theano.Mode("py")) if outputs is out else (None,):
            with pytest.raises(ValueError) as caught:
                theano.function([x, w], outputs, mode=mode)(np.zeros(images), np.zeros(kernels))
            texts.add(str(caught.value).splitlines()[0])
            # Theano's is of an assertion in the graph.
            assert "stack size" not in str(caught.value) or isinstance(caught.value, AssertionError)
    assert len(texts) == 1
    assert all(word in min(texts) for word in words)


LARGER = "the kernels are larger than the images with their borders"
SHAPES = "images of shape (1, 1, 3, 3), kernels of shape (1, 1, 2, 4)"
MISFITS = [
    ({}, (1, 1, 3, 3), (1, 1, 2, 4), LARGER, SHAPES),
    ({}, (1, 1, 3, 3), (1, 1, 0, 2), "a kernel has no items"),
    ({}, (1, 2, 3, 3), (1, 3, 2, 2), "must have the same stack size"),
    (
        {"num_groups": 2},
        (1, 4, 3, 3),
        (3, 2, 2, 2),
        "number of kernels is no multiple of num_groups",
    ),
    ({"unshared": True}, (1, 1, 3, 3), (1, 2, 1, 1, 2, 2), "there must be kernels for each window"),
]


@pytest.mark.parametrize("row", MISFITS)
def test_shapes_that_do_not_fit(row):
    fails(*row)


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


OPTIONS = [("border_mode", bad) for bad in ("same", -1, (1, 2, 3), (1, -1), (1.5, 1))]
OPTIONS += [("subsample", (1,)), ("subsample", (0, 1)), ("filter_dilation", (1, 1, 1))]
OPTIONS += [("num_groups", 0), ("input_shape", T.dtensor4().shape), ("filter_shape", (1, 2, 3))]


@pytest.mark.parametrize("name, bad", OPTIONS)
def test_options_out_of_range(name, bad):
    with pytest.raises(ValueError):
        T.nnet.conv2d(T.dtensor4(), T.dtensor4(), **{name: bad})


def test_numbers_of_axes():
    with pytest.raises(TypeError, match="img must be 4D tensor"):
        T.nnet.conv2d(T.dmatrix(), T.dtensor4())
    with pytest.raises(TypeError, match="kern must be 6D tensor"):
        T.nnet.conv2d(T.dtensor4(), T.dtensor4(), unshared=True)

"""Convolutions of lengths that take each way through the runtime, for each width of vectors."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import values
from theano._core.compile.function import function
from theano._core.lower.reference import evaluate
from theano._core.ops.nn.convolution import FAMILIES
from theano._core.runtime import native
from theano.tensor.signal.pool import pool_2d

# Lengths of images and of kernels, options, and what is special about them.
CASES = {
    "sums in blocks": ((2, 40, 9, 30), (9, 40, 5, 5), {"border_mode": (2, 2)}),
    "short rows are packed, gradients added to images": ((3, 20, 12, 12), (50, 20, 5, 5), {}),
    "rows of several vectors are packed": ((2, 2, 6, 70), (70, 2, 3, 9), {"border_mode": 4}),
    "images are planes": ((3, 8, 31, 17), (20, 8, 1, 1), {}),
    "images are planes that are packed": ((3, 140, 9, 11), (20, 140, 1, 1), {}),
    "planes for remainders": ((2, 3, 40, 41), (16, 3, 7, 7), {"subsample": (2, 2)}),
    "few of the remainders": ((2, 3, 21, 20), (5, 3, 1, 2), {"subsample": (3, 4)}),
    "each channel": ((2, 12, 30, 33), (12, 1, 3, 3), {"num_groups": 12, "border_mode": "half"}),
    "many channels": ((5, 70, 4, 5), (70, 1, 3, 3), {"num_groups": 70, "border_mode": "half"}),
    "many groups": ((3, 66, 9, 9), (44, 3, 3, 2), {"num_groups": 22, "subsample": (2, 1)}),
    "vectors of groups": ((3, 35, 9, 13), (35, 1, 3, 3), {"num_groups": 35, "border_mode": 1}),
    "vectors of groups, rows far apart": (
        (2, 64, 9, 11),
        (96, 2, 3, 2),
        {"num_groups": 32, "border_mode": 1, "subsample": (2, 2), "filter_flip": False},
    ),
    "vectors of groups of three axes": (
        (3, 32, 5, 4, 6),
        (32, 1, 3, 2, 2),
        {"num_groups": 32, "filter_dilation": (1, 2, 3), "border_mode": ((0, 1), (2, 0), (1, 1))},
    ),
    "vectors of groups, one window": ((5, 48, 4, 4), (96, 1, 4, 4), {"num_groups": 48}),
    "vectors of groups along one axis": ((2, 16, 5000), (16, 1, 5), {"num_groups": 16}),
    "long rows of each channel": ((2, 33, 5, 60), (33, 1, 3, 3), {"num_groups": 33}),
    "rows of the kernels' length": ((4, 1, 30, 50), (10, 1, 4, 50), {}),
    "kernels of the images' lengths": ((40, 3, 6, 6), (20, 3, 6, 6), {}),
    "mostly outside": ((2, 3, 2, 3), (4, 3, 5, 2), {"border_mode": ((4, 0), (0, 3))}),
    "three axes": (
        (2, 4, 9, 10, 11),
        (8, 4, 3, 3, 3),
        {"border_mode": 1, "filter_dilation": (2, 1, 2), "subsample": (1, 2, 1)},
    ),
    "rows in slices": ((6, 16, 7, 7), (520, 16, 3, 3), {"border_mode": "half"}),
    "tiles, few for kernels": ((2, 16, 14, 33), (32, 16, 3, 3), {"border_mode": 1}),
    "tiles, some of a window": ((5, 27, 15, 23), (33, 27, 3, 3), {}),
    "tiles, with all around": ((2, 24, 9, 30), (40, 24, 3, 3), {"border_mode": "full"}),
    "tiles of groups": ((7, 40, 16, 18), (48, 20, 3, 3), {"num_groups": 2, "filter_flip": False}),
    "tiles of many images": ((33, 16, 9, 4), (64, 16, 3, 3), {"border_mode": ((1, 0), (0, 2))}),
    "tiles of many channels": ((2, 300, 20, 20), (40, 300, 3, 3), {"border_mode": "half"}),
    "tiles of three axes": ((2, 12, 6, 12, 13), (24, 12, 3, 3, 3), {"border_mode": 1}),
    "tiles of two axes of three": (
        (1, 16, 9, 12, 14),
        (24, 16, 4, 3, 3),
        {"border_mode": (2, 0, 1), "filter_dilation": (2, 1, 1)},
    ),
    "tiles, at steps along another axis": (
        (5, 16, 9, 14, 10),
        (24, 16, 1, 3, 3),
        {"subsample": (2, 1, 1)},
    ),
    "items that no window has": ((1, 6, 600), (24, 2, 3), {"num_groups": 3, "subsample": (2,)}),
    "a long axis": ((2, 3, 70_000), (4, 3, 9), {}),
    "a long kernel": ((1, 2, 1500), (3, 2, 700), {}),
}


def case(name, dtype):
    """Return a convolution and its gradients, its inputs, and values for them: small integers."""
    images, kernels, options = CASES[name]
    op = FAMILIES[len(images) - 2]["result"](**options)
    x, w = (T.TensorType(dtype, (False,) * len(s))(n) for s, n in ((images, "x"), (kernels, "w")))
    out = op(x, w)
    y = out.type("y")
    result = (images[0], kernels[0], *op.windows(images, kernels))
    rng = np.random.default_rng(5)
    values = [rng.integers(-2, 3, size=s).astype(dtype) for s in (images, kernels, result)]
    return [out, *op.vjp(out.owner, [y])], [x, w, y], values


@pytest.mark.parametrize("width", [0, 128, 256])
@pytest.mark.parametrize("name", CASES)
def test_like_the_definition(name, width):
    for dtype in ("float32", "float64"):
        outputs, inputs, given = case(name, dtype)
        with theano.config.change_flags(vector_width=width):
            found = function(inputs, outputs)(*given)
        equal(found, evaluate(outputs, dict(zip(inputs, given, strict=True))))


def equal(found, wanted):
    for one, two in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, two)


def behind(x):
    """Return an equal array whose channels lie behind its axes."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [name for name in CASES if "each" in name or "groups" in name])
def test_channels_that_lie_behind_the_axes(name, dtype):
    outputs, inputs, (x, w, y) = case(name, dtype)
    f = function(inputs, outputs)
    wanted = f(x, w, y)
    groups = outputs[0].owner.op.num_groups
    few = groups >= 16 and w.shape[0] * w.shape[1] <= 8 * groups
    found = f(behind(x), w, behind(y))
    equal(found, wanted)
    for array, like in zip(found[:2], (x, y), strict=True):
        if few and not behind(like).flags.c_contiguous:
            assert np.moveaxis(array, 1, -1).flags.c_contiguous  # as its operands
    # With gaps, the same again and again, one in either order, and none.
    wide = np.concatenate([behind(x)] * 2, axis=1)
    wide[:, x.shape[1] :] = np.nan
    equal(f(wide[:, : x.shape[1]], w, behind(y)[::-1][::-1]), wanted)
    equal(f(x, w, behind(y)), wanted)
    equal(f(behind(x), w, y), wanted)
    equal(f(np.repeat(behind(x), 2, axis=1)[:, ::2], w, np.asfortranarray(y)), wanted)
    same = np.broadcast_to(behind(x)[:1], x.shape)
    equal(f(same, w, behind(y)), f(same.copy(), w, y))
    for images in (0, 1):
        some = f(behind(x[:images]), w, behind(y[:images]))
        equal(some, f(x[:images], w, y[:images]))


def test_channels_stay_behind_the_axes():
    """From argument to result, through what is between, and back; new values are in rows."""
    x, kernels = T.ftensor4("x"), np.float32(0.5) * np.ones((32, 1, 3, 3), "float32")
    w, state = theano.shared(kernels), theano.shared(np.zeros((2, 5, 6, 32), "float32"))
    options = {"num_groups": 32, "border_mode": "half"}
    y = x
    for _ in range(2):
        y = T.nnet.conv2d(y.dimshuffle(0, 3, 1, 2), w, **options).dimshuffle(0, 2, 3, 1)
        y = T.nnet.relu(y - 1)
    g = T.grad((y**2).sum(), x)
    f = function([x], [y, g], updates=[(state, y)])
    images = np.random.default_rng(0).normal(size=(2, 5, 6, 32)).astype("float32")
    found = f(images)
    wanted = evaluate([y, g], {x: images, w: kernels})
    for one, two in zip(found, wanted, strict=True):
        assert one.flags.c_contiguous
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(state.get_value(), found[0])
    with pytest.raises(ValueError, match="stack size"):
        f(images[..., :31])
    np.testing.assert_array_equal(state.get_value(), found[0])


@pytest.mark.parametrize("name", CASES)
def test_threads_do_not_change_bits(name):
    outputs, inputs, given = case(name, "float32")
    given = [v + np.float32(0.3) * np.cos(v + np.arange(v.shape[-1], dtype="f")) for v in given]
    same_in_threads(function(inputs, outputs), *given)


def same_in_threads(f, *given):
    before, found = native.get_threads(), []
    try:
        for count in (1, 2, 5):
            native.set_threads(count)
            found.append([a.tobytes() for a in f(*given)])
    finally:
        native.set_threads(before)
    assert found[0] == found[1] == found[2]


def test_threads_do_not_change_bits_of_pools():
    x = T.ftensor4("x")
    pools = [
        pool_2d(x, (3, 2), ignore_border=False, mode="average_exc_pad"),
        pool_2d(x, (5, 5), ignore_border=True, stride=(2, 2)),
    ]
    f = function([x], [*pools, T.grad(T.add(*((p**2).sum() for p in pools)), x)])
    same_in_threads(f, values((5, 48, 20, 41), "float32"))


@pytest.mark.parametrize("channels", [3, 24])
@pytest.mark.parametrize("value", [np.inf, np.nan, 3e38])
def test_infinity_stays_where_it_is(channels, value):
    """Also where sums are made of tiles, which numbers that are not there are part of."""
    x, w = T.ftensor4s("x", "w")
    op = FAMILIES[2]["result"](border_mode=(1, 1))
    out = op(x, w)
    y = out.type("y")
    f = function([x, w, y], [out, *op.vjp(out.owner, [y])])
    kernels = 4 * np.ones((channels, channels, 3, 3), "float32")
    images, given = np.ones((2, 2, channels, 9, 20), "float32")
    images[0, 1, 4, 19] = given[1, 2, 8, 0] = value

    def only(array, *keys):
        wanted = np.zeros(array.shape, bool)
        for key in keys:
            wanted[key] = True
        return (~np.isfinite(array) == wanted).all()

    of_result, of_images, of_kernels = f(images, kernels, given)
    assert only(of_result, np.s_[0, :, 3:6, 18:])
    assert only(of_images, np.s_[1, :, 7:, :2])
    whole = np.where(np.isfinite(of_kernels).all(axis=(2, 3)), 0, np.inf)
    assert only(whole, *([np.s_[2, 1]] if value == 3e38 else [np.s_[2], np.s_[:, 1]]))
    if value != 3e38:
        assert only(f(images, kernels, np.ones_like(given))[2], np.s_[:, 1, :, :2])
        kernels[2, 1, 0, 0] = value
        of_result = f(images, kernels, given)[0]
        assert (~np.isfinite(of_result[1])).any(axis=(1, 2)).nonzero()[0].tolist() == [2]


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("tiles")])
def test_errors_of_tiles(name):
    """They are small; and there are some, which sums over terms do not have: tiles are used."""
    outputs, inputs, values = case(name, "float32")
    rng = np.random.default_rng(0)
    values = [rng.normal(size=v.shape).astype("float32") for v in values]
    found = []
    for winograd in (True, False):
        with theano.config.change_flags(conv__winograd=winograd):
            found.append(function(inputs, outputs)(*values))
    wide = [v.astype("float64") for v in values]
    wanted = evaluate(outputs, dict(zip(inputs, wide, strict=True)))
    for tiles, terms, exact in zip(*found, wanted, strict=True):
        largest = np.abs(exact).max()
        assert np.abs(tiles - exact).max() < 5e-6 * largest
        assert np.abs(terms - exact).max() < 5e-6 * largest
    assert found[0][0].tobytes() != found[1][0].tobytes()
    assert (found[0][2].tobytes() == found[1][2].tobytes()) == ("few for kernels" in name)


@pytest.mark.parametrize("name", ["planes for remainders", "vectors of groups"])
def test_without_memory(name):
    outputs, inputs, given = case(name, "float32")
    f = function(inputs, outputs)
    wanted, found, failed = f(*given), None, 0
    while found is None:
        native.fail_allocations(failed, 1)
        try:
            found = f(*given)
        except MemoryError:
            failed += 1
        finally:
            native.fail_allocations(0, 0)
    assert failed > 3
    equal(found, wanted)


def test_lengths_that_were_stated_may_be_checked():
    x, k, y = T.dtensor4("x"), T.dtensor4("k"), T.dtensor4("y")
    images, kernels = {"input_shape": (1, 1, 4, 4)}, {"filter_shape": (1, 1, 2, 2)}
    ac = T.nnet.abstract_conv
    with theano.config.change_flags(**{"conv.assert_shape": True}):
        checked = [
            T.nnet.conv2d(x, k, **images),
            T.nnet.conv2d(x, k, **kernels),
            ac.conv2d_grad_wrt_inputs(y, k, (None, None, 4, 4), **kernels),
            ac.conv2d_grad_wrt_weights(x, y, (None, None, 2, 2), **images),
        ]
    values = np.ones((1, 1, 5, 4)), np.ones((1, 1, 3, 2)), np.ones((1, 1, 3, 3))
    for out in checked:
        f = theano.function([x, k, y], out, on_unused_input="ignore")
        with pytest.raises(AssertionError, match="must have the shape"):
            f(*values)


def test_lengths_that_were_stated_otherwise():
    """Programs state the lengths of a whole batch, and call with the rest of the data."""
    given, (x, k) = (abs(values((2, 3, 6, 6))), np.ones((4, 3, 2, 2))), T.dtensor4s("x", "k")

    def found(**stated):
        y = T.nnet.conv2d(x, k, border_mode="half", subsample=(2, 2), **stated)
        return theano.function([x, k], [y, y.shape, *T.grad((y**2).sum(), [x, k])])(*given)

    wanted = found()
    for stated in ({"input_shape": (7, 9, 5, 5)}, {"filter_shape": (5, 1, 3, 3)}):
        equal(found(**stated), wanted)


def test_lengths_as_constants():
    x, k = T.dtensor4("x"), T.dtensor4("k")
    for one in (1, T.constant(1), np.int8(1)):
        stated = T.nnet.conv2d(x, k, input_shape=(one, 1, 4, 4)).owner.op.imshp
        assert stated == (1, 1, 4, 4)
    # As in Theano 1.0.5.
    with pytest.raises(ValueError, match="4 constant int values"):
        T.nnet.conv2d(x, k, input_shape=(1, 1, 4, T.lscalar()))
    for shape in (T.constant([1, 1, 4, 4]), T.lvector(), x.shape):
        with pytest.raises(ValueError, match="a tuple of constant int values"):
            T.nnet.abstract_conv.AbstractConv2d(imshp=shape)

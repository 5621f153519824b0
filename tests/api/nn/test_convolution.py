"""Old and new forms of convolutions, and the lengths of what they take and give."""

import pickle

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.tensor.nnet import abstract_conv as ac, conv
from theano.tensor.signal.pool import Pool, pool_2d

x, w = T.dtensor4s("x", "w")


def test_graphs_hold_the_public_classes():
    out = T.nnet.conv2d(x, w, input_shape=(None, 3, 8, T.constant(9)), border_mode=1)
    op = out.owner.op
    assert isinstance(op, ac.AbstractConv2d) and isinstance(op, ac.BaseAbstractConv)
    assert out.owner.inputs == [x, w]
    assert (op.imshp, op.kshp) == ((None, 3, 8, 9), (None,) * 4)
    assert (op.border_mode, op.subsample, op.filter_dilation) == ((1, 1), (1, 1), (1, 1))
    assert (op.convdim, op.filter_flip, op.num_groups, op.unshared) == (2, True, 1, False)
    assert str(op) == (
        "AbstractConv2d{convdim=2, border_mode=(1, 1), subsample=(1, 1), filter_flip=True, "
        "imshp=(None, 3, 8, 9), kshp=(None, None, None, None), filter_dilation=(1, 1), "
        "num_groups=1, unshared=False}"
    )
    of_x, of_w = T.grad(out.sum(), [x, w])
    kinds = ac.AbstractConv2d_gradInputs, ac.AbstractConv2d_gradWeights
    assert isinstance(of_x.owner.op, kinds[0]) and isinstance(of_w.owner.op, kinds[1])
    assert pickle.loads(pickle.dumps(op)) == op
    pooled = pool_2d(x, (2, 2), ignore_border=True)
    assert isinstance(pooled.owner.op, Pool)
    assert str(pooled.owner.op) == "Pool{ignore_border=True, mode='max', ndim=2}"


def test_gradients_made_by_hand():
    op = ac.AbstractConv2d_gradInputs(
        imshp=(2, 3, 8, 8), kshp=(4, 3, 3, 3), border_mode=(1, 1), subsample=(2, 2)
    )
    big = op(w, x, np.array([8, 8]))
    like = T.nnet.conv2d_transpose(
        x, w, (2, 3, 8, 8), (4, 3, 3, 3), border_mode=(1, 1), input_dilation=(2, 2)
    )
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 4, 4, 4)), rng.normal(size=(4, 3, 3, 3))
    one, two = theano.function([x, w], [big, like])(a, b)
    assert one.shape == (2, 3, 8, 8) and (one == two).all()


def test_old_keywords():
    with pytest.raises(ValueError, match="at the same time"):
        T.nnet.conv2d(x, w, input_shape=(1, 1, 1, 1), image_shape=(1, 1, 1, 1))
    assert T.nnet.conv2d(x, w, image_shape=(1, 2, 3, 4)).owner.op.imshp == (1, 2, 3, 4)
    with pytest.warns(UserWarning, match="without effect: version"):
        T.nnet.conv2d(x, w, version=3)
    with pytest.raises(ValueError, match="imshp_logical"):
        T.nnet.conv2d(x, w, imshp_logical=None)
    with pytest.raises(ValueError, match=r"input_shape\[2\] must be"):
        ac.conv2d_grad_wrt_inputs(x, w, (None, None, None, 7))


def test_the_oldest_form():
    out = conv.conv2d(x, w, border_mode="full", unroll_batch=1)
    made = conv.ConvOp(output_mode="full")(x, w)
    rng = np.random.default_rng(2)
    results = theano.function([x, w], [out, made])(*rng.normal(size=(2, 1, 1, 4, 4)))
    assert (results[0] == results[1]).all()
    assert conv.ConvOp.getOutputShape((5, 6), (2, 3)) == (4, 4)
    assert conv.ConvOp.getOutputShape((5, 6), (2, 3), (2, 1), "full") == (3, 8)
    assert T.nnet.ConvOp is conv.ConvOp
    with pytest.raises(NotImplementedError, match="Mode half not implemented"):
        conv.conv2d(x, w, border_mode="half")


# What Theano 1.0.5 gives.
def test_lengths():
    output = ac.get_conv_output_shape
    assert output((10, 3, 20, 21), (4, 3, 5, 6), "valid", (1, 2)) == (10, 4, 16, 8)
    assert output((10, 3, None, 21), (4, 3, 5, 6), "full", (1, 2)) == (10, 4, None, 13)
    half = output((10, 3, 20, 21), (4, 3, 5, None), "half", (2, 2), (2, 1))
    assert half == (10, 4, 10, None)
    assert output((1, 1, 3, 3), (1, 1, 5, 5), ((1, 2), (0, 3)), (1, 1)) == (1, 1, 2, 2)
    images = ac.get_conv_gradinputs_shape
    assert images((4, 3, 5, 5), (10, 4, 16, 16), "valid", (1, 1)) == (10, 3, 20, 20)
    found = images((4, 3, 5, 5), (10, 4, 16, 16), "half", (2, 1), (1, 2), 2)
    assert found == (10, 6, None, 16)
    kernels = ac.get_conv_gradweights_shape
    assert kernels((10, 3, 20, 20), (10, 4, 16, 16), "valid", (1, 1)) == (4, 3, 5, 5)
    assert kernels((10, 4, 20, 20), (10, 4, 16, 16), "half", (1, 1)) == (4, 4, None, None)
    assert kernels((1, 1, 4, 4), (1, 2, 6, 6), "full", (1, 1)) == (2, 1, 3, 3)
    assert ac.border_mode_to_pad("half", 2, (5, 4)) == ((2, 2), (2, 2))
    assert ac.border_mode_to_pad((1, (0, 2)), 2, (5, 4)) == ((1, 1), (0, 2))


def test_lengths_that_are_variables():
    n = T.lscalar("n")
    rows = ac.get_conv_output_shape((1, 1, n, 8), (1, 1, 3, 3), "half", (2, 1))[2]
    assert [rows.eval({n: k}) for k in (7, 8)] == [4, 4]


def test_checks_of_shapes():
    sizes = (10, 3, 20, 20), (4, 3, 5, 5)
    assert ac.check_conv_gradinputs_shape(*sizes, (10, 4, 16, 16), "valid", (1, 1))
    assert not ac.check_conv_gradinputs_shape(*sizes, (10, 4, 15, 16), "valid", (1, 1))
    assert ac.assert_conv_shape([1, 2, 3, 4]) == (1, 2, 3, 4)
    with pytest.raises(ValueError, match=r"dim\[1\]: -2 < 0"):
        ac.assert_conv_shape([1, -2, 3, 4])
    (size,) = ac.assert_conv_shape([x.shape[0] - 1])
    with pytest.raises(AssertionError, match="invalid shape"):
        size.eval({x: np.zeros((0, 1, 1, 1))})
    assert ac.assert_shape(x, (1, 2, 3, 4)) is x
    with theano.config.change_flags(**{"conv.assert_shape": True}):
        checked = ac.assert_shape(x, (None, 2, 3, None), "another shape")
    assert checked.eval({x: np.zeros((5, 2, 3, 4))}).shape == (5, 2, 3, 4)
    with pytest.raises(AssertionError, match="another shape"):
        checked.eval({x: np.zeros((5, 2, 4, 4))})


def test_larger_images():
    with pytest.raises(ValueError, match="No ratio"):
        ac.bilinear_upsampling(x)
    with pytest.raises(ValueError, match="together"):
        ac.bilinear_upsampling(x, ratio=2, frac_ratio=(3, 2))
    with pytest.raises(ValueError, match="use_1D_kernel"):
        ac.bilinear_upsampling(x, frac_ratio=(3, 2))
    with pytest.raises(TypeError, match="positive integers"):
        ac.frac_bilinear_upsampling(x, (2.0, 3))
    n = T.lscalar("n")
    value = np.arange(6.0).reshape(1, 1, 2, 3)
    got = ac.bilinear_upsampling(x, ratio=n).eval({x: value, n: 2})
    assert got[0, 0, 0].tolist() == [0, 0.5, 1, 1.5, 2, 2]


def test_signals_are_matrices_or_stacks():
    with pytest.raises(AssertionError, match="matrices or stacks"):
        theano.tensor.signal.conv.conv2d(x, w)

"""Functions of neural networks."""

from theano._core.api.nn.blocksparse import (
    h_softmax,
)
from theano._core.api.nn.convolution import (
    abstract_conv2d,
    conv2d,
    conv2d_grad_wrt_inputs,
    conv2d_transpose,
    conv3d,
    separable_conv2d,
)
from theano._core.api.nn.cross_entropy import (
    binary_crossentropy,
    categorical_crossentropy,
    confusion_matrix,
    crossentropy_categorical_1hot,
    crossentropy_categorical_1hot_grad,
    crossentropy_softmax_1hot,
    crossentropy_softmax_1hot_with_bias,
    crossentropy_softmax_1hot_with_bias_dx,
    crossentropy_softmax_argmax_1hot_with_bias,
    crossentropy_softmax_max_and_argmax_1hot,
    crossentropy_softmax_max_and_argmax_1hot_with_bias,
    prepend_0_to_each_row,
    prepend_1_to_each_row,
    prepend_scalar_to_each_row,
    sigmoid_binary_crossentropy,
)
from theano._core.api.nn.nnet import (
    batch_normalization,
    elu,
    hard_sigmoid,
    logsoftmax,
    relu,
    selu,
    sigmoid,
    softmax,
    softmax_grad,
    softmax_graph,
    softmax_with_bias,
    softplus,
    softsign,
    ultra_fast_sigmoid,
)
from theano._core.api.nn.nnet import (
    dropout as dropout,
)
from theano._core.api.nn.nnet import (
    gelu as gelu,
)
from theano._core.api.nn.nnet import (
    log_softmax as log_softmax,
)
from theano._core.api.nn.nnet import (
    silu as silu,
)
from theano._core.api.nn.spatial import (
    spatialtf,
)
from theano._core.legacy.paths import old_names as _old_names
from theano.tensor.nnet import abstract_conv, blocksparse, bn, conv, conv3d2d, ctc, neighbours

__all__ = [
    "abstract_conv",
    "abstract_conv2d",
    "batch_normalization",
    "binary_crossentropy",
    "blocksparse",
    "bn",
    "categorical_crossentropy",
    "confusion_matrix",
    "conv",
    "conv2d",
    "conv2d_grad_wrt_inputs",
    "conv2d_transpose",
    "conv3d",
    "conv3d2d",
    "crossentropy_categorical_1hot",
    "crossentropy_categorical_1hot_grad",
    "crossentropy_softmax_1hot",
    "crossentropy_softmax_1hot_with_bias",
    "crossentropy_softmax_1hot_with_bias_dx",
    "crossentropy_softmax_argmax_1hot_with_bias",
    "crossentropy_softmax_max_and_argmax_1hot",
    "crossentropy_softmax_max_and_argmax_1hot_with_bias",
    "ctc",
    "elu",
    "h_softmax",
    "hard_sigmoid",
    "logsoftmax",
    "neighbours",
    "prepend_0_to_each_row",
    "prepend_1_to_each_row",
    "prepend_scalar_to_each_row",
    "relu",
    "selu",
    "separable_conv2d",
    "sigmoid",
    "sigmoid_binary_crossentropy",
    "softmax",
    "softmax_grad",
    "softmax_graph",
    "softmax_with_bias",
    "softplus",
    "softsign",
    "spatialtf",
    "ultra_fast_sigmoid",
]

__getattr__ = _old_names(__name__)

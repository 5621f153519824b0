# The names of this module, and where each is: see theano/_core/base/stubs.py.

from theano._core.api.nn.blocksparse import h_softmax as h_softmax
from theano._core.api.nn.convolution import (
    abstract_conv2d as abstract_conv2d, conv2d as conv2d,
    conv2d_grad_wrt_inputs as conv2d_grad_wrt_inputs, conv2d_transpose as conv2d_transpose,
    conv3d as conv3d, separable_conv2d as separable_conv2d,
)
from theano._core.api.nn.cross_entropy import (
    binary_crossentropy as binary_crossentropy,
    categorical_crossentropy as categorical_crossentropy, confusion_matrix as confusion_matrix,
    crossentropy_softmax_1hot as crossentropy_softmax_1hot,
    crossentropy_softmax_1hot_with_bias as crossentropy_softmax_1hot_with_bias,
    crossentropy_softmax_max_and_argmax_1hot as crossentropy_softmax_max_and_argmax_1hot,
    crossentropy_softmax_max_and_argmax_1hot_with_bias
        as crossentropy_softmax_max_and_argmax_1hot_with_bias,
    prepend_0_to_each_row as prepend_0_to_each_row, prepend_1_to_each_row as prepend_1_to_each_row,
    sigmoid_binary_crossentropy as sigmoid_binary_crossentropy,
)
from theano._core.api.nn.nnet import (
    batch_normalization as batch_normalization, elu as elu, hard_sigmoid as hard_sigmoid,
    logsoftmax as logsoftmax, relu as relu, selu as selu, sigmoid as sigmoid, softmax as softmax,
    softmax_graph as softmax_graph, softplus as softplus,
)
from theano._core.legacy.ops.array_ops import (
    crossentropy_categorical_1hot as crossentropy_categorical_1hot,
    crossentropy_categorical_1hot_grad as crossentropy_categorical_1hot_grad,
    crossentropy_softmax_1hot_with_bias_dx as crossentropy_softmax_1hot_with_bias_dx,
    crossentropy_softmax_argmax_1hot_with_bias as crossentropy_softmax_argmax_1hot_with_bias,
    prepend_scalar_to_each_row as prepend_scalar_to_each_row, softmax_grad as softmax_grad,
    softmax_with_bias as softmax_with_bias,
)
from theano._core.ops.composed import (
    softsign as softsign, ultra_fast_sigmoid as ultra_fast_sigmoid,
)
from theano.tensor.nnet import (
    abstract_conv as abstract_conv, blocksparse as blocksparse, bn as bn, conv as conv,
)

# Not in __all__

from theano._core.api.nn.nnet import (
    dropout as dropout, gelu as gelu, log_softmax as log_softmax, silu as silu,
)
from theano._core.api.nn.spatial import spatialtf as spatialtf
from theano.tensor.nnet import (
    conv3d2d as conv3d2d, ctc as ctc, neighbours as neighbours,
)

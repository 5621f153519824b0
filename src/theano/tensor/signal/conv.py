"""Convolutions of single images and stacks of them."""

from theano._core.legacy.ops.convolution_ops import (
    signal_conv2d as conv2d,
)

__all__ = ["conv2d"]

"""Write what convolutions and pools of Theano 1.0.5 give to a JSON file.

Run with Python 3.7 and Theano 1.0.5 with a C++ compiler, not with this package:

    python tools/golden_convolutions.py tests/golden/convolutions_theano105.json

Each row: the text of an expression of `a`, `b` and `c`, their shapes, and a digest of its value and
of the gradients of the sum of its squares. The tests evaluate the same texts.
"""

import json
import sys
import warnings

import numpy as np

import theano
import theano.tensor as T
from theano.tensor.nnet import abstract_conv, conv as old, conv3d2d, corr, corr3d
from theano.tensor.signal import conv as signal, pool

warnings.simplefilter("ignore")
NAMES = {
    "T": T,
    "abstract": abstract_conv,
    "corr": corr,
    "corr3d": corr3d,
    "conv3d2d": conv3d2d,
    "old": old,
    "signal": signal,
    "pool": pool,
}
ROWS = []


def row(text, *shapes):
    """Add a row."""
    ROWS.append((text, shapes))


IMAGES, KERNELS = (2, 4, 7, 6), (6, 4, 3, 2)
for MODE in ("'valid'", "'full'", "'half'", "1", "(1, 2)", "((1, 2), (0, 1))"):
    for STEPS in ("(1, 1)", "(2, 3)"):
        for DILATION in ("(1, 1)", "(2, 1)"):
            for FLIP in ("True", "False"):
                OPTIONS = f"border_mode={MODE}, subsample={STEPS}, filter_dilation={DILATION}"
                OPTIONS = f"{OPTIONS}, filter_flip={FLIP}"
                row(f"T.nnet.conv2d(a, b, {OPTIONS})", IMAGES, KERNELS)
    row(f"T.nnet.conv2d(a, b, border_mode={MODE}, num_groups=2)", IMAGES, (6, 2, 3, 2))
for GROUPS, CHANNELS in ((1, 4), (2, 2)):
    OPTIONS = f"border_mode=(1, 0), subsample=(2, 1), num_groups={GROUPS}"
    row(f"T.nnet.conv2d(a, b, unshared=True, {OPTIONS})", IMAGES, (6, 4, 5, CHANNELS, 3, 2))
VIDEOS, CUBES = (2, 2, 5, 4, 6), (3, 2, 2, 3, 2)
for MODE in ("'valid'", "'full'", "'half'", "(1, 2, 0)"):
    OPTIONS = f"border_mode={MODE}, subsample=(1, 2, 1), filter_dilation=(2, 1, 1)"
    row(f"T.nnet.conv3d(a, b, {OPTIONS})", VIDEOS, CUBES)
OPTIONS = "border_mode=(1, 1), input_dilation=(2, 2)"
row(f"T.nnet.conv2d_transpose(a, b, (2, 4, 15, 14), {OPTIONS})", (2, 6, 8, 7), (6, 4, 3, 4))
row(
    "abstract.conv2d_grad_wrt_inputs(a, b, (None, None, 9, a.shape[3] + 1))",
    (2, 6, 7, 5),
    (6, 4, 3, 2),
)
row("abstract.conv2d_grad_wrt_weights(a, b, (None, None, 3, 2))", (2, 4, 7, 5), (2, 6, 5, 4))
row("abstract.conv3d_grad_wrt_inputs(a, b, (None, None, 6, 6, 6))", (2, 3, 5, 4, 5), CUBES)
row(
    "abstract.conv3d_grad_wrt_weights(a, b, (None, None, 2, 3, 2))",
    (2, 2, 6, 6, 6),
    (2, 3, 5, 4, 5),
)
row(
    "abstract.separable_conv2d(a, b, c, 4, border_mode='half')",
    IMAGES,
    (8, 1, 3, 3),
    (5, 8, 1, 1),
)
row("abstract.separable_conv3d(a, b, c, 2)", VIDEOS, (4, 1, 2, 2, 2), (3, 4, 1, 1, 1))
row("abstract.causal_conv1d(a, b, (3, 2, 4), filter_dilation=2)", (2, 2, 9), (3, 2, 4))
row(
    "abstract.causal_conv1d(a, b, (3, 2, 4), subsample=2, filter_flip=False)",
    (2, 2, 9),
    (3, 2, 4),
)
for RATIO in (1, 2, 3, 4, 5):
    row(f"abstract.bilinear_upsampling(a, ratio={RATIO})", (2, 2, 3, 4))
    row(f"abstract.bilinear_kernel_2D({RATIO}) * a[0, 0]", (1, 1))
    row(f"abstract.bilinear_kernel_1D({RATIO}, normalize=False) * a[0]", (1,))
for RATIO in ("(3, 2)", "(5, 3)", "(2, 3)", "((3, 2), (5, 3))", "((1, 2), (7, 2))"):
    row(f"abstract.bilinear_upsampling(a, frac_ratio={RATIO}, use_1D_kernel=False)", (2, 2, 3, 4))
for MODE in ("'valid'", "'full'"):
    row(f"old.conv2d(a, b, border_mode={MODE})", IMAGES, KERNELS)
    row(f"old.conv2d(a, b, (2, 4, 7, 6), (6, 4, 3, 2), {MODE})", IMAGES, KERNELS)
    for ONE in ((5, 6), (2, 5, 6)):
        for TWO in ((2, 3), (3, 2, 3)):
            row(f"signal.conv2d(a, b, border_mode={MODE})", ONE, TWO)
    row(f"corr.CorrMM({MODE}, (2, 1))(a, b)", IMAGES, KERNELS)
row("corr.CorrMM_gradInputs()(a, b)", KERNELS, (2, 6, 5, 5))
row("corr.CorrMM_gradWeights()(a, b)", IMAGES, (2, 6, 5, 5))
row("corr.CorrMM_gradInputs(subsample=(2, 2))(a, b, [7, 6])", KERNELS, (2, 6, 3, 3))
row("corr3d.Corr3dMM()(a, b)", VIDEOS, CUBES)
row("corr3d.Corr3dMM_gradInputs()(a, b)", CUBES, (2, 3, 4, 2, 5))
for MODE in ("'valid'", "'full'", "'half'", "('valid', 'full', 'full')"):
    row(f"conv3d2d.conv3d(a, b, border_mode={MODE})", (2, 5, 3, 6, 7), (4, 3, 3, 3, 3))
for MODE in ("max", "sum", "average_inc_pad", "average_exc_pad"):
    for SIZE in ("(2, 2)", "(3, 2)", "(8, 9)"):
        for STEPS in ("None", "(1, 1)", "(2, 3)", "(4, 3)"):
            for LAST in ("ignore_border=True", "ignore_border=False", "pad=(1, 1)"):
                if LAST.startswith("pad"):
                    LAST = "pad=(1, 1), ignore_border=True"
                    if MODE == "average_exc_pad":
                        continue
                OPTIONS = f"{SIZE}, stride={STEPS}, {LAST}, mode='{MODE}'"
                row(f"pool.pool_2d(a, {OPTIONS})", (2, 3, 7, 8))
    row(f"pool.pool_3d(a, (3, 1, 2), ignore_border=False, mode='{MODE}')", (2, 4, 5, 6))
row("pool.max_pool_2d_same_size(a, (2, 3))", (2, 3, 7, 8))


def numbers(shape):
    """Return small numbers, some of them equal, that depend on a shape."""
    n = int(np.prod(shape))
    at = np.arange(n) + 7 * len(shape)
    return (((at * at + 3 * at) % 23 - 11) / 4.0).reshape(shape)


def digest(value):
    """Return the shape of an array, its first items, its sum, and a sum with weights."""
    flat = np.asarray(value).ravel()
    weights = np.arange(flat.size) % 97 + 1.0
    first = [float(v) for v in flat[:8]]
    return [list(value.shape), first, float(flat.sum()), float((flat * weights).sum())]


def results(text, shapes):
    """Return digests of the value of a text and of its gradients."""
    inputs = [T.TensorType("float64", (False,) * len(s))() for s in shapes]
    operands = {"abc"[i]: v for i, v in enumerate(inputs)}
    out = eval(text, dict(NAMES, **operands))
    outputs = [out, *T.grad((out**2).sum(), inputs)]
    return [digest(v) for v in theano.function(inputs, outputs)(*map(numbers, shapes))]


def main():
    """Write the file, a row on each line."""
    lines = [json.dumps([text, shapes, results(text, shapes)]) for text, shapes in ROWS]
    with open(sys.argv[1], "w") as stream:
        stream.write("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()

"""Images through affine maps, against a loop over points; and what a map does to them."""

import numpy as np
import pytest

import theano.tensor as T
from theano.gradient import verify_grad
from theano.tensor.nnet import spatialtf

rng = np.random.default_rng(0)
SAME = np.array([[1.0, 0, 0], [0, 1, 0]])


def by_points(img, theta, rows, columns):
    """Return the result, point by point."""
    count, channels, height, width = img.shape
    out = np.zeros((count, channels, rows, columns))
    for k, i, j in np.ndindex(count, rows, columns):
        point = [2 * j / max(columns - 1, 1) - 1, 2 * i / max(rows - 1, 1) - 1, 1]
        x, y = (theta[k] @ point + 1) / 2 * (width - 1, height - 1)
        for r, c in np.ndindex(height, width):
            out[k, :, i, j] += img[k, :, r, c] * max(1 - abs(y - r), 0) * max(1 - abs(x - c), 0)
    return out


@pytest.mark.parametrize(("scale", "size"), [((1, 1), (5, 4)), ((0.7, 2), (10, 3))])
def test_against_points(scale, size):
    img = rng.normal(size=(3, 2, 5, 4))
    theta = SAME + rng.normal(size=(3, 2, 3)) / 2
    x, m = T.dtensor4(), T.dtensor3()
    got = spatialtf(x, m, *scale).eval({x: img, m: theta})
    np.testing.assert_allclose(got, by_points(img, theta, *size), rtol=1e-9, atol=1e-12)


def test_maps():
    img = rng.normal(size=(1, 1, 6, 6)).astype("float32")

    def seen(*theta):
        out = spatialtf(img, np.array([theta], "float32"))
        assert out.type.dtype == "float32"
        return out.eval()

    np.testing.assert_allclose(seen([1, 0, 0], [0, 1, 0]), img, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(seen([-1, 0, 0], [0, 1, 0]), img[..., ::-1], rtol=1e-5, atol=1e-6)
    turned = np.rot90(img, axes=(2, 3))
    np.testing.assert_allclose(seen([0, -1, 0], [1, 0, 0]), turned, rtol=1e-5, atol=1e-6)
    assert not seen([1, 0, 5], [0, 1, 0]).any()


def test_derivatives():
    img = rng.normal(size=(2, 2, 4, 5))
    theta = 0.8 * SAME + rng.normal(size=(2, 2, 3)) / 20
    verify_grad(spatialtf, [img, theta], rng=np.random.RandomState(0))


def test_arguments_that_are_refused():
    for img, theta in ((T.dtensor3(), T.dtensor3()), (T.ltensor4(), T.dtensor3())):
        with pytest.raises(TypeError, match="spatialtf: img must be float with 4 axes"):
            spatialtf(img, theta)
    with pytest.raises(TypeError, match="spatialtf: theta must be float with 3 axes"):
        spatialtf(T.dtensor4(), T.dmatrix())

"""Whole programs: work on arrays, without gradients and with few steps."""

from __future__ import annotations

import numpy as np
from program_table import program


def single(a: np.ndarray) -> np.ndarray:
    return a.astype("float32")


@program(
    "argmax and the sum of the 10 largest of rows, float32",
    lambda r, n, k: [single(r.randn(n, k))],
    (1000, 10_000),
    (4, 30),
)
def largest_of_rows(m, x):
    return x.argmax(axis=1), m.top(x, 10).sum(axis=1)


@program("softmax of rows", lambda r, n, k: [r.randn(n, k)], (1000, 1000), (3, 5))
def softmax_rows(m, x):
    return m.softmax(x)


@program(
    "layer norm and GELU, float32",
    lambda r, n, k: [single(r.randn(n, k)), single(r.randn(k)), single(r.randn(k))],
    (1024, 768),
    (3, 5),
)
def layer_norm_gelu(m, x, g, b):
    d = x - x.mean(axis=-1)[..., None]
    y = d / m.sqrt((d * d).mean(axis=-1)[..., None] + 1e-5) * g + b
    return 0.5 * y * (1 + m.erf(y * 0.5**0.5))


@program(
    "images: uint8 to float32, a scale for each channel, channels last",
    lambda r, n, h: [
        r.randint(0, 256, (n, h, h, 3)).astype("uint8"),
        single(r.rand(3) + 0.5),
        single(r.rand(3)),
    ],
    (16, 224),
    (2, 5),
)
def normalise_images(m, images, scale, mean):
    return (m.cast(images, "float32") - mean) * scale


@program(
    "edges of images by Sobel's kernels, float32",
    lambda r, n, h: [single(r.rand(n, h, h))],
    (8, 256),
    (2, 6),
)
def sobel(m, x):
    smooth = x[:, :-2] + 2 * x[:, 1:-1] + x[:, 2:]
    across = smooth[:, :, 2:] - smooth[:, :, :-2]
    flat = x[:, :, :-2] + 2 * x[:, :, 1:-1] + x[:, :, 2:]
    down = flat[:, 2:] - flat[:, :-2]
    return m.sqrt(across * across + down * down)


@program(
    "FFT filter of rows", lambda r, n, k: [r.randn(n, k), r.rand(k // 2 + 1)], (64, 8192), (3, 16)
)
def fft_filter(m, x, response):
    return m.filter_rows(x, response)


@program("sort", lambda r, n: [r.randn(n)], (1_000_000,), (9,))
def sort(m, x):
    return m.sort(x)


@program(
    "bincount with weights",
    lambda r, n, k: [r.randint(0, k, n), r.rand(n), np.zeros(k)],
    (1_000_000, 1000),
    (20, 5),
)
def histogram(m, x, weights, result):
    return m.bincount(x, weights, minlength=result.shape[0])


@program("transposed matrix plus 1", lambda r, n: [r.randn(n, n)], (1000,), (3,))
def transposed(m, x):
    return x.T + 1


@program("scalar product", lambda r, n: [r.randn(n), r.randn(n)], (1_000_000,), (7,))
def scalar_product(m, x, y):
    return (x * y).sum()


@program("product of matrices", lambda r, n, k: [r.randn(n, k), r.randn(k, n)], (1024, 512), (5, 3))
def product(m, x, y):
    return m.matmul(x, y)


@program(
    "tensordot over two axes",
    lambda r, n, k: [r.randn(n, k, 12), r.randn(12, k, n)],
    (64, 48),
    (3, 2),
)
def tensor_product(m, x, y):
    return m.tensordot(x, y, [[1, 2], [1, 0]])


@program(
    "10,000 matrices of 4 × 4: solve, inverse, determinant",
    lambda r, n: [r.randn(n, 4, 4) + 4 * np.eye(4), r.randn(n, 4, 1)],
    (10_000,),
    (3,),
)
def small_systems(m, a, b):
    return m.solve(a, b), m.inverse(a), m.linalg.det(a)


@program("squared distances between points", lambda r, n, k: [r.randn(n, k)], (1000, 8), (5, 2))
def distances(m, x):
    squares = (x * x).sum(axis=1)
    return m.sqrt(m.maximum(squares[:, None] + squares - 2 * m.matmul(x, x.T), 0.0))


@program("correlation of columns", lambda r, n, k: [r.randn(n, k)], (10_000, 50), (9, 3))
def correlations(m, x):
    d = x - x.mean(axis=0)
    covariance = m.matmul(d.T, d)
    scale = m.sqrt((d * d).sum(axis=0))
    return covariance / scale[:, None] / scale


@program("moving average by cumulative sums", lambda r, n: [r.randn(n)], (1_000_000,), (30,))
def moving_average(m, x):
    total = m.cumsum(x, axis=0)
    return (total[10:] - total[:-10]) / 10


def options(r, n):
    return [80 + 40 * r.rand(n), 80 + 40 * r.rand(n), r.rand(n) + 0.1, 0.1 + 0.3 * r.rand(n)]


@program("Black–Scholes: prices of calls and puts", options, (200_000,), (5,))
def black_scholes(m, spot, strike, time, volatility):
    spread = volatility * m.sqrt(time)
    d1 = (m.log(spot / strike) + (0.03 + volatility**2 / 2) * time) / spread
    below = 0.5 + 0.5 * m.erf(d1 * 0.5**0.5)
    below_too = 0.5 + 0.5 * m.erf((d1 - spread) * 0.5**0.5)
    call = spot * below - strike * m.exp(-0.03 * time) * below_too
    return call, call - spot + strike * m.exp(-0.03 * time)


@program("heat equation, a step by roll", lambda r, n: [r.randn(n, n)], (1000,), (5,))
def heat(m, u):
    around = m.roll(u, 1, 0) + m.roll(u, -1, 0) + m.roll(u, 1, 1) + m.roll(u, -1, 1)
    return u + 0.1 * (around - 4 * u)


@program(
    "Game of Life, a step, int8",
    lambda r, n: [(r.rand(n, n) < 0.4).astype("int8")],
    (1000,),
    (6,),
)
def life(m, cells):
    rows = cells + m.roll(cells, 1, 0) + m.roll(cells, -1, 0)
    count = rows + m.roll(rows, 1, 1) + m.roll(rows, -1, 1)
    return m.cast(m.equal(count, 3) | (m.equal(count, 4) & (cells > 0)), "int8")


@program(
    "Ising model, half a sweep",
    lambda r, n: [np.sign(r.randn(n, n)), r.rand(n, n), np.indices((n, n)).sum(0) % 2 == 0],
    (1000,),
    (6,),
)
def ising(m, spins, uniform, even):
    field = m.roll(spins, 1, 0) + m.roll(spins, -1, 0) + m.roll(spins, 1, 1) + m.roll(spins, -1, 1)
    turn = even & (uniform < m.exp(-0.8 * spins * field))
    return m.where(turn, -spins, spins)


@program(
    "k-means, a step",
    lambda r, n, k, d: [r.randn(n, d), r.randn(k, d)],
    (20_000, 16, 8),
    (20, 3, 2),
)
def k_means(m, x, centres):
    scores = (centres * centres).sum(axis=1) - 2 * m.matmul(x, centres.T)
    nearest = scores.argmin(axis=1)
    sums = m.add_rows(0 * centres, nearest, x)
    counts = m.bincount(nearest, minlength=centres.shape[0])
    return sums / m.maximum(m.cast(counts, "float64"), 1.0)[:, None]


@program(
    "Gaussian mixture, a step of EM",
    lambda r, n, k, d: [r.randn(n, d), r.randn(k, d), r.rand(k, d) + 0.5, np.ones(k) / k],
    (5000, 10, 4),
    (20, 3, 2),
)
def mixture(m, x, means, variances, shares):
    d = x[:, None, :] - means
    score = m.log(shares) - 0.5 * (d * d / variances + m.log(variances)).sum(axis=2)
    weight = m.exp(score - m.log_sum(score, 1)[:, None])
    total = weight.sum(axis=0)
    new = m.matmul(weight.T, x) / total[:, None]
    square = m.matmul(weight.T, x * x) / total[:, None]
    return new, square - new * new, total / x.shape[0]


@program(
    "ridge regression for 20 penalties",
    lambda r, n, k: [r.randn(n, k), r.randn(n), np.logspace(-2, 2, 20), np.eye(k)],
    (2000, 40),
    (9, 3),
)
def ridge(m, x, y, penalties, one):
    systems = m.matmul(x.T, x) + penalties[:, None, None] * one
    right = m.matmul(x.T, y)[:, None] + 0 * penalties[:, None, None]
    return m.solve(systems, right)[:, :, 0]


@program("Haar's wavelets, 4 levels", lambda r, n: [r.randn(n)], (1 << 20,), (16,))
def haar(m, x):
    details = []
    for _ in range(4):
        even, odd = x[::2], x[1::2]
        details.append((even - odd) * 0.5**0.5)
        x = (even + odd) * 0.5**0.5
    return [x, *details]


@program("smoothing by slices, 3 times", lambda r, n: [r.randn(n, n)], (500,), (8,))
def smooth_by_slices(m, u):
    for _ in range(3):
        across = u[1:-1, 2:] + u[1:-1, :-2]
        u = (u[2:, 1:-1] + u[:-2, 1:-1] + across + 4 * u[1:-1, 1:-1]) / 8
    return u


@program(
    "RGB to YCbCr, channels last, float32", lambda r, n: [single(r.rand(n, n, 3))], (300,), (4,)
)
def luma_and_chroma(m, x):
    red, green, blue = x[..., 0], x[..., 1], x[..., 2]
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    return m.stack([y, (blue - y) * 0.564, (red - y) * 0.713], 2)


@program(
    "means of segments",
    lambda r, n, k, d: [r.randn(n, d), r.randint(0, k, n), np.zeros((k, d))],
    (50_000, 100, 8),
    (20, 3, 2),
)
def segment_means(m, x, segment, zeros):
    counts = m.bincount(segment, minlength=zeros.shape[0])
    return m.add_rows(zeros, segment, x) / m.maximum(m.cast(counts, "float64"), 1.0)[:, None]


@program(
    "bilateral filter by shifts, 5 × 5, float32",
    lambda r, n: [single(r.rand(n, n))],
    (256,),
    (8,),
)
def bilateral_filter(m, u):
    middle = u[2:-2, 2:-2]
    total, weight = 0.0 * middle, 0.0 * middle
    for i in range(5):
        for j in range(5):
            shifted = u[i : (i - 4) or None, j : (j - 4) or None]
            d = shifted - middle
            near = float(np.exp(-((i - 2) ** 2 + (j - 2) ** 2) / 4))
            w = m.exp(-20.0 * d * d) * near
            total, weight = total + w * shifted, weight + w
    return total / weight


@program("skewness and kurtosis of columns", lambda r, n, k: [r.randn(n, k)], (20_000, 20), (9, 3))
def moments(m, x):
    d = x - x.mean(axis=0)
    second, third, fourth = (d**2).mean(axis=0), (d**3).mean(axis=0), (d**4).mean(axis=0)
    return second, third / second**1.5, fourth / second**2

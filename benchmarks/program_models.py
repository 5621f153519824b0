"""Whole programs: models with their gradients."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from program_arrays import single
from program_table import by_hand, program


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def attention_data(r, batch, heads, length, width):
    arrays = [single(r.randn(batch, heads, length, width)) for _ in range(3)]
    return [*arrays, np.float32(width**-0.5)]


@program(
    "attention of 4 axes, with gradients, float32",
    attention_data,
    (8, 8, 128, 32),
    (2, 2, 3, 4),
    wrt=(0, 1, 2),
)
def attention(m, q, k, v, scale):
    share = m.softmax(m.matmul(q, m.swapaxes(k, -1, -2)) * scale)
    return (m.matmul(share, v) ** 2).sum()


@by_hand("attention of 4 axes, with gradients, float32")
def attention_by_hand(q, k, v, scale):
    score = q @ k.swapaxes(-1, -2) * scale
    share = np.exp(score - score.max(axis=-1, keepdims=True))
    share /= share.sum(axis=-1, keepdims=True)
    out = share @ v
    g = 2 * out
    g_share = g @ v.swapaxes(-1, -2)
    g_score = share * (g_share - (share * g_share).sum(axis=-1, keepdims=True)) * scale
    return [
        (out**2).sum(),
        g_score @ k,
        g_score.swapaxes(-1, -2) @ q,
        share.swapaxes(-1, -2) @ g,
    ]


def block_data(r, batch, length, width):
    shapes = [(width, 3 * width), (width, width), (width, 4 * width), (4 * width, width)]
    weights = [single(r.randn(*s) / np.sqrt(s[0])) for s in shapes]
    return [single(r.randn(batch, length, width)), *weights, np.float32((width // 8) ** -0.5)]


@program(
    "transformer block of 8 heads, with gradients, float32",
    block_data,
    (8, 128, 256),
    (2, 3, 16),
    wrt=(1, 2, 3, 4),
)
def transformer(m, x, w_in, w_out, w_up, w_down, scale):
    def norm(x):
        d = x - x.mean(axis=-1)[..., None]
        return d / m.sqrt((d * d).mean(axis=-1)[..., None] + 1e-5)

    batch, length, width = x.shape
    parts = m.matmul(norm(x), w_in).reshape((batch, length, 3, 8, width // 8))
    q, k, v = (m.swapaxes(parts[:, :, i], 1, 2) for i in range(3))
    share = m.softmax(m.matmul(q, m.swapaxes(k, -1, -2)) * scale)
    heads = m.swapaxes(m.matmul(share, v), 1, 2).reshape((batch, length, width))
    x = x + m.matmul(heads, w_out)
    up = m.matmul(norm(x), w_up)
    up = 0.5 * up * (1 + m.erf(up * 0.5**0.5))
    return ((x + m.matmul(up, w_down)) ** 2).mean()


def embedding_data(r, words, width, batch):
    return [r.randn(words, width), r.randint(0, words, batch), r.randn(batch, width)]


@program(
    "SGD on embeddings, 1,024 of 20,000 rows",
    embedding_data,
    (20_000, 128, 1024),
    (10, 3, 6),
    wrt=(0,),
    rate=0.01,
)
def embeddings(m, table, words, target):
    return ((table[words] - target) ** 2).sum()


@by_hand("SGD on embeddings, 1,024 of 20,000 rows")
def embeddings_by_hand(table, words, target):
    d = table[words] - target
    np.subtract.at(table, words, 0.02 * d)
    return (d * d).sum()


def factor_data(r, users, items, rank, ratings):
    return [
        0.1 * r.randn(users, rank),
        0.1 * r.randn(items, rank),
        r.randint(0, users, ratings),
        r.randint(0, items, ratings),
        r.randn(ratings),
    ]


@program(
    "matrix factorisation, a step on 10,000 ratings",
    factor_data,
    (2000, 1000, 16, 10_000),
    (5, 4, 2, 7),
    wrt=(0, 1),
    rate=0.01,
)
def factorisation(m, users, items, i, j, ratings):
    return (((users[i] * items[j]).sum(axis=1) - ratings) ** 2).sum()


@by_hand("matrix factorisation, a step on 10,000 ratings")
def factorisation_by_hand(users, items, i, j, ratings):
    u, v = users[i], items[j]
    error = (u * v).sum(axis=1) - ratings
    g = 0.02 * error[:, None]
    np.subtract.at(users, i, g * v)
    np.subtract.at(items, j, g * u)
    return (error**2).sum()


def layers_data(r, batch, *widths):
    shapes = list(pairwise(widths))
    weights = [single(r.randn(*s) / np.sqrt(s[0])) for s in shapes]
    biases = [single(np.zeros(n)) for _, n in shapes]
    one_of = np.eye(widths[-1])[r.randint(0, widths[-1], batch)]
    return [single(r.randn(batch, widths[0])), single(one_of), *weights, *biases]


@program(
    "MLP 784-500-500-10, a step on 128 images, float32",
    layers_data,
    (128, 784, 500, 500, 10),
    (3, 5, 4, 4, 3),
    wrt=(2, 3, 4, 5, 6, 7),
    rate=0.1,
)
def mlp(m, x, one_of, w1, w2, w3, b1, b2, b3):
    h = m.tanh(m.matmul(x, w1) + b1)
    h = m.tanh(m.matmul(h, w2) + b2)
    score = m.matmul(h, w3) + b3
    return (m.log_sum(score, 1) - (score * one_of).sum(axis=1)).mean()


@by_hand("MLP 784-500-500-10, a step on 128 images, float32")
def mlp_by_hand(x, one_of, w1, w2, w3, b1, b2, b3):
    rate = np.float32(0.1)
    h1 = np.tanh(x @ w1 + b1)
    h2 = np.tanh(h1 @ w2 + b2)
    score = h2 @ w3 + b3
    e = np.exp(score - score.max(axis=1, keepdims=True))
    total = e.sum(axis=1, keepdims=True)
    log_p = score - score.max(axis=1, keepdims=True) - np.log(total)
    g3 = (e / total - one_of) / len(x)
    g2 = (g3 @ w3.T) * (1 - h2 * h2)
    g1 = (g2 @ w2.T) * (1 - h1 * h1)
    for w, b, h, g in ((w1, b1, x, g1), (w2, b2, h1, g2), (w3, b3, h2, g3)):
        w -= rate * (h.T @ g)
        b -= rate * g.sum(axis=0)
    return -(log_p * one_of).sum(axis=1).mean()


@program(
    "N-body, 500 bodies: energy and forces", lambda r, n: [r.randn(n, 3)], (500,), (4,), wrt=(0,)
)
def bodies(m, x):
    d = x[:, None, :] - x
    return (-1 / m.sqrt((d * d).sum(axis=2) + 0.01)).sum() / 2


@by_hand("N-body, 500 bodies: energy and forces")
def bodies_by_hand(x):
    d = x[:, None, :] - x
    square = (d * d).sum(axis=2) + 0.01
    inverse = 1 / np.sqrt(square)
    return [-inverse.sum() / 2, (d * (inverse / square)[:, :, None]).sum(axis=1)]


def process_data(r, n, k):
    return [r.randn(n, k), r.randn(n), np.zeros(k), np.eye(n)]


@program(
    "Gaussian process of 200 points: log density and gradient",
    process_data,
    (200, 3),
    (5, 2),
    wrt=(2,),
)
def process(m, x, y, scales, one):
    z = x * m.exp(scales)
    squares = (z * z).sum(axis=1)
    kernel = m.exp(m.matmul(z, z.T) - squares[:, None] / 2 - squares / 2)
    factor = m.cholesky(kernel + 0.1 * one)
    solved = m.lower_solve(factor, y)
    return -0.5 * (solved * solved).sum() - m.log_diagonal(factor)


@by_hand("Gaussian process of 200 points: log density and gradient")
def process_by_hand(x, y, scales, one):
    from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

    z = x * np.exp(scales)
    squares = (z * z).sum(axis=1)
    kernel = np.exp(z @ z.T - squares[:, None] / 2 - squares / 2)
    factor = dpotrf(kernel + 0.1 * one, lower=True, clean=True)[0]
    alpha = dpotrs(factor, y, lower=True)[0]
    inverse = np.tril(dpotri(factor, lower=True)[0])
    inverse += np.tril(inverse, -1).T
    g = 0.5 * (np.outer(alpha, alpha) - inverse) * kernel
    gz = 2 * (g @ z - g.sum(axis=1)[:, None] * z)
    return [-0.5 * y @ alpha - np.log(np.diagonal(factor)).sum(), (gz * z).sum(axis=0)]


@program(
    "Cholesky factor of 500 × 500, with gradient",
    lambda r, n: [r.randn(n, n) / np.sqrt(n) + 3 * np.eye(n)],
    (500,),
    (4,),
    wrt=(0,),
)
def factor(m, a):
    return m.log_diagonal(m.cholesky(m.matmul(a, a.T)))


@by_hand("Cholesky factor of 500 × 500, with gradient")
def factor_by_hand(a):
    from scipy.linalg.lapack import dpotrf, dpotri

    lower = dpotrf(a @ a.T, lower=True, clean=True)[0]
    inverse = np.tril(dpotri(lower, lower=True)[0])
    inverse += np.tril(inverse, -1).T
    return [np.log(np.diagonal(lower)).sum(), inverse @ a]


def radon_data(r, houses, counties):
    return [
        r.randn(counties),
        r.randn(counties),
        r.randn(4),
        np.sort(r.randint(0, counties, houses)),
        r.randint(0, 2, houses).astype("float64"),
        r.randn(houses),
    ]


@program(
    "hierarchical regression (radon): log density and gradient",
    radon_data,
    (919, 85),
    (9, 3),
    wrt=(0, 1, 2),
)
def radon(m, intercept, slope, group, county, floor, y):
    error = y - (intercept[county] + slope[county] * floor)
    a, b = intercept - group[0], slope - group[1]
    return (
        -0.5 * (error * error).sum()
        - 0.5 * (a * a).sum() * m.exp(-2 * group[2])
        - 0.5 * (b * b).sum() * m.exp(-2 * group[3])
        - intercept.shape[0] * (group[2] + group[3])
    )


@by_hand("hierarchical regression (radon): log density and gradient")
def radon_by_hand(intercept, slope, group, county, floor, y):
    count = len(intercept)
    error = y - (intercept[county] + slope[county] * floor)
    a, b, wa, wb = intercept - group[0], slope - group[1], *np.exp(-2 * group[2:])
    aa, bb = wa * (a @ a), wb * (b @ b)
    return [
        -0.5 * (error @ error + aa + bb) - count * (group[2] + group[3]),
        np.bincount(county, error, count) - wa * a,
        np.bincount(county, error * floor, count) - wb * b,
        np.array([wa * a.sum(), wb * b.sum(), aa - count, bb - count]),
    ]


def skip_gram_data(r, words, width, batch, others):
    return [
        0.1 * r.randn(words, width),
        0.1 * r.randn(words, width),
        r.randint(0, words, batch),
        r.randint(0, words, (batch, 1 + others)),
    ]


@program(
    "word2vec with 5 negative samples, a step on 512 words",
    skip_gram_data,
    (10_000, 64, 512, 5),
    (8, 3, 4, 2),
    wrt=(0, 1),
    rate=0.05,
)
def skip_gram(m, inner, outer, words, samples):
    score = (inner[words][:, None, :] * outer[samples]).sum(axis=2)
    return m.log(1 + m.exp(-score[:, 0])).sum() + m.log(1 + m.exp(score[:, 1:])).sum()


@by_hand("word2vec with 5 negative samples, a step on 512 words")
def skip_gram_by_hand(inner, outer, words, samples):
    u, v = inner[words][:, None, :], outer[samples]
    score = (u * v).sum(axis=2)
    score[:, 0] *= -1
    cost = np.log(1 + np.exp(score)).sum()
    g = 0.05 * sigmoid(score)[:, :, None]
    g[:, 0] *= -1
    np.subtract.at(inner, words, (g * v).sum(axis=1))
    np.subtract.at(outer, samples, g * u)
    return cost


@program(
    "batch norm and relu, with gradients, float32",
    lambda r, n, k: [single(r.randn(n, k)), single(r.rand(k) + 0.5), single(r.randn(k))],
    (4096, 256),
    (7, 3),
    wrt=(0, 1, 2),
)
def batch_norm(m, x, g, b):
    d = x - x.mean(axis=0)
    y = d / m.sqrt((d * d).mean(axis=0) + 1e-5) * g + b
    return (m.maximum(y, 0.0) ** 2).sum()


@by_hand("batch norm and relu, with gradients, float32")
def batch_norm_by_hand(x, g, b):
    d = x - x.mean(axis=0)
    inverse = 1 / np.sqrt((d * d).mean(axis=0) + np.float32(1e-5))
    unit = d * inverse
    y = np.maximum(unit * g + b, 0)
    gy = 2 * y
    gb, gg = gy.sum(axis=0), (gy * unit).sum(axis=0)
    gx = g * inverse * (gy - gb / len(x) - unit * (gg / len(x)))
    return [(y * y).sum(), gx, gg, gb]


def density_data(r, n, hidden, parts):
    return [r.randn(n), r.randn(n), r.randn(hidden), 0.3 * r.randn(hidden, 3 * parts)]


@program(
    "mixture density network, with gradients",
    density_data,
    (1000, 40, 5),
    (6, 4, 2),
    wrt=(2, 3),
)
def mixture_density(m, x, y, w, v):
    out = m.matmul(m.tanh(x[:, None] * w), v)
    k = v.shape[1] // 3
    share, mean, spread = out[:, :k], out[:, k : 2 * k], out[:, 2 * k :]
    z = (y[:, None] - mean) * m.exp(-spread)
    return -(m.log_sum(share - 0.5 * z * z - spread, 1) - m.log_sum(share, 1)).mean()


def logistic_data(r, n, k):
    return [0.1 * r.randn(k), r.randn(n, k), (r.rand(n) < 0.5).astype("float64")]


@program(
    "Hessian of logistic regression, 50 weights",
    logistic_data,
    (1000, 50),
    (6, 3),
    wrt=(0,),
    derivative="hessian",
)
def logistic(m, w, x, y):
    score = m.matmul(x, w)
    return (m.log(1 + m.exp(score)) - y * score).sum()


@by_hand("Hessian of logistic regression, 50 weights")
def logistic_by_hand(w, x, y):
    p = sigmoid(x @ w)
    return [(x * (p * (1 - p))[:, None]).T @ x]


@program(
    "Jacobian of an MLP 50-50-50",
    lambda r, n: [r.randn(n), r.randn(n, n) / np.sqrt(n), r.randn(n, n) / np.sqrt(n)],
    (50,),
    (4,),
    wrt=(0,),
    derivative="jacobian",
)
def two_layers(m, x, w, v):
    return m.tanh(m.matmul(m.tanh(m.matmul(x, w)), v))


@by_hand("Jacobian of an MLP 50-50-50")
def two_layers_by_hand(x, w, v):
    h = np.tanh(x @ w)
    y = np.tanh(h @ v)
    return [((1 - y * y)[:, None] * v.T * (1 - h * h)) @ w.T]


def survival_data(r, n, k):
    return [0.1 * r.randn(k), r.randn(n, k), (r.rand(n) < 0.7).astype("float64")]


@program("Cox's partial likelihood, with gradient", survival_data, (5000, 20), (6, 3), wrt=(0,))
def survival(m, w, x, event):
    score = m.matmul(x, w)
    return ((score - m.log(m.cumsum(m.exp(score), axis=0))) * event).sum()

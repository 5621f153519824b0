"""Whole programs: loops of many steps, some with their gradients."""

from __future__ import annotations

import numpy as np
from program_table import by_hand, program


def chain_data(r, steps, batch, states):
    moves = r.rand(states, states)
    return [np.log(moves / moves.sum(axis=1, keepdims=True)), r.randn(steps, batch, states)]


@program(
    "hidden Markov model, forward in logarithms",
    chain_data,
    (200, 16, 20),
    (4, 2, 3),
    loops=True,
)
def hidden_markov(m, moves, scores):
    def step(score, alpha):
        return (m.log_sum(alpha[:, :, None] + moves, 1) + score,)

    return m.log_sum(m.scan(step, [scores[1:]], [scores[0]])[0][-1], 1)


@program(
    "conditional random field: log partition and gradients",
    chain_data,
    (30, 16, 10),
    (4, 2, 3),
    wrt=(0, 1),
    loops=True,
)
def random_field(m, moves, scores):
    return hidden_markov(m, moves, scores).sum()


@by_hand("conditional random field: log partition and gradients")
def random_field_by_hand(moves, scores):
    def log_sum(x, axis):
        top = x.max(axis=axis, keepdims=True)
        return np.log(np.exp(x - top).sum(axis=axis)) + top.sum(axis=axis)

    alphas = [scores[0]]
    for score in scores[1:]:
        alphas.append(log_sum(alphas[-1][:, :, None] + moves, 1) + score)
    total = log_sum(alphas[-1], 1)
    beta = np.zeros_like(scores[0])
    of_scores, of_moves = np.empty_like(scores), np.zeros_like(moves)
    for t in range(len(scores) - 1, -1, -1):
        of_scores[t] = np.exp(alphas[t] + beta - total[:, None])
        if t:
            after = (scores[t] + beta)[:, None, :] + moves
            of_moves += np.exp(alphas[t - 1][:, :, None] + after - total[:, None, None]).sum(axis=0)
            beta = log_sum(after, 2)
    return [total.sum(), of_moves, of_scores]


def kalman_data(r, steps, size):
    turn = 0.99 * np.linalg.qr(r.randn(size, size))[0]
    return [turn, r.randn(2, size), r.randn(steps, 2), np.eye(size), np.eye(2)]


@program("Kalman filter, 200 steps of 4 states", kalman_data, (200, 4), (4, 3), loops=True)
def kalman(m, move, see, ys, one, noise):
    def step(y, x, p):
        x, p = m.matmul(move, x), m.matmul(m.matmul(move, p), move.T) + 0.1 * one
        seen = m.matmul(m.matmul(see, p), see.T) + noise
        gain = m.matmul(m.matmul(p, see.T), m.inverse(seen))
        return x + m.matmul(gain, y - m.matmul(see, x)), m.matmul(one - m.matmul(gain, see), p)

    xs, ps = m.scan(step, [ys], [0 * one[0], one])
    return xs, ps[-1]


@program(
    "Lotka–Volterra by Runge–Kutta, 500 steps, sensitivities",
    lambda r: [np.array([1.0, 0.8, 0.9, 0.7]), np.array([1.0, 1.5])],
    (),
    (),
    wrt=(0, 1),
    loops=True,
)
def lotka_volterra(m, p, start):
    def slope(x, y):
        return p[0] * x - p[1] * x * y, -p[2] * y + p[3] * x * y

    def step(x, y):
        h = 0.01
        a, b = slope(x, y)
        c, d = slope(x + h / 2 * a, y + h / 2 * b)
        e, f = slope(x + h / 2 * c, y + h / 2 * d)
        g, i = slope(x + h * e, y + h * f)
        return x + h / 6 * (a + 2 * c + 2 * e + g), y + h / 6 * (b + 2 * d + 2 * f + i)

    x, y = m.repeat(step, [start[0], start[1]], 500)
    return x * y


@program(
    "logistic map, 100 steps of 100,000 numbers",
    lambda r, n: [3.5 + 0.4 * r.rand(n), r.rand(n)],
    (100_000,),
    (5,),
    loops=True,
)
def logistic_map(m, rate, x):
    return m.repeat(lambda x: (rate * x * (1 - x),), [x], 100)[0]


def plane(r, n):
    x, y = np.meshgrid(np.linspace(-2, 0.6, n), np.linspace(-1.2, 1.2, n))
    return [x.copy(), y.copy(), np.zeros((n, n))]


@program("Mandelbrot set, 50 steps, 300 × 300", plane, (300,), (6,), loops=True)
def mandelbrot(m, x, y, zero):
    def step(a, b, count):
        aa, bb = a * a, b * b
        inside = aa + bb < 4
        new = 2 * a * b + y
        count = count + m.where(inside, 1.0, 0.0)
        return m.where(inside, aa - bb + x, a), m.where(inside, new, b), count

    return m.repeat(step, [zero, zero, zero], 50)[2]


@program(
    "Sinkhorn's scaling, 100 steps, 200 × 200",
    lambda r, n: [r.rand(n, n), r.rand(n) + 0.5],
    (200,),
    (4,),
    loops=True,
)
def sinkhorn(m, cost, share):
    kernel = m.exp(-10 * cost)

    def step(u, v):
        u = share / m.matmul(kernel, v)
        return u, share / m.matmul(kernel.T, u)

    u, v = m.repeat(step, [0 * share + 1, 0 * share + 1], 100)
    return (u[:, None] * kernel * v * cost).sum()


def links(r, n):
    a = (r.rand(n, n) < 0.02) + 1e-3
    return [a / a.sum(axis=0), np.full(n, 1 / n)]


@program("PageRank, 30 steps, 1,000 pages", links, (1000,), (5,), loops=True)
def page_rank(m, links, start):
    share = 0.15 / links.shape[0]
    return m.repeat(lambda x: (0.85 * m.matmul(links, x) + share,), [start], 30)[0]


@program(
    "spectral norm by power iteration, 20 steps, 400 × 300",
    lambda r, n, k: [r.randn(n, k), r.randn(k)],
    (400, 300),
    (4, 3),
    loops=True,
)
def spectral_norm(m, a, start):
    def step(v):
        w = m.matmul(m.matmul(a, v), a)
        return (w / m.sqrt((w * w).sum()),)

    found = m.matmul(a, m.repeat(step, [start], 20)[0])
    return m.sqrt((found * found).sum())


def posterior_data(r, n, k):
    return [0.1 * r.randn(k), r.randn(k), r.randn(n, k), (r.rand(n) < 0.5).astype("float64")]


@program(
    "Hamiltonian Monte Carlo: 20 leapfrog steps, logistic regression",
    posterior_data,
    (500, 20),
    (6, 3),
    loops=True,
)
def leapfrog(m, w, speed, x, y):
    def slope(w):
        return m.matmul(y - m.sigmoid(m.matmul(x, w)), x) - w

    def step(w, speed):
        half = speed + 0.005 * slope(w)
        w = w + 0.01 * half
        return w, half + 0.005 * slope(w)

    return m.repeat(step, [w, speed], 20)


def diagonals(r, n, systems):
    return [r.rand(n, systems), r.rand(n, systems) + 3, r.rand(n, systems), r.randn(n, systems)]


@program("64 tridiagonal systems of 500, by two loops", diagonals, (500, 64), (4, 2), loops=True)
def tridiagonal(m, below, diagonal, above, y):
    def forward(low, middle, high, right, ratio, value):
        pivot = middle - low * ratio
        return high / pivot, (right - low * value) / pivot

    ratios, values = m.scan(forward, [below, diagonal, above, y], [0 * y[0], 0 * y[0]])
    return m.scan(lambda r, v, x: (v - r * x,), [ratios, values], [0 * y[0]], backwards=True)[0]


INSIDE, UP, DOWN = slice(1, -1), slice(2, None), slice(None, -2)


@program(
    "heat on a grid, 50 steps there and back, 250 × 250",
    lambda r, n: [r.rand(n, n), r.rand(n, n)],
    (250,),
    (5,),
    loops=True,
)
def heat_on_a_grid(m, a, b):
    def mean(x):
        beside = x[INSIDE, DOWN] + x[INSIDE, UP] + x[DOWN, INSIDE] + x[UP, INSIDE]
        return 0.2 * (x[INSIDE, INSIDE] + beside)

    def step(a, b):
        b = m.put(b, (INSIDE, INSIDE), mean(a))
        return m.put(a, (INSIDE, INSIDE), mean(b)), b

    return m.repeat(step, [a, b], 50)


@by_hand("heat on a grid, 50 steps there and back, 250 × 250")
def heat_by_hand(a, b):
    a, b = a.copy(), b.copy()
    for _ in range(50):
        for x, y in ((a, b), (b, a)):
            beside = x[1:-1, :-2] + x[1:-1, 2:] + x[:-2, 1:-1] + x[2:, 1:-1]
            y[1:-1, 1:-1] = 0.2 * (x[1:-1, 1:-1] + beside)
    return [a, b]


@program(
    "electromagnetic waves on a grid, 60 steps, 200 × 220",
    lambda r, n, k: [r.rand(60), r.rand(n, k), r.rand(n, k), r.rand(n, k)],
    (200, 220),
    (4, 5),
    loops=True,
)
def waves(m, source, ex, ey, hz):
    first, later, before = slice(None, 1), slice(1, None), slice(None, -1)

    def step(now, ex, ey, hz):
        ey = m.put(ey, first, 0 * ey[first] + now)
        ey = m.put(ey, later, ey[later] - 0.5 * (hz[later] - hz[before]))
        every = slice(None)
        ex = m.put(ex, (every, later), ex[:, later] - 0.5 * (hz[:, later] - hz[:, before]))
        turn = ex[before, later] - ex[before, before] + ey[later, before] - ey[before, before]
        return ex, ey, m.put(hz, (before, before), hz[before, before] - 0.7 * turn)

    return [rows[-1] for rows in m.scan(step, [source], [ex, ey, hz])]


@by_hand("electromagnetic waves on a grid, 60 steps, 200 × 220")
def waves_by_hand(source, ex, ey, hz):
    ex, ey, hz = ex.copy(), ey.copy(), hz.copy()
    for now in source:
        ey[0] = now
        ey[1:] -= 0.5 * (hz[1:] - hz[:-1])
        ex[:, 1:] -= 0.5 * (hz[:, 1:] - hz[:, :-1])
        hz[:-1, :-1] -= 0.7 * (ex[:-1, 1:] - ex[:-1, :-1] + ey[1:, :-1] - ey[:-1, :-1])
    return [ex, ey, hz]

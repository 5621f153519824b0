"""An expression for each rule that must make it fire, and values of its variables."""

import numpy as np

import theano
import theano.tensor as T
from theano._core.ops.array.gradient import ZeroGrad
from theano._core.ops.array.index_form import SYMBOL, Slice
from theano._core.ops.array.indexing import Subtensor, within
from theano._core.ops.array.shaping import Rebroadcast, length
from theano._core.ops.control.scan_state import CheckedSteps
from theano.ifelse import ifelse
from theano.tensor import nlinalg, slinalg

x, y = T.dvector("x"), T.dvector("y")
m = T.dmatrix("m")
i = T.lvector("i")
s = T.dscalar("s")
positive = T.dot(m.T, m) + T.eye(m.shape[1])
chosen = T.switch(x > 1, x, 0)
square = T.exp(T.dot(m.T, T.exp(m)) / 9)


def twice_different(x):
    """Return differences of differences of neighbours."""
    once = x[1:] - x[:-1]
    return once[1:] - once[:-1]


EXAMPLES = {
    "shape(x) → lengths of x": T.exp(x).shape * 2,
    "length of an expression → its formula": length(T.exp(m), 0),
    "vector(a, b, …)[i] → item i": m.shape[1],
    "x[0] → x without an axis of one item": T.addbroadcast(m.reshape((6, 1)), 1)[:, 0] * 2,
    "c + c tanh(x) → 2 c sigmoid(2 x)": 0.5 * T.tanh(x / 2) + 0.5,
    "exp(x) / (1 + exp(x)) → sigmoid(x)": T.exp(x) / (1 + T.exp(x)),
    "x[-2:][within(-1, n)] → x[-1]": Subtensor((SYMBOL,))(
        Subtensor((Slice(-2),))(x), within(T.constant(-1, dtype="int64"), x.shape[0])
    )
    * 2,
    "checked_steps(n, n) → n": CheckedSteps()(x.shape[0], T.exp(x).shape[0]) * 2,
    "f(x[::-1]) → f(x)[::-1]": T.cumsum(m, axis=0)[::-1].sum(axis=1),
    "dot(x[::-1].T, y[::-1]) → dot(x.T, y)": T.dot(T.exp(m)[::-1].T, m[::-1]),
    "fill(x, y) → alloc(y, shape(x))": T.zeros_like(x),
    "alloc(x, shape(x)) → x": T.alloc(x, x.shape[0]),
    "x + alloc(y, shape(x)) → x + y": x + T.alloc(s, x.shape[0]),
    "dimshuffle(dimshuffle(x)) → dimshuffle(x)": m.T.dimshuffle("x", 1, 0),
    "f(x.T, y).T → f(x, y.T)": (m.T * m[:, 0]).T,
    "reshape(reshape(x)) → reshape(x)": m.reshape((3, 2)).reshape((6,)),
    "reshape(x) → dimshuffle(x)": T.exp(x).reshape((x.shape[0], 1)) * 2,
    "rebroadcast(x) → x": Rebroadcast((False, False))(m) + s,
    "gradient filter(x) → x": ZeroGrad()(x) * 2,
    "cast to its own dtype → x; max(x, x) → x": T.maximum(x, x) + 1,
    "cast(cast(x)) → cast(x)": T.cast(T.cast(m, "complex128"), "complex64"),
    "x + y - x → y": x + y - x,
    "-(x - y) → y - x": -(x - y),
    "x y / x → y": x * y / x,
    "x ** constant → product": x**2,
    "switch(known, x, y) → x or y": T.switch(1, x, y),
    "sum(c x) → c sum(x)": (x * 3).sum(),
    "reduce(x) over length 1 → x": T.addbroadcast(m.reshape((6, 1)), 1).sum(axis=1),
    "reduce(x.T, axis) → reduce(x, other axis).T": m.T.sum(axis=0),
    "reduce(f(x.T, y.T), axis) → reduce(f(x, y), other axis).T": (m.T * T.exp(-abs(m.T))).sum(
        axis=0
    ),
    "sum(c, n times) → c n": T.ones_like(x).sum(),
    "|−x| → |x|": abs(-x),
    "sqr(|x|) → sqr(x)": T.sqr(abs(x)),
    "sqr(−x) → sqr(x)": T.sqr(-x),
    "sigmoid(x) exp(-x) → sigmoid(-x)": T.nnet.sigmoid(x) * T.exp(-x),
    "1 - sigmoid(x) → sigmoid(-x)": 1 - T.nnet.sigmoid(x),
    "1 - sigmoid(x)² → sigmoid(-x) (1 + sigmoid(x))": 1 - T.sqr(T.nnet.sigmoid(x)),
    "sigmoid(x) - 1 → -sigmoid(-x)": T.nnet.sigmoid(x) - 1,
    "-1 + sigmoid(x) → -sigmoid(-x)": -1 + T.nnet.sigmoid(x),
    "1 + -sigmoid(x) → sigmoid(-x)": (lambda n: (1 + n) * T.exp(n))(-T.nnet.sigmoid(x)),
    "log(sigmoid(x)) → -softplus(-x)": T.log(T.nnet.sigmoid(x)),
    "log1p(-sigmoid(x)) → -softplus(x)": T.log1p(-T.nnet.sigmoid(x)),
    "log(1 + exp(x)) → softplus(x)": T.log(1 + T.exp(x)),
    "log1p(exp(x)) → softplus(x)": T.log1p(T.exp(x)),
    "log(1 + x) → log1p(x)": T.log(1 + x),
    "log(1 - x) → log1p(-x)": T.log(1 - x / 9),
    "exp(x) - 1 → expm1(x)": T.exp(x) - 1,
    "-1 + exp(x) → expm1(x)": -1 + T.exp(x),
    "1 - exp(x) → -expm1(x)": 1 - T.exp(x),
    "log(sum(exp(x))) → max + log(sum(exp(x - max)))": T.log(T.exp(m).sum(axis=1)),
    "x ** 3 → x x x": x**3,
    "x / 2**k → x 2**-k": x / 4,
    "x x → sqr(x)": x * x,
    "x[int64(i)] → x[i]": x[T.arange(x.shape[0], dtype="int32")[::-1]],
    "x[0:length of x] → x": T.exp(m)[: m.shape[0]] * 2,
    **{
        f"loop over steps → loop over steps, its body rewritten ({phase})": theano.scan(
            step, sequences=x, outputs_info=start
        )[0]
        for phase, step, start in (
            ("canonical", lambda a, h: h * a + 0, s),
            ("reversals", lambda a, h: a * T.cumsum(h * m, axis=0)[::-1].sum(axis=1).max(), s),
            ("stable", lambda a, h: T.log(1 + T.exp(h * a)), s),
            ("special", lambda a, h: T.tanh(h * a) ** 3, s),
            ("blas", lambda a, h: 3 * h - 2 * T.dot(T.tanh(h), T.sin(h * a)), square),
        )
    },
    "loop over steps → loop over steps, its body with slices sunk": theano.scan(
        lambda h: T.set_subtensor(h[1:-1], twice_different(h)), outputs_info=x, n_steps=3
    )[0],
    "f(join(x, y))[a:b] → f(x)": (lambda z: z[:, :1] * z[:, 1:])(
        2 + T.concatenate([T.exp(x)[:, None], T.sin(y)[:, None]], axis=1)
    ),
    "inc(inc(zeros, x), y) → join(x, y)": T.inc_subtensor(
        T.inc_subtensor(T.zeros_like(m)[:, :1], m[:, :1])[:, 1:], m[:, 1:]
    ),
    "inc(inc(x, y), z) → inc(x, y + z) for the same part": T.inc_subtensor(
        T.inc_subtensor(T.inc_subtensor(m[:, 0], T.exp(x))[:, 1], y)[:, 0], T.sin(x)
    ),
    "x + c inc(zeros, y) → inc(x, c y)": x - 2 * T.inc_subtensor(T.zeros_like(x)[1:], y[1:]),
    "switch(scalar, x, y) → if(scalar, x, y)": T.switch(T.gt(s, 0), T.exp(x), T.sin(x)),
    "if(1, x, y) → x": ifelse(T.constant(1) > T.constant(0), T.exp(x), T.sin(x)),
    "if(c, [x, u], [y, v]) → [if(c, x, y), if(c, u, v)]": ifelse(T.gt(s, 0), [x, y], [y, x])[1],
    "f(if(c, x, 0)) → if(c, f(x), 0)": y * ifelse(T.gt(s, 0), x, T.zeros_like(x)),
    "if(c, x, y) + if(c, u, v) → if(c, x + u, y + v)": ifelse(T.gt(s, 0), x, y)
    + ifelse(T.gt(s, 0), y, x),
    "if(c, x, 0) + if(d, y, 0) → if(c or d, if(c, if(d, x + y, x), y), 0)": ifelse(
        T.gt(s, 0), x, T.zeros_like(x)
    )
    - ifelse(T.gt(s, 1), T.zeros_like(x), T.exp(x)),
    "loop(if(c, x, 0)) → if(c, loop(x), 0)": theano.scan(
        lambda a, h: h * a, sequences=x, outputs_info=ifelse(T.gt(s, 0), s, T.zeros_like(s))
    )[0],
    "dot(x, y).T → dot(y.T, x.T)": 2 * m.T - T.dot(T.dot(m, m.T), T.exp(m)).T,
    "dot(x, y) + dot(x.T, y) → dot(x + x.T, y)": T.dot(square, T.tanh(square))
    + T.dot(T.tanh(square).T, square).T,
    "dot(x, few items) → sum(x few items)": T.dot(m, T.constant(np.array([2.0, 3.0]))),
    "beta z + alpha dot(x, y) → gemm": 3 * m - 2 * T.dot(m, T.dot(m.T, m)),
    "dot(inv(A), b) → solve(A, b)": T.dot(m, nlinalg.matrix_inverse(positive)),
    "solve(triangle, b) → triangular solution": slinalg.solve(slinalg.cholesky(positive), m.T),
    "log(det(A)) → slogdet(A)": T.log(nlinalg.det(positive)),
    "det(triangle) → product of its diagonal": nlinalg.det(slinalg.cholesky(positive)),
    "slogdet(triangle) → signs and logarithms of its diagonal": nlinalg.slogdet(
        slinalg.cholesky(positive)
    )[1],
    "solve(A, b), inv(A), det(A) → from one factorisation": slinalg.solve(positive, m.T)
    + slinalg.solve(positive.T, m.T) * nlinalg.det(positive),
    "det(A) inv(A) → adj(A)": s * nlinalg.det(positive) * nlinalg.matrix_inverse(positive),
    "dot(diag(v), x) → v x": T.dot(T.diag(x), m),
    "dot(I, x) → x, dot(x, I) → x": T.dot(T.eye(m.shape[0]), m),
    "dot(dot(x, y), v) → dot(x, dot(y, v))": T.dot(T.dot(m, m.T), x),
    "sum(dot(x, y)) → dot(sum(x), sum(y))": T.dot(m.T, T.exp(m)).sum(axis=0),
    "sum(x[:, None] y) → sum(x) sum(y)": (x[:, None] * y[None, :]).sum(),
    "dot(x[:, None] y, z) → x[:, None] dot(y, z)": T.dot(y[:, None] * x[None, :], x),
    "batched_dot(x[:, None], y[:, :, None]) → sum(x y)": T.batched_dot(m, T.exp(m)),
    "set(x, y, :) → y": T.set_subtensor(x[:], y),
    "f(reshape(x)) → reshape(f(x))": T.exp(m).flatten() * 2 + 1,
    "join(x, y)[a:b] → join(x[a:b], y[…])": T.concatenate([x, T.exp(y), x])[2:5],
    "dot(one_hot(i), x) → x[i]": T.dot(T.extra_ops.to_one_hot(i, m.shape[0]), m),
    "dot(one_hot(i).T, x) → zeros with x added at i": T.dot(T.extra_ops.to_one_hot(i, 5).T, m[i]),
    "sum(one_hot(i) x, axis=1) → x[arange(n), i]": (
        T.eq(i[:, None], T.arange(2)) * T.log(m[i])
    ).sum(axis=1),
    "sum(inc(zeros, x, i) y) → x y[i]": (T.inc_subtensor(T.zeros(3)[1], s) * y).sum(),
    "dot(x, inc(zeros, y, i)) → x[:, i] y": T.dot(m.T, T.inc_subtensor(T.zeros(3)[1], s)),
    "sum(x[nonzero(c)]) → sum(switch(c, x, 0))": x[T.gt(x, 0).nonzero()].sum(),
    "set(x, y[nonzero(c)], nonzero(c)) → switch(c, y, x)": T.set_subtensor(
        x[T.gt(x, 0)], T.sqr(x[T.gt(x, 0)])
    ),
    "length of nonzero(c) → sum(c ≠ 0)": T.gt(m, 0).nonzero()[0].shape[0],
    "x[arange(n)] → x[:n]": T.tanh(m)[T.arange(m.shape[0])],
    "inc(zeros, x, i) / y → inc(zeros, x / y[i], i)": T.inc_subtensor(T.zeros(m.shape)[0], m[0])
    / (T.exp(m) + T.exp(2 * m)),
    "log(exp(x) / y) → x - log(y)": T.log(T.exp(x) / T.sqrt(y)),
    "log(softmax(x)) → x - log(sum(exp(x)))": T.log(T.nnet.softmax(m)),
    "exp(x) (y / exp(x) + z) → y + exp(x) z": T.exp(x) * (y / T.exp(x) + T.sqrt(y)),
    "exp(x) / sum(exp(x)) → exp(x - max) / sum(exp(x - max))": T.exp(m)
    / T.exp(m).sum(axis=1, keepdims=True),
    "sum(x / y) → sum(x) / y": (T.cosh(m) / T.exp(m[0]).dimshuffle("x", 0)).sum(axis=0),
    "reshape(x / reshape(y)) → reshape(x) / y, (x / y.T).T → x.T / y": T.grad(
        T.log((T.exp(m) / T.exp(m).sum(axis=1, keepdims=True)).T)[T.argmin(m, axis=1), i].sum(), m
    ),
    "inc(zeros, x / y[i], i) → inc(zeros, x, i) / y": T.grad(
        T.nnet.categorical_crossentropy(T.nnet.softmax(m), T.argmin(m, axis=1)).sum(), m
    ),
    "y x^(y - 1) / x^y → y / x": T.grad(T.log(T.exp(x) ** y).sum(), x),
    "log(softplus(x)) → log(softplus(max(x, -20))) + min(x + 20, 0)": T.log(T.nnet.softplus(x)),
    "sigmoid(x) / softplus(x) → sigmoid(max(x, -20)) / softplus(max(x, -20))": T.nnet.sigmoid(x)
    / T.nnet.softplus(x),
    "log(prod(exp(x))) → sum(log(exp(x)))": T.log(T.nnet.sigmoid(m).prod(axis=1)),
    "prod(exp(x)) / exp(x) / prod(exp(x)) → 1 / exp(x)": T.grad(
        T.log(T.nnet.sigmoid(m).prod(axis=1)).sum(), m
    ),
    "log1p(y exp(x)) → max + log1p(exp(-max) - 1 + y exp(x - max))": T.log1p(T.exp(x) / 3),
    "log((exp(x) + exp(y))[i]) → log(exp(x) + exp(y))[i]": T.log((T.exp(x) + T.exp(2 * x))[i]),
    "1 - sigmoid(x)[i] → sigmoid(-x)[i]": 1 - T.nnet.sigmoid(m).flatten(),
    "log(join(exp(x), y)) → join(x, log(y))": T.log(T.concatenate([T.exp(x), y**2])),
    "join(exp(x), y) join(u, v) → join(exp(x) u, y v)": T.concatenate([T.exp(x), y])
    * T.concatenate([T.sin(x), T.cos(y)]),
    "sum(join(exp(x), y)) → sum(exp(x)) + sum(y)": T.log(
        T.concatenate([T.exp(x), T.exp(2 * y)]).sum()
    ),
    "(x / exp(y))[a:b] → x[a:b] / exp(y)[a:b]": (
        lambda p: T.grad((T.exp(m[:, :2]) * T.log(T.concatenate([p, 1 - p], axis=1))).sum(), x)
    )(T.nnet.sigmoid(x)[:, None]),
    "rebroadcast(x / exp(y)) → rebroadcast(x) / exp(y)": (
        lambda p: T.grad((T.exp(m[:, :2]) * T.log(T.stack([p, 1 - p], axis=1))).sum(), x)
    )(T.nnet.sigmoid(x)),
    "log(exp(x) + exp(y)) → max + log(exp(x - max) + exp(y - max))": T.log(T.exp(x) + T.exp(y)),
    "log(sum(w exp(x)) y) → max + log(sum(w exp(x - max)) y)": T.log(
        (T.ge(m, 0.5) * T.exp(m)).sum(axis=1) * y[0] ** 2
    ),
    "exp(x) / sum(w exp(x)) → exp(x - max) / sum(w exp(x - max))": T.sqr(m)
    * T.exp(m)
    / (T.sqr(m) * T.exp(m)).sum(axis=1, keepdims=True),
    "exp(x) y / z² → (exp(x) / z) (y / z)": T.exp(x) * y / T.sqr(y + T.expm1(x)),
    "log(switch(c, exp(x), y)) → switch(c, x, log(y))": T.log(
        T.switch(T.gt(x, 1), T.exp(x), T.sqrt(y))
    ),
    "exp(x) / switch(c, exp(x), y) → switch(c, 1, exp(x) / y)": T.exp(x)
    / T.switch(T.gt(x, 1), T.exp(x), T.sqrt(y)),
    "(1 - tanh(x)²) / sigmoid(2 x) → 4 sigmoid(-2 x)": (1 - T.sqr(T.tanh(x)))
    / T.nnet.sigmoid(2 * x),
    "1 + (exp(x) - 1) → exp(x)": 1 + T.expm1(x),
    "log1p(exp(x) - 1) → x": T.log1p(T.expm1(x)),
    "log(exp(x) - 1) → x + log(1 - exp(-x))": T.log(T.expm1(x)),
    "log(1 - tanh(x)²) → 2 (log(2) - |x| - softplus(-2 |x|))": T.log(1 - T.tanh(x) ** 2),
    "argmax(softmax(x)) → argmax(x)": T.argmax(T.nnet.softmax(m), axis=1),
    "1 + erf(x) → erfc(-x)": 1 + T.erf(x),
    "exp(-softplus(x)) → sigmoid(-x)": T.exp(-T.nnet.softplus(x)),
    "log(c erfc(x)) → log(c erfcx(x)) - x²": T.log(3 * T.erfc(x)),
    "exp(-x²) / erfc(x) → 1 / erfcx(x)": T.exp(-(x**2) / 2) / T.erfc(x / np.sqrt(2)),
    "(x / sum(exp(y)))[:, None] → x[:, None] / sum(exp(y))[:, None]": m
    * (1 / T.exp(m).sum(axis=1))[:, None],
    "x (1 / sum(exp(y))) → x / sum(exp(y))": m * T.inv(T.exp(m).sum(axis=1, keepdims=True)),
    "sum(x sum(exp(y))) → sum(x) sum(exp(y))": (m * T.exp(m).sum(axis=1, keepdims=True)).sum(
        axis=1
    ),
    "sum(x exp(y)) / sum(exp(y)) → sum(x exp(y - max)) / sum(exp(y - max))": (
        (m * T.exp(m)).sum(axis=1) / T.exp(m).sum(axis=1)
    ),
    "deg2rad(rad2deg(x)) → x": T.deg2rad(T.rad2deg(x)) * 2,
    "rad2deg(deg2rad(x)) → x": T.rad2deg(T.deg2rad(x)) * 2,
    "sinh(arcsinh(x)) → x": T.sinh(T.arcsinh(x)) * 2,
    "arcsinh(sinh(x)) → x": T.arcsinh(T.sinh(x)) * 2,
    "arctanh(tanh(x)) → x": T.arctanh(T.tanh(x)) * 2,
    "arccosh(cosh(x)) → |x|": T.arccosh(T.cosh(x)) * 2,
    "inv(inv(x)) → x": T.inv(T.inv(x)) + 2,
    "conj(conj(x)) → x": T.conj(T.conj(x)) * 2,
    "|x| |y| → |x y|": abs(x) * abs(y),
    "|x| / |y| → |x / y|": abs(x) / abs(y),
    "switch(c, x, 0) y → switch(c, x y, 0)": T.switch(x > 1, T.exp(x), 0) * T.sin(y),
    "switch(c, x, 0) y, with other users → switch(c, x y, 0)": T.exp(chosen) + chosen * T.sin(y),
    "length >= 0 → True": T.ge(x.shape[0], 0) * 2,
    "max(length, 0) → length": T.maximum(x.shape[0], 0) * 2,
    "assert(x, True) → x": T.opt.Assert()(x, T.constant(np.array(True))) * 2,
    "set(x, y, i)[i] → y": T.set_subtensor(x[1:], T.exp(x[1:]))[1:],
    "x[:, None][i] → x[i][:, None]": T.exp(m)[1:, None, 0],
    "x[a:][b:] → x[a + b:]": m[1:][1:, 1:],
    "x[i, 0] → x[:, 0][i]": m[np.array([0, 1, 1]), 1],
    "dot(x, y)[i, j] → dot(x[i], y[:, j])": T.dot(m, m.T)[1, 1:],
    "f(x)[i] → f(x[i])": T.exp(m)[1],
    "inc(zeros, y, i) → set(zeros, y, i)": T.inc_subtensor(T.zeros_like(x)[1:], y[1:]),
    "reduce(reshape(x), axis) → reduce(x, axes)": T.tanh(m).flatten().sum(),
    "reduce(reduce(x)) → reduce(x) over the axes of both": T.tanh(m).max(axis=1).max(),
    "reduce(join(x, y), axis) → f(x, y)": T.stack([x, T.exp(y), x * y]).max(axis=0),
    "join(vector(a, …), vector(b, …)) → vector(a, …, b, …)": T.concatenate(
        [T.stack([x[0] > 0, x[1] > 0]), T.stack([x[2] > 0, x[0] > 1])]
    ),
    "sum(f(join(x, y))) → sum(f(x)) + sum(f(y))": T.tanh(T.concatenate([x, T.exp(y)])).sum(),
    "diagonal of dot(x, y) → sums of x times y^T": nlinalg.trace(T.dot(m, m.T)),
}
VALUES = {
    x: np.array([0.3, 1.7, 0.9]),
    y: np.array([2.5, 0.4, 1.1]),
    m: np.array([[0.2, 1.5], [0.7, 0.3], [1.9, 0.8]]),
    i: np.arange(3),
    s: np.asarray(0.7),
}

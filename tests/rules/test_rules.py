"""Every rewriting rule: it fires through the whole pipeline, keeps values, and comes to an end."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.ir.graph import toposort
from theano._core.lower.reference import evaluate
from theano._core.ops.gradient import GradientFilter
from theano._core.ops.op import elementwise_ops
from theano._core.ops.products import Gemm
from theano._core.ops.shaping import Rebroadcast
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pipeline import PHASES, all_rules, rewrite
from theano.ifelse import ifelse

x, y = T.dvector("x"), T.dvector("y")
m = T.dmatrix("m")
i = T.lvector("i")
s = T.dscalar("s")

# An expression for each rule that must make it fire.
EXAMPLES: dict[str, Any] = {
    "shape(x) → lengths of x": T.exp(x).shape * 2,
    "length of an expression → its formula": T.exp(m).shape[0],
    "vector(a, b, …)[i] → item i": m.shape[1],
    "fill(x, y) → alloc(y, shape(x))": T.zeros_like(x),
    "alloc(x, shape(x)) → x": T.alloc(x, x.shape[0]),
    "x + alloc(y, shape(x)) → x + y": x + T.alloc(s, x.shape[0]),
    "dimshuffle(dimshuffle(x)) → dimshuffle(x)": m.T.dimshuffle("x", 1, 0),
    "reshape(reshape(x)) → reshape(x)": m.reshape((3, 2)).reshape((6,)),
    "rebroadcast(x) → x": Rebroadcast((False, False))(m) + s,
    "gradient filter(x) → x": GradientFilter("zero")(x) * 2,
    "cast to its own dtype → x; max(x, x) → x": T.maximum(x, x) + 1,
    "x + y - x → y": x + y - x,
    "-(x - y) → y - x": -(x - y),
    "x y / x → y": x * y / x,
    "x ** constant → product": x**2,
    "switch(known, x, y) → x or y": T.switch(1, x, y),
    "sum(c x) → c sum(x)": (x * 3).sum(),
    "fold over length 1 → x": T.addbroadcast(m.reshape((6, 1)), 1).sum(axis=1),
    "sum(c, n times) → c n": T.ones_like(x).sum(),
    "|−x| → |x|": abs(-x),
    "sqr(|x|) → sqr(x)": T.sqr(abs(x)),
    "sqr(−x) → sqr(x)": T.sqr(-x),
    "sigmoid(x) exp(-x) → sigmoid(-x)": T.nnet.sigmoid(x) * T.exp(-x),
    "1 - sigmoid(x) → sigmoid(-x)": 1 - T.nnet.sigmoid(x),
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
    "x[0:length of x] → x": T.exp(m)[: m.shape[0]] * 2,
    **{
        f"loop over steps → loop over steps, its body rewritten ({phase})": theano.scan(
            lambda a, h: h * a + 0, sequences=x, outputs_info=s
        )[0]
        for phase in ("canonical", "stable", "special", "blas")
    },
    "x + inc(zeros, y) → inc(x, y)": x + T.inc_subtensor(T.zeros_like(x)[1:], y[1:]),
    "switch(scalar, x, y) → if(scalar, x, y)": T.switch(T.gt(s, 0), T.exp(x), T.sin(x)),
    "f(if(c, x, 0)) → if(c, f(x), 0)": y * ifelse(T.gt(s, 0), x, T.zeros_like(x)),
    "if(c, x, y) + if(c, u, v) → if(c, x + u, y + v)": ifelse(T.gt(s, 0), x, y)
    + ifelse(T.gt(s, 0), y, x),
    "beta z + alpha dot(x, y) → gemm": 3 * m - 2 * T.dot(m, T.dot(m.T, m)),
}
VALUES = {
    x: np.array([0.3, 1.7, 0.9]),
    y: np.array([2.5, 0.4, 1.1]),
    m: np.array([[0.2, 1.5], [0.7, 0.3], [1.9, 0.8]]),
    i: np.arange(3),
    s: np.asarray(0.7),
}


def names_of(out: Any) -> list[str]:
    return [str(node.op) for node in toposort([out])]


def test_every_rule_has_an_example() -> None:
    assert {rule.name for rule in all_rules()} == set(EXAMPLES)


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_rule(name: str) -> None:
    out = EXAMPLES[name]
    rewriter = Rewriter(keep_log=True)
    fired: list[str] = []
    result = rewrite([out], rewriter=rewriter)[0]
    assert rewriter.log is not None
    fired = [entry.rule.name for entry in rewriter.log]
    assert name in fired
    before, after = (evaluate([v], VALUES)[0] for v in (out, result))
    assert before.dtype == after.dtype
    np.testing.assert_allclose(after, before, rtol=1e-13)
    again = rewrite([result])[0]
    assert names_of(again) == names_of(result)
    used = list(VALUES)
    f = theano.function(used, out, on_unused_input="ignore")
    np.testing.assert_allclose(f(*(VALUES[v] for v in used)), before, rtol=1e-13)


STABLE = {
    "log(sigmoid)": (
        lambda v: T.log(T.nnet.sigmoid(v)),
        lambda v: -mpmath.log1p(mpmath.exp(-v)),
        [-1000, -30, 0.1, 40],
    ),
    "log1p(-sigmoid)": (
        lambda v: T.log1p(-T.nnet.sigmoid(v)),
        lambda v: -mpmath.log1p(mpmath.exp(v)),
        [-40, 0.1, 30, 1000],
    ),
    "log(1 - sigmoid)": (
        lambda v: T.log(1 - T.nnet.sigmoid(v)),
        lambda v: -mpmath.log1p(mpmath.exp(v)),
        [-40, 0.1, 30, 1000],
    ),
    "1 - sigmoid": (
        lambda v: 1 - T.nnet.sigmoid(v),
        lambda v: 1 / (1 + mpmath.exp(v)),
        [-40, 0.1, 50, 700],
    ),
    "softplus": (
        lambda v: T.log(1 + T.exp(v)),
        lambda v: mpmath.log1p(mpmath.exp(v)),
        [-700, -40, 1, 1000],
    ),
    "log(1 + x)": (lambda v: T.log(1 + v), mpmath.log1p, [1e-20, -1e-17, 0.5]),
    "log(1 - x)": (lambda v: T.log(1 - v), lambda v: mpmath.log1p(-v), [1e-20, -1e-17, 0.5]),
    "exp(x) - 1": (lambda v: T.exp(v) - 1, mpmath.expm1, [1e-20, -1e-17, 0.5]),
    "1 - exp(x)": (lambda v: 1 - T.exp(v), lambda v: -mpmath.expm1(v), [1e-20, -1e-17, 0.5]),
}


@pytest.mark.parametrize("name", list(STABLE))
def test_better(name: str) -> None:
    build, exact, points = STABLE[name]
    v = T.dvector("v")
    got = theano.function([v], build(v))(points)
    with mpmath.workdps(60):
        wanted = np.array([float(exact(mpmath.mpf(p))) for p in points])
    np.testing.assert_allclose(got, wanted, rtol=1e-14)


def test_log_sum_exp() -> None:
    v = T.dmatrix("v")
    got = theano.function([v], T.log(T.exp(v).sum(axis=1)))(
        [[1000, 1000], [-1000, -1001], [-np.inf, -np.inf]]
    )
    np.testing.assert_allclose(
        got, [1000 + np.log(2), -1000 + np.log1p(np.exp(-1)), -np.inf], rtol=1e-14
    )


def test_cross_entropy_and_its_gradient_stay_finite() -> None:
    z, t = T.dvector("z"), T.dvector("t")
    p = 1 / (1 + T.exp(-z))
    xent = -t * T.log(p) - (1 - t) * T.log(1 - p)
    f = theano.function([z, t], [xent, T.grad(xent.sum(), z)])
    points = np.array([-1000.0, -30, 0, 30, 1000] * 2)
    labels = np.repeat([0.0, 1.0], 5)
    value, gradient = f(points, labels)
    np.testing.assert_allclose(
        value, np.logaddexp(0, np.where(labels, -points, points)), rtol=1e-14
    )
    np.testing.assert_allclose(
        gradient, 1 / (1 + np.exp(-np.clip(points, -700, 700))) - labels, atol=1e-15
    )


def test_a_step_of_gradient_descent_is_one_gemm() -> None:
    a, b, w = T.dmatrix("a"), T.dvector("b"), T.dvector("w")
    out = w - 0.1 * (T.dot(a.T, b) + 0.02 * w)
    result = rewrite([out])[0]
    assert isinstance(result.owner.op, Gemm)
    assert result.owner.inputs[0] is w
    np.testing.assert_allclose(
        [v.data for v in (result.owner.inputs[1], result.owner.inputs[4])], [-0.1, 0.998]
    )


def test_shapes_need_no_values() -> None:
    out = T.dot(T.exp(m), m.T).shape[0] + T.concatenate([x, T.log(y)]).shape[0]
    names = set(names_of(rewrite([out])[0]))
    assert names <= {"Shape_i{0}", str(elementwise_ops()["add"])}


def test_phases_say_why() -> None:
    assert all(phase.why for phase in PHASES)
    assert {rule.phase for rule in all_rules()} <= {p.name for p in PHASES} | {"shape"}
    assert all(rule.why and rule.keeps in ("exact", "rounding", "nan") for rule in all_rules())

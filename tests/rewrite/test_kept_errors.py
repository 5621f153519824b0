"""Every rule's example with operands that fail or do not fit: rules take no error away.

What is asked of a shape alone needs no values, as in Theano 1.0.5: there an error may stay away.
"""

import numpy as np
import pytest
from rule_examples import EXAMPLES, VALUES

import theano
import theano.tensor as T
from support.compiling import DEFINITION
from support.tables import case
from theano._core.ir.graph import copy_graph, toposort
from theano.ifelse import ifelse

ERRORS = (ValueError, IndexError, AssertionError, TypeError, ArithmeticError, MemoryError)
# Only the shape of an operand matters, or the operand does not at all.
NO_VALUES = {
    "shape(x) → lengths of x",
    "length of an expression → its formula",
    "vector(a, b, …)[i] → item i",
    "fill(x, y) → alloc(y, shape(x))",
    "sum(c, n times) → c n",
    "checked_steps(n, n) → n",
    "length >= 0 → True",
    "max(length, 0) → length",
    "if(c, [x, u], [y, v]) → [if(c, x, y), if(c, u, v)]",
    "inc(zeros, y, i) → set(zeros, y, i)",
}


def leaves_of(out):
    """Return the variables of `VALUES` that an expression is made of."""
    found = {out, *(v for node in toposort([out]) for v in node.inputs)}
    return [v for v in VALUES if v in found]


# How an operand that fails is made of a variable and another, that one's type, and its value.
SPOILED = {
    "asserted": (lambda v, n: T.opt.Assert("this does not hold")(v, T.gt(n, 0)), T.lscalar, -1),
    "of a negative length": (
        lambda v, n: (
            v + T.alloc(np.float64(0), *[n] * v.ndim) if v.ndim else v + T.alloc(0.0, n).sum()
        ),
        T.lscalar,
        -1,
    ),
    "largest of nothing": (lambda v, n: v + n.max(), T.dvector, np.zeros(0)),
    "place in nothing": (lambda v, n: v + n.argmax(), T.dvector, np.zeros(0)),
}


def error_of(inputs, out, values, mode):
    """Return the class of the error of a function, or what it returns without one."""
    try:
        f = theano.function(inputs, out, mode=mode, on_unused_input="ignore")
        return f"a value of shape {np.shape(f(*values))}"
    except ERRORS as error:
        return type(error).__name__


def assert_same_errors(cases):
    """Compare the errors of functions with those that they have without any rule."""
    different = []
    for leaf, inputs, out, values in cases:
        wanted, got = (error_of(inputs, out, values, mode) for mode in (DEFINITION, "FAST_RUN"))
        if got != wanted:
            different.append(f"{leaf}: {got}, without rules {wanted}")
    assert different == []


def spoiled(name, how):
    """Yield the example of a rule with each of its operands spoiled."""
    leaves = leaves_of(EXAMPLES[name])
    made, kind, value = SPOILED[how]
    for leaf in leaves:
        if leaf.type.dtype == "float64":
            extra = kind()
            fresh = copy_graph([EXAMPLES[name]], {leaf: made(leaf, extra)})[0]
            yield leaf, [*leaves, extra], fresh, [*(VALUES[v] for v in leaves), value]


@pytest.mark.parametrize("name", [n for n in EXAMPLES if n not in NO_VALUES])
@pytest.mark.parametrize("how", SPOILED)
def test_operands_that_fail(name, how):
    assert_same_errors(spoiled(name, how))


def doubled(name):
    """Yield the example of a rule with each of its operands made longer."""
    leaves = leaves_of(EXAMPLES[name])
    for leaf in leaves:
        if leaf.ndim:
            longer = VALUES | {leaf: np.concatenate([VALUES[leaf]] * 2)}
            yield leaf, leaves, EXAMPLES[name], [longer[v] for v in leaves]


# Theano 1.0.5 did not look at what is not taken either.
NOT_TAKEN = {"switch(known, x, y) → x or y"}


@pytest.mark.parametrize("name", [n for n in EXAMPLES if n not in NO_VALUES | NOT_TAKEN])
def test_operands_that_do_not_fit(name):
    assert_same_errors(doubled(name))


n = T.lscalar("n")
x, m = T.dvector("x"), T.dmatrix("m")
halves = np.full(3, 0.5)
steps = theano.scan(lambda a, h: a + h, x, [np.float64(0)], n_steps=n)[0]
PROGRAMS = {
    "sum of a negative length": (T.alloc(1.0, n, 0).sum(), [n], [-5]),
    "sum along a negative length": (T.alloc(1.0, n, 3).sum(axis=0), [n], [-5]),
    "sum of two negative lengths": (T.alloc(1.0, n, n).sum(), [n], [-5]),
    "sum of broadcast": case(
        (T.alloc(np.int8(1), n)[:, None] + T.alloc(np.int8(1), 3)).sum(), [n], [-5]
    ),
    "first of too many steps": (steps[0], [x, n], [np.ones(3), 5]),
    "first of fewer than no steps": (steps[0], [x, n], [np.ones(3), -5]),
    "first two of too many steps": (steps[:2], [x, n], [np.ones(3), 5]),
    "last of too many steps": (steps[-1], [x, n], [np.ones(3), 5]),
    "bincount of a negative length": case(
        T.extra_ops.bincount(T.cast(x, "int64"), minlength=n), [x, n], [np.ones(3), -1]
    ),
    "nothing reshaped": (m.reshape((n, -1)), [m, n], [np.zeros((0, 3)), 0]),
    "either": (T.switch(m[0] > 0, x, x), [m, x], [np.zeros((1, 2)), np.ones(3)]),
    "not taken": (T.switch(1, x, x * T.alloc(1.0, n)), [x, n], [np.ones(3), -1]),
    "a difference of 0 times another": ((m - m) * x, [m, x], [np.ones((2, 3)), np.ones(2)]),
    "a difference of 0 over another": ((m - m) / x, [m, x], [np.ones((2, 3)), np.ones(2)]),
    "0 times two": (m * 0 * x, [m, x], [np.ones((2, 3)), np.ones(2)]),
    "zeros times another": (T.zeros_like(m) * x, [m, x], [np.ones((2, 3)), np.ones(2)]),
    "sum of 0 times two": ((m * x * 0).sum(), [m, x], [np.ones((2, 3)), np.ones(2)]),
    "0 times a sum with itself": ((x + x) * 0 * m, [m, x], [np.ones((2, 3)), np.ones(2)]),
    "1 + erf, with ones": (np.ones(3) + T.erf(x), [x], [np.ones(2)]),
    "logarithm of a tail, with halves": (T.log(halves * T.erfc(x)), [x], [np.ones(2)]),
    "log1p of a tail, with halves": (T.log1p(-halves * T.erfc(x)), [x], [np.ones(2)]),
    "quotient by a tail, with halves": (1 / (halves + halves * T.erf(x)), [x], [np.ones(2)]),
    "0 times two integers": case(
        T.cast(m, "int64") * 0 * T.cast(x, "int64"), [m, x], [np.ones((2, 3)), np.ones(2)]
    ),
}


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE", DEFINITION])
@pytest.mark.parametrize("name", list(PROGRAMS))
def test_errors_that_rules_could_take_away(name, mode):
    out, inputs, values = PROGRAMS[name]
    plain = error_of(inputs, out, values, DEFINITION)
    assert plain.endswith("Error")
    got = error_of(inputs, out, values, mode)
    assert got == plain


def test_a_branch_that_is_not_taken_does_not_fail():
    out = ifelse(T.gt(n, 0), T.alloc(np.float64(1), n).sum(), x.sum())
    assert theano.function([x, n], out)(np.ones(3), -5) == 3

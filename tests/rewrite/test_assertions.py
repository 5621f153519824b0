"""Conditions that users assert: kept, unless a mode asks for no checks."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.processes import run_python
from theano._core.ops.array.assertions import Require
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.rewrite.pipeline import rewrite
from theano.gof import Query
from theano.tensor.opt import Assert

x, y = T.dscalar("x"), T.dscalar("y")
DEFAULT = theano.compile.get_default_mode()
UNCHECKED = [
    DEFAULT.including("local_remove_all_assert"),
    DEFAULT.including("unsafe"),
    theano.Mode(optimizer="unsafe"),
    theano.Mode("py", "unsafe"),
    theano.Mode(optimizer=Query(include=["fast_run", "unsafe"])),
]


def kinds(function):
    """Return the classes of the operations of a function."""
    return [type(node.op) for node in function.maker.graph.toposort()]


@pytest.mark.parametrize("mode", UNCHECKED, ids=range(len(UNCHECKED)))
def test_unchecked(mode):
    f = theano.function([x, y], Assert()(x, y) * 2, mode=mode)
    assert f(1, 0) == 2
    assert Assert not in kinds(f)


@pytest.mark.parametrize("mode", UNCHECKED, ids=range(len(UNCHECKED)))
def test_unchecked_in_loops_and_gradients(mode):
    v = T.dvector("v")
    out, _ = theano.scan(lambda a, b: Assert()(a, b) * 2, sequences=[v], non_sequences=[y])
    f = theano.function([v, y], [out, T.grad(out.sum(), v)], mode=mode)
    np.testing.assert_array_equal(f([1, 2], 0), [[2, 4], [2, 2]])


@pytest.mark.parametrize(
    "mode", [DEFAULT, *[mode.excluding("unsafe", "local_remove_all_assert") for mode in UNCHECKED]]
)
def test_checked(mode):
    f = theano.function([x, y], Assert("no")(x, y) * 2, mode=mode)
    assert Assert in kinds(f)
    with pytest.raises(AssertionError, match="no"):
        f(1, 0)


def test_what_operations_require_is_checked():
    v = T.dvector("v")
    f = theano.function([v], T.sort(T.topk(v, 3)), mode=UNCHECKED[0])
    with pytest.raises(ValueError, match="kth cannot be larger"):
        f([1, 2])


@pytest.mark.parametrize(
    "flag", ["optimizer=unsafe", "optimizer_including=local_remove_all_assert"]
)
def test_by_setting(flag):
    program = """
        import theano, theano.tensor as T
        x, y = T.dscalars(2)
        print(theano.function([x, y], T.opt.Assert()(x, y))(3, 0))
    """
    assert run_python(program, flags=flag) == "3.0"


def test_a_whole_number_equals_itself():
    v, k = T.dvector("v"), T.lscalar("k")
    n = v.shape[0]
    check = Require("{0} is not it", 1)
    (plain,) = rewrite([check(T.exp(v), n, T.eq(n, n))])
    assert isinstance(plain.owner.op, Elementwise)
    # Other conditions stay, and those of numbers that may be NaN.
    (left,) = rewrite([check(T.exp(v), n, T.eq(n, n), T.eq(n, k))])
    assert isinstance(left.owner.op, Require) and len(left.owner.inputs) == 3
    f = theano.function([v, y], check(T.exp(v), n, T.eq(y, y)))
    assert f([0.0], 1.0) == 1
    with pytest.raises(ValueError, match="1 is not it"):
        f([0.0], np.nan)

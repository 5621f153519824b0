"""Arguments that functions overwrite."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import variables
from theano import In
from theano.tensor import blas, inplace

ROWS = np.arange(6.0).reshape(2, 3) + 1
MODES = pytest.mark.parametrize("mode", [None, theano.Mode("py")], ids=["native", "py"])


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda x: 2 * x, 2 * ROWS),
        (lambda x: T.exp(x * x) + 1, np.exp(ROWS * ROWS) + 1),
        (lambda x: T.set_subtensor(x[0], 0), np.array([[0, 0, 0], [4, 5, 6.0]])),
        (lambda x: T.inc_subtensor(x[[0, 0]], 1), np.array([[3, 4, 5], [4, 5, 6.0]])),
        (lambda x: x - T.dot(x, x.T).sum(), ROWS - (ROWS @ ROWS.T).sum()),
    ],
)
@MODES
def test_a_mutable_argument_takes_the_result_in_any_layout(make, wanted, mode):
    x = T.dmatrix("x")
    f = theano.function([In(x, mutable=True)], make(x), mode)
    for array in (ROWS.copy(), np.asfortranarray(ROWS)):
        np.testing.assert_allclose(f(array), wanted)
        np.testing.assert_allclose(array, wanted)
    array = ROWS.copy()
    theano.function([x], make(x), mode)(array)
    np.testing.assert_array_equal(array, ROWS)


def test_what_is_not_overwritten():
    x, array = T.dmatrix("x"), ROWS.copy()
    spec = In(x, mutable=True)
    for outputs in (x.sum(), T.dot(x, x.T), [2 * x, x.T], T.exp(x).astype("float32")):
        theano.function([spec], outputs)(array)
    theano.function([spec], 2 * x, theano.compile.get_default_mode().excluding("inplace"))(array)
    theano.function([x], T.exp(x), accept_inplace=True)(array)
    np.testing.assert_array_equal(array, ROWS)


@MODES
@pytest.mark.parametrize("owner", [False, True])
def test_what_is_read_only_stays(owner, mode):
    x, array = T.dmatrix("x"), ROWS.copy()
    f = theano.function([In(x, mutable=True)], 2 * x, mode)
    frozen = array if owner else array[:]
    frozen.flags.writeable = False
    np.testing.assert_array_equal(f(frozen), 2 * ROWS)
    np.testing.assert_array_equal(array, ROWS)
    # One element that stands for all is written by nobody.
    element = np.full((1, 1), 3.0)
    np.testing.assert_array_equal(f(np.broadcast_to(element, (2, 3))), np.full((2, 3), 6))
    assert element == 3


def test_everything_is_read_before():
    x, y, total = T.dmatrix("x"), T.dmatrix("y"), theano.shared(0.0)
    f = theano.function(
        [In(x, mutable=True), In(y, mutable=True)],
        [y + x, x - y, (x * y).sum()],
        updates={total: total + x.sum()},
    )
    first, second = ROWS.copy(), ROWS * 3
    found = f(first, second)
    for result, wanted in zip(found, [4 * ROWS, -2 * ROWS, (3 * ROWS**2).sum()], strict=True):
        np.testing.assert_allclose(result, wanted)
    assert total.get_value() == ROWS.sum()
    assert not np.array_equal(first, ROWS) and not np.array_equal(second, 3 * ROWS)


def test_functions_that_say_so_need_consent():
    x, array = T.dmatrix("x"), ROWS.copy()
    out = inplace.exp_inplace(inplace.mul_inplace(x, 2))
    assert out.owner.op == T.exp and out.owner.op.inplace_pattern == {0: 0}
    assert out.owner.op.destroy_map == {0: [0]} and T.exp(x).owner.op.inplace_pattern == {}
    f = theano.function([x], out, accept_inplace=True)
    np.testing.assert_allclose(f(array), np.exp(2 * ROWS))
    np.testing.assert_allclose(array, np.exp(2 * ROWS))
    with pytest.raises(TypeError, match="Graph must not contain inplace operations"):
        theano.function([x], out)


SQUARE, ONES, LINE, WIDE = (
    np.array([[1.0, 2], [4, 5]]),
    np.ones((2, 2)),
    np.ones(2),
    np.ones((2, 3)),
)
SECOND = T.elemwise.Elemwise(theano.scalar.second, {0: 0})
# An operation, the values of its inputs, its result, and whether it overwrites the first of them.
SAY_SO = [
    (lambda x: T.set_subtensor(x[1], 7, inplace=True), [ONES], [[1, 1], [7, 7]], True),
    (lambda x, y: blas.gemm_inplace(x, 1.0, y, y, 0.5), [SQUARE, ONES], SQUARE / 2 + 2, True),
    (lambda x, y: blas.gemm_no_inplace(x, 1.0, y, y, 0.5), [SQUARE, ONES], SQUARE / 2 + 2, False),
    (lambda x, v: blas.ger_destructive(x, 1.0, v, v), [0 * ONES, 2 * LINE], 4 * ONES, True),
    (lambda v, a, w: blas.gemv_inplace(v, 2.0, a, w, 1.0), [LINE, WIDE, WIDE[0]], [7, 7], True),
    (lambda v, a, w: blas.gemv_no_inplace(v, 2.0, a, w, 1.0), [LINE, WIDE, WIDE[0]], [7, 7], False),
    (SECOND, [0 * LINE, LINE], [1, 1], True),
]


@pytest.mark.parametrize(("build", "given", "wanted", "overwrites"), SAY_SO)
def test_operations_that_say_so_overwrite(build, given, wanted, overwrites):
    array, inputs = given[0].copy(), variables(*given)
    f = theano.function(inputs, build(*inputs), accept_inplace=True)
    np.testing.assert_allclose(f(array, *given[1:]), wanted)
    np.testing.assert_allclose(array, wanted if overwrites else given[0])


class Seven(theano.Op):
    """Seven at the first position of a vector, which it overwrites."""

    __props__ = ()
    destroy_map = {0: [0]}

    def make_node(self, x):
        return theano.Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        inputs[0][0] = 7
        output_storage[0][0] = inputs[0]


@pytest.mark.parametrize("mutable", [False, True])
@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE", theano.Mode("py", None)])
def test_an_operation_with_a_destroy_map(mutable, mode):
    x, array = T.dvector("x"), np.zeros(2)
    arguments = [In(x, mutable=mutable)]
    for out in (Seven()(x), Seven()(x + 1), T.set_subtensor(x[0], 7, inplace=True)):
        with pytest.raises(TypeError, match="accept_inplace=True"):
            theano.function(arguments, out, mode=mode)
    f = theano.function(arguments, Seven()(x), accept_inplace=True, mode=mode)
    assert f(array).tolist() == array.tolist() == [7, 0]
    shared = theano.shared(np.zeros(2))
    assert theano.function([], Seven()(shared).sum(), accept_inplace=True, mode=mode)() == 7
    assert shared.get_value().tolist() == [7, 0]
    f = theano.function(arguments, Seven()(x * 2 + 1), accept_inplace=True, mode=mode)
    assert f(np.ones(2)).tolist() == [7, 3]


@MODES
@pytest.mark.parametrize(
    "make",
    [
        lambda x, v, s: [T.fill(x, v), T.tanh(v * 3)],
        lambda x, v, s: [T.tanh(v * 3), T.fill(x, v), v[::-1] * 1],
        lambda x, v, s: [T.fill(v, s), T.tanh(s * 3), T.grad(T.fill(v, s).sum() ** 2, s)],
        lambda x, v, s: [T.alloc(v, 2, 3) + 0, T.exp(v)],
    ],
)
def test_results_that_show_a_mutable_argument_keep_its_values_from_before(make, mode):
    inputs = [T.dmatrix(), T.dvector(), T.dscalar()]
    options = {"mode": mode, "on_unused_input": "ignore"}
    mutable = theano.function([In(v, mutable=True) for v in inputs], make(*inputs), **options)
    plain = theano.function(inputs, make(*inputs), **options)
    given = ROWS, ROWS[0] / 9, np.array(0.5)
    for found, wanted in zip(mutable(*map(np.array, given)), plain(*given), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-14)

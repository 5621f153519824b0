"""Arguments that functions overwrite."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import In
from theano.tensor import inplace

ROWS = np.arange(6.0).reshape(2, 3) + 1


def given():
    return ROWS.copy()


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
@pytest.mark.parametrize("mode", [None, "py"])
def test_a_mutable_argument(make, wanted, mode):
    x = T.dmatrix("x")
    chosen = theano.Mode(mode) if mode else None
    array = given()
    np.testing.assert_allclose(
        theano.function([In(x, mutable=True)], make(x), chosen)(array), wanted
    )
    np.testing.assert_allclose(array, wanted)
    # Whatever its layout.
    turned = np.asfortranarray(given())
    theano.function([In(x, mutable=True)], make(x), chosen)(turned)
    np.testing.assert_allclose(turned, wanted)
    array = given()
    theano.function([x], make(x), chosen)(array)
    np.testing.assert_array_equal(array, ROWS)


def test_what_is_not_overwritten():
    x, array = T.dmatrix("x"), given()
    spec = In(x, mutable=True)
    for outputs in (x.sum(), T.dot(x, x.T), [2 * x, x.T], T.exp(x).astype("float32")):
        theano.function([spec], outputs)(array)
    theano.function([spec], 2 * x, mode=theano.compile.get_default_mode().excluding("inplace"))(
        array
    )
    np.testing.assert_array_equal(array, ROWS)


@pytest.mark.parametrize("mode", [None, "py"])
@pytest.mark.parametrize("owner", [False, True])
def test_what_is_read_only_stays(owner, mode):
    x = T.dmatrix("x")
    f = theano.function([In(x, mutable=True)], 2 * x, theano.Mode(mode) if mode else None)
    array = given()
    frozen = array if owner else array[:]
    frozen.flags.writeable = False
    np.testing.assert_array_equal(f(frozen), 2 * ROWS)
    np.testing.assert_array_equal(array, ROWS)
    # One item that stands for all is written by nobody.
    item = np.full((1, 1), 3.0)
    np.testing.assert_array_equal(f(np.broadcast_to(item, (2, 3))), np.full((2, 3), 6))
    assert item == 3


def test_everything_is_read_before():
    x, y, total = T.dmatrix("x"), T.dmatrix("y"), theano.shared(0.0)
    f = theano.function(
        [In(x, mutable=True), In(y, mutable=True)],
        [y + x, x - y, (x * y).sum()],
        updates={total: total + x.sum()},
    )
    first, second = given(), given() * 3
    found = f(first, second)
    for result, wanted in zip(found, [4 * ROWS, -2 * ROWS, (3 * ROWS**2).sum()], strict=True):
        np.testing.assert_allclose(result, wanted)
    assert total.get_value() == ROWS.sum()
    assert not np.array_equal(first, ROWS) and not np.array_equal(second, 3 * ROWS)


def test_functions_that_say_so():
    x, array = T.dmatrix("x"), given()
    out = inplace.exp_inplace(inplace.mul_inplace(x, 2))
    assert out.owner.op == T.exp and out.owner.op.inplace_pattern == {0: 0}
    assert out.owner.op.destroy_map == {0: [0]} and T.exp(x).owner.op.inplace_pattern == {}
    f = theano.function([x], out, accept_inplace=True)
    np.testing.assert_allclose(f(array), np.exp(2 * ROWS))
    np.testing.assert_allclose(array, np.exp(2 * ROWS))
    # Nothing is overwritten without consent, nor by functions that do not say so.
    with pytest.raises(TypeError, match="Graph must not contain inplace operations"):
        theano.function([x], out)
    array = given()
    theano.function([x], T.exp(x), accept_inplace=True)(array)
    np.testing.assert_array_equal(array, ROWS)


def test_writes_and_products_that_say_so():
    from theano.tensor.blas import gemm_inplace, gemm_no_inplace, ger_destructive

    x, array = T.dmatrix("x"), given()
    f = theano.function([x], T.set_subtensor(x[1], 7, inplace=True), accept_inplace=True)
    assert f(array)[1].tolist() == array[1].tolist() == [7.0] * 3
    y = T.dmatrix("y")
    for gemm, kept in ((gemm_inplace, False), (gemm_no_inplace, True)):
        array = given()
        f = theano.function([x, y], gemm(x, 1.0, y, y, 0.5), accept_inplace=True)
        wanted = 0.5 * ROWS[:2, :2] + np.ones((2, 2)) * 2
        square = ROWS[:2, :2].copy()
        np.testing.assert_allclose(f(square, np.ones((2, 2))), wanted)
        np.testing.assert_allclose(square, ROWS[:2, :2] if kept else wanted)
    v, array = T.dvector("v"), np.zeros((2, 2))
    theano.function([x, v], ger_destructive(x, 1.0, v, v), accept_inplace=True)(array, [1.0, 2.0])
    np.testing.assert_allclose(array, [[1, 2], [2, 4]])


def test_an_operation_of_users_that_says_so():
    x, y = T.dvectors("xy")
    second = T.elemwise.Elemwise(theano.scalar.second, {0: 0})
    array = np.zeros(2)
    theano.function([x, y], second(x, y), accept_inplace=True)(array, np.ones(2))
    assert array.tolist() == [1, 1]


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
    arguments = [theano.In(x, mutable=mutable)]
    for out in (Seven()(x), Seven()(x + 1), T.set_subtensor(x[0], 7, inplace=True)):
        with pytest.raises(TypeError, match="accept_inplace=True"):
            theano.function(arguments, out, mode=mode)
    f = theano.function(arguments, Seven()(x), accept_inplace=True, mode=mode)
    assert f(array).tolist() == array.tolist() == [7, 0]
    shared = theano.shared(np.zeros(2))
    f = theano.function([], Seven()(shared).sum(), accept_inplace=True, mode=mode)
    assert f() == 7
    assert shared.get_value().tolist() == [7, 0]
    f = theano.function(arguments, Seven()(x * 2 + 1), accept_inplace=True, mode=mode)
    assert f(np.ones(2)).tolist() == [7, 3]


def test_a_product_that_says_so_of_a_vector():
    from theano.tensor.blas import gemv_inplace, gemv_no_inplace

    y, a, x = T.dvector("y"), T.dmatrix("a"), T.dvector("x")
    for gemv, kept in ((gemv_inplace, False), (gemv_no_inplace, True)):
        f = theano.function([y, a, x], gemv(y, 2.0, a, x, 1.0), accept_inplace=True)
        array = np.ones(2)
        np.testing.assert_array_equal(f(array, np.ones((2, 3)), np.ones(3)), [7.0, 7.0])
        np.testing.assert_array_equal(array, [1.0, 1.0] if kept else [7.0, 7.0])


@pytest.mark.parametrize("mode", [None, "py"])
@pytest.mark.parametrize(
    "make",
    [
        lambda x, v, s: [T.fill(x, v), T.tanh(v * 3)],
        lambda x, v, s: [T.tanh(v * 3), T.fill(x, v), v[::-1] * 1],
        lambda x, v, s: [T.fill(v, s), T.tanh(s * 3), T.grad(T.fill(v, s).sum() ** 2, s)],
        lambda x, v, s: [T.alloc(v, 2, 3) + 0, T.exp(v)],
    ],
)
def test_results_that_show_a_mutable_argument(make, mode):
    """They keep the items from before."""
    inputs = [T.dmatrix(), T.dvector(), T.dscalar()]
    outputs = make(*inputs)
    chosen = theano.Mode(mode) if mode else None
    options = {"mode": chosen, "on_unused_input": "ignore"}
    mutable = theano.function([In(v, mutable=True) for v in inputs], outputs, **options)
    plain = theano.function(inputs, outputs, **options)
    for found, wanted in zip(
        mutable(given(), ROWS[0] / 9, np.array(0.5)), plain(ROWS, ROWS[0] / 9, 0.5), strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-14)

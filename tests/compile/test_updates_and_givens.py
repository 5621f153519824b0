"""Updates, default updates and replacements of `theano.function`."""

from collections import OrderedDict

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import function, shared

x, y, z = T.dscalars("x", "y", "z")
v, fs, i, n = T.dvector("v"), T.fscalar("fs"), T.iscalar("i"), T.lscalar("n")

UPDATES = [
    (lambda a, b: {a: b, b: a}, [2, 1]),
    (lambda a, b: OrderedDict([(a, b), (b, a + b)]), [2, 3]),
    (lambda a, b: [(a, b), (b, a + b)], [2, 3]),
    (lambda a, b: ((a, b), (b, a + b)), [2, 3]),
    (lambda a, b: [[a, b]], [2, 2]),
    (lambda a, b: iter([(b, b * 4)]), [1, 8]),
    (lambda a, b: theano.OrderedUpdates([(a, a + 1)]), [2, 2]),
    (lambda a, b: [(a, 5)], [5, 2]),
    (lambda a, b: [(a, np.float32(5.5))], [5.5, 2]),
    (lambda a, b: {}, [1, 2]),
    (lambda a, b: [], [1, 2]),
    (lambda a, b: None, [1, 2]),
]
ARRAY_UPDATES = [
    (np.arange(3.0), lambda a: a[::-1], [2, 1, 0]),
    (np.arange(3.0), lambda a: a[1:], [1, 2]),
    (np.arange(3.0), lambda a: T.concatenate([a, a]), [0, 1, 2, 0, 1, 2]),
    (np.arange(3.0), lambda a: T.set_subtensor(a[0], 5), [5, 1, 2]),
    (np.arange(3.0), lambda a: [7, 8], [7, 8]),
    (np.arange(3.0), lambda a: np.arange(2), [0, 1]),
    (np.arange(3.0), lambda a: a, [0, 1, 2]),
    (np.zeros((1, 3)), lambda a: T.unbroadcast(a.sum(0, keepdims=True), 0) + 1, [[1, 1, 1]]),
    (np.zeros(2, "float32"), lambda a: a + 1, [1, 1]),
    (np.zeros(2, "float32"), lambda a: a * 2.0 + np.float32(0.5), [0.5, 0.5]),
    (np.zeros(2, "int8"), lambda a: a + 1, [1, 1]),
    (np.array(2), lambda a: 5.0, 5),
]


@pytest.mark.parametrize(("updates", "wanted"), UPDATES)
@pytest.mark.parametrize("mode", ["FAST_RUN", theano.Mode("py", "merge")])
def test_updates_in_every_container(updates, wanted, mode):
    a, b = shared(1.0, "a"), shared(2.0, "b")
    f = function([], [a, b], updates=updates(a, b), mode=mode)
    assert f() == [1.0, 2.0], "results and updates read the values from before the call"
    assert [a.get_value(), b.get_value()] == wanted


@pytest.mark.parametrize(("first", "update", "wanted"), ARRAY_UPDATES)
def test_updates_of_arrays(first, update, wanted):
    a = shared(first, "a")
    function([], [], updates=[(a, update(a))])()
    assert a.get_value().dtype == first.dtype
    assert a.get_value().tolist() == wanted


def test_new_values_share_no_memory():
    a, b, given = shared(np.zeros(3), "a"), shared(np.ones(3), "b"), np.ones(3)
    result = function([v], v, updates=[(a, v)])(given)
    result[0] = given[1] = 5
    assert a.get_value().tolist() == [1, 1, 1]
    function([], [], updates=[(a, b)])()
    a.get_value(borrow=True)[0] = 7
    assert b.get_value().tolist() == [1, 1, 1]
    swap = function([], [], updates=[(a, b), (b, a)])
    for _ in range(3):
        swap()
    a.get_value(borrow=True)[1] = 9
    assert (a.get_value().tolist(), b.get_value().tolist()) == ([1, 9, 1], [7, 1, 1])


def test_an_argument_that_is_the_storage_of_a_shared_variable():
    a = shared(np.ones(3), "a")
    f = function([v], v * 2, updates=[(a, a + v)])
    assert [f(a.get_value(borrow=True)).tolist() for _ in range(2)] == [[2.0] * 3, [4.0] * 3]
    assert a.get_value().tolist() == [4, 4, 4]


def test_updates_of_other_objects():
    a, b = shared([1], "a"), shared("text", "b")
    f = function([], [a, b], updates=[(a, b), (b, [3])])
    assert [f(), f()] == [[[1], "text"], ["text", [3]]]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (lambda a, b: {}, [31, 40]),
        (lambda a, b: {"no_default_updates": True}, [1, 10]),
        (lambda a, b: {"no_default_updates": False}, [31, 40]),
        (lambda a, b: {"no_default_updates": [b]}, [21, 10]),
        (lambda a, b: {"no_default_updates": [a]}, [1, 10]),
        (lambda a, b: {"no_default_updates": (a, b)}, [1, 10]),
        (lambda a, b: {"no_default_updates": [x]}, [31, 40]),
        (lambda a, b: {"updates": [(a, a + 5)]}, [11, 10]),
        (lambda a, b: {"no_default_updates": a}, None),
    ],
)
def test_default_updates(options, wanted):
    a, b = shared(1.0, "a"), shared(10.0, "b")
    a.default_update, b.default_update = a + b, b * 2
    if wanted is None:
        with pytest.raises(TypeError, match="boolean or a list"):
            function([], a, **options(a, b))
        return
    f = function([], a, **options(a, b))
    f(), f()
    assert [float(a.get_value()), float(b.get_value())] == wanted


def test_an_update_has_the_pattern_of_its_variable():
    a = shared(np.zeros((2, 3)))
    for update in (a.sum(0, keepdims=True), a.sum().dimshuffle("x", "x"), a.sum()):
        with pytest.raises(TypeError, match="same type as the original"):
            function([], [], updates=[(a, update)])


e, one, three, m = x + 1, shared(1.0, "one"), shared(3.0, "three"), T.dmatrix("m")
data = shared(np.arange(6.0).reshape(3, 2), "data")
GIVENS = [
    ([y], 2 * x, {x: y + 1}, (3,), 8),
    ([y], 2 * x, [(x, y + 1)], (3,), 8),
    ([y], 2 * x, ((x, y + 1),), (3,), 8),
    ([y], 2 * x, OrderedDict([(x, y + 1)]), (3,), 8),
    ([y], 2 * x, iter([(x, y + 1)]), (3,), 8),
    ([z], x + y, [(y, z), (x, y + 1)], (3,), 7),
    ([], x, {x: shared(5.0)}, (), 5),
    ([y], 2 * e, {e: y}, (3,), 6),
    ([x], 2 * e, {e: e * 2}, (3,), 16),
    ([n], m.sum(), {m: data[n : n + 2]}, (1,), 14),
    ([y], one * y, {one: three}, (2,), 6),
]


@pytest.mark.parametrize(("inputs", "outputs", "givens", "args", "wanted"), GIVENS)
def test_givens(inputs, outputs, givens, args, wanted):
    assert function(inputs, outputs, givens=givens)(*args) == wanted


def test_givens_reach_updates_and_default_updates():
    a, b = shared(1.0, "a"), shared(2.0, "b")
    assert function([], a * 2, givens={a: b}, updates=[(a, a + 10)])() == 4
    assert (a.get_value(), b.get_value()) == (12, 2)
    a.default_update = a + x
    assert function([y], a, givens={x: y})(2) == 12
    assert a.get_value() == 14


@pytest.mark.parametrize(
    ("inputs", "outputs", "givens", "error"),
    [
        ([fs], x * 2, {x: fs}, TypeError),
        ([x], fs * 2, {fs: x}, TypeError),
        ([i], x * 2, {x: i}, TypeError),
        ([v], x * 2, {x: v}, TypeError),
        ([v], x * 2, {x: "text"}, ValueError),
        ([x], 2 * x, {x: y}, RuntimeError),
        ([x, y], x + y, {x: y, y: x}, RuntimeError),
        ([z], x + y, [(x, y), (y, z)], AssertionError),
        ([y], x, [(x, y), (x, y + 1)], AssertionError),
        ([], x, {"x": 3}, TypeError),
        ([], x, 3, TypeError),
    ],
)
def test_wrong_givens(inputs, outputs, givens, error):
    with pytest.raises(error):
        function(inputs, outputs, givens=givens, on_unused_input="ignore")


def test_givens_of_another_type_when_not_strict():
    f = function([v], x * 2, givens={x: v}, rebuild_strict=False)
    assert f([1, 2]).tolist() == [2, 4]


def test_what_an_input_stands_for_is_not_computed():
    a, m = shared(0), T.dmatrix()
    a.default_update = a + 1
    b, turned = 2 * a, m.T
    function([b], b)(21)
    assert a.get_value() == 0
    with pytest.raises(theano.compile.UnusedInputError, match="index 0 is not part"):
        function([m, turned], turned * 2)
    del a.default_update
    assert not hasattr(a, "default_update")

"""Updates, default updates and replacements of `theano.function`."""

from collections import OrderedDict

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import function, shared

x, y, z = T.dscalars("x", "y", "z")
v, fs, i, n = T.dvector("v"), T.fscalar("fs"), T.iscalar("i"), T.lscalar("n")


def plain(results):
    """Return one array, or a list of arrays, as Python numbers and lists."""
    return [r.tolist() for r in results] if isinstance(results, list) else results.tolist()


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


@pytest.mark.parametrize(("updates", "wanted"), UPDATES, ids=range(len(UPDATES)))
@pytest.mark.parametrize("mode", ["FAST_RUN", theano.Mode("py", "merge")])
def test_updates(updates, wanted, mode):
    a, b = shared(1.0, "a"), shared(2.0, "b")
    f = function([], [a, b], updates=updates(a, b), mode=mode)
    assert plain(f()) == [1.0, 2.0], "results and updates read the values from before the call"
    assert [a.get_value(), b.get_value()] == wanted


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


@pytest.mark.parametrize(
    ("first", "update", "wanted"), ARRAY_UPDATES, ids=range(len(ARRAY_UPDATES))
)
def test_updates_of_arrays(first, update, wanted):
    a = shared(first, "a")
    function([], [], updates=[(a, update(a))])()
    assert a.get_value().dtype == first.dtype
    assert a.get_value().tolist() == wanted


def test_new_values_share_no_memory():
    a, b = shared(np.zeros(3), "a"), shared(np.ones(3), "b")
    given = np.ones(3)
    f = function([v], v, updates=[(a, v)])
    result = f(given)
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
    assert plain(f(a.get_value(borrow=True))) == [2.0] * 3
    assert plain(f(a.get_value(borrow=True))) == [4.0] * 3
    assert a.get_value().tolist() == [4, 4, 4]


def test_updates_of_other_objects():
    a, b = shared([1], "a"), shared("text", "b")
    f = function([], [a, b], updates=[(a, b), (b, [3])])
    assert f() == [[1], "text"]
    assert f() == ["text", [3]]


def test_default_updates():
    def values(**options):
        a, b = shared(1.0, "a"), shared(10.0, "b")
        a.default_update, b.default_update = a + b, b * 2
        chosen = options.pop("choose", None)
        if chosen is not None:
            options["no_default_updates"] = chosen(a, b)
        updates = options.pop("updates", lambda a: None)(a)
        f = function([], a, updates=updates, **options)
        f(), f()
        return [float(a.get_value()), float(b.get_value())]

    assert values() == [31, 40]
    assert values(no_default_updates=True) == [1, 10]
    assert values(no_default_updates=False) == [31, 40]
    assert values(choose=lambda a, b: [b]) == [21, 10]
    assert values(choose=lambda a, b: [a]) == [1, 10]
    assert values(choose=lambda a, b: (a, b)) == [1, 10]
    assert values(choose=lambda a, b: [x]) == [31, 40]
    assert values(updates=lambda a: [(a, a + 5)]) == [11, 10]
    with pytest.raises(TypeError, match="boolean or a list"):
        values(choose=lambda a, b: a)


def intermediate():
    e = x + 1
    return [y], 2 * e, {e: y}


def intermediate_that_is_kept():
    e = x + 1
    return [x], 2 * e, {e: e * 2}


def with_shared_values():
    data = shared(np.arange(6.0).reshape(3, 2), "data")
    m = T.dmatrix("m")
    return [n], m.sum(), {m: data[n : n + 2]}


def with_shared_keys():
    a, b = shared(1.0, "a"), shared(3.0, "b")
    return [y], a * y, {a: b}


GIVENS = [
    (([y], 2 * x, {x: y + 1}), (3,), 8),
    (([y], 2 * x, [(x, y + 1)]), (3,), 8),
    (([y], 2 * x, ((x, y + 1),)), (3,), 8),
    (([y], 2 * x, OrderedDict([(x, y + 1)])), (3,), 8),
    (([y], 2 * x, iter([(x, y + 1)])), (3,), 8),
    (([z], x + y, [(y, z), (x, y + 1)]), (3,), 7),
    (([], x, {x: shared(5.0)}), (), 5),
    (intermediate(), (3,), 6),
    (intermediate_that_is_kept(), (3,), 16),
    (with_shared_values(), (1,), 14),
    (with_shared_keys(), (2,), 6),
]


@pytest.mark.parametrize(("parts", "args", "wanted"), GIVENS, ids=range(len(GIVENS)))
def test_givens(parts, args, wanted):
    inputs, outputs, givens = parts
    assert function(inputs, outputs, givens=givens)(*args) == wanted


def test_givens_reach_updates_and_default_updates():
    a, b = shared(1.0, "a"), shared(2.0, "b")
    f = function([], a * 2, givens={a: b}, updates=[(a, a + 10)])
    assert f() == 4
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


def test_an_update_has_the_pattern_of_its_variable():
    a = shared(np.zeros((2, 3)))
    for update in (a.sum(0, keepdims=True), a.sum().dimshuffle("x", "x"), a.sum()):
        with pytest.raises(TypeError, match="same type as the original"):
            function([], [], updates=[(a, update)])


def test_what_an_input_stands_for_is_not_computed():
    a = shared(0)
    a.default_update = a + 1
    b = 2 * a
    f = function([b], b)
    f(21)
    assert a.get_value() == 0
    m = T.dmatrix()
    turned = m.T
    with pytest.raises(theano.compile.UnusedInputError, match="index 0 is not part"):
        function([m, turned], turned * 2)
    del a.default_update
    assert not hasattr(a, "default_update")

"""`f.copy`, and pickles and deep copies of functions, graphs, shared variables and streams."""

import copy
import pickle

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate
from support.processes import run_python
from theano import In, Out, function, shared
from theano.configparser import change_flags
from theano.tensor.shared_randomstreams import RandomStreams

x, y, v = T.dscalar("x"), T.dscalar("y"), T.dvector("v")


def pickled(value):
    """Return `value` after a round trip through every protocol."""
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        value = pickle.loads(pickle.dumps(value, protocol))
    return value


both_ways = pytest.mark.parametrize("again", [pickled, copy.deepcopy], ids=["pickle", "deepcopy"])


def accumulator():
    a = shared(1.0, "a")
    return function([x], [a], updates=[(a, a + x)], name="sum"), a


def test_copy_with_other_shared_variables():
    f, a = accumulator()
    b = shared(10.0, "b")
    g = f.copy(swap={a: b})
    assert [f(1)[0], g(1)[0], f(1)[0], g(1)[0]] == [1, 10, 2, 11]
    assert (a.get_value(), b.get_value()) == (3, 12)
    assert g.get_shared() == [b]
    assert [g.name, f.copy(name="mine").name, copy.copy(f).name] == ["sum copy", "mine", "sum copy"]


def test_copy_that_swaps_a_pair():
    a, b = shared(1.0, "a"), shared(2.0, "b")
    f = function([], [a, b], updates=[(a, a + b), (b, b * 2)])
    assert [r.tolist() for r in f.copy(swap={a: b, b: a})()] == [2, 1]
    assert (a.get_value(), b.get_value()) == (2, 3)


@pytest.mark.parametrize(
    ("swap", "error"),
    [
        (lambda a, b: {b: a}, ValueError),
        (lambda a, b: {a: shared(np.float32(1))}, AssertionError),
        (lambda a, b: {a: shared(np.ones(2))}, AssertionError),
        (lambda a, b: {a: x}, TypeError),
        (lambda a, b: {"a": b}, TypeError),
    ],
)
def test_wrong_swaps(swap, error):
    f, a = accumulator()
    with pytest.raises(error):
        f.copy(swap=swap(a, shared(1.0, "b")))


def test_copy_without_updates():
    a = shared(1.0, "a")
    f = function([x], a * x, updates=[(a, a + x)])
    g = f.copy(delete_updates=True)
    assert [float(g(2)[0]), float(g(2)[0]), float(f(2)), float(g(2)[0])] == [2, 2, 2, 6]
    f, a = accumulator()
    g = f.copy(delete_updates=True)
    assert [g(3)[0], g(3)[0], a.get_value()] == [1, 1, 1]


def test_copy_keeps_defaults_apart():
    f = function([x, In(y, value=2, update=y + 1)], x * y)
    f(1)
    g, h = f.copy(), f.copy(delete_updates=True)
    assert [float(f(1)), float(f(1)), float(g(1)[0]), float(f["y"])] == [3, 4, 2, 5]
    assert [float(h(1)[0]), float(h(1)[0])] == [2, 2]
    g["y"] = 50
    assert (f["y"], h["y"]) == (5, 2)


@pytest.mark.parametrize("outputs", [x, [x, x + 1], {"k": x}, []])
def test_copies_keep_results_and_mode(outputs):
    mode = theano.Mode("py", "merge")
    f = function([x], outputs, mode=mode, on_unused_input="ignore")
    g = f.copy(share_memory=True)
    # As in Theano 1.0.5, a copy returns a list of one result.
    wanted = [f(3)] if outputs is x else f(3)
    assert g(3) == wanted and type(g(3)) is type(wanted)
    assert g.maker.mode == mode
    for made in (copy.copy(f), copy.deepcopy(f), pickled(f)):
        assert made(3) == f(3) and type(made(3)) is type(f(3))
        assert made.maker.mode == mode


def test_copy_of_a_stream():
    draw = RandomStreams(3).uniform((2,))
    f = function([], draw)
    g = f.copy(swap={draw.rng: shared(np.random.RandomState(1))})
    first = np.random.RandomState(1).uniform(size=4)
    f()
    np.testing.assert_array_equal(np.concatenate([*g(), *g()]), first)
    fixed = f.copy(delete_updates=True)
    np.testing.assert_array_equal(fixed(), fixed())


def test_shallow_copies_keep_their_values_apart():
    f = function([In(x, value=1.0, update=x + 1)], x)
    g = copy.copy(f)
    assert [float(f()), float(f()), float(g()), float(g())] == [1, 2, 1, 2]


def test_containers_stay_shared_in_deep_copies():
    h = function([In(y, value=0.0)], y)
    f = function([x, In(y, value=h.container[y], implicit=True)], x + y)
    memo = {id(y): y}
    other_h, other_f = copy.deepcopy(h, memo), copy.deepcopy(f, memo)
    h[y], other_h[y] = 1, 2
    assert (f[y], other_f[y]) == (1, 2)


@both_ways
def test_functions_get_shared_variables_of_their_own(again):
    f, a = accumulator()
    g = again(f)
    assert [f(1)[0], g(1)[0], f(1)[0], g(1)[0]] == [1, 1, 2, 2]
    assert a.get_value() == 3
    assert ([s.name for s in g.get_shared()], g.name) == (["a"], "sum")


@both_ways
def test_what_is_copied_together_shares(again):
    f, a = accumulator()
    copies = again({"f": f, "read": function([], a), "a": a})
    assert [copies["f"](1)[0], copies["read"](), copies["a"].get_value()] == [1, 2, 2]
    copies["a"].set_value(50)
    assert (copies["f"](1)[0], a.get_value()) == (50, 1)


@both_ways
def test_state_and_options_of_functions(again):
    f = function([x, In(y, value=2, update=y + 1), In(v, value=[1, 2])], {"k": x * y * v.sum()})
    f(1)
    f.trust_input = True
    f["x"] = 3.5
    g = again(f)
    assert (g["y"], g["x"], g.trust_input) == (3, 3.5, True)
    assert g(1.0)["k"] == f(1.0)["k"] == 9
    assert g(1.0, y=1.0)["k"] == 3


def test_containers_that_inputs_share_stay_shared():
    state = shared(4.0, "state")
    f = function([y, In(x, value=state.container, update=x + y)], x)
    g, same = pickled((f, state))
    assert (g(2), same.get_value(), state.get_value()) == (4, 6, 4)
    first = function([x, In(y, value=1.0, update=y + x)], y)
    second = function([x, In(y, value=first.container[y], update=y * x)], y)
    one, other, (variable,) = pickle.loads(pickle.dumps((first, second, (y,)), -1))
    one(2)
    assert other(10) == 3
    assert one[variable] == other[variable] == 30
    assert first[y] == second[y] == 1


def test_functions_are_loaded_by_another_process(tmp_path):
    f, _ = accumulator()
    f(4)
    (tmp_path / "f.pickle").write_bytes(pickle.dumps(f))
    program = "import pickle; f = pickle.load(open('f.pickle', 'rb')); print(f(1)[0], f(1)[0])"
    assert run_python(program, folder=tmp_path) == "5.0 6.0"


def test_pickles_without_functions_and_test_values():
    x = T.dvector("x")
    x.tag.test_value = np.ones(2)
    f = function([x], x + 1)
    with change_flags(pickle_test_value=False):
        assert not hasattr(pickle.loads(pickle.dumps(x)).tag, "test_value")
    assert hasattr(pickle.loads(pickle.dumps(x)).tag, "test_value")
    with change_flags(unpickle_function=False):
        assert pickle.loads(pickle.dumps(f)) is None
        assert copy.copy(f)([1.0])[0] == 2.0


@both_ways
def test_graphs(again):
    e = T.exp(x + y * 2)
    e.name, e.tag.note, e.owner.tag.other = "e", {"a": 1}, e
    x2, e2, y2 = again([x, e, y])
    assert e2.owner.inputs[0].owner.inputs[0] is x2
    assert e2.eval({x2: 1, y2: -0.5}) == 1
    assert (e2.name, e2.tag.note, e2.owner.tag.other is e2) == ("e", {"a": 1}, True)
    assert (e2.type, type(e2), e2.owner.op) == (e.type, type(e), e.owner.op)
    assert (str(e2.source), theano.pp(e2)) == (str(e.source), theano.pp(e))


@both_ways
def test_parts_of_graphs_stay_shared(again):
    middle = x + 1
    one, two = middle * 2, T.exp(middle)
    node, one2, two2, middle2 = again((one.owner, one, two, middle))
    assert one2.owner is node
    assert one2.owner.inputs[0] is two2.owner.inputs[0] is middle2
    given = theano.FunctionGraph([x], [one, two])
    graph = again(given)
    assert graph.outputs[0].owner.inputs[0] is graph.outputs[1].owner.inputs[0]
    assert list(map(str, graph.toposort())) == list(map(str, given.toposort()))


@both_ways
def test_deep_graphs_need_no_deep_recursion(again):
    out = x
    for _ in range(3000):
        out = T.sin(out) + out
    out, x2 = again((out, x))
    count = 0
    while out.owner is not None:
        out = out.owner.inputs[1]
        count += 1
    assert (count, out is x2) == (3000, True)


VALUES = [
    *(T.constant(3.5), T.constant(np.arange(3)), T.dmatrix, theano.generic),
    T.TensorType("int8", (True, False), "odd"),
    theano.Mode("py", "o1").excluding("fusion"),
    T.dmatrix("m").dimshuffle(1, 0, "x").owner.op,
    T.dvector("v").sum().owner.op,
]


@both_ways
@pytest.mark.parametrize("value", VALUES, ids=str)
def test_constants_types_modes_and_operations(again, value):
    copied = again(value)
    assert type(copied) is type(value)
    if isinstance(value, theano.Constant):
        assert copied.equals(value)
        assert copied.data.tolist() == value.data.tolist()
    else:
        assert copied == value


def test_in_and_out():
    one, two = pickled((In(x, value=np.array(3.0), name="q", strict=True), Out(x, borrow=True)))
    assert (one.name, one.value, one.strict, two.borrow) == ("q", 3, True, True)
    assert one.variable is two.variable


def test_copy_of_a_variable_has_the_same_owner():
    e = x + 1
    twin = copy.copy(e)
    assert (twin is e, twin.owner is e.owner, twin.type is e.type) == (False, True, True)


@both_ways
def test_shared_variables(again):
    a = shared(np.ones(2), "a", allow_downcast=True)
    a.tag.note = 3
    a.default_update = a + 1
    b = again(a)
    f = function([], b)
    assert [f().tolist(), f().tolist(), b.get_value().tolist()] == [[1, 1], [2, 2], [3, 3]]
    assert a.get_value().tolist() == [1, 1]
    assert (b.name, b.type, type(b), b.tag.note) == ("a", a.type, type(a), 3)
    assert b.container.allow_downcast is True
    b.set_value(np.zeros(5))


@both_ways
@pytest.mark.parametrize("value", [3, 2.5, np.float32(1), [1, [2]], "text", None, {"a": 1}])
def test_values_of_shared_variables(again, value):
    a = shared(value)
    b = again(a)
    assert (b.get_value(), b.type) == (value, a.type)


@both_ways
def test_random_streams(again):
    streams = RandomStreams(3)
    draw = streams.uniform((2,))
    f, g = function([], draw), function([], draw)
    f()
    f2, g2 = again((f, g))
    np.testing.assert_array_equal([f2(), g2(), f2()], [f(), g(), f()])
    streams2, draw2 = again((streams, draw))
    streams2.seed(5)
    streams.seed(5)
    np.testing.assert_array_equal(evaluate(draw2), evaluate(draw))
    assert len(streams2.state_updates) == 1
    np.testing.assert_array_equal(evaluate(streams2.normal((3,))), evaluate(streams.normal((3,))))


@both_ways
def test_variables_that_were_evaluated(again):
    a = T.dscalar("a")
    double = a * 2
    assert double.eval({a: 3.0}) == 6 and a.eval({a: 1.0}) == 1
    b, two = again((a, double))
    assert b.name == "a" and "_fn_cache" not in vars(b) | vars(two)
    assert two.eval({b: 4.0}) == 8

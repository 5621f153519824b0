"""Functions that update shared variables of the call from which they are called."""

import numpy as np
import pytest

import theano
import theano.tensor as T

SHAPES = [(), (3,), (2, 3), (1, 1), (0, 2), (300, 50)]
MODES = {
    "default": None,
    "py": theano.Mode("py"),
    "MonitorMode": theano.compile.MonitorMode(post_func=lambda *_: None),
    "callback": theano.Mode(theano.gof.vm.VM_Linker(callback=lambda **_: None)),
}


class Calling(theano.Op):
    """Returns its operand, and calls a function."""

    def __init__(self, function):
        self.function = function

    def make_node(self, x):
        x = T.as_tensor_variable(x)
        return theano.Apply(self, [x], [x.type()])

    def perform(self, node, inputs, outputs):
        self.function()
        outputs[0][0] = inputs[0].copy()


def counter(shape):
    s = theano.shared(np.zeros(shape), "s")
    return s, Calling(theano.function([], updates=[(s, s + 1)]))


def all_are(s, number):
    return bool((s.get_value() == number).all())


@pytest.fixture(params=MODES)
def mode(request):
    if MODES[request.param] is None:
        yield
    else:
        with theano.change_flags(mode=MODES[request.param]):
            yield


@pytest.mark.usefixtures("mode")
@pytest.mark.parametrize("shape", SHAPES)
def test_no_update_gets_lost(shape):
    x = T.dscalar()
    s, add = counter(shape)
    assert theano.function([x], add(add(x)), updates=[(s, s * 10)])(3.0) == 3
    assert all_are(s, 20)
    theano.function([x], add(x), updates=[(s, (s.T + 1).T * 2)])(3.0)
    assert all_are(s, 44)
    theano.function([], updates=[(s, s + add(s.sum() * 0))])()
    assert all_are(s, 45)
    if len(shape) == 2:
        turned = theano.shared(np.eye(shape[1]))
        theano.function([x], add(x), updates=[(s, T.dot(s, turned))])(3.0)
        assert all_are(s, 46)
        theano.function([x], add(x), updates=[(s, T.inc_subtensor(s[:], 1.0))])(3.0)
        assert all_are(s, 48)


@pytest.mark.usefixtures("mode")
@pytest.mark.parametrize("shape", SHAPES)
def test_no_update_gets_lost_in_loops_branches_and_recursion(shape):
    x = T.dscalar()
    s, add = counter(shape)
    values, _ = theano.scan(add, T.arange(5.0))
    theano.function([], values.sum(), updates=[(s, 2 * s + 1)])()
    assert all_are(s, 11)
    branch = theano.function([x], theano.ifelse.ifelse(x > 0, add(x), x), updates=[(s, s + 1)])
    branch(1.0), branch(-1.0)
    assert all_are(s, 14)
    depth = iter(range(20))
    again = theano.function(
        [x],
        Calling(lambda: None if next(depth, None) is None else again(1.0))(x),
        updates=[(s, s + 1)],
    )
    again(1.0)
    assert all_are(s, 35)


@pytest.mark.parametrize("stored", [np.ones(4), np.ones((3, 2)).T, np.ones((2, 2))])
def test_a_value_of_another_layout_is_an_error(stored):
    s = theano.shared(np.zeros(3 if stored.ndim == 1 else (2, 3)), "s")
    put = Calling(lambda: s.set_value(stored, borrow=True))
    x = T.dscalar()
    f = theano.function([x], put(x), updates=[(s, s + 1)])
    with pytest.raises(ValueError, match=r"the same type, shape and memory order(.|\n)*Calling"):
        f(1.0)
    assert s.get_value(borrow=True) is stored
    # A call that only reads goes on with what it read.
    s.set_value(np.zeros(s.ndim * (2,)))
    theano.function([x], [put(x), s + 1])(1.0)

"""Functions that update shared variables of the call from which they are called."""

import numpy as np
import pytest

import theano
import theano.tensor as T

SHAPES = [(), (3,), (2, 3), (1, 1), (0, 2), (300, 50)]
MODES = {
    "default": "FAST_RUN",
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


@pytest.fixture(params=MODES)
def mode(request):
    with theano.change_flags(mode=MODES[request.param]):
        yield


@pytest.mark.usefixtures("mode")
@pytest.mark.parametrize("shape", SHAPES)
def test_no_update_gets_lost(shape):
    x, s = T.dscalar(), theano.shared(np.zeros(shape), "s")
    add = Calling(theano.function([], updates=[(s, s + 1)]))

    def becomes(number, output, update, *arguments):
        inputs = [x] if arguments else []
        theano.function(inputs, output, updates=[(s, update)])(*arguments)
        np.testing.assert_array_equal(s.get_value(), np.full(shape, number))

    becomes(20, add(add(x)), s * 10, 3.0)
    becomes(44, add(x), (s.T + 1).T * 2, 3.0)
    becomes(45, [], s + add(s.sum() * 0))
    if len(shape) == 2:
        becomes(46, add(x), T.dot(s, theano.shared(np.eye(shape[1]))), 3.0)
        becomes(48, add(x), T.inc_subtensor(s[:], 1.0), 3.0)
    s.set_value(np.zeros(shape))
    values, _ = theano.scan(add, T.arange(5.0))
    becomes(11, values.sum(), 2 * s + 1)
    branch = theano.ifelse.ifelse(x > 0, add(x), x)
    becomes(13, branch, s + 1, 1.0)
    becomes(14, branch, s + 1, -1.0)
    depth = iter(range(20))
    call = Calling(lambda: None if next(depth, None) is None else again(1.0))
    again = theano.function([x], call(x), updates=[(s, s + 1)])
    again(1.0)
    np.testing.assert_array_equal(s.get_value(), np.full(shape, 35))


@pytest.mark.parametrize("stored", [np.ones(4), np.ones((3, 2)).T, np.ones((2, 2))])
def test_a_value_of_another_layout_is_an_error(stored):
    s, x = theano.shared(np.zeros(3 if stored.ndim == 1 else (2, 3)), "s"), T.dscalar()
    put = Calling(lambda: s.set_value(stored, borrow=True))
    f = theano.function([x], put(x), updates=[(s, s + 1)])
    with pytest.raises(ValueError, match=r"the same type, shape and memory order(.|\n)*Calling"):
        f(1.0)
    assert s.get_value(borrow=True) is stored
    # A call that only reads goes on with what it read.
    s.set_value(np.zeros(s.ndim * (2,)))
    theano.function([x], [put(x), s + 1])(1.0)

"""`theano.grad` of functions, in the manner of JAX."""

import pytest

import theano
import theano.tensor as T


def product(x, y):
    return (x**2 * y).sum()


def test_the_gradient_of_a_function_is_a_function():
    x, y = T.dvectors("x", "y")
    values = {x: [1.0, 2.0], y: [3.0, 4.0]}
    assert theano.grad(product)(x, y).eval(values).tolist() == [6.0, 16.0]
    assert theano.grad(product, 1)(x, y).eval(values | {x: [2.0, 1.0]}).tolist()[0] == 4.0
    both = theano.grad(product, [0, 1])(x, y)
    assert theano.function([x, y], both)([1.0, 2.0], [3.0, 4.0])[1].tolist() == [1.0, 4.0]


def test_it_takes_values_and_options():
    x = T.dscalar("x")
    assert theano.grad(lambda a: a**3)(2.0).eval() == 12.0
    assert theano.grad(theano.grad(lambda a: a**3))(x).eval({x: 2.0}) == 12.0
    alone = theano.grad(lambda a, b: a, 1, disconnected_inputs="ignore")
    assert alone(x, x * 1).eval({x: 2.0}) == 0.0


def test_positions_are_asked_for():
    with pytest.raises(TypeError, match="positions of its arguments"):
        theano.grad(product, wrt="x")
    with pytest.raises(TypeError, match="missing 1 required"):
        theano.grad(T.dscalar("x"))

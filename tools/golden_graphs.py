"""Write tests/golden/graphs_theano105.pkl: graphs and functions that old programs have pickled.

Run under Python 3.7 with Theano==1.0.5, numpy==1.17.5 and scipy==1.4.1:
THEANO_FLAGS=cxx=,floatX=float64,traceback.limit=0,optimizer_excluding=scipy_blas
python tools/golden_graphs.py (what SciPy computes cannot be pickled)
"""

import os
import pickle
import zlib
from collections import OrderedDict

import numpy as np

import theano
import theano.tensor as T
from theano.gof.op import COp
from theano.ifelse import ifelse
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor.elemwise import Elemwise
from theano.tensor.shared_randomstreams import RandomStreams
from theano.tensor.signal.pool import pool_2d

PATH = os.path.join(os.path.dirname(__file__), "..", "tests", "golden", "graphs_theano105.pkl")
LEFT_OUT = ("__doc__", "func_codes", "code_sections")


def without_texts(state_of):
    """Return a method that leaves documentation and C code out, which are not needed."""
    return lambda op: {k: x for k, x in state_of(op).items() if k not in LEFT_OUT}


Elemwise.__getstate__ = without_texts(Elemwise.__getstate__)
COp.__getstate__ = without_texts(lambda op: vars(op))
rng = np.random.RandomState(0)
draw = lambda *shape: rng.uniform(-1, 1, shape)
CASES = OrderedDict()


def case(name, inputs, outputs, arguments, updates=None, mode="FAST_COMPILE"):
    """Note an expression, a function of it, and what two calls return."""
    pickled = pickle.dumps((inputs, outputs), 2)
    function = theano.function(inputs, outputs, updates=updates, mode=mode)
    as_function = pickle.dumps(function, 2)
    results = [function(*arguments) for _ in range(2)]
    CASES[name] = {
        "graph": pickled,
        "function": as_function,
        "arguments": arguments,
        "results": results,
    }


x, y, v, u = T.dmatrix("x"), T.ivector("y"), T.dvector("v"), T.dvector("u")
W, b = theano.shared(draw(3, 4), "W"), theano.shared(draw(4), "b")
p = T.nnet.softmax(T.tanh(T.dot(x, W) + b))
cost = -T.mean(T.log(p)[T.arange(y.shape[0]), y]) + 0.1 * (W**2).sum()
grads = T.grad(cost, [W, b])
steps = [(W, W - 0.5 * grads[0]), (b, b - 0.5 * grads[1])]
values = [draw(5, 3), np.int32([0, 1, 2, 3, 0])]
case("training", [x, y], [cost, T.argmax(p, axis=1)], values, steps, "FAST_RUN")

i = T.lscalar("i")
parts = [
    x[1:, ::-1],
    x[i],
    x[:, i:],
    x[y],
    T.set_subtensor(x[0, :2], 7.0),
    T.inc_subtensor(x[y], 1.0),
    T.inc_subtensor(x[i], v),
    x.dimshuffle(1, "x", 0),
    x.reshape((3, -1)),
    x.flatten(),
    T.concatenate([x, x.T[:2, :3]], axis=0),
    T.alloc(v, 2, 3),
    T.stack([v, v]),
    T.eye(3),
    x.shape,
    T.nonzero(x > 0)[0],
    T.sort(x, axis=1),
    T.cumsum(x, axis=0),
    T.repeat(v, 2),
    T.tile(v, 2),
]
case("parts", [x, y, v, i], parts, [draw(4, 3), np.int32([0, 2, 2]), draw(3), 1])

items = [
    T.nnet.sigmoid(x) + T.nnet.softplus(x) + T.erf(x) + T.nnet.hard_sigmoid(x),
    T.switch(x > 0, x, 2) + T.clip(x, -0.5, 0.5) + T.minimum(x, v),
    T.cast(x * 3, "int32") // 2 + y[0] % 3,
    T.exp(-abs(x)) + T.log1p(x**2) + T.sqrt(T.sqr(x)) + T.sgn(x),
    x.sum(axis=0) + x.prod(axis=0) + x.max(axis=0) + x.min(axis=0) + x.mean(axis=0) + x.std(axis=0),
    T.all(x > -2) & T.any(x > 0),
    T.maximum(x, 0) + T.eq(x, 0) + T.invert(x > 0),
    T.dot(x, v) + T.tensordot(x, v, axes=[[1], [0]]),
]
case("items", [x, y, v], items, [draw(4, 3), np.int32([5]), draw(3)])

h0, U = T.dvector("h0"), theano.shared(draw(3, 3), "U")
states, _ = theano.scan(
    lambda now, before, u: T.tanh(now + T.dot(before, u)), x, h0, U, name="layer"
)
fibonacci, _ = theano.scan(
    lambda two, one: two + one, None, [{"initial": v, "taps": [-2, -1]}], n_steps=5
)
case("loops", [x, h0, v], [states[-1], states.sum(), fibonacci], [draw(4, 3), draw(3), draw(2)])

learned = (states[-1] ** 2).sum() + (states**3).sum()
found = [learned, T.grad(learned, h0)]
rates = [(U, U - 0.1 * T.grad(learned, U))]
case("learning", [x, h0], found, [draw(4, 3), draw(3)], rates)

coins, start = RandomStreams(5), T.dvector("start")


def walk(now):
    """Return where a random walk goes on."""
    return now + coins.normal((3,)) * coins.binomial((3,), p=0.5)


chain, seeds = theano.scan(walk, None, start, n_steps=4)
case("sampling", [start], chain, [draw(3)], seeds)

numbers = RandomStreams(3)
drawn = [numbers.uniform((2, 3)), numbers.normal((2,), avg=1.0), numbers.binomial((3,), n=5, p=0.3)]
case("streams", [], [*drawn, MRG_RandomStreams(3).uniform((4,))], [])

image, filters = T.dtensor4("image"), theano.shared(draw(2, 1, 3, 3), "filters")
case("image", [image], T.nnet.relu(pool_2d(image, (2, 2), ignore_border=True)), [draw(2, 1, 6, 6)])
maps = T.nnet.conv2d(image, filters, border_mode="half")
# Without a C compiler there is no function of it.
CASES["convolution"] = {"graph": pickle.dumps((image, filters, maps), 2)}

case("branches", [i, v, u], ifelse(i > 0, v + u, v * u), [0, draw(2), draw(2)])

total = theano.shared(0.0, "total")
sums = {"sum": v.sum(), "total": total}
case("counter", [theano.In(v, value=np.ones(2))], sums, [], [(total, total + v.sum())])

with open(PATH, "wb") as file:
    file.write(zlib.compress(pickle.dumps(CASES, 2), 9))

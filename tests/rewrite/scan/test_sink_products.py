"""Products that no step reads are computed behind the loop, of the rows that steps hand on."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.comparison import DERIVATIVES
from support.compiling import ops
from theano._core.ops.array.products import Dot, Gemm
from theano._core.ops.control.scan import Loop
from theano.scan_module import until

rng = np.random.default_rng(4)
x, v = T.dmatrix("x"), T.dvector("v")
w, out = theano.shared(rng.normal(size=(3, 3)) / 2), theano.shared(rng.normal(size=(3, 5)))


def hidden(r, h):
    return T.tanh(T.dot(h, w) + r)


def read(h):
    return T.nnet.softmax(T.dot(h, out))[0]


def loop(step, start=v, **options):
    """Return the rows of the states, and of what is read of them."""
    return theano.scan(step, sequences=x, outputs_info=[start, None], **options)[0]


def older(r, before, h):
    new = hidden(r + before, h)
    return [new, read(new)]


plain = loop(lambda r, h: [hidden(r, h), read(hidden(r, h))])
LOOPS = {
    "both": plain,
    "the last state": [plain[0][-1], plain[1]],
    "the last two": [plain[0][-2:], plain[1][-2:]],
    "without the first": [plain[0][1:], plain[1][1:]],
    "older states": loop(older, {"initial": T.stack([v, v + 1]), "taps": [-2, -1]}),
    "backwards": loop(lambda r, h: [hidden(r, h), read(hidden(r, h))], go_backwards=True),
    "with the sequence": loop(lambda r, h: [hidden(r, h), read(hidden(r, h)) * r.sum()]),
}


def products_in_loops(f):
    return sum(isinstance(n.op, (Dot, Gemm)) for op in ops(f, Loop) for n in op.body.nodes)


# What is read of the last step only.
LAST = {
    name: LOOPS[name][1][-1] for name in ("both", "older states", "backwards", "with the sequence")
}


def summed(term, start, state=None):
    """Return a sum over the steps and a state beside it."""

    def step(r, total, h):
        return [total + term(r, h), hidden(r, h)]

    total, states = theano.scan(step, sequences=x, outputs_info=[start, v])[0]
    return [total[-1], states]


zero, whole_number = T.zeros(3), T.constant(5, dtype="int32")
SUMS = {
    "rows": summed(lambda r, h: r, zero),
    "long functions": summed(lambda r, h: T.exp(r) / (1 + T.exp(r).sum()), v),
    "products": summed(lambda r, h: T.dot(T.tanh(r), w), v),
    "a number": summed(lambda r, h: T.sqr(r).sum(), T.zeros(())),
    "integers": summed(lambda r, h: T.cast(r[0] * 9, "int32"), whole_number),
    "float32": summed(lambda r, h: T.cast(r, "float32"), T.zeros(3, "float32")),
    "outer products": summed(lambda r, h: T.exp(T.outer(r, r)), T.zeros((3, 3))),
    "states": summed(lambda r, h: r * h, v),
}


@pytest.mark.parametrize("steps", [0, 1, 2, 7])
@pytest.mark.parametrize(
    "outs",
    [pytest.param(outs, id=name) for name, outs in [*LOOPS.items(), *SUMS.items()]]
    + [pytest.param([last], id=f"last: {name}") for name, last in LAST.items()],
)
def test_values_and_gradients(outs, steps):
    cost = sum(T.sum(T.sqr(o)) for o in outs)
    parameters = [x, v, w, out]
    outs = [*outs, *T.grad(cost, parameters, disconnected_inputs="ignore")]
    agree([x, v], outs, (rng.normal(size=(steps, 3)), rng.normal(size=3)), tolerance=DERIVATIVES)


@pytest.mark.parametrize("name", list(LAST))
def test_what_is_kept_of_the_last_step_is_computed_once(name):
    assert products_in_loops(theano.function([x, v], LAST[name])) == 1


@pytest.mark.parametrize("name", list(SUMS))
def test_sums_of_sequences_need_no_loop(name):
    f = theano.function([x, v], SUMS[name][0])
    # What has more axes than rows have would need memory.
    assert len(ops(f, Loop)) == (name in ("outer products", "states"))


@pytest.mark.parametrize("name", list(LOOPS))
def test_steps_multiply_once(name):
    states, rows = LOOPS[name]
    whole = products_in_loops(theano.function([x, v], [states, rows]))
    # For results alone no states are kept.
    assert whole == (2 if name in ("the last state", "the last two") else 1)
    assert products_in_loops(theano.function([x, v], rows)) == 2


def test_what_steps_read_stays():
    fed = theano.scan(
        lambda r, h, p: [hidden(r, h) + p.sum(), read(h)], sequences=x, outputs_info=[v, T.zeros(5)]
    )[0]
    ended = theano.scan(
        lambda r, h: ([hidden(r, h), read(h)], until(T.gt(h.sum(), 3))),
        sequences=x,
        outputs_info=[v, None],
    )[0]
    for outs in (fed, ended):
        agree([x, v], outs, (rng.normal(size=(6, 3)), rng.normal(size=3)), tolerance=DERIVATIVES)


def test_logarithms_of_softmaxes_of_steps_are_finite():
    far = theano.shared(1e4 * rng.normal(size=(3, 5)))
    states, rows = loop(lambda r, h: [hidden(r, h), T.nnet.softmax(T.dot(hidden(r, h), far))[0]])
    logs = theano.function([x, v], [states, T.log(rows)])(rng.normal(size=(6, 3)), np.ones(3))[1]
    assert np.isfinite(logs).all()


def test_numbers_stay_in_the_body():
    """A number of another dtype is not handed to the loop, which would not know it."""
    rows = theano.scan(lambda h: h + T.exp(-(h + 55) / 10), outputs_info=v, n_steps=3)[0]
    f = theano.function([v], rows)
    (node,) = [n for n in f.maker.fgraph.toposort() if isinstance(n.op, Loop)]
    assert node.op.outer(node).fixed == []
    np.testing.assert_allclose(f([5.0])[0, 0], 5 + np.exp(-6.0))

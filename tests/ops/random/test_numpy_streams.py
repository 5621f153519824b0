"""`RandomStreams`: streams of functions, their states, failures, and explicit draws."""

import pickle

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.comparison import assert_same
from theano.tensor import raw_random
from theano.tensor.raw_random import RandomFunction, RandomStreamsBase, random_state_type
from theano.tensor.shared_randomstreams import RandomStreams


def _stream(seed):
    """Return the stream of the first variable of `RandomStreams(seed)`."""
    return np.random.RandomState(np.random.RandomState(seed).randint(2**30))


def _state(stream):
    return [v.tolist() if isinstance(v, np.ndarray) else v for v in stream.get_state()]


DRAWS = ["uniform", "normal", "binomial", "random_integers", "poisson", "permutation", "choice"]


def _make(streams, name, size):
    return getattr(streams, name)(size, **({"n": 5} if name == "permutation" else {}))


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("size", [(4,), (3,)])
def test_a_failed_call_draws_nothing(name, size):
    streams = RandomStreams(3)
    drawn = _make(streams, name, size)
    x = T.dvector()
    f = theano.function([x], drawn.sum() + (x + T.ones(2)))
    fine = np.zeros(2)
    # After an odd number of normal numbers the stream keeps one for the next draw.
    for _ in range(3):
        before = _state(drawn.rng.get_value())
        with pytest.raises(ValueError, match="mis-match"):
            f(np.zeros(3))
        assert _state(drawn.rng.get_value()) == before
        f(fine)
        assert _state(drawn.rng.get_value()) != before
    expected = _make(RandomStreams(3), name, size)
    g = theano.function([], expected.sum())
    totals = [g() for _ in range(4)]
    assert f(fine)[0] - 1 == pytest.approx(float(totals[3]), abs=1e-12)


def test_normal_numbers_after_the_stream_was_used_elsewhere():
    streams = RandomStreams(4)
    drawn = streams.normal((3,))
    f = theano.function([drawn_in := T.dscalar()], drawn + drawn_in)
    reference = _stream(4)
    assert f(0.0).tolist() == reference.normal(size=3).tolist()
    streams[drawn.rng].normal()
    reference.normal()
    assert f(0.0).tolist() == reference.normal(size=3).tolist()
    assert _state(drawn.rng.get_value()) == _state(reference)


def test_a_draw_that_fails_itself_leaves_the_stream_and_names_the_line():
    p = T.dscalar()
    drawn = RandomStreams(5).binomial((3,), 10, p)
    f = theano.function([p], drawn)
    before = _state(drawn.rng.get_value())
    for wrong in (1.5, -0.5):
        with pytest.raises(ValueError, match=r"(?s)p < 0, p > 1.*test_numpy_streams\.py"):
            f(wrong)
        assert _state(drawn.rng.get_value()) == before
    assert f(0.5).tolist() == _stream(5).binomial(10, 0.5, 3).tolist()


def test_other_generators_behind_a_random_state():
    # NumPy warns where it copies such a stream.
    stream = theano.shared(np.random.RandomState(np.random.PCG64(1)), borrow=True)
    after, drawn = raw_random.normal(stream, (3,))
    x = T.dvector()
    f = theano.function([x], drawn + x, updates=[(stream, after)])
    with pytest.raises(ValueError, match="mis-match"):
        f(np.zeros(2))
    reference = np.random.RandomState(np.random.PCG64(1))
    assert f(np.zeros(3)).tolist() == reference.normal(size=3).tolist()


def test_results_belong_to_the_caller():
    drawn = RandomStreams(6).uniform((4,))
    f = theano.function([], [drawn, drawn, drawn * 2])
    first = f()
    copies = [x.copy() for x in first]
    f()
    assert_same(first, copies)
    first[0][...] = 0
    assert_same(first[1], copies[1])


def test_a_shared_variable_that_receives_a_draw():
    kept, drawn = theano.shared(np.zeros(3)), RandomStreams(7).uniform((3,))
    f = theano.function([], drawn, updates=[(kept, drawn)])
    for _ in range(2):
        got = f()
        assert got.tolist() == kept.get_value().tolist()
        got[...] = -1
        assert kept.get_value().min() >= 0


def test_two_functions_share_a_stream_and_draw_a_variable_once_in_a_call():
    drawn = RandomStreams(8).uniform((2,))
    f, g = (theano.function([], v) for v in (drawn, drawn + drawn - 2 * drawn))
    reference = _stream(8)
    assert f().tolist() == reference.uniform(size=2).tolist()
    assert g().tolist() == [0, 0]
    reference.uniform(size=2)
    assert f().tolist() == reference.uniform(size=2).tolist()


def test_updates_by_hand():
    drawn = RandomStreams(9).uniform((2,))
    without = theano.function([], drawn, no_default_updates=True)
    by_hand = theano.function([], drawn, updates=[drawn.update], no_default_updates=True)
    given = theano.function([], drawn, updates={drawn.rng: drawn.update[1]})
    reference = _stream(9)
    first = reference.uniform(size=2)
    assert without().tolist() == without().tolist() == by_hand().tolist() == first.tolist()
    assert given().tolist() == reference.uniform(size=2).tolist()
    assert without().tolist() == reference.uniform(size=2).tolist()


def test_state_is_read_saved_and_set():
    streams = RandomStreams(10)
    drawn = streams.uniform((2,))
    f = theano.function([], drawn)
    saved = drawn.rng.get_value()
    first = f()
    assert f().tolist() != first.tolist()
    drawn.rng.set_value(saved)
    assert f().tolist() == first.tolist()
    borrowed = drawn.rng.get_value(borrow=True)
    borrowed.seed(77)
    drawn.rng.set_value(borrowed, borrow=True)
    assert f().tolist() == np.random.RandomState(77).uniform(size=2).tolist()
    with pytest.raises(TypeError, match="RandomState"):
        drawn.rng.set_value(3)


def test_pickle():
    streams = RandomStreams(11)
    f = theano.function([], streams.normal((3,)))
    f()
    g = pickle.loads(pickle.dumps(f))
    assert g().tolist() == f().tolist()
    copy = pickle.loads(pickle.dumps(streams))
    assert copy.uniform((2,)).eval().tolist() == streams.uniform((2,)).eval().tolist()
    assert pickle.loads(pickle.dumps(random_state_type)) == random_state_type


def test_shuffled_rows_name_their_permutation():
    x = T.dmatrix()
    shuffled = RandomStreams(12).shuffle_row_elements(x)
    f = theano.function([x], [shuffled, shuffled.permutation])
    rows = np.arange(6.0).reshape(2, 3)
    got, order = f(rows)
    assert got.tolist() == np.take_along_axis(rows, order, axis=1).tolist()


def test_an_explicit_stream():
    stream = random_state_type()
    after, drawn = RandomFunction("uniform", T.dvector)(stream, (4,), 0.0, 1.0)
    again, more = RandomFunction(np.random.RandomState.normal, T.dvector)(after, (2,), 0.0, 1.0)
    f = theano.function([stream], [drawn, more, again])
    given = np.random.RandomState(3)
    one, two, left = f(given)
    reference = np.random.RandomState(3)
    assert _state(given) == _state(reference)
    assert one.tolist() == reference.uniform(size=4).tolist()
    assert two.tolist() == reference.normal(size=2).tolist()
    assert _state(left) == _state(reference)
    assert str(drawn.owner.op) == "RandomFunction{uniform}"


def test_mutable_streams_are_drawn_from_in_place():
    stream = random_state_type()
    after, drawn = raw_random.uniform(stream, (2,))
    for mutable in (True, False):
        given = np.random.RandomState(4)
        source = theano.In(stream, value=given, update=after, mutable=mutable)
        f = theano.function([source], drawn)
        reference = np.random.RandomState(4)
        for _ in range(2):
            assert f().tolist() == reference.uniform(size=2).tolist()
        assert (_state(given) == _state(reference)) == mutable


def test_axes_that_a_function_adds():
    stream = random_state_type()
    for added in (0, 2, 1):
        op = RandomFunction(raw_random.permutation_helper, T.imatrix, ndim_added=added)
        f = theano.function([stream], op(stream, (7,), 8)[1])
        if added != 1:
            with pytest.raises(ValueError, match="Shape mismatch"):
                f(np.random.RandomState(1))
    drawn = f(np.random.RandomState(1))
    assert (drawn.shape, drawn.dtype) == ((7, 8), "int32")


def test_a_base_for_streams_of_ones_own():
    class Recorder(RandomStreamsBase):
        def gen(self, op, *args, **kwargs):
            return op, args, kwargs

    op, args, _ = Recorder().uniform((2,), 0.0, 3.0)
    assert op is raw_random.uniform
    assert args == ((2,), 0.0, 3.0)


def test_old_name_of_a_probability():
    with pytest.warns(DeprecationWarning, match="old name"):
        drawn = RandomStreams(1).binomial((3,), 10, prob=0.9)
    assert drawn.eval().tolist() == _stream(1).binomial(10, 0.9, 3).tolist()


m, col, rows = T.dvector("m"), T.dcol("col"), T.dmatrix("rows")
rng = RandomStreams(3)
SHAPES = [
    (rng.normal(avg=m), (3,)),
    (rng.uniform(low=m, high=col), (2, 3)),
    (rng.binomial(n=1, p=m), (3,)),
    (rng.multinomial(n=1, pvals=rows), (2, 4)),
    (rng.permutation((2,), n=5), (2, 5)),
]


@pytest.mark.parametrize("draw, wanted", SHAPES)
def test_the_shape_of_a_draw_needs_no_draw(draw, wanted):
    f = compiled_for([m, col, rows], draw.shape)
    assert not any("RandomFunction" in str(n.op) for n in f.maker.graph.toposort())
    np.testing.assert_array_equal(f(np.ones(3), np.ones((2, 1)), np.full((2, 4), 0.25)), wanted)


def compiled_for(inputs, out):
    return theano.function(inputs, out, on_unused_input="ignore", no_default_updates=True)


@pytest.mark.parametrize(
    "arguments, ndim, shape, pattern",
    [
        ((None, None, m, col), 2, [4, 3], (False, False)),
        ((None, (-1, 1), m, col), 2, [4, 1], (False, True)),
        ((2, T.as_tensor_variable([5, 6])), 2, [5, 6], (False, False)),
    ],
)
def test_ranks_and_patterns_of_draws(arguments, ndim, shape, pattern):
    found = raw_random._infer_ndim_bcast(*arguments)
    assert (found[0], found[2]) == (ndim, pattern)
    f = compiled_for([m, col], found[1])
    np.testing.assert_array_equal(f(np.ones(3), np.ones((4, 1))), shape)


def test_no_rank_without_a_shape_and_arguments():
    with pytest.raises(TypeError, match="cannot infer the shape"):
        raw_random._infer_ndim_bcast(None, None)


def test_rows_of_equal_probabilities_are_the_numbers_of_single_draws():
    pvals, stream = np.array([0.2, 0.3, 0.5]), _stream(5)
    counts = RandomStreams(5).multinomial((4, 5), 10, pvals).eval()
    # Of probabilities whose last is not nearly 0, nothing is taken off.
    single = [stream.multinomial(10, pvals) for _ in range(20)]
    assert_same(counts, np.reshape(single, (4, 5, 3)))
    assert RandomStreams(5).multinomial((0, 5), 10, pvals).eval().shape == (0, 5, 3)

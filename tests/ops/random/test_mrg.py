"""The generator MRG31k3p: its recurrence, its streams, and random variables made of them."""

import pickle

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.comparison import assert_same
from support.compiling import evaluate
from theano._core.base.settings import change_flags
from theano._core.lower.builder import mrg_draws
from theano._core.ops.random import mrg
from theano._core.ops.random.mrg import advance
from theano.sandbox import multinomial, rng_mrg
from theano.sandbox.multinomial import ChoiceFromUniform, MultinomialFromUniform
from theano.sandbox.rng_mrg import (
    DotModulo,
    MRG_RandomStreams,
    guess_n_streams,
    matVecModM,
    mrg_uniform,
)
from theano.tensor.shared_randomstreams import RandomStreams


def _published(state, count):
    """Return integers drawn by the definition of the generator, in exact arithmetic."""
    drawn = []
    for _ in range(count):
        x1, x2, x3, y1, y2, y3 = state
        x = (2**22 * x2 + (2**7 + 1) * x3) % rng_mrg.M1.item()
        y = (2**15 * y1 + (2**15 + 1) * y3) % rng_mrg.M2.item()
        state = [x, x1, x2, y, y1, y2]
        drawn.append(x - y if x > y else x - y + rng_mrg.M1.item())
    return drawn


@pytest.mark.parametrize("seed", [[12345] * 6, [1, 2, 3, 4, 5, 6], [2147483646, 0, 0, 1, 0, 0]])
def test_recurrence(seed):
    wanted = _published(seed, 500)
    native = MRG_RandomStreams(seed).uniform((500,), nstreams=1, dtype="float64")
    assert (native.eval() * 2.0**31).tolist() == wanted
    state = np.array([seed], dtype="int32")
    assert [int(advance(state)[0]) for _ in range(500)] == wanted
    state = np.array(seed, dtype="int32")
    one_by_one = [rng_mrg.mrg_next_value(state, state, 1, 0xFFFFFFFF, 0) for _ in range(500)]
    assert one_by_one == wanted


def _matrix_power(matrix, exponent, modulus):
    result = np.eye(3, dtype=object)
    for bit in bin(exponent)[2:]:
        result = result.dot(result) % modulus
        if bit == "1":
            result = result.dot(np.array(matrix, dtype=object)) % modulus
    return result


def test_streams_are_2_to_the_72_steps_apart():
    one = [[0, 2**22, 2**7 + 1], [1, 0, 0], [0, 1, 0]]
    two = [[2**15, 0, 2**15 + 1], [1, 0, 0], [0, 1, 0]]
    states = MRG_RandomStreams(42).get_substream_rstates(100, "float32")
    for number in (1, 2, 3, 64, 99):
        first = _matrix_power(one, number << 72, 2147483647).dot([42] * 3) % 2147483647
        second = _matrix_power(two, number << 72, 2147462579).dot([42] * 3) % 2147462579
        assert states[number].tolist() == [*first, *second]
    assert rng_mrg.ff_2p72(states[0]).tolist() == states[1].tolist()
    streams = MRG_RandomStreams(42)
    streams.inc_rstate()
    far = _matrix_power(one, 1 << 134, 2147483647).dot([42] * 3) % 2147483647
    assert streams.rstate[:3].tolist() == list(far)
    assert rng_mrg.ff_2p134(states[0]).tolist() == streams.rstate.tolist()


@pytest.mark.parametrize("streams", [1, 2, 15, 16, 17, 33, 100])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_native_draws_are_the_meaning_of_the_operation(streams, dtype):
    state = MRG_RandomStreams(5).get_substream_rstates(streams, dtype)
    x, n = T.imatrix(), T.lscalar()
    after, drawn = mrg_uniform.new(x, None, dtype, (n,))
    f = theano.function([x, n], [after, drawn])
    for count in (0, 1, streams - 1, streams, streams + 1, 3 * streams + 5, 70):
        wanted = drawn.owner.op.compute(np, drawn.owner, state, np.array([count]))
        assert_same(f(state, count), list(wanted))


@pytest.mark.parametrize("piece", [1, 64, 10_000])
def test_numbers_do_not_depend_on_pieces(monkeypatch, piece):
    whole = MRG_RandomStreams(6).uniform((5001,), nstreams=33).eval()
    monkeypatch.setattr(mrg_draws, "PIECE", piece)
    with change_flags(cache_programs=False):
        parts = theano.function([], MRG_RandomStreams(6).uniform((5001,), nstreams=33))()
    assert np.array_equal(whole, parts)


def test_many_threads_give_the_same_numbers():
    whole = MRG_RandomStreams(6).uniform((300_000,), nstreams=1000).eval()
    state = MRG_RandomStreams(6).get_substream_rstates(1000, "float64")
    assert np.array_equal(whole, np.concatenate([advance(state) * 2.0**-31 for _ in range(300)]))


def test_states_that_are_not_contiguous():
    state, x = MRG_RandomStreams(5).get_substream_rstates(40, "float64"), T.imatrix()
    f = theano.function([x], mrg_uniform.new(x, None, "float64", (100,)))
    assert_same(f(np.asfortranarray(state)), f(state))


def _picks(pvals, unis):
    rows = len(pvals)
    sums = np.cumsum(pvals.astype("float64"), axis=1)
    return [(i % rows, int(np.argmax(sums[i % rows] > u))) for i, u in enumerate(unis)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_outcomes_of_uniform_numbers(dtype):
    numpy = np.random.RandomState(1)
    pvals = numpy.dirichlet(np.ones(5), size=7).astype(dtype)
    unis = numpy.uniform(0, 0.99, 21)
    p, u, n = T.matrix(dtype=dtype), T.dvector(), T.lscalar()
    counts = theano.function([p, u, n], MultinomialFromUniform("auto")(p, u, n))
    wanted = np.zeros((7, 5), dtype=dtype)
    for row, outcome in _picks(pvals, unis):
        wanted[row, outcome] += 1
    got = counts(pvals, unis, 3)
    assert got.dtype == dtype
    assert got.tolist() == wanted.tolist()
    assert counts(np.asfortranarray(pvals), unis, 3).tolist() == wanted.tolist()
    again = theano.function([p, u, n], ChoiceFromUniform("int64", True)(p, u, n))
    chosen = np.array([outcome for _, outcome in _picks(pvals, unis)]).reshape(3, 7).T
    assert again(pvals, unis, 3).tolist() == chosen.tolist()
    once = theano.function([p, u, n], ChoiceFromUniform("auto")(p, u, n))
    all_of_them = once(pvals, numpy.uniform(0, 0.99, 35), 5)
    assert np.sort(all_of_them, axis=1).tolist() == [list(range(5))] * 7
    assert all(row[0] == pick for row, pick in zip(once(pvals, unis, 3), chosen[:, 0], strict=True))


def test_probabilities_that_add_up_to_less_pick_nothing():
    pvals, unis = np.array([[0.1, 0.2]]), np.array([0.9])
    assert MultinomialFromUniform("int64")(pvals, unis).eval().tolist() == [[0, 0]]
    assert ChoiceFromUniform("int64")(pvals, unis).eval().tolist() == [[-1]]


def test_function_draws_anew_and_seed_begins_again():
    streams = MRG_RandomStreams(234)
    one, two = streams.uniform((2, 2)), streams.normal((3,))
    f = theano.function([], [one, two])
    fixed = theano.function([], one, no_default_updates=True)
    first, second = f(), f()
    assert not np.array_equal(first[0], second[0])
    assert np.array_equal(fixed(), fixed())
    for seed in (234, None):
        streams.seed(seed)
        assert_same(f(), first)
    streams.seed(235)
    assert_same(f()[0], MRG_RandomStreams(235).uniform((2, 2)).eval())
    assert streams.updates() == streams.state_updates
    assert all(states.default_update is after for states, after, _, _ in streams.updates())


@pytest.mark.parametrize("kind", [MRG_RandomStreams, RandomStreams])
def test_state_goes_from_one_function_to_another(kind):
    one, two = kind(1), kind(2)
    f, g = (theano.function([], streams.uniform((4,))) for streams in (one, two))
    assert f().tolist() != g().tolist()
    for here, there in zip(one.state_updates, two.state_updates, strict=True):
        there[0].set_value(here[0].get_value())
    assert f().tolist() == g().tolist()


def test_a_failed_call_draws_nothing():
    streams, x = MRG_RandomStreams(3), T.dvector()
    f = theano.function([x], streams.uniform((3,)) + x)
    before = streams.state_updates[0][0].get_value()
    with pytest.raises(ValueError, match="mis-match"):
        f([1.0, 2.0])
    assert streams.state_updates[0][0].get_value().tolist() == before.tolist()
    assert f([0.0] * 3).tolist() == MRG_RandomStreams(3).uniform((3,)).eval().tolist()


def test_pickle():
    streams = MRG_RandomStreams(9)
    f = theano.function([], streams.normal((3,)))
    f()
    g = pickle.loads(pickle.dumps(f))
    assert g().tolist() == f().tolist()
    copy = pickle.loads(pickle.dumps(MRG_RandomStreams(9)))
    assert copy.uniform((3,)).eval().tolist() == MRG_RandomStreams(9).uniform((3,)).eval().tolist()


def test_the_reference_mode_draws_the_same():
    rows = np.array([[0.2, 0.8], [0.5, 0.5]])

    def draws(mode):
        rng = MRG_RandomStreams(13)
        outs = [rng.uniform((3, 2), dtype="float32"), rng.binomial((5,))]
        outs += [rng.multinomial(n=3, pvals=rows), rng.choice(2, p=rows, replace=False)]
        return theano.function([], outs, mode=mode)

    f, g = draws("FAST_RUN"), draws("FAST_COMPILE")
    for _ in range(2):
        assert_same(f(), g())


def test_old_name_of_the_choice_operation():
    with pytest.warns(DeprecationWarning, match="use ChoiceFromUniform"):
        old = multinomial.MultinomialWOReplacementFromUniform("auto")
    pvals, unis = np.array([[0.4, 0.6]]), np.array([0.5, 0.1])
    assert old(pvals, unis, 2).eval().tolist() == [[1, 0]]


def test_number_of_streams():
    assert [guess_n_streams(size) for size in ((3,), (60,), (10, 60))] == [3, 10, 100]
    assert guess_n_streams((10**6,)) == guess_n_streams(T.lvector()) == 15360
    with pytest.warns(UserWarning, match="guessing"):
        guess_n_streams((T.lscalar(),), warn=True)
    streams = MRG_RandomStreams(1)
    streams.uniform((60,), nstreams=4)
    assert streams.state_updates[0][0].get_value().shape == (4, 6)


COUNTS = [
    lambda rng, s: rng.binomial((3,), p=s, dtype="float64"),
    lambda rng, s: rng.multinomial(pvals=T.stack([s, 1 - s]).dimshuffle("x", 0), dtype="float64"),
]
REPARAMETRISED = [
    lambda rng, s: rng.uniform((3,), low=s),
    lambda rng, s: rng.uniform((3,), high=s),
    lambda rng, s: rng.normal((3,), avg=s),
    lambda rng, s: rng.normal((3,), std=s),
    lambda rng, s: rng.truncated_normal((3,), avg=s),
    lambda rng, s: rng.truncated_normal((3,), std=s),
]


@pytest.mark.parametrize("make", COUNTS)
def test_counts_have_no_derivative_with_respect_to_their_parameters(make):
    s = T.dscalar()
    with pytest.raises(theano.gradient.NullTypeGradError):
        T.grad(make(MRG_RandomStreams(1), s).sum(), s)


@pytest.mark.parametrize("make", REPARAMETRISED)
def test_derivatives_flow_through_reparametrised_draws(make):
    s = T.dscalar()
    drawn = make(MRG_RandomStreams(1), s)
    again = {"no_default_updates": True}
    slope = theano.function([s], T.grad((drawn**2).sum(), s), **again)
    value = theano.function([s], (drawn**2).sum(), **again)
    difference = (value(0.7 + 1e-6) - value(0.7 - 1e-6)) / 2e-6
    np.testing.assert_allclose(slope(0.7), difference, rtol=1e-6)


def test_derivatives_flow_through_the_expression_around_a_draw():
    mean, std = T.dscalars("mean", "std")
    noise = MRG_RandomStreams(1).normal((1000,))
    sample = mean + std * noise
    value, by_mean, by_std = theano.function(
        [mean, std], [noise, *T.grad((sample**2).mean(), [mean, std])]
    )(2.0, 3.0)
    np.testing.assert_allclose(by_mean, 2 * (2 + 3 * value).mean(), rtol=1e-12)
    np.testing.assert_allclose(by_std, 2 * ((2 + 3 * value) * value).mean(), rtol=1e-12)


ERRORS = [
    ("uniform", {"size": (0, 2)}, ValueError, "<= 0"),
    ("uniform", {"size": (-1,)}, ValueError, "<= 0"),
    ("uniform", {"size": 3}, TypeError, "tuple of int"),
    ("uniform", {"size": (2.5,)}, AssertionError, "tuple of int"),
    ("uniform", {"size": (3,), "colour": 1}, TypeError, "unexpected keyword"),
    ("uniform", {"size": (3,), "low": T.dmatrix()}, NotImplementedError, "Increase the size"),
    ("uniform", {"size": (3,), "dtype": "bool"}, TypeError, "cannot be bool"),
    ("uniform", {"size": T.lvector()}, ValueError, "length not known"),
    ("normal", {"size": (0,)}, ValueError, "Non-positive"),
    ("normal", {"size": 1.5}, ValueError, "Size must be"),
    ("normal", {"size": (1.5,)}, ValueError, "Only Theano variables"),
    ("normal", {"size": (T.lvector(),)}, ValueError, "Non-scalar"),
    ("normal", {"size": T.lmatrix()}, ValueError, "1 dimension"),
    ("binomial", {"size": (3,), "n": 2}, NotImplementedError, "n > 1"),
    ("multinomial", {}, TypeError, "specify pvals"),
    ("multinomial", {"size": (2,), "pvals": [[1.0]]}, ValueError, "does not use the size"),
    ("multinomial", {"size": (0,), "pvals": [[1.0]]}, ValueError, "<= 0"),
    ("multinomial", {"ndim": 1, "pvals": [[1.0]]}, ValueError, "does not use the ndim"),
    ("multinomial", {"pvals": [1.0]}, NotImplementedError, "pvals.ndim = 2"),
    ("choice", {"p": [[1.0]]}, NotImplementedError, "without replacement"),
    ("choice", {"p": [[1.0]], "replace": False, "a": 3}, TypeError, "a has to be None"),
    ("choice", {"replace": False}, TypeError, "p has to be specified"),
    ("choice", {"replace": False, "p": [1.0]}, NotImplementedError, "p.ndim = 2"),
    ("choice", {"replace": False, "p": [[1.0]], "ndim": 1}, ValueError, "not used"),
]


@pytest.mark.parametrize(("name", "arguments", "kind", "message"), ERRORS)
def test_error(name, arguments, kind, message):
    with pytest.raises(kind, match=message):
        getattr(MRG_RandomStreams(1), name)(**arguments)


SEEDS = [0, 2147462579, [0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0], [2147483647, 1, 1, 1, 1, 1]]
SEEDS += [[1, 1, 1, 2147462579, 1, 1], [1, 2, 3]]


@pytest.mark.parametrize("seed", SEEDS)
def test_seeds_that_are_refused(seed):
    with pytest.raises(TypeError if seed == [1, 2, 3] else ValueError, match="seed should"):
        MRG_RandomStreams(seed)


n, p, unis, state = T.lscalar(), T.dmatrix(), T.dvector(), T.imatrix()
MANY = MRG_RandomStreams(1).uniform((n, 3))
CHOICE = MRG_RandomStreams(1).choice(3, p=p, replace=False)
DRAWN = mrg_uniform.new(state, None, "float64", (4,))[1]
COUNTS_OF = MultinomialFromUniform("int64")(p, unis, 2)
ERRORS_OF_CALLS = [
    (MANY, {n: -1}, r"(?s)negative dimensions.*test_mrg\.py"),
    (MANY, {n: 2**30}, r"(?s)more then \(2\*\*31 -1\) samples.*test_mrg\.py"),
    (CHOICE, {p: [[0.5, 0.5]]}, r"(?s)without replacement.*3 of 2.*test_mrg\.py"),
    (DRAWN, {state: np.ones((3, 5), "int32")}, "6 columns"),
    (COUNTS_OF, {p: [[1.0]], unis: [0.1, 0.2, 0.3]}, r"unis.shape\[0\] != .* \* n: 3, 1 \* 2"),
]


@pytest.mark.parametrize("out, given, message", ERRORS_OF_CALLS)
def test_errors_of_a_call_name_the_line(out, given, message):
    with pytest.raises(ValueError, match=message):
        evaluate(out, given)


def test_what_is_not_computed_may_have_any_dtype():
    numbers = MRG_RandomStreams(1).uniform((3,), dtype="int32")
    assert numbers.dtype == "int32"
    with pytest.raises(ValueError, match="Unsupported data type for output: int32"):
        numbers.eval()


def test_products_modulo_a_number():
    variables = [T.lmatrix(), T.ivector(), T.iscalar(), T.lmatrix(), T.ivector(), T.iscalar()]
    f = theano.function(variables, DotModulo()(*variables))
    one = np.array([[2, 3], [5, 7]]), np.array([11, 13], "int32"), 17
    two = np.array([[1, 4], [9, 7]]), np.array([3, 8], "int32"), 19
    np.testing.assert_array_equal(f(*one, *two), [*matVecModM(*one), *matVecModM(*two)])


@pytest.mark.parametrize("k", "12")
def test_the_jumps_are_powers_of_a_step(k):
    power, modulus = getattr(mrg, f"A{k}"), getattr(mrg, f"M{k}")
    for doublings in range(135):
        if doublings in (72, 134):
            np.testing.assert_array_equal(power, getattr(mrg, f"A{k}p{doublings}"))
        power = mrg.multiply(power, power, modulus)

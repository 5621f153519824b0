"""Loops that tell how far they are."""

import builtins
import pickle

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.api.scan import progress as shown
from theano._core.api.scan.progress import ProgressBar


def tanh_loop(progress, **options):
    x, n = T.dvector("x"), T.iscalar("n")
    rows, _ = theano.scan(
        lambda h: T.tanh(h + x),
        outputs_info=[T.zeros_like(x)],
        n_steps=n,
        progress=progress,
        **options,
    )
    return [x, n], rows[-1]


@pytest.fixture
def told():
    """Collect what a loop tells: the steps that are done, and how many there are."""
    return []


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE", "DebugMode"])
def test_a_function_is_told_how_far_a_loop_is(mode, told):
    inputs, out = tanh_loop(lambda *numbers: told.append(numbers))
    found = theano.function(inputs, out, mode=mode)(np.ones(3), 50)
    again, plain = tanh_loop(False)
    assert (found == theano.function(again, plain)(np.ones(3), 50)).all()
    assert told[0] == (0, 50) and told[-1] == (50, 50)
    assert told == sorted(told) or mode == "DebugMode"


def test_it_is_told_at_most_now_and_then(told):
    inputs, out = tanh_loop(lambda *numbers: told.append(numbers))
    theano.function(inputs, out)(np.ones(3), 300_000)
    assert len(told) < 1000


def test_a_loop_that_ends_early_says_so(told):
    n = T.iscalar("n")
    step = lambda h: (h + 1, theano.scan_module.until(h > 5))
    rows, _ = theano.scan(step, None, [0.0], n_steps=n, progress=lambda *t: told.append(t))
    assert len(theano.function([n], rows)(100)) == 7
    assert told[0] == (0, 100) and told[-1] == (7, 7)


def test_what_it_raises_ends_the_call():
    def enough(done, n_steps):
        if done > 10:
            raise RuntimeError("enough")

    inputs, out = tanh_loop(enough)
    f = theano.function(inputs, out)
    with pytest.raises(RuntimeError, match="enough"):
        f(np.ones(3), 1000)
    assert f(np.ones(3), 5).shape == (3,)


@pytest.mark.parametrize("checkpoint", [None, "auto"])
def test_the_loop_of_a_gradient_tells_too(checkpoint, told):
    inputs, out = tanh_loop(lambda done, n_steps: told.append(done), checkpoint=checkpoint)
    plain_inputs, plain = tanh_loop(False)
    f = theano.function(inputs, theano.grad(out.sum(), inputs[0]))
    g = theano.function(plain_inputs, theano.grad(plain.sum(), plain_inputs[0]))
    assert np.allclose(f(np.ones(3), 100), g(np.ones(3), 100))
    assert told.count(0) == 2


def test_programs_without_it_are_what_they_were():
    inputs, out = tanh_loop(False)
    f = theano.function(inputs, out)
    assert not f.maker.callbacks


def test_a_bar_is_printed_without_tqdm(capsys, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "tqdm":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setattr(shown, "DELAY", 0)
    bar = ProgressBar("walk")
    for done in (0, 5, 10):
        bar(done, 10)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == ["walk: step 5 of 10", "walk: step 10 of 10"]


def test_short_loops_show_nothing(capsys):
    inputs, out = tanh_loop(True)
    theano.function(inputs, out)(np.ones(3), 100)
    assert capsys.readouterr().err == ""
    assert pickle.loads(pickle.dumps(ProgressBar("walk"))).name == "walk"

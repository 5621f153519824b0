"""Profiles: the times of calls, of their steps, and of compiling."""

import io
import json
import os
import time

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.processes import run_python
from theano._core.compile import profile_export
from theano.compile.profiling import ProfileStats
from theano.configparser import change_flags

A = np.ones((20, 30))


def made(profile):
    x, w = T.dmatrix("x"), theano.shared(np.ones((30, 3)), "w")
    cost = T.tanh(T.dot(x, w)).sum()
    return theano.function([x], cost, updates=[(w, w - T.grad(cost, w))], profile=profile)


def called(count=1):
    """Return a profiled function after so many calls."""
    f = made("descent")
    for _ in range(count):
        f(A)
    return f


def profiled(inputs, output, *values):
    """Return the profile of one call."""
    f = theano.function(inputs, output, profile=True)
    f(*values)
    return f.profile


def text_of(profile, **options):
    file = io.StringIO()
    profile.summary(file, **options)
    return file.getvalue()


def test_calls_and_steps():
    f = made(True)
    profile = f.profile
    assert (profile.fct_callcount, profile.apply_time) == (0, {})
    for _ in range(5):
        f(A)
    assert profile.fct_callcount == 5
    assert set(profile.apply_callcount.values()) == {5}
    steps = sum(profile.apply_time.values())
    assert 0 < steps <= profile.vm_call_time <= profile.fct_call_time
    assert 0 < profile.optimizer_time < profile.compile_time
    assert 0 < profile.linker_time < profile.compile_time
    assert profile.nb_nodes == len(f.maker.graph.apply_nodes)
    for sums, whole in (
        (profile.op_time(), profile.apply_time),
        (profile.class_time(), profile.apply_time),
        (profile.op_callcount(), profile.apply_callcount),
        (profile.class_callcount(), profile.apply_callcount),
    ):
        assert sum(sums.values()) == pytest.approx(sum(whole.values()))
    with pytest.raises(ValueError):
        f(A.T)
    assert profile.fct_callcount == 5


def test_a_summary_names_steps_lines_and_expressions_and_goes_where_it_is_told(tmp_path, capsys):
    profile = called().profile
    text, file = text_of(profile), tmp_path / "profile.txt"
    for words in (
        *("Message: descent", "Time in 1 calls to Function.__call__", " with ", "tanh", "GB/s"),
        *("(test_profiling.py:", "line that wrote it", "Memory of a call, at most"),
    ):
        assert words in text
    assert "more, " in text_of(profile, n_apply_to_print=1)
    with change_flags({"profiling.output_line_width": 7}):
        assert max(map(len, text_of(profile).splitlines())) == 7
    assert text_of(ProfileStats(message="nothing"))
    with change_flags({"profiling.destination": str(file)}):
        profile.summary()
    with change_flags({"profiling.destination": "stdout"}):
        profile.summary()
    assert file.read_text() == capsys.readouterr().out == text
    whole = pytest.approx(sum(profile.apply_time.values()))
    lines, parts = profile.lines(), profile.expressions()
    assert {os.path.basename(file) for (file, _), _ in lines} == {"test_profiling.py"}
    assert any(text == "T.tanh(T.dot(x, w))" for (_, _, text), _ in parts)
    assert sum(seconds for _, seconds in lines) == whole
    assert sum(seconds for _, seconds in parts) == whole


def test_who_is_profiled():
    both = ProfileStats(atexit_print=False)
    f, g = made(both), made(both)
    f(A), g(A), g.copy()(A), g.copy(profile=both)(A)
    assert both.fct_callcount == 3
    profiles = [made(None).profile, made(False).profile, made(True).copy().profile]
    assert profiles == [None, False, None]
    with change_flags(profile=True):
        assert made(False).profile is False
        f = made(None)
        f(A)
        assert f.profile.fct_callcount == 1
        assert f.profile.message.startswith("test_profiling.py:")
    with change_flags({"profiling.time_thunks": False}):
        f = made(True)
    f(A)
    assert (f.profile.fct_callcount, f.profile.apply_time) == (1, {})


def test_results_are_the_same():
    f, g = made(True), made(None)
    assert [f(A).tobytes() for _ in range(3)] == [g(A).tobytes() for _ in range(3)]


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        ("profile=True", ["Message: one", "Message: two", "Sum of all 2"]),
        ("print_global_stats=True", ["Time spent in Theano functions"]),
        ("", []),
    ],
)
def test_what_is_printed_at_the_end_of_python(flags, wanted):
    program = """
        import sys, theano, theano.tensor as T
        sys.stderr = sys.stdout
        x = T.dscalar()
        f, g = (theano.function([x], y, name=n) for y, n in ((x + 1, "one"), (x * 2, "two")))
        f(1.0), g(1.0)
    """
    printed = run_python(program, flags=flags)
    assert all(words in printed for words in wanted)
    assert bool(printed) == bool(wanted)


def test_every_rewrite_can_be_printed(capsys):
    x = T.dscalar()
    with change_flags(optimizer_verbose=True):
        theano.function([x], T.log(1 + x))
    assert "stable: log(1 + x)" in capsys.readouterr().out


def test_bytes_and_operations_are_counted():
    x, v, w = T.dmatrix("x"), T.fvector("v"), theano.shared(np.ones((30, 3)), "w")
    (step,) = profiled([x], T.dot(x, w), A).step_times()
    assert (step.bytes, step.operations) == (8 * (600 + 90 + 60), 2 * 20 * 30 * 3)
    (step,) = profiled([v], v + v * v, np.ones(1000, "float32")).step_times()
    assert (step.bytes, step.operations) == (8000, 2000)
    images, kernels, shape = T.dtensor4("images"), T.dtensor4("kernels"), (4, 3, 3, 3)
    out = T.nnet.conv2d(images, kernels)
    given = np.ones((2, 3, 8, 8)), np.ones(shape)
    found = profiled([images, kernels], out, *given).step_times()[0]
    assert found.operations == 2 * (2 * 4 * 6 * 6) * (3 * 3 * 3)
    for function, wanted in (
        (T.slinalg.cholesky, 30**3 // 3),
        (T.nlinalg.matrix_inverse, 2 * 30**3),
    ):
        found = profiled([x], function(x), np.eye(30)).step_times()
        assert max(step.operations for step in found) == wanted


def test_data_for_other_programs(tmp_path):
    f = called(3)
    profile = f.profile
    data = profile.json(str(tmp_path / "profile.json"))
    assert json.loads((tmp_path / "profile.json").read_text()) == data
    assert data["calls"] == 3 and data["steps"][0]["calls"] == 3
    assert data["lines"][0]["seconds"] > 0
    mean = sum(profile.apply_time.values()) / 3

    scope = profile.speedscope(str(tmp_path / "scope.json"))
    (one,) = scope["profiles"]
    assert one["endValue"] == pytest.approx(mean) == pytest.approx(sum(one["weights"]))
    frames = scope["shared"]["frames"]
    assert all(0 <= i < len(frames) for sample in one["samples"] for i in sample)
    assert frames[one["samples"][0][0]]["name"] == f.name
    assert any(frame.get("file") == __file__ for frame in frames)

    call, *steps = events = profile.chrome_trace()["traceEvents"]
    assert call["cat"] == "call" and {event["ph"] for event in events} == {"X"}
    assert call["dur"] == pytest.approx(mean * 1e6)
    ends = [event["ts"] + event["dur"] for event in steps]
    assert [event["ts"] for event in steps[1:]] == pytest.approx(ends[:-1])


def test_events_of_a_trace_do_not_overlap():
    start = ends = 0.0
    for seconds in np.random.default_rng(0).uniform(1e-7, 1e-5, 2000).tolist():
        event = profile_export._event("step", "step", start, seconds, {})
        assert event["ts"] >= ends
        ends = event["ts"] + event["dur"]
        start += seconds


def test_a_profile_of_nothing_has_no_page():
    with pytest.raises(ValueError, match="that of no function"):
        ProfileStats(atexit_print=False, message="nothing").html()


def test_steps_within_loops_are_timed():
    rows, w = T.dtensor3("rows"), theano.shared(np.ones((30, 30)) / 30, "w")
    out, _ = theano.scan(lambda row, h: T.tanh(T.dot(h, w) + row), rows, [T.zeros((2, 30))])
    f, plain = (theano.function([rows], out[-1], profile=on) for on in (True, False))
    values = np.ones((100, 2, 30))
    assert (f(values) == plain(values)).all()
    f(values)
    (loop,) = (step for step in f.profile.step_times() if step.inside)
    assert {type(step.nodes[-1].op).__name__ for step in loop.inside} == {"Gemm", "Elemwise"}
    assert 0 < sum(step.seconds for step in loop.inside) <= loop.seconds * (1 + 1e-9)
    # One of 16 is counted for all.
    gemm = next(s for s in loop.inside if type(s.nodes[-1].op).__name__ == "Gemm")
    assert gemm.calls == pytest.approx(200, rel=0.2)
    assert gemm.operations == pytest.approx(200 * 2 * 2 * 30 * 30, rel=0.2)
    assert loop.operations >= gemm.operations
    assert "Steps within loops" in text_of(f.profile)
    assert any(step["inside"] for step in f.profile.json()["steps"])
    assert sum(weight for weight in f.profile.speedscope()["profiles"][0]["weights"]) > 0
    assert any(event["cat"] == "inside" for event in f.profile.chrome_trace()["traceEvents"])


def test_loops_within_loops_are_timed():
    x, w = T.dmatrix("x"), theano.shared(np.eye(20), "w")
    inner = lambda h: T.tanh(T.dot(h, w))
    outer = lambda h: theano.scan(inner, outputs_info=[h], n_steps=5)[0][-1]
    rows, _ = theano.scan(outer, outputs_info=[x], n_steps=40)
    (loop,) = (s for s in profiled([x], rows[-1], np.ones((20, 20))).step_times() if s.inside)
    deeper = [step for step in loop.inside if step.inside]
    assert deeper and {len(step.inside) for step in deeper} == {2}


def test_rows_in_registers_count_operations():
    x, n = T.dvector("x"), T.iscalar("n")
    rows, _ = theano.scan(lambda h: T.tanh(h) + x, outputs_info=[T.zeros_like(x)], n_steps=n)
    steps = profiled([x, n], rows[-1], np.ones(4), 1000).step_times()
    (loop,) = (step for step in steps if step.inside)
    assert loop.operations >= 4 * 1000 * 2


def test_kernels_compiled_in_a_call_are_not_in_the_times():
    x = T.dmatrix("x")
    profile = profiled([x], T.tanh(x) * 1.2345, np.ones((50, 60))[:, ::2].T)
    (step,) = profile.step_times()
    if profile.fct_compile_time:
        assert step.seconds < profile.fct_compile_time
    assert profile.vm_call_time + profile.fct_compile_time <= profile.fct_call_time


def test_the_most_memory_and_what_holds_it():
    x = T.dmatrix("x")
    f = theano.function([x], T.dot(T.dot(x, x), T.tanh(x)), profile=True)
    assert f.profile.peak() is None
    f(np.ones((100, 100)))
    peak = f.profile.peak()
    assert peak.bytes == sum(size for size, _ in peak.held) >= 2 * 8 * 100 * 100
    assert any(type(nodes[-1].op).__name__ == "Dot" for _, nodes in peak.held)
    assert f.profile.json()["peak"]["bytes"] == peak.bytes


def test_threads_and_waiting():
    x = T.dvector("x")
    f = theano.function([x], T.tanh(x), profile=True)
    with change_flags(threads=2):
        # On a busy machine the other thread may come too late for one call.
        end = time.monotonic() + 30
        while time.monotonic() < end and not any(s.helping for s in f.profile.step_times()):
            f(np.ones(1_000_000))
    (step,) = f.profile.step_times()
    assert step.helping > 0 and 1 <= step.threads <= 2.1
    assert 0 <= step.waiting < step.seconds

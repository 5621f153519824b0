"""Programs that are kept: equal graphs find them, damage and changed sources find nothing."""

import copy
import json
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.processes import run_python
from theano._core.compile import program_key, programs
from theano._core.lower.llvm.target import machine
from theano._core.runtime.cache import CompileCache

DRIVER = Path(__file__).with_name("kept_programs.py")
x, y = T.dvectors("x", "y")


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """Start with nothing kept."""
    made = CompileCache(str(tmp_path / "cache"))
    monkeypatch.setattr(machine, "cache", lambda: made)
    forget(monkeypatch)
    return made


def forget(monkeypatch):
    """Have nothing in memory, as in a new process."""
    monkeypatch.setattr(machine, "_modules", OrderedDict())
    monkeypatch.setattr(programs, "_programs", OrderedDict())


def was_found(f):
    """Tell whether a function has a program that was kept."""
    return "lowered" not in vars(f.maker)


def scaled(factor):
    return theano.function([x], T.exp(x) * factor)


@pytest.mark.parametrize(
    "parts",
    [
        ("loops", "branches", "updates"),
        pytest.param(("draws", "errors", "networks", "types"), marks=pytest.mark.slow),
    ],
)
def test_another_process_finds_programs(parts, tmp_path):
    records = []
    for number in "12":
        flags = f"base_compiledir={tmp_path}/kept"
        # The order of sets of text differs.
        environment = {"PYTHONHASHSEED": number}
        arguments = [str(DRIVER), str(tmp_path / number), *parts]
        run_python(arguments, flags=flags, environment=environment, timeout=600)
        records.append(json.loads((tmp_path / number).read_text()))
    first, second = records
    assert sum(record["kept"] for record in first.values()) > 0.9 * len(first)
    for name, record in first.items():
        found = second[name]
        assert found.pop("found") == record["kept"], name
        record.pop("found")
        assert record == found, name
        assert record.get("same", True), name


@pytest.mark.parametrize("name", ["erf", "gamma", "psi", "gammau", "chi2sf", "gammaln"])
def test_functions_of_every_kind_of_elementwise_operation_are_kept(name, monkeypatch):
    value, function = np.array([0.5, 3.0, 7.5]), getattr(T, name)
    out = function(x) if function.nin == 1 else function(x, 2.0)
    wanted = theano.function([x], out)(value)
    forget(monkeypatch)
    again = theano.function([x], out)
    assert was_found(again)
    np.testing.assert_array_equal(again(value), wanted)
    assert not was_found(theano.function([x], T.erfc(x)))


def test_of_a_program_that_is_found_nothing_is_rewritten_and_lowered(monkeypatch):
    def made():
        m = T.dmatrix()
        return theano.function([m], T.grad((T.tanh(m) ** 2).sum(), m))

    first = made()
    value = np.random.RandomState(1).rand(3, 4)
    wanted = [first(value), first(value[:, ::2])]
    for _ in range(2):
        compiled = machine.Statistics.compiled
        again = made()
        assert was_found(again)
        # The kernel for other layouts as well.
        for given, want in zip((value, value[:, ::2]), wanted, strict=True):
            np.testing.assert_array_equal(again(given), want)
        assert was_found(again)
        assert machine.Statistics.compiled == compiled
        assert str(again.maker.graph) == str(first.maker.graph)
        forget(monkeypatch)


def test_programs_are_kept_in_memory_without_a_cache_on_disk(monkeypatch, tmp_path):
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.warns(UserWarning, match="does not keep"):
        untrusted = CompileCache(str(folder))
    monkeypatch.setattr(machine, "cache", lambda: untrusted)
    scaled(3)
    assert was_found(scaled(3))
    assert not list(folder.iterdir())


def test_a_setting_turns_it_off():
    with theano.change_flags(cache_programs=False):
        for _ in range(2):
            assert not was_found(scaled(4))
    assert not programs._programs


def test_names_do_not_matter_and_are_right():
    for name in "ab":
        one, other = T.dvector(name), T.dvector(f"other {name}")
        f = theano.function([one, other], one + other)
        assert was_found(f) == (name == "b")
        with pytest.raises(ValueError, match=rf"add,no_inplace}}\({name}, other {name}\)"):
            f([1.0], [1.0, 2.0])
        with pytest.raises(ValueError, match=f'argument "{name}"'):
            f("text", [1.0])


def test_errors_name_the_line_of_their_own_graph():
    def line_of(f):
        with pytest.raises(ValueError, match="mis-match") as error:
            f([1.0], [1.0, 2.0])
        assert f"line {f.maker.results[0].owner.source.line}" in str(error.value)
        return f.maker.results[0].owner.source.line

    lines = [line_of(theano.function([x, y], x + y)) for _ in range(2)]
    assert lines[0] == lines[1]
    other = theano.function([x, y], x + y)
    assert was_found(other) and line_of(other) > lines[0]


def test_copies_pickles_and_graphs_of_found_functions():
    s = theano.shared(np.arange(3.0))
    for _ in range(2):
        f = theano.function([x], [x * s], updates=[(s, s + x)])
    assert was_found(f)
    for made in (f.copy(), copy.copy(f), copy.deepcopy(f), pickle.loads(pickle.dumps(f))):
        state = made.get_shared()[0].get_value()
        np.testing.assert_array_equal(made([1.0, 2.0, 3.0])[0], state * [1.0, 2.0, 3.0])
        np.testing.assert_array_equal(made.get_shared()[0].get_value(), state + np.arange(1.0, 4.0))
    assert len(f.maker.graph.toposort()) == 2
    timed = theano.function([x], [x * s], updates=[(s, s + x)], profile=True)
    timed([1.0, 2.0, 3.0])
    assert timed.profile.nb_nodes == 2
    assert timed.profile.apply_time


def test_large_constants_are_those_of_the_graph(cache):
    table = np.random.RandomState(2).rand(300, 1000)
    i = T.lvector()
    for shift in (0.0, 0.0, 1.0):
        f = theano.function([i], T.constant(table + shift)[i])
        np.testing.assert_array_equal(f([7, 2]), (table + shift)[[7, 2]])
    assert sum(size for _, size, _ in cache._entries.files()) < table.nbytes / 2


def test_a_graph_that_was_changed_is_not_taken_for_the_old_one():
    for _ in range(2):
        out = T.exp(x) + y
        f = theano.function([x, y], out)
    assert was_found(f)
    out.owner.inputs[0] = T.tanh(x)
    np.testing.assert_array_equal(f([0.0], [1.0]), [2.0])
    with pytest.raises(ValueError, match="has been changed since"):
        f([0.0], [1.0, 2.0])
    with pytest.raises(RuntimeError, match="has been changed since"):
        f(np.zeros(4)[::2], [1.0, 2.0])
    again = theano.function([x, y], out)
    assert not was_found(again)
    np.testing.assert_array_equal(again([0.0], [1.0]), [1.0])


WRONG_MODULES = ["../../x", None, "0" * 64]
WRONG_FIELDS = [
    lambda entry: {"key": "0" * 64},
    lambda entry: {"modules": entry["modules"][:-1]},
    *(lambda entry, w=w: {"modules": [w, *entry["modules"][1:]]} for w in WRONG_MODULES),
    lambda entry: {"constants": [["O", [1], "AAAA"]]},
    lambda entry: {"more": 1},
]


def test_entries_that_are_none(cache, monkeypatch):
    key = scaled(5).maker._kept.key
    entry = json.loads(cache.get(key))
    contents = [b"", b"{}", b"[1]", b"nothing", b"\xff", b'{"key": 3}']
    contents.append(f'{{"modules": ["a"], "key": "{key}"}}'.encode())
    contents += [json.dumps({**entry, **change(entry)}).encode() for change in WRONG_FIELDS]
    for content in contents:
        cache.put(key, content)
        forget(monkeypatch)
        f = scaled(5)
        assert not was_found(f), content
        np.testing.assert_array_equal(f([0.0]), [5.0])


def test_entries_of_kernels_for_other_layouts_that_are_none(cache, monkeypatch):
    value, first = np.arange(6.0)[::2], scaled(5)
    before = {name for _, _, name in cache._entries.files()}
    wanted = first(value)
    new = {name for _, _, name in cache._entries.files()} - before
    (told,) = (name[:64] for name in new if len(cache.get(name[:64])) == 64)
    for wrong in (b"", b"nothing", b"\xff", b"0" * 64):
        cache.put(told, wrong)
        forget(monkeypatch)
        f = scaled(5)
        assert was_found(f)
        np.testing.assert_array_equal(f(value), wanted)
        assert len(cache.get(told)) == 64


def test_changed_sources_find_nothing(monkeypatch):
    scaled(6)
    forget(monkeypatch)
    monkeypatch.setattr(program_key, "source_files", lambda: "another version")
    assert not was_found(scaled(6))
    forget(monkeypatch)
    # What is imported later would be another version.
    monkeypatch.setattr(program_key, "source_files", lambda: "")
    assert program_key.program_key(scaled(6).maker) is None

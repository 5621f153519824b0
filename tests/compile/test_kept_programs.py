"""Programs that are kept: equal graphs find them, and nothing else does."""

import json
import os
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import extend
from theano._core.base import settings_table
from theano._core.compile import program_key, programs
from theano._core.ir.variable import Apply
from theano._core.lower.llvm.target import machine
from theano._core.runtime.cache import CompileCache
from theano.ifelse import ifelse
from theano.tensor.shared_randomstreams import RandomStreams

DRIVER = Path(__file__).with_name("kept_programs.py")


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


def key_of(*arguments, **options):
    """Return the key of the program of a function."""
    f = theano.function(*arguments, on_unused_input="ignore", **options)
    key = program_key.program_key(f.maker)
    return None if key is None else key.digest


def was_found(f):
    """Tell whether a function has a program that was kept."""
    return "lowered" not in vars(f.maker)


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
        out = tmp_path / number
        environ = {
            **os.environ,
            "THEANO_FLAGS": f"base_compiledir={tmp_path}/kept",
            # The order of sets of text differs.
            "PYTHONHASHSEED": number,
        }
        subprocess.run([sys.executable, str(DRIVER), str(out), *parts], check=True, env=environ)
        records.append(json.loads(out.read_text()))
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
    x, value = T.dvector(), np.array([0.5, 3.0, 7.5])
    function = getattr(T, name)
    out = function(x) if function.nin == 1 else function(x, 2.0)
    wanted = theano.function([x], out)(value)
    forget(monkeypatch)
    again = theano.function([x], out)
    assert was_found(again)
    np.testing.assert_array_equal(again(value), wanted)
    assert key_of([x], out) != key_of([x], T.erfc(x))


def test_nothing_is_rewritten_and_lowered(monkeypatch):
    def made():
        x = T.dmatrix()
        return theano.function([x], T.grad((T.tanh(x) ** 2).sum(), x))

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


def test_a_function_without_a_cache_on_disk(monkeypatch, tmp_path):
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.warns(UserWarning, match="does not keep"):
        untrusted = CompileCache(str(folder))
    monkeypatch.setattr(machine, "cache", lambda: untrusted)
    x = T.dvector()
    theano.function([x], T.exp(x) * 3)
    assert was_found(theano.function([x], T.exp(x) * 3))
    assert not list(folder.iterdir())


def test_a_setting_turns_it_off(cache):
    x = T.dvector()
    with theano.change_flags(cache_programs=False):
        for _ in range(2):
            assert not was_found(theano.function([x], T.exp(x) * 4))
    assert not programs._programs


def test_names_do_not_matter_and_are_right():
    def made(name):
        x, y = T.dvector(name), T.dvector(f"other {name}")
        return theano.function([x, y], x + y)

    one, two = made("a"), made("b")
    assert was_found(two)
    for f, name in ((one, "a"), (two, "b")):
        with pytest.raises(ValueError, match=rf"add,no_inplace}}\({name}, other {name}\)"):
            f([1.0], [1.0, 2.0])
        with pytest.raises(ValueError, match=f'argument "{name}"'):
            f("text", [1.0])


def test_errors_name_the_line_of_their_own_graph():
    x, y = T.dvectors("x", "y")
    lines = []
    for _ in range(2):
        out = x + y
        f = theano.function([x, y], out)
        with pytest.raises(ValueError, match="mis-match") as error:
            f([1.0], [1.0, 2.0])
        lines.append(str(error.value))
        assert f"line {out.owner.source.line}" in lines[-1]
    assert lines[0] == lines[1]
    other = theano.function([x, y], x + y)
    assert was_found(other)
    with pytest.raises(ValueError, match="mis-match") as error:
        other([1.0], [1.0, 2.0])
    assert f"line {other.maker.results[0].owner.source.line}" in str(error.value)


def test_copies_pickles_and_graphs_of_found_functions():
    import copy
    import pickle

    s = theano.shared(np.arange(3.0))
    x = T.dvector("x")
    for _ in range(2):
        f = theano.function([x], [x * s], updates=[(s, s + x)])
    assert was_found(f)
    for made in (f.copy(), copy.copy(f), copy.deepcopy(f), pickle.loads(pickle.dumps(f))):
        state = made.get_shared()[0].get_value()
        np.testing.assert_array_equal(made([1.0, 2.0, 3.0])[0], state * [1.0, 2.0, 3.0])
        np.testing.assert_array_equal(made.get_shared()[0].get_value(), state + np.arange(1.0, 4.0))
    assert len(f.maker.graph.toposort()) == 2
    with theano.change_flags(profile=True):
        timed = theano.function([x], [x * s], updates=[(s, s + x)])
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
    x, y = T.dvectors("x", "y")
    exp, tanh = T.exp, T.tanh
    for _ in range(2):
        out = exp(x) + y
        f = theano.function([x, y], out)
    assert was_found(f)
    out.owner.inputs[0] = tanh(x)
    np.testing.assert_array_equal(f([0.0], [1.0]), [2.0])
    with pytest.raises(ValueError, match="has been changed since"):
        f([0.0], [1.0, 2.0])
    with pytest.raises(RuntimeError, match="has been changed since"):
        f(np.zeros(4)[::2], [1.0, 2.0])
    again = theano.function([x, y], out)
    assert not was_found(again)
    np.testing.assert_array_equal(again([0.0], [1.0]), [1.0])


@pytest.mark.parametrize(
    "wrong",
    [b"", b"{}", b"[1]", b"nothing", b"\xff", b'{"key": 3}', '{"modules": ["a"], "key": "%s"}'],
)
def test_entries_that_are_none(wrong, cache, monkeypatch):
    x = T.dvector()
    first = theano.function([x], T.exp(x) * 5)
    key = first.maker._kept.key
    entry = json.loads(cache.get(key))
    for content in (
        wrong if isinstance(wrong, bytes) else (wrong % key).encode(),
        json.dumps({**entry, "key": "0" * 64}).encode(),
        json.dumps({**entry, "modules": entry["modules"][:-1]}).encode(),
        json.dumps({**entry, "modules": ["../../x", *entry["modules"][1:]]}).encode(),
        json.dumps({**entry, "modules": [None, *entry["modules"][1:]]}).encode(),
        json.dumps({**entry, "modules": ["0" * 64, *entry["modules"][1:]]}).encode(),
        json.dumps({**entry, "constants": [["O", [1], "AAAA"]]}).encode(),
        json.dumps({**entry, "more": 1}).encode(),
    ):
        cache.put(key, content)
        forget(monkeypatch)
        f = theano.function([x], T.exp(x) * 5)
        assert not was_found(f)
        np.testing.assert_array_equal(f([0.0]), [5.0])


@pytest.mark.parametrize("wrong", [b"", b"nothing", b"\xff", b"0" * 64])
def test_entries_of_kernels_for_other_layouts_that_are_none(wrong, cache, monkeypatch):
    x, value = T.dvector(), np.arange(6.0)[::2]
    first = theano.function([x], T.exp(x) * 5)
    kept = [name for _, _, name in cache._entries.files()]
    wanted = first(value)
    new = {name for _, _, name in cache._entries.files()} - set(kept)
    (told,) = (name[:64] for name in new if len(cache.get(name[:64])) == 64)
    cache.put(told, wrong)
    forget(monkeypatch)
    f = theano.function([x], T.exp(x) * 5)
    assert was_found(f)
    np.testing.assert_array_equal(f(value), wanted)
    assert len(cache.get(told)) == 64


def test_changed_sources_find_nothing(monkeypatch):
    x = T.dvector()
    theano.function([x], T.exp(x) * 6)
    forget(monkeypatch)
    monkeypatch.setattr(program_key, "source_files", lambda: "another version")
    assert not was_found(theano.function([x], T.exp(x) * 6))
    forget(monkeypatch)
    # What is imported later would be another version.
    monkeypatch.setattr(program_key, "source_files", lambda: "")
    assert program_key.program_key(theano.function([x], T.exp(x) * 6).maker) is None


def test_a_file_that_changes_after_the_import_is_noticed(monkeypatch):
    import theano._core as core

    told = program_key.source_files.__wrapped__
    assert told() == program_key.source_files() != ""
    newest = max(file.changed for file in program_key._source_files().values())
    monkeypatch.setattr(core, "STARTED", newest * 1e-9)
    assert told() == ""


def test_a_module_that_changes_before_it_is_imported_is_noticed(monkeypatch):
    assert program_key.imported_as_told()
    path = program_key.__file__
    changed = program_key._source_files()[path].replace(size=1)
    files = {**program_key._source_files(), path: changed}
    monkeypatch.setattr(program_key, "_source_files", lambda: files)
    # It was compared when it was imported.
    assert program_key.imported_as_told()
    monkeypatch.setattr(program_key, "_compared", {"theano"})
    assert not program_key.imported_as_told()
    del files[path]
    assert not program_key.imported_as_told()


def test_a_file_without_fine_times_is_read(monkeypatch, tmp_path):
    path, stat = tmp_path / "a.py", os.stat
    facts = SimpleNamespace(st_size=1, st_mtime_ns=10**18, st_ctime_ns=10**18)
    found = set()
    for text in "ab":
        path.write_text(text)
        assert not program_key._file(str(path), "a").digest or stat(path).st_ctime_ns % 10**9 == 0
        with monkeypatch.context() as patch:
            patch.setattr(os, "stat", lambda *_, **__: facts)
            found.add(program_key._file(str(path), "a"))
    assert len(found) == 2


x, y, m = T.dvector("x"), T.dvector("y"), T.dmatrix("m")
f32 = T.fvector("f32")
s, t, x0 = (theano.shared(np.zeros(3)) for _ in range(3))
OTHER_NAN = np.array([0x7FF8000000000001], "uint64").view("float64")


def fixed(array):
    """Return an array that cannot be written to, which constants need no copy of."""
    array.flags.writeable = False
    return array


def scanned(**options):
    return theano.scan(lambda a, b: a + b, sequences=x, outputs_info=T.zeros(()), **options)[0]


def inner(function):
    a = T.dvector()
    return theano.OpFromGraph([a], [function(a)])


twice = inner(T.exp)

# Each case is a list of arguments of `theano.function`; all of their keys differ.
DIFFERENT = {
    "bits of a constant": [
        ([x], x + T.constant(v)) for v in (0.0, -0.0, np.nan, -np.nan, OTHER_NAN[0], 5e-324, 1.0)
    ],
    "bits of vectors": [
        ([x], x + T.constant(np.array([v, 1.0]))) for v in (0.0, -0.0, np.nan, OTHER_NAN[0])
    ],
    "bits of large constants": [
        ([x], x + T.constant(np.r_[np.zeros(10_000), v, np.zeros(10)])) for v in (0.0, -0.0, 1.0)
    ],
    "types of a constant": [
        ([x], x + T.constant(v))
        for v in (np.int8(1), np.int16(1), np.uint8(1), np.float32(1), np.float64(1), True)
        if not isinstance(v, bool)
    ],
    "shapes of a constant": [
        ([x], x.sum() + T.constant(np.ones(shape)).sum())
        for shape in ((4,), (2, 2), (1, 4), (4, 1))
    ],
    "layout of a constant": [
        ([x], x + T.constant(v).sum())
        for v in (np.ones((2, 3)), fixed(np.ones((3, 2)).T), fixed(np.ones((2, 6)))[:, ::2])
    ],
    "types of inputs": [
        ([v], T.exp(v))
        for v in (
            *(T.TensorType("float64", p)() for p in [(False,), (True,), (False, False), ()]),
            T.TensorType("float64", (True, False))(),
            T.TensorType("float64", (False, True))(),
            T.TensorType("float64", shape=(3,))(),
            T.TensorType("float64", shape=(4,))(),
            T.TensorType("float64", shape=(None, 4))(),
            T.TensorType("float64", shape=(4, None))(),
            f32,
        )
    ],
    "operations": [([x], op(x)) for op in (T.exp, T.log, T.tanh, T.neg, T.sqr, T.floor, T.ceil)],
    "order of operands": [([x, y], x - y), ([x, y], y - x), ([y, x], y - (x + 0)), ([x, y], x + y)],
    "what is used": [([x, y], x + x), ([x, y], y + y), ([x, y], x + y), ([x], x + x)],
    "one node or two": [([x], (lambda a: a + a)(T.exp(x))), ([x], T.exp(x) + T.exp(x))],
    "number of results": [([x], [x + 1]), ([x], [x + 1, x + 1]), ([x], [x + 1, x + 2]), ([x], [])],
    "order of results": [([x], [x + 1, x + 2]), ([x], [x + 2, x + 1])],
    "axes": [
        ([m], out)
        for out in (m.sum(0), m.sum(1), m.sum(), m.prod(0), m.max(0), m.sum(0, dtype="float32"))
    ],
    "accumulators": [([f32], f32.sum(acc_dtype=kind)) for kind in ("float32", "float64")],
    "keepdims": [([m], m.sum(0, keepdims=True)), ([m], m.sum(0))],
    "dimshuffle": [([m], m.dimshuffle(p)) for p in ([0, 1, "x"], [0, "x", 1], ["x", 0, 1], [1, 0])],
    "indices": [
        ([x], x[key])
        for key in (0, 1, -1, slice(1, None), slice(None, 1), slice(None, None, 2), slice(None, -1))
    ],
    "writes": [
        ([x], write(x[:2], v)) for write in (T.set_subtensor, T.inc_subtensor) for v in (1.0, 2.0)
    ],
    "casts": [([x], T.cast(x, kind)) for kind in ("float32", "int32", "int64", "float16", "bool")],
    "joins": [([m], T.join(axis, m, m)) for axis in (0, 1)],
    "messages": [([x], T.opt.Assert(text)(x, x.sum() > 0)) for text in ("one", "two")],
    "updates": [
        ([x], [], None, pairs)
        for pairs in (
            [(s, s + x)],
            [(s, s - x)],
            [(s, s + x), (t, t + x)],
            [(s, s + x), (t, t - x)],
            [(s, t + x), (t, s + x)],
        )
    ],
    "results and updates": [
        ([x], [s + x], None, []),
        ([x], [], None, [(s, s + x)]),
        ([x], [s + x], None, [(s, s + x)]),
    ],
    "inputs and shared variables": [([x], x + s), ([x, y], x + y), ([y], x0 + y)],
    "loops": [
        ([x], scanned()),
        ([x], scanned(go_backwards=True)),
        ([x], scanned(n_steps=2)),
        ([x], scanned()[-1]),
        ([x], theano.scan(lambda a, b: a - b, sequences=x, outputs_info=T.zeros(()))[0]),
        ([x], theano.scan(lambda a, b: a * b, sequences=x, outputs_info=T.zeros(()))[0]),
        ([x], theano.scan(lambda a, b: a + b, sequences=x, outputs_info=T.ones(()))[0]),
    ],
    "branches": [
        ([x], ifelse(x.sum() > 0, x, x + 1)),
        ([x], ifelse(x.sum() > 0, x + 1, x)),
        ([x], T.switch(x.sum() > 0, x, x + 1)),
    ],
    "inner graphs": [
        ([x], twice(x) + twice(x)),
        ([x], inner(T.exp)(x) + inner(T.exp)(x)),
        ([x], inner(T.exp)(x) + inner(T.tanh)(x)),
        ([x], inner(T.exp)(x)),
    ],
    "modes": [
        ([x], T.log(1 + T.exp(x)), mode)
        for mode in (
            "FAST_RUN",
            "FAST_COMPILE",
            theano.Mode(optimizer=None),
            theano.Mode(optimizer="unsafe"),
            theano.compile.get_mode("FAST_RUN").excluding("fusion"),
            theano.compile.get_mode("FAST_RUN").excluding("inplace"),
            theano.compile.get_mode("FAST_RUN").excluding("rounding"),
            theano.compile.get_mode("FAST_RUN").excluding("nan"),
            theano.compile.get_mode("FAST_RUN").excluding("stabilize"),
            theano.compile.get_mode("FAST_RUN").excluding("log(1 + x) → log1p(x)"),
        )
    ],
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_differs_has_another_key(name):
    keys = [key_of(*arguments) for arguments in DIFFERENT[name]]
    assert None not in keys
    assert len(set(keys)) == len(keys), keys
    # And none depends on what was compiled before.
    assert [key_of(*arguments) for arguments in DIFFERENT[name]] == keys


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("floatX", "float32"),
        ("cast_policy", "numpy2"),
        ("int_division", "floatX"),
        ("vector_width", 128),
        ("vector_width", 256),
        ("tensor.local_elemwise_fusion", False),
        ("on_opt_error", "raise"),
    ],
)
def test_settings_that_programs_depend_on(setting, value):
    plain = key_of([x], T.exp(x) + 1)
    with theano.change_flags({setting: value}):
        assert key_of([x], T.exp(x) + 1) != plain
    assert key_of([x], T.exp(x) + 1) == plain


def test_every_setting_that_works_is_known():
    works = {row.name for row in settings_table.TABLE if row.works}
    assert works >= program_key.APART
    assert program_key.settings().keys() | program_key.APART >= works


class Doubled(theano.Op):
    """An operation of a user."""

    __props__ = ()

    def make_node(self, x):
        return Apply(self, [T.as_tensor_variable(x)], [x.type()])

    def perform(self, node, inputs, outputs):
        outputs[0][0] = inputs[0] * 2


declared = extend.elementwise(
    "doubled_in_test_kept_programs",
    lambda xp, x: x * 2,
    doc="Twice.",
    llvm=lambda b, x: b.add(x, x),
)
streams = RandomStreams(3)


@pytest.mark.parametrize(
    "arguments",
    [
        ([x], Doubled()(x)),
        ([x], declared(x)),
        ([x], theano.printing.Print("x")(x)),
        ([x], x + streams.uniform((2,))),
        ([m], theano.scan(lambda a: Doubled()(a), sequences=m)[0].sum()),
        ([x], T.exp(x), theano.Mode(linker="py")),
    ],
)
def test_what_is_not_known_is_not_kept(arguments):
    for _ in range(2):
        f = theano.function(*arguments)
        assert f.maker._kept is None
        assert not was_found(f)


a = extend.wild("a")
wrong = extend.rule("cos(a) → sin(a)", T.cos(a), T.sin(a), phase="canonical", why="a test")


def test_functions_and_types_without_a_home():
    scope = {"__name__": None}
    exec("f = lambda x: x", scope)
    texts = program_key.Texts()
    with pytest.raises(program_key.NoTextError):
        texts.value(scope["f"])

    class Unhashable(theano.Type):
        def __eq__(self, other):
            return True

        __hash__ = None

    with pytest.raises(program_key.NoTextError):
        texts.type(Unhashable())


def test_rules_and_rewrites_of_users_are_not_overlooked():
    def value():
        return float(theano.function([x], T.cos(x))([0.0])[0])

    assert value() == 1.0
    extend.add_rule(wrong)
    try:
        assert value() == 0.0
    finally:
        extend.remove_rule(wrong)
    assert value() == 1.0

    @theano.gof.local_optimizer([T.cos])
    def exchanged(node):
        return [T.sin(node.inputs[0])] if node.op == T.cos else False

    mode = theano.compile.get_mode("FAST_RUN").register((theano.gof.opt.in2out(exchanged), 1.6))
    assert float(theano.function([x], T.cos(x), mode=mode)([0.0])[0]) == 0.0
    assert value() == 1.0

"""The key of a program: what differs in any way has another one, what is not known has none."""

import os
from types import SimpleNamespace

import numpy as np
import pytest

import theano
import theano._core as core
import theano.tensor as T
from theano import extend
from theano._core.base import settings_table
from theano._core.compile import program_key
from theano._core.ir.variable import Apply
from theano.ifelse import ifelse
from theano.tensor.shared_randomstreams import RandomStreams

x, y, m, f32 = T.dvector("x"), T.dvector("y"), T.dmatrix("m"), T.fvector("f32")
s, t, x0 = (theano.shared(np.zeros(3)) for _ in range(3))
OTHER_NAN = np.array([0x7FF8000000000001], "uint64").view("float64")[0]


def key_of(*arguments, **options):
    """Return the key of the program of a function."""
    f = theano.function(*arguments, on_unused_input="ignore", **options)
    key = program_key.program_key(f.maker)
    return None if key is None else key.digest


def fixed(array):
    """Return an array that cannot be written to, which constants need no copy of."""
    array.flags.writeable = False
    return array


def scanned(step=lambda a, b: a + b, start=0.0, **options):
    return theano.scan(step, sequences=x, outputs_info=T.zeros(()) + start, **options)[0]


def inner(function):
    a = T.dvector()
    return theano.OpFromGraph([a], [function(a)])


def of(inputs, *outputs):
    """Return arguments of `theano.function` for each of the outputs."""
    return [(inputs, out) for out in outputs]


twice, fast = inner(T.exp), theano.compile.get_mode("FAST_RUN")
BITS = [0.0, -0.0, np.nan, OTHER_NAN]
NUMBERS = [np.int8(1), np.int16(1), np.uint8(1), np.float32(1), np.float64(1)]
TURNED = [np.ones((2, 3)), fixed(np.ones((3, 2)).T), fixed(np.ones((2, 6)))[:, ::2]]
PATTERNS = [(False,), (True,), (False, False), (), (True, False), (False, True)]
STATIC = [(3,), (4,), (None, 4), (4, None)]
INPUTS = [T.TensorType("float64", p)() for p in PATTERNS]
INPUTS += [*(T.TensorType("float64", shape=shape)() for shape in STATIC), f32]
SLICES = [slice(1, None), slice(None, 1), slice(None, None, 2), slice(None, -1)]
MODES = ["FAST_RUN", "FAST_COMPILE", theano.Mode(optimizer=None), theano.Mode(optimizer="unsafe")]
EXCLUDED = ["fusion", "inplace", "rounding", "nan", "stabilize", "log(1 + x) → log1p(x)"]
# Each case is a list of arguments of `theano.function`; all of their keys differ.
DIFFERENT = {
    "bits of a constant": of(
        [x], *(x + T.constant(v) for v in (*BITS[:3], -np.nan, OTHER_NAN, 5e-324, 1.0))
    ),
    "bits of vectors": of([x], *(x + T.constant(np.array([v, 1.0])) for v in BITS)),
    "bits of large constants": of(
        [x], *(x + T.constant(np.r_[np.zeros(10_000), v, np.zeros(10)]) for v in (0.0, -0.0, 1.0))
    ),
    "types of a constant": of([x], *(x + T.constant(v) for v in NUMBERS)),
    "shapes of a constant": of(
        [x], *(x.sum() + T.constant(np.ones(n)).sum() for n in ((4,), (2, 2), (1, 4), (4, 1)))
    ),
    "layout of a constant": of([x], *(x + T.constant(v).sum() for v in TURNED)),
    "types of inputs": [([v], T.exp(v)) for v in INPUTS],
    "operations": of([x], *(op(x) for op in (T.exp, T.log, T.tanh, T.neg, T.sqr, T.floor, T.ceil))),
    "order of operands": [*of([x, y], x - y, y - x, x + y), ([y, x], y - (x + 0))],
    "what is used": [*of([x, y], x + x, y + y, x + y), ([x], x + x)],
    "one node or two": of([x], (lambda a: a + a)(T.exp(x)), T.exp(x) + T.exp(x)),
    "number of results": of([x], [x + 1], [x + 1, x + 1], [x + 1, x + 2], []),
    "order of results": of([x], [x + 1, x + 2], [x + 2, x + 1]),
    "axes": of([m], m.sum(0), m.sum(1), m.sum(), m.prod(0), m.max(0), m.sum(0, dtype="float32")),
    "accumulators": of([f32], *(f32.sum(acc_dtype=kind) for kind in ("float32", "float64"))),
    "keepdims": of([m], m.sum(0, keepdims=True), m.sum(0)),
    "dimshuffle": of(
        [m], *(m.dimshuffle(p) for p in ([0, 1, "x"], [0, "x", 1], ["x", 0, 1], [1, 0]))
    ),
    "indices": of([x], *(x[key] for key in (0, 1, -1, *SLICES))),
    "writes": of(
        [x],
        *(write(x[:2], v) for write in (T.set_subtensor, T.inc_subtensor) for v in (1.0, 2.0)),
    ),
    "casts": of(
        [x], *(T.cast(x, kind) for kind in ("float32", "int32", "int64", "float16", "bool"))
    ),
    "joins": of([m], *(T.join(axis, m, m) for axis in (0, 1))),
    "messages": of([x], *(T.opt.Assert(text)(x, x.sum() > 0) for text in ("one", "two"))),
    "updates": [
        ([x], [], None, [(s, s + x)]),
        ([x], [], None, [(s, s - x)]),
        ([x], [], None, [(s, s + x), (t, t + x)]),
        ([x], [], None, [(s, s + x), (t, t - x)]),
        ([x], [], None, [(s, t + x), (t, s + x)]),
    ],
    "results and updates": [
        ([x], [s + x], None, []),
        ([x], [], None, [(s, s + x)]),
        ([x], [s + x], None, [(s, s + x)]),
    ],
    "inputs and shared variables": [([x], x + s), ([x, y], x + y), ([y], x0 + y)],
    "loops": of(
        [x],
        *(scanned(), scanned(go_backwards=True), scanned(n_steps=2), scanned()[-1]),
        *(scanned(lambda a, b: a - b), scanned(lambda a, b: a * b), scanned(start=1.0)),
    ),
    "branches": of(
        [x],
        ifelse(x.sum() > 0, x, x + 1),
        ifelse(x.sum() > 0, x + 1, x),
        T.switch(x.sum() > 0, x, x + 1),
    ),
    "inner graphs": of(
        [x],
        twice(x) + twice(x),
        inner(T.exp)(x) + inner(T.exp)(x),
        inner(T.exp)(x) + inner(T.tanh)(x),
        inner(T.exp)(x),
    ),
    "modes": [
        ([x], T.log(1 + T.exp(x)), mode)
        for mode in [*MODES, *(fast.excluding(name) for name in EXCLUDED)]
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
def test_settings_that_programs_depend_on_change_the_key(setting, value):
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
    "doubled_in_test_program_key",
    lambda xp, x: x * 2,
    doc="Twice.",
    llvm=lambda b, x: b.add(x, x),
)


@pytest.mark.parametrize(
    "arguments",
    [
        ([x], Doubled()(x)),
        ([x], declared(x)),
        ([x], theano.printing.Print("x")(x)),
        ([x], x + RandomStreams(3).uniform((2,))),
        ([m], theano.scan(lambda a: Doubled()(a), sequences=m)[0].sum()),
        ([x], T.exp(x), theano.Mode(linker="py")),
    ],
)
def test_what_is_not_known_is_not_kept(arguments):
    for _ in range(2):
        maker = theano.function(*arguments).maker
        assert maker._kept is None
        assert "lowered" in vars(maker)


def test_functions_and_types_without_a_home_have_no_text():
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
    a = extend.wild("a")
    wrong = extend.rule("cos(a) → sin(a)", T.cos(a), T.sin(a), phase="canonical", why="a test")

    def value(mode=None):
        return float(theano.function([x], T.cos(x), mode=mode)([0.0])[0])

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

    assert value(fast.register((theano.gof.opt.in2out(exchanged), 1.6))) == 0.0
    assert value() == 1.0


def test_a_file_that_changes_after_the_import_is_noticed(monkeypatch):
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

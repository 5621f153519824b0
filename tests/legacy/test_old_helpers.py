"""Helpers that old programs import from all over Theano; texts are those of Theano 1.0.5."""

import copy
import importlib
import io
import itertools
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import theano
import theano.compat
import theano.tensor as T
from theano.compile import orig_function, rebuild_collect_shared
from theano.gof import graph
from theano.misc.frozendict import frozendict
from theano.misc.ordered_set import OrderedSet
from theano.misc.pkl_utils import (
    CompatUnpickler,
    PersistentSharedVariableID,
    StripPickler,
    dump,
    load,
)
from theano.scalar import upcast_out
from theano.tensor import blas, fourier, io as tensor_io
from theano.tensor.elemwise import MulWithoutZeros, ProdWithoutZeros
from theano.tensor.subtensor import get_canonical_form_slice, get_idx_list, make_constant
from theano.tensor.utils import shape_of_variables

# -- graphs as text ---------------------------------------------------------------------------


def test_descriptions_of_variables():
    y, z = T.dvector("y"), T.dvector()
    out = (y + z) * y
    assert theano.printing.var_descriptor(out) == (
        "A=Elemwise{mul,no_inplace}(B=Elemwise{add,no_inplace}"
        "(C=y,D=<TensorType(float64, vector)>),<C>)"
    )
    digest = "cc143326a2646c605ea66139d7b440df7cbde18c050f1f8cf4dd30f42cfe7123"
    assert theano.printing.hex_digest(np.ones(3)) == f"{digest}|strides=[8]|shape=[3]"
    text = f"A=<ndarray:strides=[8],digest={digest}>"
    assert theano.printing.var_descriptor(np.ones(3)) == text
    text = "theano_var{type=TensorType(float64, vector)}"
    assert theano.printing.position_independent_str(z) == text
    with pytest.raises(NotImplementedError):
        theano.printing.position_independent_str(3)
    with pytest.raises(AssertionError):
        theano.printing.hex_digest([1])


def test_a_deep_graph_has_a_description():
    x = T.dscalar("x")
    out = x
    for _ in range(3000):
        out = T.exp(out)
    assert theano.printing.var_descriptor(out).count("exp") == 3000
    assert graph.as_string([x], [out])[0].count("exp") == 3000


def test_graphs_as_strings():
    y, z = T.dvector("y"), T.dvector("z")
    once, e = y + z, T.exp(y)
    assert graph.as_string([y, z], [once * y, y + z]) == [
        "Elemwise{mul,no_inplace}(Elemwise{add,no_inplace}(y, z), y)",
        "Elemwise{add,no_inplace}(y, z)",
    ]
    assert graph.as_string([y], [e * e, e]) == [
        "Elemwise{mul,no_inplace}(*1 -> Elemwise{exp,no_inplace}(y), *1)",
        "*1",
    ]
    assert graph.op_as_string([y], e.owner) == "Elemwise{exp,no_inplace}(y)"
    assert graph.as_string([once], [once * y], leaf_formatter=lambda v: "!") == [
        "Elemwise{mul,no_inplace}(!, !)"
    ]


def test_walks_over_graphs():
    y, z = T.dvector("y"), T.dvector("z")
    e = T.exp(y)
    out = e + z
    found, orphans = graph.variables_and_orphans([y], [out])
    assert found == [out, e, y, z]
    assert orphans == [z]
    assert graph.is_in_ancestors(out.owner, e.owner)
    assert not graph.is_in_ancestors(e.owner, out.owner)
    assert graph.view_roots(y.dimshuffle("x", 0)[:, 1:]) == [y]
    assert graph.view_roots(e) == [e]
    clients = {}
    needs = {"a": ["b", "c"], "b": ["c"], "c": []}
    assert graph.general_toposort(["a"], needs.__getitem__, clients=clients) == ["c", "b", "a"]
    assert clients == {"b": ["a"], "c": ["a", "b"]}
    with pytest.raises(ValueError, match="cycle"):
        graph.general_toposort(["a"], {"a": ["b"], "b": ["a"]}.__getitem__)
    with graph.nodes_constructed() as made:
        total = y + z
    T.exp(total)
    assert made == [total]


# -- shapes and indices -----------------------------------------------------------------------


def test_shape_of_variables():
    x = T.dmatrix("x")
    y = x[2:]
    total = y.sum(axis=0)
    fgraph = theano.FunctionGraph([x], [total])
    shapes = shape_of_variables(fgraph, {fgraph.inputs[0]: (4, 5)})
    total = fgraph.outputs[0]
    wanted = {fgraph.inputs[0]: (4, 5), total.owner.inputs[0]: (2, 5), total: (5,)}
    assert {v: tuple(map(int, shapes[v])) for v in wanted} == wanted
    with pytest.raises(ValueError, match="missing"):
        shape_of_variables(fgraph, {})
    k = T.lscalar("k")
    fgraph = theano.FunctionGraph([x, k], [x[k:]])
    with pytest.raises(theano.gof.MissingInputError, match="depends on values"):
        shape_of_variables(fgraph, dict(zip(fgraph.inputs, ((4, 5), ()), strict=True)))


PARTS = [None, -9, -5, -2, 0, 1, 4, 9]


@pytest.mark.parametrize("step", [None, 1, 2, 7, -1, -3])
@pytest.mark.parametrize("symbolic", ["nothing", "length", "bounds", "step"])
def test_canonical_slices(step, symbolic):
    names = T.lscalars("start", "stop", "step", "length")
    array = np.arange(5)
    functions = {}
    for start, stop in itertools.product(PARTS, PARTS):
        given = (start, stop, step, 5)
        chosen = {"nothing": (), "length": (3,), "bounds": (0, 1), "step": (2, 3)}[symbolic]
        used = [i for i in chosen if given[i] is not None]
        parts = [names[i] if i in used else v for i, v in enumerate(given)]
        key = tuple(parts)
        if key not in functions:
            entry, direction = get_canonical_form_slice(slice(*parts[:3]), parts[3])
            bounds = [T.as_tensor_variable(v) for v in (entry.start, entry.stop, entry.step)]
            functions[key] = theano.function(
                [names[i] for i in used],
                [*bounds, T.as_tensor_variable(direction)],
                mode="FAST_COMPILE",
            )
        low, high, by, direction = (int(v) for v in functions[key](*(given[i] for i in used)))
        assert 0 <= low <= high <= 5
        assert by > 0
        np.testing.assert_array_equal(
            array[low:high:by][::direction], array[slice(start, stop, step)]
        )


def test_canonical_integers():
    i, n = T.lscalars("i", "n")
    f = theano.function([i, n], get_canonical_form_slice(i, n)[0])
    assert (f(2, 5), f(-2, 5)) == (2, 3)


def test_index_lists():
    x, i, j = T.dmatrix("x"), T.lscalar("i"), T.lscalar("j")
    node = x[i:, 3:j].owner
    three = node.inputs[2]
    assert get_idx_list(node.inputs, node.op.index) == (slice(i, None), slice(three, j))
    kind = T.lscalar
    filled = get_idx_list([x, i, j], [slice(kind, None, None), kind])
    assert filled == (slice(i, None, None), j)
    assert get_idx_list([x, i, j], [slice(kind, None, None), 2], get_count=True) == 1
    assert get_idx_list([x], [slice(None), 1]) == (slice(None), 1)


def test_operations_over_masks():
    x, mask = T.dmatrix("x"), T.TensorType("bool", (False, False))("mask")
    out = [
        T.AdvancedBooleanSubtensor()(x, mask),
        T.AdvancedBooleanIncSubtensor()(x, 10, mask),
        T.AdvancedBooleanIncSubtensor(set_instead_of_inc=True)(x, 10, mask),
    ]
    value = np.arange(6.0).reshape(2, 3)
    got = theano.function([x, mask], out)(value, value > 3)
    np.testing.assert_array_equal(got[0], [4, 5])
    np.testing.assert_array_equal(got[1], value + 10 * (value > 3))
    np.testing.assert_array_equal(got[2], np.where(value > 3, 10, value))
    assert T.AdvancedBooleanSubtensor().make_node(x, mask).outputs[0].ndim == 1


# -- products, transforms, files ----------------------------------------------------------------


def test_blas_operations():
    y, a, x, z = T.dvector("y"), T.dmatrix("a"), T.dvector("x"), T.dmatrix("z")
    out = [
        blas.Gemv(False)(y, 2.0, a, x, 3.0),
        blas.ger(a, 2.0, y, x),
        blas.Dot22Scalar()(a, z, 4.0),
    ]
    rng = np.random.default_rng(0)
    values = (
        rng.normal(size=3),
        rng.normal(size=(3, 4)),
        rng.normal(size=4),
        rng.normal(size=(4, 2)),
    )
    got = theano.function([y, a, x, z], out)(*values)
    vy, va, vx, vz = values
    np.testing.assert_allclose(got[0], 3 * vy + 2 * va @ vx)
    np.testing.assert_allclose(got[1], va + 2 * np.outer(vy, vx))
    np.testing.assert_allclose(got[2], 4 * va @ vz)
    with pytest.raises(TypeError, match="Gemv: A must have 2 axes"):
        blas.gemv(y, 1.0, x, x, 1.0)
    with pytest.raises(TypeError, match="Ger takes A, alpha, x, y"):
        blas.ger(a)


def test_products_without_zeros():
    x = T.dmatrix("x")
    f = theano.function([x], ProdWithoutZeros(axis=1)(x))
    np.testing.assert_array_equal(f([[0, 2, 3], [0, 0, 0]]), [6, 0])
    y, factors = T.dvector("y"), T.constant(np.array([0.0, 3, 3]))
    g = theano.function([y], T.Elemwise(MulWithoutZeros(upcast_out))(y, factors))
    np.testing.assert_array_equal(g([0, 0, 2]), [0, 3, 6])
    assert ProdWithoutZeros()(T.bmatrix()).dtype == "int64"


def test_fourier_fft():
    x = T.dmatrix("x")
    value = np.random.default_rng(1).normal(size=(3, 4))
    out = fourier.fft(x, 5, 0)
    assert out.type == T.zmatrix
    np.testing.assert_allclose(theano.function([x], out)(value), np.fft.fft(value, 5, 0))
    whole = theano.function([x], fourier.fft(x, None, None))(value)
    np.testing.assert_allclose(whole, np.fft.fft(value))
    for arguments in ((T.dscalar(), 3, 0), (x, 0, 0), (x, 2.5, 0), (x, 4, 2), (x, 4, -1)):
        with pytest.raises(TypeError, match="Fourier"):
            fourier.fft(*arguments)


def test_load(tmp_path):
    file = tmp_path / "a.npy"
    np.save(file, np.arange(4))
    path = theano.Variable(theano.generic)
    f = theano.function([path], T.load(path, "int64", (False,)) * 2)
    np.testing.assert_array_equal(f(str(file)), [0, 2, 4, 6])
    g = theano.function([], tensor_io.load(str(file), "int64", (False,), mmap_mode="c").sum())
    assert g() == 6
    np.save(file, np.arange(5))
    assert g() == 10
    with pytest.raises(TypeError, match=r"float64 .* was expected in .* it has dtype int64"):
        theano.function([path], T.load(path, "float64", (False,)))(str(file))
    with pytest.raises(FileNotFoundError):
        f(str(tmp_path / "b.npy"))
    with pytest.raises(ValueError, match="mmap_mode are None and 'c'"):
        T.load(path, "int64", (False,), mmap_mode="r+")
    with pytest.raises(TypeError, match="Generic"):
        T.load(T.dvector(), "int64", (False,))


@pytest.mark.parametrize("name", ["send", "isend"])
def test_no_mpi_send(name):
    with pytest.raises(NotImplementedError, match=f"{name}: functions do not exchange .* MPI"):
        getattr(tensor_io, name)(T.dvector(), 1, 2)


@pytest.mark.parametrize("name", ["recv", "irecv"])
def test_no_mpi_receive(name):
    with pytest.raises(NotImplementedError, match=f"{name}: functions do not exchange .* MPI"):
        getattr(tensor_io, name)((3,), "float64", 1, 2)


# -- pickles ------------------------------------------------------------------------------------


def test_models_in_zip_files():
    w, w2, b = theano.shared(np.ones((2, 3)), "w"), theano.shared(np.zeros(3), "w"), np.arange(3)
    file = io.BytesIO()
    dump({"w": w, "more": [w2, b, b], "text": "t"}, file)
    with zipfile.ZipFile(file) as archive:
        assert set(archive.namelist()) == {"pkl", "w", "w_2", "array_0"}
        with archive.open("w") as member:
            np.testing.assert_array_equal(np.load(io.BytesIO(member.read())), np.ones((2, 3)))
    model = load(file)
    np.testing.assert_array_equal(model["w"].get_value(), np.ones((2, 3)))
    assert model["w"].name == "w"
    assert model["more"][1] is model["more"][2]
    np.testing.assert_array_equal(model["more"][1], b)
    for options, objects in (
        ({"allow_duplicates": False}, [w, w2]),
        ({"allow_unnamed": False}, [theano.shared(np.ones(2))]),
        ({}, [theano.shared(np.ones(2), "pkl")]),
    ):
        with pytest.raises(ValueError, match="shared variable"):
            dump(
                objects,
                io.BytesIO(),
                persistent_id=lambda z, options=options: PersistentSharedVariableID(z, **options),
            )


def test_pickles_without_extras():
    x = T.dvector("x")
    x.tag.test_value = np.ones(1000)
    x.tag.mine, x.tag.other = 1, 2
    y = T.exp(x) * 2
    y.tag.other = 3
    file = io.BytesIO()
    StripPickler(file, protocol=-1, extra_tag_to_remove="other").dump([x, y])
    assert len(file.getvalue()) < 3000
    file.seek(0)
    x2, y2 = CompatUnpickler(file, encoding="latin1").load()
    assert vars(x2.tag) == {"mine": 1}
    assert vars(y2.tag) == {}
    assert x2.source is None
    np.testing.assert_allclose(theano.function([x2], y2)([0.0, 1.0]), [2, 2 * np.e])
    assert x.tag.other == 2
    assert x.source is not None


def test_function_dump(tmp_path):
    x, s = T.dscalar("x"), theano.shared(3.0, "s")
    file = tmp_path / "call.pkl"
    theano.function_dump(str(file), [x], [x * s], updates=[(s, s + 1)], name="mine")
    f = theano.function(**pickle.loads(file.read_bytes()))
    assert (f(2.0)[0], f(2.0)[0], f.name) == (6, 8, "mine")


# -- functions ----------------------------------------------------------------------------------


def test_orig_function():
    x, s = T.dscalar("x"), theano.shared(3.0)
    f = orig_function([theano.In(x, value=2.0)], [theano.Out(x * s)])
    assert f() == [6]
    g = orig_function([x, theano.In(s, value=s.container, update=s + 1)], x * s)
    assert (g(1.0), g(1.0)) == (3, 4)
    assert orig_function([x], [x, x + 1], output_keys=["a", "b"])(1.0) == {"a": 1, "b": 2}


def test_rebuild_collect_shared():
    x, y, s = T.dscalar("x"), T.dscalar("y"), theano.shared(1.0)
    t = theano.shared(2.0)
    t.default_update = t * 2
    inputs, outputs, (table, updates, pairs, found) = rebuild_collect_shared(
        [x + y + s + t], [x], replace={y: x * 3}, updates=[(s, s + 1)]
    )
    assert inputs == [x]
    assert found == [s, t]
    assert [target for target, _ in pairs] == [s, t]
    assert set(updates) == {s, t}
    assert table[x] is x
    assert theano.function([x], outputs[0], no_default_updates=True)(2.0) == 11
    fresh, out, _ = rebuild_collect_shared(x * 2, [x], copy_inputs_over=False)
    assert fresh[0] is not x
    assert theano.function(fresh, out)(2.0) == 4
    assert rebuild_collect_shared(None, [])[1] == []
    with pytest.raises(TypeError, match="shared variable"):
        rebuild_collect_shared([x], [s])
    with pytest.raises(TypeError, match="given keys"):
        rebuild_collect_shared([x], [x], replace=[(3, x)])
    with pytest.raises(TypeError, match="Received 3"):
        rebuild_collect_shared([3], [])


def test_functions_have_what_old_programs_ask_for():
    f = theano.function([], theano.shared(1.0))
    f.sync_shared()
    assert f.maker is not None
    assert len(f.output_storage) == 1


# -- containers and compatibility -----------------------------------------------------------------


def test_ordered_sets():
    items = OrderedSet([3, 1, 2, 1])
    items.add(0)
    items.discard(1)
    assert list(items) == [3, 2, 0]
    assert list(reversed(items)) == [0, 2, 3]
    assert items == OrderedSet([3, 2, 0])
    assert items != OrderedSet([2, 3, 0])
    assert list(items.union([7])) == [3, 2, 0, 7]
    items.update([9])
    items.difference_update([3])
    items.intersection_update([9, 2])
    assert repr(items) == "OrderedSet([2, 9])"
    assert items.pop() == 9
    assert items.copy().pop(last=False) == 2
    with pytest.raises(TypeError, match="deterministic"):
        OrderedSet({1, 2})
    with pytest.raises(TypeError, match="not comparable"):
        _ = items == {2}
    with pytest.raises(KeyError):
        OrderedSet().pop()


def test_frozen_dicts():
    one = frozendict({"a": 1}, b=2)
    assert one == {"a": 1, "b": 2}
    assert hash(one) == hash(frozendict(b=2, a=1))
    assert one.copy(a=3) == {"a": 3, "b": 2}
    assert "a" in one
    with pytest.raises(TypeError):
        one["a"] = 2


def test_compat():
    compat = theano.compat
    assert compat.PY3
    assert list(compat.izip([1], [2])) == [(1, 2)]
    assert compat.cmp(1, 2) == -1
    assert compat.operator_div(1, 2) == 0.5
    assert compat.b("\xe9") == b"\xe9"
    assert list(compat.decode_iter([b"a"])) == ["a"]
    assert compat.decode_with(b"\xe9", "latin-1") == "\xe9"
    assert compat.exc_message(ValueError(KeyError("inner"))) == "inner"
    assert compat.get_unbound_function(OrderedSet([1]).pop) is OrderedSet.pop
    table = compat.DefaultOrderedDict(list)
    table["a"].append(1)
    assert pickle.loads(pickle.dumps(table)).copy() == {"a": [1]}


def test_asarray():
    array = theano._asarray([1, 2], dtype="floatX")
    assert array.dtype == theano.config.floatX
    assert theano._asarray(np.ones(2), "longlong").dtype.num == np.dtype("longlong").num
    assert theano.misc.safe_asarray._asarray is theano._asarray


def test_names_at_the_top():
    assert theano.get_scalar_constant_value(T.constant(3)) == 3
    assert theano.SymbolicInput is theano.In
    assert issubclass(theano.InconsistencyError, Exception)
    assert issubclass(theano.compile.AliasedMemoryError, Exception)
    assert issubclass(theano.gof.MethodNotDefined, Exception)


def test_tests_can_be_run(monkeypatch):
    commands = []

    def run(command, check):
        commands.append(command)
        return subprocess.CompletedProcess(command, len(commands) - 1)

    monkeypatch.setattr(subprocess, "run", run)
    assert theano.test()
    assert not theano.test(verbose=3, extra_argv=["-k", "dot"], capture=False)
    tests = str(Path(__file__).resolve().parents[1])
    start = [sys.executable, "-m", "pytest", tests]
    assert commands == [[*start, "-q"], [*start, "-v", "-v", "-s", "-k", "dot"]]


def test_pfunc_has_its_own_names_of_arguments():
    x = T.dscalar("x")
    f = theano.compile.pfunc(params=[x], outputs=[x * 2], output_keys=["twice"])
    assert f(2.0) == {"twice": 4.0}
    assert theano.compile.pfunc([x], x + 1, updates=[])(1.0) == 2.0
    assert theano.configdefaults.python_int_bitwidth() in (32, 64)
    assert theano.opt is theano.gof.opt
    assert "FAST_RUN" in theano.predefined_modes


def test_raise():
    from theano.raise_op import Raise

    x = theano.tensor.dscalar("x")
    op = Raise("no value here", KeyError)
    assert op == Raise("no value here", KeyError) != Raise("no value here")
    taken = theano.ifelse.ifelse(x > 0, x, op(x))
    f = theano.function([x], taken)
    assert f(2.0) == 2.0
    with pytest.raises(KeyError, match="no value here"):
        f(-1.0)


def test_number_of_processors():
    from theano.misc.cpucount import cpuCount

    assert cpuCount() >= 1


def test_traces_of_variables():
    x = T.dvector("x")
    ((line,),) = (x + 1).tag.trace
    assert line[0] == __file__
    assert line[2:] == ("test_traces_of_variables", "((line,),) = (x + 1).tag.trace")
    y = x * 2
    copies = [pickle.loads(pickle.dumps(y)), copy.deepcopy(y)]
    assert [v.tag.trace for v in copies] == [y.tag.trace] * 2
    assert vars(y.tag) == {}
    assert theano.function([x], y + 1).maker.fgraph.outputs[0].tag.trace
    text = theano.gof.utils.get_variable_trace_string(y)
    assert text.endswith(f"line {y.source.line}, in test_traces_of_variables\n    y = x * 2\n")


def test_programs_may_set_traces():
    x, y = T.dvectors("xy")
    x.tag.trace = y.tag.trace
    assert x.tag.trace == y.tag.trace
    assert theano.gof.utils.add_tag_trace(x) is x
    frames = theano.gof.utils.simple_extract_stack(skips=["pytest"])
    assert frames[-1][2:] == (
        "test_programs_may_set_traces",
        'frames = theano.gof.utils.simple_extract_stack(skips=["pytest"])',
    )


def test_locks_of_the_compile_cache_hold_nothing_on_disk():
    compilelock = importlib.import_module("theano.gof.compilelock")
    compilelock.set_lock_status(False)
    compilelock.force_unlock()
    with compilelock.lock_ctx():
        compilelock.get_lock()
        compilelock.release_lock()
    with pytest.raises(RuntimeError):
        compilelock.release_lock()
    with compilelock.lock_ctx(keep_lock=True):
        pass
    compilelock.release_lock()


def test_values_that_are_nearly_equal():
    from theano.tensor.type import values_eq_approx

    one, two = np.array([1.0, np.inf, 2]), np.array([1.0, 5, 2 + 1e-7])
    assert not values_eq_approx(one, two)
    assert values_eq_approx(one, two, True)
    assert not values_eq_approx(one, two, True, False, 1e-12, 0)
    assert not values_eq_approx(one, one.astype("float32"))
    assert not values_eq_approx(one, one[:2])


def test_numbers_of_indices_as_constants():
    i = T.lscalar()
    number, part, array, symbol = make_constant([1, slice(0, i, None), np.array(3), i])
    assert isinstance(number, theano.scalar.ScalarConstant) and str(number) == "Constant{1}"
    assert number.type == part.start.type == theano.scalar.int64
    assert part.start.data == 0 and part.stop is i and part.step is None
    assert array == 3 and symbol is i


def test_casts_by_dtype():
    casts = T.basic._cast_mapping
    assert list(casts) == T.all_dtypes
    assert casts["int8"](T.dvector()).type == T.bvector

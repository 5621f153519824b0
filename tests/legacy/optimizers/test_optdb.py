"""Databases of rewrites, and rewrites of a program at their place in the compiler."""

import copy

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate
from support.processes import run_python
from theano._core.compile.modes import OPTIMIZERS
from theano._core.legacy.optimizers.optdb import local_useless
from theano.compile import Mode, mode as modes, optdb
from theano.gof import (
    DB,
    EquilibriumDB,
    FunctionGraph,
    LocalGroupDB,
    Optimizer,
    PatternSub,
    ProxyDB,
    Query,
    SequenceDB,
    TopoOptimizer,
    in2out,
    local_optimizer,
)
from theano.tensor.opt import register_canonicalize, register_specialize, register_useless

x, y = T.dvector("x"), T.dvector("y")
sin_to_cos = local_optimizer([T.sin])(lambda node: [T.cos(node.inputs[0])])


def names(fg):
    return [getattr(n.op, "name", type(n.op).__name__) for n in fg.toposort()]


def compiled(out, **options):
    f = theano.function([x, y], out, on_unused_input="ignore", **options)
    return [str(n.op) for n in f.maker.fgraph.toposort()]


@pytest.fixture
def register():
    """Register rewrites, and take them out again after the test."""
    taken = []
    yield lambda db, name: taken.append((db, name))
    for db, name in taken:
        del db._entries[name], db._tags[name]
        getattr(db, "_positions", {}).pop(name, None)


def test_databases_answer_by_tags():
    class One(Optimizer):
        pass

    db, a, b = DB(), One(), One()
    db.register("a", a, "low", "both")
    db.register("b", b, "high", "both")
    assert db.query("+both") == [a, b]
    assert db.query("+both", "-high") == [a]
    assert db.query("+both", "&high") == [b]
    assert db.query(Query(["low"])) == [a]
    assert db["a"] is a and "high" in db and "other" not in db
    db.add_tags("a", "more")
    assert db["more"] is a
    db.remove_tags("a", "more")
    for wrong, error, text in (
        (lambda: db["more"], KeyError, "Nothing registered"),
        (lambda: db["both"], KeyError, "More than one"),
        (lambda: db.register("a", One()), ValueError, "name of another"),
        (lambda: db.register("c", One(), "a"), ValueError, "The tag"),
        (lambda: db.register("d", 3), TypeError, "cannot be registered"),
        (lambda: db.query("both"), ValueError, "must start with"),
        (lambda: register_canonicalize(3), TypeError, None),
    ):
        with pytest.raises(error, match=text):
            wrong()
    sequence = SequenceDB()
    sequence.register("second", b, 2, "tag")
    sequence.register("first", a, 1, "tag")
    assert list(sequence.query("+tag")) == [a, b]
    assert list(sequence.query(Query(["tag"], position_cutoff=2))) == [a]
    assert list(sequence.query(Query(["tag"]).excluding("first"))) == [b]


def test_databases_in_databases():
    sequence, inner, group = SequenceDB(), EquilibriumDB(), LocalGroupDB()
    inner.register("sin", sin_to_cos, "tag")
    sequence.register("inner", inner, 0, "tag")
    sequence.register("again", ProxyDB(inner), "last", "tag")
    fg = FunctionGraph([x], [T.sin(x)])
    sequence.query("+tag").optimize(fg)
    assert names(fg) == ["cos"]
    group.register("cos", PatternSub((T.cos, "a"), (T.exp, "a")), "tag")
    in2out(group.query("+tag")).optimize(fg)
    assert names(fg) == ["exp"]


@pytest.mark.parametrize("place", ["canonicalize", "stabilize", "specialize", "uncanonicalize"])
def test_registered_rewrites_run_in_the_compiler(place, register):
    @getattr(theano.tensor.opt, f"register_{place}")
    @local_optimizer([T.sin])
    def in_compiler(node):
        return [T.tanh(node.inputs[0] * 3)]

    register(optdb[place], "in_compiler")
    rows, _ = theano.scan(T.sin, outputs_info=x, n_steps=2)
    found, last = evaluate([T.sin(x) + 1, rows[-1]], {x: [0.2]})
    np.testing.assert_allclose(found, np.tanh([0.6]) + 1)
    np.testing.assert_allclose(last, np.tanh(3 * np.tanh([0.6])))
    without = evaluate(T.sin(x) + 1, {x: [0.2]}, Mode().excluding("in_compiler"))
    np.testing.assert_allclose(without, np.sin([0.2]) + 1)


def test_rewrites_with_tags_of_their_own(register):
    register_specialize("mine", name="other_name")(sin_to_cos)
    register(optdb["specialize"], "other_name")
    optdb["specialize"].remove_tags("other_name", "fast_run", "specialize")
    assert "sin" in compiled(T.sin(x))[0]
    assert "cos" in compiled(T.sin(x), mode=Mode().including("mine"))[0]


def test_whole_graph_rewrites_in_the_compiler(register, caplog):
    seen = []

    class Look(Optimizer):
        def apply(self, fgraph):
            seen.extend(names(fgraph))

    @local_optimizer([T.exp])
    def broken(node):
        raise ZeroDivisionError("broken")

    optdb.register("look", Look(), 1.9, "fast_run")
    register(optdb, "look")
    compiled(T.exp(x) - 1)
    # After the stable forms, before the special ones.
    assert "expm1" in seen
    register_useless(sin_to_cos, name="useless_sin")
    register(local_useless, "useless_sin")
    assert "cos" in compiled(T.sin(x))[0]
    # The compiler reports what fails, and goes on.
    optdb.register("raises", TopoOptimizer(broken), 1.9, "fast_run")
    register(optdb, "raises")
    with theano.change_flags(on_opt_error="warn"):
        assert compiled(T.exp(x)) == ["Elemwise{exp,no_inplace}"]
    assert "broken" in caplog.text


def test_modes_of_a_query_or_an_optimizer():
    only = Mode(optimizer=in2out(sin_to_cos))
    found = compiled(T.sin(x) * 1, mode=only)
    assert found.count("Elemwise{mul,no_inplace}") == 1 and "cos" in str(found)
    plain = Mode(optimizer=Query(include=["fast_run"], exclude=["canonicalize"]))
    assert "loops" not in Mode().excluding("loops").passes
    assert "canonical" not in plain.passes
    assert {*plain.passes, "canonical"} == {*Mode().passes}
    assert "Elemwise{exp,no_inplace}" in compiled(T.exp(x), mode=plain)
    more = Mode().register((in2out(sin_to_cos), 50))
    assert "cos" in compiled(T.sin(x), mode=more)[0]
    assert more != Mode() and more == more.clone()
    modes.register_mode("ONLY_SIN", only)
    modes.register_optimizer("only_cos", in2out(sin_to_cos))
    try:
        for mode in ("ONLY_SIN", Mode(optimizer="only_cos")):
            assert "cos" in str(compiled(T.sin(x), mode=mode))
        with pytest.raises(ValueError, match="already taken"):
            modes.register_mode("ONLY_SIN", only)
    finally:
        del modes.predefined_modes["ONLY_SIN"], OPTIMIZERS["only_cos"]


def test_the_query_of_a_mode_is_read_and_assigned():
    mode = copy.copy(modes.get_default_mode())
    assert "fast_run" in mode._optimizer.include
    mode._optimizer = mode._optimizer.excluding("inplace", "fusion").including("mine")
    assert not mode.fuses and not mode.overwrites and "mine" in mode.selection.included
    mode._optimizer = Query(["fast_compile"])
    assert mode.fuses and mode.level == "fast_compile"


def test_queries_and_levels_of_other_names():
    for query in (modes.OPT_NONE, modes.OPT_FAST_RUN.excluding("fusion"), modes.OPT_FAST_COMPILE):
        assert evaluate(2 * x, {x: [1.0]}, Mode(optimizer=query)).tolist() == [2.0]
    assert modes.OPT_O3.exclude == {"inplace"} and modes.OPT_UNSAFE.include == {
        "fast_run",
        "unsafe",
    }
    for name in ("stabilize", "fast_run_stable"):
        assert evaluate(T.log(1 + x), {x: [1e-20]}, Mode(optimizer=name)) == [1e-20]
    positions = optdb.__position__
    assert 0 < positions["canonicalize"] < positions["stabilize"] < positions["specialize"]


@pytest.mark.parametrize(
    ("tag", "left"),
    [
        ("canonicalize", ["add", "log"]),
        ("stabilize", ["log1p"]),
        ("specialize", ["sqr"]),
    ],
)
def test_tags_of_databases_run_the_phases_of_the_engine(tag, left):
    """As `optdb.query(Query(include=["canonicalize"]))` simplifies graphs of programs."""
    out = T.exp(x) ** 2 if tag == "specialize" else T.log(1 + x * 1 + 0)
    fgraph = FunctionGraph([x], [out], clone=True)
    optdb.query(Query(include=[tag])).optimize(fgraph)
    f = theano.function([x], out, mode=Mode(optimizer=None).including(tag))
    for rewritten in (fgraph, f.maker.fgraph):
        assert [n.op.name for n in rewritten.toposort() if n.op.name != "exp"] == left
    np.testing.assert_allclose(f([0.5]), theano.function([x], out)([0.5]))


def test_rewritten_graphs_have_numbers_as_inputs():
    """Programs read rows of a matrix as `join.owner.inputs[1:]` once it has its canonical form."""
    row = theano.compile.view_op(T.exp(x))
    out = T.shape_padleft(T.stack([row, y[0:2]]))
    fgraph = FunctionGraph([x, y], [out, row], clone=True)
    optdb.query(Query(include=["canonicalize"])).optimize(fgraph)
    axis, *rows = fgraph.outputs[0].owner.inputs[0].owner.inputs
    assert axis.data == 0 and rows[0].owner.inputs[0] is fgraph.outputs[1]
    assert fgraph.outputs[1].owner.op == T.exp
    part = rows[1].owner.inputs[0].owner
    assert [v.data for v in part.inputs[1:]] == [0, 2]
    found = theano.function(fgraph.inputs, fgraph.outputs[0])([0.0, 0.0], [1.0, 2.0, 3.0])
    assert found.tolist() == [[[1, 1], [1, 2]]]


@pytest.mark.parametrize("name", ["hard_sigmoid", "ultra_fast_sigmoid"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8"])
def test_coarse_sigmoids_are_for_modes_that_ask_for_them(name, dtype):
    x = T.vector("x", dtype)
    coarse, value = getattr(T.nnet, name)(x), np.arange(-4, 5).astype(dtype)
    both = [T.nnet.sigmoid(x), 1 / (1 + T.exp(-x))]
    for mode, meant in ((Mode().including(f"local_{name}"), coarse), (Mode(), both[0])):
        for result in evaluate(both, {x: value}, mode):
            wanted = evaluate(meant, {x: value})
            np.testing.assert_allclose(result, wanted, rtol=2e-3 if dtype == "float16" else 2e-6)
    assert str(getattr(T.nnet.sigm, f"local_{name}")) == f"local_{name}"


def test_rewrites_by_request_may_be_named_by_a_setting():
    program = """
        import theano, theano.tensor as T
        x = T.dvector()
        print(theano.function([x], T.nnet.sigmoid(x))([-1.0, 0.0]))
    """
    assert run_python(program, flags="optimizer_including=local_hard_sigmoid") == "[0.3 0.5]"

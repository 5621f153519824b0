"""Rewrites written for Theano 1.0.5: alone on a graph, and at their place in the compiler."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.compile import Mode, optdb
from theano.gof import (
    DB,
    EquilibriumDB,
    EquilibriumOptimizer,
    FunctionGraph,
    LocalGroupDB,
    LocalOptGroup,
    LocalOptimizer,
    MergeOptimizer,
    OpRemove,
    OpSub,
    Optimizer,
    PatternSub,
    ProxyDB,
    Query,
    SeqOptimizer,
    SequenceDB,
    TopoOptimizer,
    in2out,
    local_optimizer,
    opt,
    optimizer,
    out2in,
    pre_greedy_local_optimizer,
)
from theano.tensor.opt import register_canonicalize, register_specialize, register_useless

x, y = T.dvector("x"), T.dvector("y")


def names(fg: Any) -> list[str]:
    return [getattr(n.op, "name", type(n.op).__name__) for n in fg.toposort()]


def graph(out: Any) -> Any:
    return FunctionGraph([x, y], [out], clone=False)


@local_optimizer([T.sin])
def sin_to_cos(node: Any) -> Any:
    """For tests only: this is not true."""
    return [T.cos(node.inputs[0])]


@pytest.mark.parametrize("through", [in2out, out2in])
def test_local_optimizers(through: Any) -> None:
    fg = graph(T.sin(T.exp(T.sin(x))) + y)
    through(sin_to_cos).optimize(fg)
    assert names(fg) == ["cos", "exp", "cos", "add"]
    assert sin_to_cos.__name__ == "sin_to_cos"
    assert sin_to_cos.transform(T.sin(x).owner)[0].owner.op == T.cos


def test_what_a_local_optimizer_may_return() -> None:
    @local_optimizer(None)
    def nothing(node: Any) -> Any:
        return False

    @local_optimizer([T.exp])
    def table(node: Any) -> Any:
        return {node.outputs[0]: node.inputs[0] * 2, "remove": [node]}

    fg = graph(T.exp(x))
    TopoOptimizer(LocalOptGroup(nothing, table)).optimize(fg)
    assert names(fg)[-1] == "mul"
    with pytest.raises(ValueError, match="None instead of an empty list"):
        local_optimizer([])


def test_classes() -> None:
    class Local(LocalOptimizer):
        def tracks(self) -> Any:
            return [type(T.exp)]

        def transform(self, node: Any) -> Any:
            return [T.cos(node.inputs[0])] if node.op == T.exp else False

    class Whole(Optimizer):
        def add_requirements(self, fgraph: Any) -> None:
            fgraph.attach_feature(theano.gof.toolbox.ReplaceValidate())

        def apply(self, fgraph: Any) -> None:
            for node in fgraph.toposort():
                if node.op == T.cos:
                    fgraph.replace_validate(node.outputs[0], T.tanh(node.inputs[0]))

    fg = graph(T.exp(x))
    SeqOptimizer(TopoOptimizer(Local()), Whole()).optimize(fg)
    assert names(fg) == ["tanh"]

    @optimizer
    def back(fgraph: Any) -> None:
        for node in fgraph.toposort():
            fgraph.replace_validate(node.outputs[0], T.exp(node.inputs[0]))

    back.optimize(fg)
    assert names(fg) == ["exp"]


PATTERNS: list[tuple[Any, Any, Any, list[str]]] = [
    ((T.mul, "a", "a"), (T.sqr, "a"), T.mul(x, x), ["sqr"]),
    ((T.mul, "a", "a"), (T.sqr, "a"), T.mul(x, y), ["mul"]),
    ((T.add, (T.mul, "a", "b"), "b"), (T.mul, "b", (T.add, "a", 1)), x * y + y, ["add", "mul"]),
    ((T.sub, (T.add, "a", "b"), "b"), "a", (x + y) - y, []),
    ((T.pow, "a", 2), (T.sqr, "a"), x**2, ["sqr"]),
    ((T.pow, "a", 2), (T.sqr, "a"), x**3, ["pow"]),
    (
        (T.exp, {"pattern": "a", "constraint": lambda v: v.owner is None}),
        (T.sin, "a"),
        T.exp(T.exp(x)),
        ["sin", "exp"],
    ),
]


@pytest.mark.parametrize(("before", "after", "out", "wanted"), PATTERNS)
def test_patterns(before: Any, after: Any, out: Any, wanted: list[str]) -> None:
    fg = graph(out)
    TopoOptimizer(PatternSub(before, after)).optimize(fg)
    assert [n for n in names(fg) if n != "DimShuffle"] == wanted


def test_patterns_leave_what_is_used_elsewhere() -> None:
    middle = x + y
    for several, count in ((False, 3), (True, 2)):
        fg = graph((middle - y) * middle)
        rule = PatternSub((T.sub, (T.add, "a", "b"), "b"), "a", allow_multiple_clients=several)
        TopoOptimizer(rule).optimize(fg)
        assert len(names(fg)) == count
    with pytest.raises(TypeError, match="must start with a specific Op"):
        PatternSub("a", (T.sqr, "a"))


def test_substituted_and_removed_operations() -> None:
    fg = graph(T.exp(T.sin(x)) + y)
    EquilibriumOptimizer([OpSub(T.sin, T.cos), OpRemove(T.exp)]).optimize(fg)
    assert names(fg) == ["cos", "add"]


def test_equilibrium_and_merge() -> None:
    halves = PatternSub((T.sin, (T.sin, "a")), (T.sin, "a"))
    out = x
    for _ in range(9):
        out = T.sin(out)
    fg = graph(out)
    EquilibriumOptimizer([halves]).optimize(fg)
    assert names(fg) == ["sin"]
    same = graph(T.exp(x) + T.exp(x) * T.constant(2.0) + T.constant(2.0))
    MergeOptimizer().optimize(same)
    assert names(same).count("exp") == 1
    same.check_integrity()


def test_a_local_optimizer_that_fails(caplog: Any) -> None:
    @local_optimizer([T.exp])
    def broken(node: Any) -> Any:
        raise ZeroDivisionError("broken")

    @local_optimizer([T.exp])
    def too_many(node: Any) -> Any:
        return [node.inputs[0]] * 2

    fg = graph(T.exp(x))
    with theano.change_flags(on_opt_error="warn"):
        in2out(broken).optimize(fg)
        in2out(too_many).optimize(fg)
    assert names(fg) == ["exp"]
    assert "broken" in caplog.text and "wrong number of replacements" in caplog.text
    with theano.change_flags(on_opt_error="raise"), pytest.raises(ZeroDivisionError):
        in2out(broken).optimize(fg)


def test_without_a_callback_an_optimizer_raises(register: Any, caplog: Any) -> None:
    @local_optimizer([T.exp])
    def broken(node: Any) -> Any:
        raise ZeroDivisionError("broken")

    @local_optimizer([T.exp])
    def another_type(node: Any) -> Any:
        return [T.cast(node.inputs[0], "float32")]

    for each in (theano.gof.TopoOptimizer, lambda lopt: theano.gof.EquilibriumOptimizer([lopt])):
        with pytest.raises(ZeroDivisionError):
            each(broken).optimize(graph(T.exp(x)))
        with pytest.raises(theano.gof.toolbox.BadOptimization, match="another_type"):
            each(another_type).optimize(graph(T.exp(x)))
    # The compiler reports it, and goes on.
    optdb.register("raises", theano.gof.TopoOptimizer(broken), 1.9, "fast_run")
    register(optdb, "raises")
    with theano.change_flags(on_opt_error="warn"):
        assert compiled(T.exp(x)) == ["Elemwise{exp,no_inplace}"]
    assert "broken" in caplog.text


def test_a_class_that_is_tracked_is_not_the_classes_below_it() -> None:
    class Base(theano.Op):
        __props__ = ()

        def make_node(self, v: Any) -> Any:
            return theano.Apply(self, [v], [v.type()])

    class Derived(Base):
        pass

    @local_optimizer([Base, T.Elemwise])
    def away(node: Any) -> Any:
        return list(node.inputs)

    fg = graph(Base()(Derived()(T.exp(Base()(x)))))
    in2out(away).optimize(fg)
    assert [type(n.op) for n in fg.toposort()] == [Derived]


def test_a_local_optimizer_that_tracks_an_empty_list_looks_at_every_node() -> None:
    class Simplify(theano.gof.LocalOptimizer):
        def transform(self, node: Any) -> Any:
            return node.inputs if node.op == T.sin else False

        def tracks(self) -> Any:
            return []

    fg = graph(T.exp(T.sin(x)))
    theano.gof.TopoOptimizer(Simplify()).optimize(fg)
    assert names(fg) == ["exp"]


def test_before_there_is_a_graph() -> None:
    out = pre_greedy_local_optimizer([sin_to_cos], T.sin(x) + T.sin(y))
    assert {n.op for n in theano.gof.graph.ops([x, y], [out])} == {T.cos, T.add}


def test_databases() -> None:
    class One(Optimizer):
        pass

    db = DB()
    a, b = One(), One()
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
    with pytest.raises(KeyError, match="Nothing registered"):
        db["more"]
    with pytest.raises(KeyError, match="More than one"):
        db["both"]
    with pytest.raises(ValueError, match="name of another"):
        db.register("a", One())
    with pytest.raises(TypeError, match="cannot be registered"):
        db.register("c", 3)
    with pytest.raises(ValueError, match="must start with"):
        db.query("both")
    sequence = SequenceDB()
    sequence.register("second", b, 2, "tag")
    sequence.register("first", a, 1, "tag")
    assert list(sequence.query("+tag")) == [a, b]
    assert list(sequence.query(Query(["tag"], position_cutoff=2))) == [a]
    assert list(sequence.query(Query(["tag"]).excluding("first"))) == [b]
    inner = EquilibriumDB()
    inner.register("sin", sin_to_cos, "tag")
    sequence.register("inner", inner, 0, "tag")
    sequence.register("again", ProxyDB(inner), "last", "tag")
    fg = graph(T.sin(x))
    sequence.query("+tag").optimize(fg)
    assert names(fg) == ["cos"]
    group = LocalGroupDB()
    group.register("cos", PatternSub((T.cos, "a"), (T.exp, "a")), "tag")
    in2out(group.query("+tag")).optimize(fg)
    assert names(fg) == ["exp"]


@pytest.fixture
def register() -> Iterator[Any]:
    """Register rewrites, and take them out again after the test."""
    taken: list[tuple[Any, str]] = []

    def do(db: Any, name: str) -> None:
        taken.append((db, name))

    yield do
    for db, name in taken:
        del db._entries[name], db._tags[name]
        getattr(db, "_positions", {}).pop(name, None)


def compiled(out: Any, **options: Any) -> list[str]:
    f = theano.function([x, y], out, on_unused_input="ignore", **options)
    return [str(n.op) for n in f.maker.fgraph.toposort()]


@pytest.mark.parametrize("place", ["canonicalize", "stabilize", "specialize", "uncanonicalize"])
def test_registered_rewrites_run_in_the_compiler(place: str, register: Any) -> None:
    decorate = getattr(theano.tensor.opt, f"register_{place}")

    @decorate
    @local_optimizer([T.sin])
    def in_compiler(node: Any) -> Any:
        return [T.tanh(node.inputs[0] * 3)]

    register(optdb[place], "in_compiler")
    f = theano.function([x], T.sin(x) + 1)
    np.testing.assert_allclose(f([0.2]), np.tanh([0.6]) + 1)
    without = theano.function([x], T.sin(x) + 1, mode=Mode().excluding("in_compiler"))
    np.testing.assert_allclose(without([0.2]), np.sin([0.2]) + 1)
    rows, _ = theano.scan(lambda h: T.sin(h), outputs_info=x, n_steps=2)
    want = np.tanh(3 * np.tanh([0.6]))
    np.testing.assert_allclose(theano.function([x], rows[-1])([0.2]), want)


def test_rewrites_with_tags_of_their_own(register: Any) -> None:
    @register_specialize("mine", name="other_name")
    @local_optimizer([T.sin])
    def tagged(node: Any) -> Any:
        return [T.cos(node.inputs[0])]

    register(optdb["specialize"], "other_name")
    optdb["specialize"].remove_tags("other_name", "fast_run", "specialize")
    assert "sin" in compiled(T.sin(x))[0]
    assert "cos" in compiled(T.sin(x), mode=Mode().including("mine"))[0]


def test_whole_graph_rewrites_in_the_compiler(register: Any) -> None:
    seen: list[str] = []

    class Look(Optimizer):
        def apply(self, fgraph: Any) -> None:
            seen.extend(names(fgraph))

    optdb.register("look", Look(), 1.9, "fast_run")
    register(optdb, "look")
    compiled(T.exp(x) - 1)
    # After the stable forms, before the special ones.
    assert "expm1" in seen
    register_useless(sin_to_cos, name="useless_sin")
    register(theano._core.legacy.optimizers.optdb.local_useless, "useless_sin")  # type: ignore[attr-defined]
    assert "cos" in compiled(T.sin(x))[0]


def test_modes_of_a_query_or_an_optimizer() -> None:
    only = Mode(optimizer=in2out(sin_to_cos))
    assert compiled(T.sin(x) * 1, mode=only).count("Elemwise{mul,no_inplace}") == 1
    assert "cos" in str(compiled(T.sin(x) * 1, mode=only))
    plain = Mode(optimizer=Query(include=["fast_run"], exclude=["canonicalize"]))
    assert "loops" not in Mode().excluding("loops").passes
    assert "canonical" not in plain.passes
    assert {*plain.passes, "canonical"} == {*Mode().passes}
    assert "Elemwise{exp,no_inplace}" in compiled(T.exp(x), mode=plain)
    more = Mode().register((in2out(sin_to_cos), 50))
    assert "cos" in compiled(T.sin(x), mode=more)[0]
    assert more != Mode() and more == more.clone()
    theano.compile.register_mode("ONLY_SIN", only)
    try:
        assert "cos" in str(compiled(T.sin(x), mode="ONLY_SIN"))
        with pytest.raises(ValueError, match="already taken"):
            theano.compile.register_mode("ONLY_SIN", only)
    finally:
        del theano.compile.predefined_modes["ONLY_SIN"]
    theano.compile.mode.register_optimizer("only_cos", in2out(sin_to_cos))
    try:
        assert "cos" in str(compiled(T.sin(x), mode=Mode(optimizer="only_cos")))
    finally:
        del theano._core.compile.modes.OPTIMIZERS["only_cos"]  # type: ignore[attr-defined]


def test_the_query_of_a_mode_is_read_and_assigned() -> None:
    mode = copy.copy(theano.compile.mode.get_default_mode())
    assert "fast_run" in mode._optimizer.include
    mode._optimizer = mode._optimizer.excluding("inplace", "fusion").including("mine")
    assert not mode.fuses and not mode.overwrites and "mine" in mode.selection.included
    mode._optimizer = theano.gof.Query(["fast_compile"])
    assert mode.fuses and mode.level == "fast_compile"


def test_the_compiler_as_an_optimizer() -> None:
    fg = graph(T.log(1 + x) + 0 * y)
    optdb.query("+fast_run").optimize(fg)
    assert "log1p" in names(fg)


def test_canonicalize_is_registered_by_name() -> None:
    with pytest.raises(TypeError):
        register_canonicalize(3)


def test_an_optimizer_that_is_used_too_often_ends_all(caplog: pytest.LogCaptureFixture) -> None:
    x = T.dvector("x")
    back_and_forth = EquilibriumOptimizer(
        [PatternSub((T.exp, "v"), (T.log, "v")), PatternSub((T.log, "v"), (T.exp, "v"))],
        max_use_ratio=2,
    )
    fgraph = theano.FunctionGraph([x], [T.exp(x)])
    back_and_forth.optimize(fgraph)
    assert "max'ed out" in caplog.text
    with theano.change_flags(on_opt_error="raise"), pytest.raises(AssertionError, match="max'ed"):
        back_and_forth.optimize(theano.FunctionGraph([x], [T.exp(x)]))


def test_tags_are_no_names_of_others() -> None:
    database = DB()
    database.register("first", optimizer(lambda fgraph: None))
    with pytest.raises(ValueError, match="The tag"):
        database.register("second", optimizer(lambda fgraph: None), "first")


def test_an_optimizer_for_the_operations_that_a_key_names() -> None:
    x = T.dvector("x")
    fgraph = theano.FunctionGraph([x], [T.exp(T.log(x))])
    opt.OpKeyOptimizer(PatternSub((T.log, "v"), (T.sqr, "v"))).optimize(fgraph)
    assert [node.op for node in fgraph.toposort()] == [T.sqr, T.exp]
    with pytest.raises(TypeError, match="op_key"):
        opt.OpKeyOptimizer(opt.LocalOptimizer())


def test_lengths_of_a_graph_as_a_feature() -> None:
    x, y = T.dmatrix("x"), T.drow("y")
    total = T.exp(x) + y
    fgraph = theano.FunctionGraph([x, y], [total.sum(0), total.T], clone=False)
    feature = theano.tensor.opt.ShapeFeature()
    fgraph.attach_feature(feature)
    assert fgraph.shape_feature is feature  # type: ignore[attr-defined]
    assert feature.same_shape(total, x)
    assert feature.same_shape(total.T, x, 0, 1)
    assert not feature.same_shape(x, y)
    assert feature.same_shape(y, T.constant(np.ones((1, 4))), 0, 0)
    assert feature.get_shape(total.sum(0), 0).eval({x: np.ones((2, 3))}) == 3
    with pytest.raises(IndexError):
        feature.same_shape(x, y, 2, 0)
    fgraph.remove_feature(feature)
    assert not hasattr(fgraph, "shape_feature")


def test_queries_that_optimizers_stand_for() -> None:
    from theano.compile import mode

    x = T.dvector("x")
    for query in (mode.OPT_NONE, mode.OPT_FAST_RUN.excluding("fusion"), mode.OPT_FAST_COMPILE):
        f = theano.function([x], 2 * x, mode=theano.Mode(optimizer=query))
        assert f([1.0]).tolist() == [2.0]
    assert mode.OPT_O3.exclude == {"inplace"} and mode.OPT_UNSAFE.include == {"fast_run", "unsafe"}


def test_what_an_equilibrium_returns() -> None:
    graph = FunctionGraph([x], [T.neg(T.neg(T.exp(x)))])
    optimizer = EquilibriumOptimizer([OpRemove(T.neg)], max_use_ratio=10)
    itself, times, (uses,), sizes, *rest = optimizer.optimize(graph)
    assert itself is optimizer and len(times) == 2 and sum(uses.values()) == 2
    assert sizes == (3, 1, 3) and len(rest) == 8


@pytest.mark.parametrize("name", ["stabilize", "fast_run_stable"])
def test_levels_of_other_names(name: str) -> None:
    f = theano.function([x], T.log(1 + x), mode=Mode(optimizer=name))
    assert f([1e-20]) == [1e-20]


def test_positions_and_names_can_be_asked_for() -> None:
    positions = optdb.__position__
    assert 0 < positions["canonicalize"] < positions["stabilize"] < positions["specialize"]
    named = theano.gof.optimizer(lambda graph: None)
    assert named.__name__ == str(named) == "<lambda>"


@pytest.mark.parametrize(
    ("tag", "left"),
    [("canonicalize", ["add", "log"]), ("stabilize", ["log1p"]), ("specialize", ["sqr"])],
)
def test_tags_of_databases_run_the_phases_of_the_engine(tag: str, left: list[str]) -> None:
    """As `optdb.query(Query(include=["canonicalize"]))` simplifies graphs of programs."""
    x = T.dvector("x")
    out = T.exp(x) ** 2 if tag == "specialize" else T.log(1 + x * 1 + 0)
    fgraph = theano.gof.FunctionGraph([x], [out], clone=True)
    query = theano.gof.Query(include=[tag])
    theano.compile.mode.optdb.query(query).optimize(fgraph)
    names = [node.op.name for node in fgraph.toposort()]
    assert [name for name in names if name != "exp"] == left
    mode = theano.Mode(optimizer=None).including(tag)
    f = theano.function([x], out, mode=mode)
    assert [n.op.name for n in f.maker.fgraph.toposort() if n.op.name != "exp"] == left
    np.testing.assert_allclose(f([0.5]), theano.function([x], out)([0.5]))


def test_rewritten_graphs_have_numbers_as_inputs() -> None:
    """Programs read rows of a matrix as `join.owner.inputs[1:]` once it has its canonical form."""
    x, y = T.dvectors("x", "y")
    row = theano.compile.view_op(T.exp(x))
    out = T.shape_padleft(T.stack([row, y[0:2]]))
    fgraph = theano.gof.FunctionGraph([x, y], [out, row], clone=True)
    theano.compile.optdb.query(theano.gof.Query(include=["canonicalize"])).optimize(fgraph)
    axis, *rows = fgraph.outputs[0].owner.inputs[0].owner.inputs
    assert axis.data == 0 and rows[0].owner.inputs[0] is fgraph.outputs[1]
    assert fgraph.outputs[1].owner.op == T.exp
    part = rows[1].owner.inputs[0].owner
    assert [v.data for v in part.inputs[1:]] == [0, 2]
    found = theano.function(fgraph.inputs, fgraph.outputs[0])([0.0, 0.0], [1.0, 2.0, 3.0])
    assert found.tolist() == [[[1, 1], [1, 2]]]


@pytest.mark.parametrize("name", ["hard_sigmoid", "ultra_fast_sigmoid"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8"])
def test_coarse_sigmoids_are_for_modes_that_ask_for_them(name: str, dtype: str) -> None:
    x = T.vector("x", dtype)
    coarse, value = getattr(T.nnet, name)(x), np.arange(-4, 5).astype(dtype)
    asking = theano.Mode().including(f"local_{name}")
    for mode, meant in ((asking, coarse), (theano.Mode(), T.nnet.sigmoid(x))):
        f = theano.function([x], [T.nnet.sigmoid(x), 1 / (1 + T.exp(-x))], mode=mode)
        wanted = theano.function([x], meant)(value)
        for result in f(value):
            np.testing.assert_allclose(result, wanted, rtol=2e-3 if dtype == "float16" else 2e-6)
    assert str(getattr(T.nnet.sigm, f"local_{name}")) == f"local_{name}"


def test_rewrites_by_request_may_be_named_by_a_setting() -> None:
    program = (
        "import theano, theano.tensor as T; x = T.dvector(); "
        "print(theano.function([x], T.nnet.sigmoid(x))([-1.0, 0.0]))"
    )
    flags = os.environ.get("THEANO_FLAGS", "") + ",optimizer_including=local_hard_sigmoid"
    environment = {**os.environ, "THEANO_FLAGS": flags}
    shown = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == ["[0.3", "0.5]"]

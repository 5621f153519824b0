"""Classes of operations that old programs make and test for."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.compile.ops import shape_i
from theano.ifelse import IfElse, ifelse
from theano.scan_module.scan_op import Scan
from theano.tensor import elemwise, extra_ops, fourier, nlinalg, subtensor
from theano.tensor.opt import Assert, assert_op


def test_classes_of_reductions() -> None:
    x = T.dmatrix("x")
    value = np.arange(6.0).reshape(2, 3)
    assert isinstance(x.sum(0).owner.op, T.Sum)
    assert isinstance(x.sum(0).owner.op, T.CAReduce)
    assert not isinstance(x.prod().owner.op, T.Sum)
    assert isinstance(x.prod().owner.op, elemwise.Prod)
    assert isinstance(T.any(x).owner.op, elemwise.Any)
    assert isinstance(T.all(x).owner.op, elemwise.All)
    assert T.Sum(1)(x).eval({x: value}).tolist() == [3, 12]
    assert T.Sum()(x).owner.op == x.sum().owner.op


def test_filled_arrays_are_found_by_the_function() -> None:
    x = T.dvector("x")
    f = theano.function([x], x * 0)
    assert [node.op for node in f.maker.fgraph.toposort()] == [
        theano.compile.ops.Shape_i(0),
        T.alloc,
    ]
    assert T.exp != T.alloc
    blas = T.blas
    assert str(blas.gemv_inplace) == "Gemv{inplace}" and str(blas.ger) == "Ger{non-destructive}"


def test_classes_of_indices() -> None:
    x, i = T.dmatrix("x"), T.lvector("i")
    read, written = x[i], T.set_subtensor(x[i], 0)
    assert isinstance(read.owner.op, T.AdvancedSubtensor1)
    assert isinstance(written.owner.op, subtensor.AdvancedIncSubtensor1)
    assert isinstance(x[i, i].owner.op, subtensor.BaseAdvancedSubtensor)
    assert isinstance(T.set_subtensor(x[i, i], 0).owner.op, subtensor.BaseAdvancedIncSubtensor)
    assert not isinstance(read.owner.op, subtensor.BaseAdvancedSubtensor)
    assert not isinstance(written.owner.op, T.AdvancedSubtensor1)
    assert not isinstance(x[:, i].owner.op, T.AdvancedSubtensor1)
    assert T.advanced_subtensor1(x, i).owner.op == read.owner.op
    assert T.advanced_set_subtensor1(x, x[i], i).owner.op == written.owner.op
    assert T.AdvancedIncSubtensor1() == T.advanced_inc_subtensor1
    assert isinstance(theano.sparse_grad(read).owner.op, T.AdvancedSubtensor1)
    with pytest.raises(TypeError, match="integer vector"):
        theano.sparse_grad(x[0])


def test_other_old_names() -> None:
    x = T.dmatrix("x")
    value = np.zeros((2, 3))
    assert shape_i(x, 1).eval({x: value}) == 3
    assert T.AllocEmpty("float32")(2, 3).eval().shape == (2, 3)
    assert T.AllocEmpty("float32")(2, 3).dtype == "float32"
    assert isinstance(assert_op, Assert)
    assert T.elemwise.Elemwise is T.Elemwise
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        T.nnet.nothing  # noqa: B018


def test_modules_do_not_hide_functions() -> None:
    from theano.tensor.var import TensorVariable

    assert T.TensorVariable is TensorVariable
    assert callable(T.var)
    assert T.xlogx.xlogx(T.dscalar()).ndim == 0


def test_names_of_blas() -> None:
    from theano.tensor import blas

    z, x = T.dmatrices("z", "x")
    out = blas.gemm_inplace(z, 2.0, x, x, 3.0)
    assert isinstance(out.owner.op, blas.Gemm)
    value = np.array([[1.0, 2.0], [3.0, 4.0]])
    got = theano.function([z, x], out, accept_inplace=True)(value.copy(), value)
    np.testing.assert_array_equal(got, 3 * value + 2 * value @ value)


def test_branches_and_loops_are_known_in_compiled_functions() -> None:
    x, s, w = T.dvector("x"), T.dscalar("s"), T.dvector("w")
    chosen = ifelse(s > 0, T.exp(x), x * 2, name="mine")
    f = theano.function([s, x], chosen)
    for op in (chosen.owner.op, f.maker.fgraph.toposort()[-1].op):
        assert isinstance(op, IfElse)
        assert (op.n_outs, op.name, op.gpu, str(op)) == (1, "mine", False, "if{mine}")
    assert not isinstance(T.exp(x).owner.op, IfElse)

    total, rng = theano.shared(0.0), T.shared_randomstreams.RandomStreams(3)
    outputs, _ = theano.scan(
        lambda now, after, h, two, one, k: (
            [now * k.sum(), h + after, two + one + rng.uniform(())],
            {total: total + 1},
        ),
        {"input": x, "taps": [0, 1]},
        [None, s, {"initial": w[:2], "taps": [-2, -1]}],
        w,
        truncate_gradient=5,
    )
    node = outputs[0].owner
    op = node.op
    assert isinstance(op, Scan)
    assert (op.n_seqs, op.n_mit_sot, op.n_sit_sot, op.n_nit_sot, op.n_shared_outs) == (
        2,
        1,
        2,
        1,
        1,
    )
    assert op.info["tap_array"] == op.tap_array == [[-2, -1], [-1], [-1]]
    assert (op.as_while, op.truncate_gradient, op.info["name"]) == (False, 5, "scan_fn")
    assert (op.mitsot_taps(), op.mitmot_taps(), op.mitmot_out_taps()) == ([[-2, -1]], [], [])
    assert (op.seqs_arg_offset, op.shared_arg_offset, op.nit_sot_arg_offset) == (3, 6, 7)
    assert op.destroy_map == {} and op.get_oinp_iinp_iout_oout_mappings() == op.var_mappings
    assert op.inner_seqs(op.inputs) == op.inputs[:2] and len(op.outer_seqs(node)) == 2
    assert op.outer_nitsot_outs(node) == [outputs[0]]
    assert [str(v.type) for v in op.inner_shared(op.inputs)] == ["RandomStateType"]
    assert len(op.inner_mitsot(op.inputs)) == 2 and len(op.outer_mitsot(node)) == 1
    assert op.outer_non_seqs(node)[-1] is w
    assert op.output_types[0] == T.dvector


def test_compiled_branches_are_found_by_the_operation_that_was_written() -> None:
    c, x = T.iscalar("c"), T.dvector("x")
    f = theano.function([c, x], ifelse(c, (x, x * 2), (x + 1, x)))
    nodes = f.maker.fgraph.toposort()
    assert sum(node.op == IfElse(2) for node in nodes) == 1
    assert not any(node.op == IfElse(1) for node in nodes)


def test_what_programs_read_of_operations_that_move_no_items() -> None:
    x = T.dmatrix("x")
    for view in (x.T, x.reshape((3, 2)), x[1:], T.addbroadcast(x, 0), T.specify_shape(x, (2, 3))):
        assert view.owner.op.view_map == {0: [0]}
    op = x.dimshuffle(1, "x", 0).owner.op
    assert (op.shuffle, op.augment, op.drop, op.inplace) == ([1, 0], [1], [], True)
    assert T.addbroadcast(x, 0).dimshuffle(1).owner.op.drop == [0]
    filled = T.fill(x, 0.0).owner.op
    assert isinstance(filled, T.Elemwise)
    assert filled.scalar_op == theano.scalar.second
    assert str(ifelse(T.iscalar(), x, x).owner.op) == "if{}"


def test_classes_derived_from_elemwise() -> None:
    class WithoutGradient(T.Elemwise):
        def connection_pattern(self, node: Any) -> Any:
            return [[False]]

        def grad(self, inputs: Any, output_gradients: Any) -> Any:
            return [theano.gradient.DisconnectedType()()]

    class Named(T.Elemwise):
        def __init__(self, scalar_op: Any) -> None:
            super().__init__(scalar_op, name="named")

    x, block, add = (
        T.dvector("x"),
        WithoutGradient(theano.scalar.identity),
        Named(theano.scalar.add),
    )
    assert isinstance(block, T.Elemwise) and not isinstance(block, Named)
    assert str(block) == "Elemwise{identity}" and str(add) == "named"
    assert block == WithoutGradient(theano.scalar.identity) != WithoutGradient(theano.scalar.exp)
    y = (block(x) * x).sum()
    value, gradient = theano.function([x], [y, T.grad(y, x)])([1.0, 2.0])
    assert value == 5 and gradient.tolist() == [1.0, 2.0]
    row = T.dmatrix("row")
    out = add(x, row)
    f = theano.function([x, row], [out, out.shape, T.grad(out.sum(), x), T.Rop(out, x, x)])
    sums, shape, gradient, along = f([1.0, 2.0], np.ones((3, 2)))
    assert sums.tolist() == [[2.0, 3.0]] * 3
    assert shape.tolist() == [3, 2] and gradient.tolist() == [3.0, 3.0]
    assert along.tolist() == [[1.0, 2.0]] * 3


def test_classes_have_the_names_that_programs_print_and_compare() -> None:
    x, v, i = T.dmatrix("x"), T.dvector("v"), T.lvector("i")
    named = {
        "Elemwise": (T.exp(x), x + 1, T.zeros_like(x), T.cast(i, "float32"), T.nnet.sigmoid(x)),
        "CAReduce": (x.max(), x.min(0)),
        "Sum": (x.sum(0), x.trace()),
        "Prod": (x.prod(),),
        "Any": (T.any(i),),
        "All": (T.all(x, 0),),
        "AdvancedSubtensor1": (x[i], x[[0, 1]], x.take(i, 0), theano.sparse_grad(x[i])),
        "AdvancedSubtensor": (x[i, i], x[:, i]),
        "AdvancedIncSubtensor1": (T.set_subtensor(x[i], 0), T.grad(x[i].sum(), x)),
        "AdvancedIncSubtensor": (T.set_subtensor(x[i, i], 0),),
        "Join": (T.join(0, x, x), T.stack([x, x]), T.roll(v, 1)),
        "Split": (T.split(x, [1, 2], 2)[0], T.Split(2)(x, 0, i)[1]),
        "RepeatOp": (T.repeat(v, i),),
        "QRFull": (T.nlinalg.qr(x)[0],),
        "QRIncomplete": (T.nlinalg.qr(x, "r"),),
        "CrossentropyCategorical1Hot": (T.nnet.crossentropy_categorical_1hot(x, i),),
        "CpuContiguous": (T.extra_ops.cpu_contiguous(x),),
        "Shape": (x.shape,),
        "Shape_i": (shape_i(x, 0),),
        "Scan": (theano.map(T.exp, v)[0],),
        "SortOp": (T.sort(x),),
        "ArgSortOp": (T.argsort(x),),
        "TopKOp": (T.topk(v, 2),),
        "SearchsortedOp": (T.extra_ops.searchsorted(v, v),),
        "CumOp": (T.cumsum(x, 0), T.cumprod(x, 1)),
        "RFFTOp": (T.fft.rfft(x),),
        "MatrixPinv": (T.nlinalg.pinv(x),),
        "lstsq": (T.nlinalg.lstsq()(x, x, 0.1)[0],),
        "Gemm": (T.blas.gemm_no_inplace(x, 1.0, x, x, 1.0),),
        "AbstractBatchNormTrain": (T.nnet.bn.batch_normalization_train(x, v, v)[0],),
    }
    for name, outputs in named.items():
        assert {type(out.owner.op).__name__ for out in outputs} == {name}
    same = pickle.loads(pickle.dumps(T.exp(x)))
    assert same.owner.op is T.exp and type(same.owner.op) is type(T.exp)
    written = T.set_subtensor(x[i], 0)
    for made in (x.sum(0), T.nlinalg.qr(x)[0], T.split(x, [1, 2], 2)[0], x[i], written):
        op = made.owner.op
        for other in (pickle.loads(pickle.dumps(made)).owner.op, copy.deepcopy(op)):
            assert other == op and type(other) is type(op)


def test_classes_are_equal_to_those_of_operations() -> None:
    """Programs keep functions by class: `converters[type(node.op)]`."""
    x, i = T.dmatrix("x"), T.lvector("i")
    for out, cls in (
        (x.sum(0), T.Sum),
        (x.prod(), elemwise.Prod),
        (x.max(), T.CAReduce),
        (x + 1, T.Elemwise),
        (x[1:], T.Subtensor),
        (T.inc_subtensor(x[0], 1), T.IncSubtensor),
        (T.inc_subtensor(x[i], 1), subtensor.AdvancedIncSubtensor1),
        (T.join(0, x, x), T.Join),
        (T.split(x, [1, 2], 2)[0], T.Split),
    ):
        kind = type(out.owner.op)
        assert kind == cls and {cls: 1}[kind] == 1 and kind != elemwise.All
        assert isinstance(out.owner.op, cls)


def test_operations_are_made_anew_from_what_they_were_made_with() -> None:
    """As libraries that rebuild graphs do, which keep `_props_dict()` of each operation."""
    x, v, i = T.dmatrix("x"), T.dvector("v"), T.lvector("i")
    for out in (
        *(x.max(0), x.T, x.reshape((3, 2)), x[1:, 0], x.shape, T.dot(x, v), T.join(0, x, x)),
        *(T.inc_subtensor(x[0], 1), T.set_subtensor(x[i], 1), x[i, i], T.eye(3), T.cumsum(x, 1)),
        *(T.sort(x), T.nlinalg.det(x), T.nlinalg.qr(x)[0], T.opt.Assert("m")(x, x.sum() > 0)),
    ):
        op: Any = out.owner.op
        known = op._props_dict()
        assert list(known) == list(op.__props__) and op._props() == tuple(known.values())
        assert type(op)(**known) == op == type(op)(*known.values())
        assert type(type(op)(**known)) is type(op)
    assert T.diag(x, 1).owner.op._props_dict()["offset"] == 1


def test_factorizations_are_made_anew_by_the_names_of_their_arguments() -> None:
    class Named(T.slinalg.Cholesky):
        pass

    structures = (*T.slinalg.MATRIX_STRUCTURES, "positive_definite")
    for op in (
        *(cls(lower=lower) for cls in (T.slinalg.Cholesky, Named) for lower in (True, False)),
        *(T.slinalg.Solve(s, low) for s in structures for low in (True, False)),
    ):
        known = op._props_dict()
        assert known["lower"] is op.lower and op._props() == tuple(known.values())
        assert type(op)(**known) == op and type(type(op)(**known)) is type(op)


def test_axes_of_joins_and_splits_are_inputs() -> None:
    """So walks over graphs find them, and rules of users take them from there."""
    x, y, sizes = T.dmatrix("x"), T.dmatrix("y"), T.lvector("sizes")
    for joined, axis in ((T.join(1, x, y), 1), (T.concatenate([x, y], axis=-1), -1)):
        node = joined.owner
        assert node.inputs[0].data == axis and node.inputs[1:] == [x, y]
        assert str(node.op) == "Join" and node.op.view == -1
        assert node.op(*node.inputs).owner.inputs[1:] == [x, y]
    outputs = [joined, T.grad((joined**2).sum(), y), T.Rop(joined, x, y), joined.shape]
    found = theano.function([x, y], outputs)([[1, 2]], [[3, 4]])
    assert [v.tolist() for v in found] == [[[1, 2, 3, 4]], [[6, 8]], [[3, 4, 0, 0]], [1, 4]]
    shown = theano.function([x, y], joined).maker.fgraph.toposort()[-1]
    assert isinstance(shown.op, T.Join) and len(shown.inputs) == 3
    assert shown.inputs[0].data == 1 and str(shown.op) == "Join"
    rows = theano.scan(lambda row: T.concatenate([row, 2 * row]), x)[0]
    assert rows.eval({x: [[1, 2]]}).tolist() == [[1, 2, 2, 4]]
    first, second = T.split(x, sizes, 2, axis=1)
    assert first.owner is second.owner and first.owner.op == T.Split(2)
    assert first.owner.op.len_splits == 2 and str(first.owner.op) == "Split{2}"
    data, axis, lengths = first.owner.inputs
    assert (data, axis.data, lengths) == (x, 1, sizes)
    outputs = [second, T.grad((second**2).sum(), x)]
    found = theano.function([x, sizes], outputs)([[1, 2, 3]], [1, 2])
    assert [v.tolist() for v in found] == [[[2, 3]], [[0, 4, 6]]]
    i = T.lscalar("i")
    either = T.join(i, x, y)
    assert either.owner.inputs == [i, x, y] and isinstance(either.owner.op, T.Join)
    assert either.owner.op == T.join_ and str(either.owner.op) == "Join"
    f = theano.function([i, x, y], either)
    assert sum(isinstance(node.op, T.Join) for node in f.maker.fgraph.toposort()) == 1
    assert [f(k, [[1]], [[2]]).tolist() for k in (0, -1)] == [[[1], [2]], [[1, 2]]]
    repeated = T.repeat(y[0], sizes)
    assert repeated.owner.inputs[1] is sizes and repeated.owner.op.axis == 0
    assert repeated.eval({y: [[1, 2]], sizes: [2, 1]}).tolist() == [1, 1, 2]


def test_methods_of_what_stands_for_operations_are_called_by_its_name() -> None:
    class Product(T.Elemwise):
        def __init__(self) -> None:
            T.Elemwise.__init__(self, theano.scalar.mul)

        def grad(self, inputs: Any, output_grads: Any) -> Any:
            return [2 * g for g in T.Elemwise.grad(self, inputs, output_grads)]

    class Rows(T.Sum):
        def __init__(self) -> None:
            T.Sum.__init__(self, axis=1)

        def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
            T.Sum.perform(self, node, inputs, outputs)
            outputs[0][0] = outputs[0][0] + 1

    x = T.dmatrix()
    y = Product()(x, x + 1)
    f = theano.function([x], [Rows()(y), T.grad(y.sum(), x)])
    value = np.array([[1.0, 2], [3, 4]])
    total, slope = f(value)
    np.testing.assert_array_equal(total, (value * (value + 1)).sum(1) + 1)
    np.testing.assert_array_equal(slope, 2 * (2 * value + 1))


class Difference(T.Elemwise):
    """At the top of a module, where pickles find it."""

    def __init__(self) -> None:
        T.Elemwise.__init__(self, theano.scalar.sub)


def test_graphs_of_derived_operations_are_pickled() -> None:
    x = T.dvector()
    copy = pickle.loads(pickle.dumps(Difference()(x, x * 3)))
    (leaf,) = theano.gof.graph.inputs([copy])[:1]
    np.testing.assert_array_equal(copy.eval({leaf: [1.0, 2.0]}), [-2.0, -4.0])


def test_nodes_are_made_of_lists_of_variables() -> None:
    x = T.dvector()
    node = theano.Apply(T.exp, (x,), iter([x.type()]))
    assert node.inputs == [x] and len(node.outputs) == 1
    for inputs, outputs, name in (
        (x, [], "inputs"),
        ([x], x.type(), "outputs"),
        ([1], [], "inputs"),
    ):
        with pytest.raises(TypeError, match=f"'{name}' of Apply"):
            theano.Apply(T.exp, inputs, outputs)


VALUES = np.arange(9.0).reshape(3, 3) ** 2


@pytest.mark.parametrize(
    ("make", "cls", "options", "wanted"),
    [
        (
            lambda x: T.diff(x, 2, axis=0),
            extra_ops.DiffOp,
            {"n": 2, "axis": 0},
            np.diff(VALUES, 2, 0),
        ),
        (
            T.diag,
            T.ExtractDiag,
            {"offset": 0, "axis1": 0, "axis2": 1, "view": False},
            np.diag(VALUES),
        ),
        (lambda x: x.diagonal(1), nlinalg.ExtractDiag, {"offset": 1}, np.diag(VALUES, 1)),
        (
            lambda x: T.diag(x[0], -1),
            T.AllocDiag,
            {"offset": -1, "axis1": 0},
            np.diag(VALUES[0], -1),
        ),
        (
            lambda x: T.fill_diagonal(x, 7),
            extra_ops.FillDiagonal,
            {},
            np.where(np.eye(3), 7, VALUES),
        ),
        (
            lambda x: T.fill_diagonal_offset(x, 7, 1),
            extra_ops.FillDiagonalOffset,
            {},
            np.where(np.eye(3, k=1), 7, VALUES),
        ),
        (lambda x: T.bartlett(x.shape[0]), extra_ops.Bartlett, {}, np.bartlett(3)),
        (
            lambda x: nlinalg.tensorinv(x + T.eye(3), 1),
            nlinalg.TensorInv,
            {"ind": 1},
            np.linalg.inv(VALUES + np.eye(3)),
        ),
        (lambda x: fourier.fft(x, 2, 1), fourier.Fourier, {}, np.fft.fft(VALUES, 2, 1)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_functions_make_the_operations_of_theano(
    make: Any, cls: type, options: dict[str, Any], wanted: np.ndarray
) -> None:
    x, column = T.dmatrix("x"), T.dcol("column")
    out = make(x)
    assert isinstance(out.owner.op, cls)
    assert {name: getattr(out.owner.op, name) for name in options} == options
    assert not isinstance((x + 1).owner.op, cls)
    f = theano.function([x], out)
    assert [isinstance(node.op, cls) for node in f.maker.fgraph.toposort()].count(True) == 1
    np.testing.assert_allclose(f(VALUES), wanted)
    copy = pickle.loads(pickle.dumps(out))
    assert copy.owner.op == out.owner.op and hash(copy.owner.op) == hash(out.owner.op)
    # Of another type it is made anew.
    retyped = theano.clone(out, {x: column}, strict=False)
    assert (
        retyped.eval({column: VALUES[:, :1]}).shape
        == make(column).eval({column: VALUES[:, :1]}).shape
    )


def test_sums_and_products_have_nodes_of_several_operands() -> None:
    x, y, z = T.dvector("x"), T.dscalar("y"), T.fvector("z")
    for op, wanted in ((T.add, 9), (T.mul, 24)):
        out = op.make_node(x, y, z).outputs[0]
        assert out.type == x.type
        assert out.eval({x: [2], y: 3, z: np.float32([4])}).tolist() == [wanted]
    with pytest.raises(TypeError, match="takes 2 arguments"):
        T.sub.make_node(x, x, x)


def test_classes_are_those_of_the_operations_that_they_stand_for() -> None:
    """Programs write `type(node.op) == Images2Neibs` and `node.op.__class__.__name__`."""
    from theano.tensor.nnet.neighbours import Images2Neibs, images2neibs

    x = T.dvector()
    for out, own, other in (
        (images2neibs(T.tensor4(), (2, 2)), Images2Neibs, nlinalg.AllocDiag),
        (nlinalg.diag(x), nlinalg.AllocDiag, nlinalg.ExtractDiag),
        (nlinalg.diag(T.dmatrix()), nlinalg.ExtractDiag, nlinalg.AllocDiag),
        (extra_ops.diff(x), extra_ops.DiffOp, extra_ops.CumOp),
        (extra_ops.cumsum(x), extra_ops.CumOp, extra_ops.DiffOp),
    ):
        kind = type(out.owner.op)
        assert kind == own and kind != other and kind in [other, own]
        assert {own: 1}[kind] == 1 and kind not in {other}
        assert kind.__name__ == own.__name__
        for same in (pickle.loads(pickle.dumps(out.owner.op)), copy.deepcopy(out.owner.op)):
            assert same == out.owner.op and type(same) is kind


def test_names_of_classes_that_programs_look_for() -> None:
    c, x, y = T.dscalar(), T.dvector(), T.dvector()
    f = theano.function([c, x, y], [ifelse(c, T.exp(x), T.log(y)), T.argmax(x)])
    names = {type(node.op).__name__ for node in f.maker.fgraph.toposort()}
    assert {"IfElse", "Argmax"} <= names

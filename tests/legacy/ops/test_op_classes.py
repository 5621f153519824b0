"""Classes of operations that old programs make and test for, and when operations are equal."""

import copy
import importlib
import pickle

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate, ops
from theano.compile.ops import Shape_i, shape_i
from theano.gof import InconsistencyError
from theano.ifelse import IfElse, ifelse
from theano.scalar import identity
from theano.scan_module.scan_op import Scan
from theano.tensor import elemwise, extra_ops, fourier, nlinalg, nnet, subtensor
from theano.tensor.nnet.neighbours import Images2Neibs, images2neibs
from theano.tensor.nnet.nnet import scalar_softsign
from theano.tensor.nnet.sigm import ultra_fast_scalar_sigmoid
from theano.tensor.opt import Assert, assert_op
from theano.tensor.var import TensorVariable
from theano.tensor.xlogx import scalar_xlogx

x, y, v, w = T.dmatrix("x"), T.dmatrix("y"), T.dvector("v"), T.dvector("w")
i, j, s = T.lvector("i"), T.lscalar("j"), T.dscalar("s")
equal = np.testing.assert_array_equal
READ, WRITTEN = x[i], T.set_subtensor(x[i], 0)


@pytest.mark.parametrize(
    ("out", "kinds", "others"),
    [
        (x.sum(0), (T.Sum, T.CAReduce), (elemwise.Prod, elemwise.All)),
        (x.prod(), (elemwise.Prod, T.CAReduce), (T.Sum,)),
        (T.any(x), (elemwise.Any,), (elemwise.All,)),
        (T.all(x), (elemwise.All,), (elemwise.Any,)),
        (READ, (T.AdvancedSubtensor1,), (subtensor.BaseAdvancedSubtensor,)),
        (WRITTEN, (subtensor.AdvancedIncSubtensor1,), (T.AdvancedSubtensor1,)),
        (x[i, i], (subtensor.BaseAdvancedSubtensor,), (T.AdvancedSubtensor1,)),
        (x[:, i], (), (T.AdvancedSubtensor1,)),
        (T.set_subtensor(x[i, i], 0), (subtensor.BaseAdvancedIncSubtensor,), ()),
        (theano.sparse_grad(READ), (T.AdvancedSubtensor1,), ()),
        (T.fill(x, 0.0), (T.Elemwise,), ()),
        (T.exp(x), (T.Elemwise,), (IfElse, T.Sum)),
    ],
)
def test_classes_are_found_by_isinstance(out, kinds, others):
    assert all(isinstance(out.owner.op, kind) for kind in kinds)
    assert not isinstance(out.owner.op, others)


def test_old_names_make_the_operations_of_the_engine():
    assert T.Sum()(x).owner.op == x.sum().owner.op
    assert T.advanced_subtensor1(x, i).owner.op == READ.owner.op
    assert T.advanced_set_subtensor1(x, x[i], i).owner.op == WRITTEN.owner.op
    assert T.AdvancedIncSubtensor1() == T.advanced_inc_subtensor1
    assert isinstance(assert_op, Assert) and T.elemwise.Elemwise is T.Elemwise
    assert T.TensorVariable is TensorVariable and callable(T.var)
    assert T.xlogx.xlogx(T.dscalar()).ndim == 0
    assert T.AllocEmpty("float32")(2, 3).dtype == "float32"
    outs = [T.Sum(1)(x), shape_i(x, 1), T.AllocEmpty("float32")(2, 3).shape]
    found = evaluate(outs, {x: np.arange(6.0).reshape(2, 3)})
    assert [value.tolist() for value in found] == [[3, 12], 3, [2, 3]]
    with pytest.raises(TypeError, match="integer vector"):
        theano.sparse_grad(x[0])
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        T.nnet.nothing  # noqa: B018


def test_operations_are_found_in_functions():
    f = theano.function([v], v * 0)
    assert [node.op for node in f.maker.fgraph.toposort()] == [Shape_i(0), T.alloc] != [T.exp] * 2
    f = theano.function([s, v, w], [ifelse(s, T.exp(v), T.log(w)), T.argmax(v)])
    assert {"IfElse", "Argmax"} <= {type(op).__name__ for op in ops(f, object)}
    c = T.iscalar("c")
    f = theano.function([c, v], ifelse(c, (v, v * 2), (v + 1, v)))
    assert ops(f, object).count(IfElse(2)) == 1 and IfElse(1) not in ops(f, object)


def test_branches_are_known_by_their_attributes():
    chosen = ifelse(s > 0, T.exp(v), v * 2, name="mine")
    f = theano.function([s, v], chosen)
    for op in (chosen.owner.op, ops(f, IfElse)[-1]):
        assert isinstance(op, IfElse)
        assert (op.n_outs, op.name, op.gpu, str(op)) == (1, "mine", False, "if{mine}")
    assert str(ifelse(T.iscalar(), x, x).owner.op) == "if{}"


def test_loops_are_known_by_their_attributes():
    total, rng = theano.shared(0.0), T.shared_randomstreams.RandomStreams(3)
    outputs, _ = theano.scan(
        lambda now, after, h, two, one, k: (
            [now * k.sum(), h + after, two + one + rng.uniform(())],
            {total: total + 1},
        ),
        {"input": v, "taps": [0, 1]},
        [None, s, {"initial": w[:2], "taps": [-2, -1]}],
        w,
        truncate_gradient=5,
    )
    node = outputs[0].owner
    op = node.op
    assert isinstance(op, Scan)
    counts = (op.n_seqs, op.n_mit_sot, op.n_sit_sot, op.n_nit_sot, op.n_shared_outs)
    assert counts == (2, 1, 2, 1, 1)
    assert op.info["tap_array"] == op.tap_array == [[-2, -1], [-1], [-1]]
    assert (op.as_while, op.truncate_gradient, op.info["name"]) == (False, 5, "scan_fn")
    assert (op.mitsot_taps(), op.mitmot_taps(), op.mitmot_out_taps()) == ([[-2, -1]], [], [])
    assert (op.seqs_arg_offset, op.shared_arg_offset, op.nit_sot_arg_offset) == (3, 6, 7)
    assert op.destroy_map == {} and op.get_oinp_iinp_iout_oout_mappings() == op.var_mappings
    assert op.inner_seqs(op.inputs) == op.inputs[:2] and len(op.outer_seqs(node)) == 2
    assert op.outer_nitsot_outs(node) == [outputs[0]]
    assert [str(v.type) for v in op.inner_shared(op.inputs)] == ["RandomStateType"]
    assert len(op.inner_mitsot(op.inputs)) == 2 and len(op.outer_mitsot(node)) == 1
    assert op.outer_non_seqs(node)[-1] is w and op.output_types[0] == T.dvector


def test_what_programs_read_of_operations_that_move_no_elements():
    for view in (x.T, x.reshape((3, 2)), x[1:], T.addbroadcast(x, 0), T.specify_shape(x, (2, 3))):
        assert view.owner.op.view_map == {0: [0]}
    op = x.dimshuffle(1, "x", 0).owner.op
    assert (op.shuffle, op.augment, op.drop, op.inplace) == ([1, 0], [1], [], True)
    assert T.addbroadcast(x, 0).dimshuffle(1).owner.op.drop == [0]
    assert T.fill(x, 0.0).owner.op.scalar_op == theano.scalar.second


def test_classes_derived_from_elemwise():
    class WithoutGradient(T.Elemwise):
        def connection_pattern(self, node):
            return [[False]]

        def grad(self, inputs, output_gradients):
            return [theano.gradient.DisconnectedType()()]

    class Named(T.Elemwise):
        def __init__(self, scalar_op):
            super().__init__(scalar_op, name="named")

    block, add = WithoutGradient(identity), Named(theano.scalar.add)
    assert isinstance(block, T.Elemwise) and not isinstance(block, Named)
    assert str(block) == "Elemwise{identity}" and str(add) == "named"
    assert block == WithoutGradient(identity) != WithoutGradient(theano.scalar.exp)
    product, out = (block(v) * v).sum(), add(v, x)
    outs = [product, T.grad(product, v), out, out.shape, T.grad(out.sum(), v), T.Rop(out, v, v)]
    found = [value.tolist() for value in evaluate(outs, {v: [1.0, 2.0], x: np.ones((3, 2))})]
    assert found == [5, [1, 2], [[2, 3]] * 3, [3, 2], [3, 3], [[1, 2]] * 3]


NAMED = {
    "Elemwise": (T.exp(x), x + 1, T.zeros_like(x), T.cast(i, "float32"), T.nnet.sigmoid(x)),
    "CAReduce": (x.max(), x.min(0)),
    "Sum": (x.sum(0), x.trace()),
    "Prod": (x.prod(),),
    "Any": (T.any(i),),
    "All": (T.all(x, 0),),
    "AdvancedSubtensor1": (READ, x[[0, 1]], x.take(i, 0), theano.sparse_grad(READ)),
    "AdvancedSubtensor": (x[i, i], x[:, i]),
    "AdvancedIncSubtensor1": (WRITTEN, T.grad(READ.sum(), x)),
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


@pytest.mark.parametrize("name", NAMED)
def test_classes_have_the_names_that_programs_print_and_compare(name):
    assert {type(out.owner.op).__name__ for out in NAMED[name]} == {name}


# What is of a class: programs keep functions by it, as `converters[type(node.op)]`.
CLASSES = [
    (T.exp(x), T.Elemwise),
    (x.sum(0), T.Sum),
    (x.prod(), elemwise.Prod),
    (x.max(), T.CAReduce),
    (x[1:], T.Subtensor),
    (T.inc_subtensor(x[0], 1), T.IncSubtensor),
    (READ, T.AdvancedSubtensor1),
    (WRITTEN, subtensor.AdvancedIncSubtensor1),
    (T.join(0, x, x), T.Join),
    (T.split(x, [1, 2], 2)[0], T.Split),
    (T.nlinalg.qr(x)[0], nlinalg.QRFull),
    (images2neibs(T.tensor4(), (2, 2)), Images2Neibs),
    (nlinalg.diag(v), nlinalg.AllocDiag),
    (nlinalg.diag(x), nlinalg.ExtractDiag),
    (extra_ops.diff(v), extra_ops.DiffOp),
    (extra_ops.cumsum(v), extra_ops.CumOp),
]


@pytest.mark.parametrize(("out", "cls"), CLASSES, ids=lambda value: getattr(value, "__name__", ""))
def test_classes_are_equal_to_those_of_operations(out, cls):
    op, other = out.owner.op, elemwise.All
    kind = type(op)
    assert kind == cls and kind != other and kind in [other, cls] and kind not in {other}
    assert {cls: 1}[kind] == 1 and kind.__name__ == cls.__name__ and isinstance(op, cls)
    copies = pickle.loads(pickle.dumps(out)).owner.op, copy.deepcopy(op)
    for same in (*copies, pickle.loads(pickle.dumps(op))):
        assert same == op and type(same) is kind


def test_operations_are_made_anew_from_what_they_were_made_with():
    """As libraries that rebuild graphs do, which keep `_props_dict()` of each operation."""

    class Named(T.slinalg.Cholesky):
        pass

    factors = [cls(lower=lower) for cls in (T.slinalg.Cholesky, Named) for lower in (True, False)]
    structures = (*T.slinalg.MATRIX_STRUCTURES, "positive_definite")
    solvers = [T.slinalg.Solve(kind, lower) for kind in structures for lower in (True, False)]
    for op in (*factors, *solvers):
        known = op._props_dict()
        assert known["lower"] is op.lower and op._props() == tuple(known.values())
        assert type(op)(**known) == op and type(type(op)(**known)) is type(op)
    for out in (
        *(x.max(0), x.T, x.reshape((3, 2)), x[1:, 0], x.shape, T.dot(x, v), T.join(0, x, x)),
        *(T.inc_subtensor(x[0], 1), T.set_subtensor(x[i], 1), x[i, i], T.eye(3), T.cumsum(x, 1)),
        *(T.sort(x), T.nlinalg.det(x), T.nlinalg.qr(x)[0], T.opt.Assert("m")(x, x.sum() > 0)),
    ):
        op = out.owner.op
        known = op._props_dict()
        assert list(known) == list(op.__props__) and op._props() == tuple(known.values())
        assert type(op)(**known) == op == type(op)(*known.values())
        assert type(type(op)(**known)) is type(op)
    assert T.diag(x, 1).owner.op._props_dict()["offset"] == 1


def test_axes_of_joins_are_inputs():
    """So walks over graphs find them, and rules of users take them from there."""
    for joined, axis in ((T.join(1, x, y), 1), (T.concatenate([x, y], axis=-1), -1)):
        node = joined.owner
        assert node.inputs[0].data == axis and node.inputs[1:] == [x, y]
        assert str(node.op) == "Join" and node.op.view == -1
        assert node.op(*node.inputs).owner.inputs[1:] == [x, y]
    outputs = [joined, T.grad((joined**2).sum(), y), T.Rop(joined, x, y), joined.shape]
    found = evaluate(outputs, {x: [[1, 2]], y: [[3, 4]]})
    assert [v.tolist() for v in found] == [[[1, 2, 3, 4]], [[6, 8]], [[3, 4, 0, 0]], [1, 4]]
    shown = theano.function([x, y], joined).maker.fgraph.toposort()[-1]
    assert isinstance(shown.op, T.Join) and len(shown.inputs) == 3
    assert shown.inputs[0].data == 1 and str(shown.op) == "Join"
    rows = theano.scan(lambda row: T.concatenate([row, 2 * row]), x)[0]
    assert rows.eval({x: [[1, 2]]}).tolist() == [[1, 2, 2, 4]]
    either = T.join(j, x, y)
    assert either.owner.inputs == [j, x, y] and isinstance(either.owner.op, T.Join)
    assert either.owner.op == T.join_ and str(either.owner.op) == "Join"
    f = theano.function([j, x, y], either)
    assert len(ops(f, T.Join)) == 1
    assert [f(k, [[1]], [[2]]).tolist() for k in (0, -1)] == [[[1], [2]], [[1, 2]]]


def test_lengths_of_splits_and_repetitions_are_inputs():
    first, second = T.split(x, i, 2, axis=1)
    op = first.owner.op
    assert first.owner is second.owner and op == T.Split(2)
    assert op.len_splits == 2 and str(op) == "Split{2}"
    data, axis, lengths = first.owner.inputs
    assert (data, axis.data, lengths) == (x, 1, i)
    found = evaluate([second, T.grad((second**2).sum(), x)], {x: [[1, 2, 3]], i: [1, 2]})
    assert [v.tolist() for v in found] == [[[2, 3]], [[0, 4, 6]]]
    repeated = T.repeat(y[0], i)
    assert repeated.owner.inputs[1] is i and repeated.owner.op.axis == 0
    assert repeated.eval({y: [[1, 2]], i: [2, 1]}).tolist() == [1, 1, 2]


class Difference(T.Elemwise):
    """At the top of a module, where pickles find it."""

    def __init__(self):
        T.Elemwise.__init__(self, theano.scalar.sub)


def test_methods_of_what_stands_for_operations_are_called_by_its_name():
    class Product(T.Elemwise):
        def __init__(self):
            T.Elemwise.__init__(self, theano.scalar.mul)

        def grad(self, inputs, output_grads):
            return [2 * g for g in T.Elemwise.grad(self, inputs, output_grads)]

    class Rows(T.Sum):
        def __init__(self):
            T.Sum.__init__(self, axis=1)

        def perform(self, node, inputs, outputs):
            T.Sum.perform(self, node, inputs, outputs)
            outputs[0][0] = outputs[0][0] + 1

    out, value = Product()(x, x + 1), np.array([[1.0, 2], [3, 4]])
    total, gradient = evaluate([Rows()(out), T.grad(out.sum(), x)], {x: value})
    equal(total, (value * (value + 1)).sum(1) + 1)
    equal(gradient, 2 * (2 * value + 1))
    copied = pickle.loads(pickle.dumps(Difference()(v, v * 3)))
    (leaf,) = theano.gof.graph.inputs([copied])[:1]
    equal(copied.eval({leaf: [1.0, 2.0]}), [-2.0, -4.0])


def test_nodes_are_made_of_lists_of_variables():
    node = theano.Apply(T.exp, (v,), iter([v.type()]))
    assert node.inputs == [v] and len(node.outputs) == 1
    for inputs, outputs, name in ((v, [], "in"), ([v], v.type(), "out"), ([1], [], "in")):
        with pytest.raises(TypeError, match=f"'{name}puts' of Apply"):
            theano.Apply(T.exp, inputs, outputs)


def test_sums_and_products_have_nodes_of_several_operands():
    z = T.fvector("z")
    outs = [op.make_node(v, s, z).outputs[0] for op in (T.add, T.mul)]
    assert {out.type for out in outs} == {v.type}
    assert evaluate(outs, {v: [2], s: 3, z: np.float32([4])}) == [9, 24]
    with pytest.raises(TypeError, match="takes 2 arguments"):
        T.sub.make_node(v, v, v)


VALUES = np.arange(9.0).reshape(3, 3) ** 2
FILLED, ABOVE = np.where(np.eye(3), 7, VALUES), np.where(np.eye(3, k=1), 7, VALUES)
EXTRACTED = {"offset": 0, "axis1": 0, "axis2": 1, "view": False}
INVERSE = np.linalg.inv(VALUES + np.eye(3))


@pytest.mark.parametrize(
    ("make", "cls", "options", "wanted"),
    [
        (lambda x: T.diff(x, 2, 0), extra_ops.DiffOp, {"n": 2, "axis": 0}, np.diff(VALUES, 2, 0)),
        (T.diag, T.ExtractDiag, EXTRACTED, np.diag(VALUES)),
        (lambda x: x.diagonal(1), nlinalg.ExtractDiag, {"offset": 1}, np.diag(VALUES, 1)),
        (lambda x: T.diag(x[0], -1), T.AllocDiag, {"offset": -1}, np.diag(VALUES[0], -1)),
        (lambda x: T.fill_diagonal(x, 7), extra_ops.FillDiagonal, {}, FILLED),
        (lambda x: T.fill_diagonal_offset(x, 7, 1), extra_ops.FillDiagonalOffset, {}, ABOVE),
        (lambda x: T.bartlett(x.shape[0]), extra_ops.Bartlett, {}, np.bartlett(3)),
        (lambda x: nlinalg.tensorinv(x + T.eye(3), 1), nlinalg.TensorInv, {"ind": 1}, INVERSE),
        (lambda x: fourier.fft(x, 2, 1), fourier.Fourier, {}, np.fft.fft(VALUES, 2, 1)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_functions_make_the_operations_of_theano(make, cls, options, wanted):
    out, column = make(x), T.dcol("column")
    op = out.owner.op
    assert isinstance(op, cls) and not isinstance((x + 1).owner.op, cls)
    assert {name: getattr(op, name) for name in options} == options
    f = theano.function([x], out)
    assert len(ops(f, cls)) == 1
    np.testing.assert_allclose(f(VALUES), wanted)
    copied = pickle.loads(pickle.dumps(out)).owner.op
    assert copied == op and hash(copied) == hash(op)
    # Of another type it is made anew.
    outs = [theano.clone(out, {x: column}, strict=False).shape, make(column).shape]
    equal(*evaluate(outs, {column: VALUES[:, :1]}))


# -- operations by name, and those of nodes -------------------------------------------------------

MODULES = (
    *("compile.ops", "scalar", "tensor", "tensor.blas", "tensor.extra_ops", "tensor.inplace"),
    *("tensor.nlinalg", "tensor.nnet", "tensor.nnet.blocksparse", "tensor.nnet.nnet"),
    *("tensor.nnet.sigm", "tensor.slinalg", "tensor.sort", "tensor.subtensor", "tensor.xlogx"),
)
# What those say that take other operands.
REFUSALS = (AssertionError, IndexError, NotImplementedError, TypeError, ValueError)


def _public():
    for name in MODULES:
        module = importlib.import_module(f"theano.{name}")
        for each in getattr(module, "__all__", dir(module)):
            value = getattr(module, each)
            if hasattr(value, "make_node") and not isinstance(value, type):
                yield f"{name}.{each}", value


def _operands():
    m, n, im = T.dmatrix(), T.dmatrix(), T.lmatrix()
    one, whole = theano.scalar.float64(), theano.scalar.int64()
    three, four = T.dtensor3(), T.dtensor4()
    return [
        *((m,), (v,), (i,), (im,), (three,), (m, n), (v, w), (m, v), (m, j), (v, i), (i, i)),
        *((s, m), (m, n, v), (m, v, i), (0, m, n), (m, n, s, s), (m, s, v, w), (v, s, m, w, s)),
        *((one,), (one, one), (one, one, one), (whole,), (whole, whole)),
        *((four, four, three, im, im), (three, four, three, im, im), (m, i, i), (m, n, i)),
    ]


def test_what_equals_the_operation_of_a_node_has_its_hash_and_can_be_pickled():
    found, operands = set(), _operands()
    for name, op in _public():
        for given in operands:
            try:
                made = op(*given)
            except (*REFUSALS, InconsistencyError):
                continue
            first = made[0] if isinstance(made, (list, tuple)) and made else made
            if getattr(first, "owner", None) is None:
                continue
            own = first.owner.op
            assert (op == own) is (own == op), name
            if op == own and name not in found:
                found.add(name)
                back = pickle.loads(pickle.dumps(op))
                assert back == op == own and back == own, name
                assert hash(back) == hash(op) == hash(own) and str(back) == str(op), name
    assert found >= {
        *("tensor.join_", "tensor.exp", "tensor.inplace.exp_inplace", "scalar.and_"),
        *("tensor.nnet.softmax_op", "tensor.nnet.softmax_with_bias"),
        "tensor.nnet.blocksparse.sparse_block_gemv",
    }


@pytest.mark.parametrize(
    ("text", "op"),
    [
        ("Join", T.join_),
        ("Alloc", T.alloc),
        ("Shape", T.shape),
        ("xlogx", T.xlogx.xlogx),
        ("abs__inplace", theano.tensor.inplace.abs__inplace),
        ("exp_inplace", theano.tensor.inplace.exp_inplace),
        ("Gemv{inplace}", T.blas.gemv_inplace),
        ("Ger{non-destructive}", T.blas.ger),
        ("Cholesky{lower=True, destructive=False, on_error='raise'}", T.slinalg.cholesky),
        (
            "Solve{A_structure='general', lower=False, overwrite_A=False, overwrite_b=False}",
            T.slinalg.solve,
        ),
        ("CumOp{0, mul}", T.cumprod(x, 0).owner.op),
        ("SortOp{quicksort, None}", T.sort(x).owner.op),
        ("ArgSortOp{mergesort, None}", T.argsort(x, kind="mergesort").owner.op),
        ("SoftmaxWithBias", nnet.softmax_with_bias),
        ("CrossentropyCategorical1Hot", nnet.crossentropy_categorical_1hot),
        ("softsign", nnet.softsign),
        ("ultra_fast_sigmoid", nnet.ultra_fast_sigmoid),
        ("AdvancedSubtensor", T.advanced_subtensor),
        ("AdvancedIncSubtensor{inplace=False,  set_instead_of_inc=True}", T.advanced_set_subtensor),
        ("AND", theano.scalar.and_),
        ("InRange{openlow=True, openhi=True}", theano.scalar.inopenrange),
        ("scalar_softsign", nnet.softsign.scalar_op),
        ("scalar_xlogx", T.xlogx.xlogx.scalar_op),
        ("Elemwise", type(T.erf).__name__),
        ("Elemwise", type(T.chi2sf).__name__),
    ],
)
def test_operations_print_as_those_of_theano(text, op):
    assert str(op) == text


def test_a_softmax_with_a_bias_is_one_operation():
    p = nnet.softmax_with_bias(x, v)
    assert p.owner.op == nnet.softmax_with_bias
    assert isinstance(p.owner.op, nnet.nnet.SoftmaxWithBias)
    loss, same, best = nnet.crossentropy_softmax_argmax_1hot_with_bias(x, v, i)
    assert loss.owner is same.owner is best.owner
    outs = [T.log(p), loss, same, best, T.grad(loss.sum(), v)]
    found = evaluate(outs, {x: [[0.0, 1000.0]], v: [1.0, 0.0], i: [0]})
    for value, wanted in zip(found, ([[-999, 0]], [999], [[0, 1]], [1], [-1, 1]), strict=True):
        equal(value, wanted)


def test_functions_of_scalars_of_layers():
    a = theano.scalar.float64("a")
    outs = [f(a) for f in (scalar_softsign, scalar_xlogx, ultra_fast_scalar_sigmoid)]
    assert evaluate(outs, {a: -3.0})[0] == -0.75 and evaluate(outs, {a: 0.0})[1] == 0
    assert evaluate(outs, {a: 2.0})[2] == nnet.ultra_fast_sigmoid(2.0).eval()
    found = T.grad(nnet.softsign(v).sum(), v).eval({v: [0.0, -1.0, np.inf]})
    equal(found, [1, 0.25, 0])
    steep = T.grad(nnet.ultra_fast_sigmoid(v).sum(), v).eval({v: [0.0, -4.0, 7.0]})
    np.testing.assert_allclose(steep, [0.375, 0.25 * 0.0458812946797165, 0])

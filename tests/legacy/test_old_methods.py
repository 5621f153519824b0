"""Methods and attributes that old programs use on operations, functions and modes of the engine."""

import subprocess
import sys

import numpy as np
import pytest

import theano
import theano.tensor as T


@pytest.mark.parametrize(
    "build",
    [
        lambda x: T.exp(x),
        lambda x: x.sum(0),
        lambda x: x[0],
        lambda x: x.dimshuffle(1, "x", 0),
        lambda x: T.mul(x, x),
        lambda x: T.dot(2 * x, x.T),
    ],
)
def test_operations_have_the_protocol_of_theano(build):
    x = T.dmatrix("x")
    value = np.arange(6.0).reshape(2, 3)
    node = build(x).owner
    out = node.outputs[0]
    g = T.ones_like(out)
    inputs = [v.eval({x: value}, on_unused_input="ignore") for v in node.inputs]
    storage = [[None]]
    node.op.perform(node, inputs, storage)
    expected = out.eval({x: value}, on_unused_input="ignore")
    assert np.array_equal(storage[0][0], expected)
    shape = node.op.infer_shape(node, [v.shape if v.ndim else () for v in node.inputs])[0]
    lengths = tuple(
        int(T.as_tensor_variable(n).eval({x: value}, on_unused_input="ignore")) for n in shape
    )
    assert lengths == expected.shape
    pattern = node.op.connection_pattern(node)
    assert [len(row) for row in pattern] == [1] * len(node.inputs)
    by_l_op = node.op.L_op(node.inputs, node.outputs, [g])
    by_grad = node.op.grad(node.inputs, [g])
    total = theano.grad(out.sum(), x).eval({x: value}, on_unused_input="ignore")
    # Each input by itself, also where one variable is given twice.
    known = dict(zip(node.inputs, by_l_op, strict=True))
    if len(known) == len(node.inputs):
        whole = theano.grad(None, x, known_grads=known).eval({x: value}, on_unused_input="ignore")
    else:
        whole = sum(d.eval({x: value}, on_unused_input="ignore") for d in by_l_op)
    assert np.allclose(whole, total)
    for a, b in zip(by_l_op, by_grad, strict=True):
        if isinstance(a.type, theano.gradient.DisconnectedType):
            continue
        assert np.allclose(a.eval({x: value}, on_unused_input="ignore"), b.eval({x: value}))


def test_r_op():
    x, y, v = T.dmatrices("x", "y", "v")
    (along,) = T.exp.R_op([x], [v])
    a, b = np.eye(2), np.arange(4.0).reshape(2, 2)
    np.testing.assert_allclose(theano.function([x, v], along)(a, b), np.exp(a) * b)
    product = T.dot(x, y).owner.op
    (along,) = product.R_op([x, y], [v, None])
    np.testing.assert_allclose(theano.function([y, v], along)(a, b), b @ a)
    assert product.R_op([x, y], [None, None]) == [None]


def test_operations_of_users_have_what_their_class_defines():
    class Twice(theano.Op):
        def make_node(self, x):
            return theano.Apply(self, [x], [x.type()])

    assert not hasattr(Twice(), "grad")
    assert not hasattr(Twice(), "infer_shape")
    assert not hasattr(T.exp, "no_such_method")


def test_a_function_has_its_outputs():
    x = T.dscalar("x")
    f = theano.function([x], [x + 1, x.dimshuffle("x")])
    assert [len(o.variable.broadcastable) for o in f.outputs] == [0, 1]


def test_the_optimizer_of_a_mode():
    x = T.dvector("x")
    graph = theano.FunctionGraph([x], [(x + 0) * 1])
    theano.compile.get_default_mode().excluding("fusion").optimizer.optimize(graph)
    assert graph.outputs == graph.inputs


def test_join_in_graphs():
    x = T.dvector("x")
    joined = T.concatenate([x, x])
    assert joined.owner.op == T.join_
    assert T.exp(x).owner.op != T.join_
    assert T.join_(0, x, x).eval({x: [1.0]}).tolist() == [1.0, 1.0]


def test_the_index_of_a_subtensor():
    x, i = T.dmatrix("x"), T.lscalar("i")
    part = x[i, 1:i]
    op, inputs, int64 = part.owner.op, part.owner.inputs, theano.scalar.int64
    assert op.idx_list == (int64, slice(int64, int64, None))
    found = theano.tensor.subtensor.get_idx_list(inputs, op.idx_list)
    assert found[0] is found[1].stop is i and found[1].start.data == 1
    values = {x: np.arange(12.0).reshape(3, 4), i: 2}
    again = T.Subtensor(op.idx_list)(*inputs)
    assert [v.eval(values).tolist() for v in (again, x[found])] == [[9.0], [9.0]]
    assert op.get_constant_idx(inputs, allow_partial=True) == [i, slice(1, i, None)]
    node = x[0, ::2].owner
    assert node.op.get_constant_idx(node.inputs) == [0, slice(None, None, 2)]
    assert [str(v) for v in node.inputs] == ["x", "Constant{0}", "Constant{2}"]
    assert all(isinstance(v, theano.scalar.ScalarConstant) for v in node.inputs[1:])
    with pytest.raises(T.NotScalarConstantError):
        op.get_constant_idx(inputs)
    assert T.inc_subtensor(part, 1).owner.op.idx_list == part.owner.op.idx_list
    assert T.set_subtensor(part, 1).owner.op.set_instead_of_inc


def test_helpers_of_gof_utils():
    from theano.gof import utils

    names = utils.give_variables_names(
        [T.dscalar("a"), T.dscalar("a"), T.dscalar(), T.dscalar("b")]
    )
    assert [v.name for v in names] == ["a_0", "a_1", "_2", "b"]
    with pytest.raises(ValueError, match="alike"):
        utils.give_variables_names([T.dscalar("a_0"), T.dscalar()[()], T.dscalar("_0")])
    assert utils.flatten([1, (2, [3])]) == [1, 2, 3]
    assert utils.uniq([1, 2, 1]) == [1, 2]
    assert list(utils.remove(lambda n: n % 2, range(4))) == [0, 2]
    assert theano.tensor.basic._allclose(np.float32(1), 1 + 2e-6)
    assert not theano.tensor.basic._allclose(1.0, 1.1)


def test_a_mode_is_made_from_the_parts_of_another():
    mode = theano.compile.get_default_mode()
    assert theano.Mode(linker=mode.linker, optimizer="merge").backend == mode.backend


def test_types_of_tensors_say_what_memory_their_values_take():
    kind = T.fmatrix
    assert kind.get_size(kind.get_shape_info(np.zeros((2, 3), "float32"))) == 24
    assert kind.dtype_specs() == (float, "npy_float32", "NPY_FLOAT32")
    assert T.cvector.dtype_specs() == (complex, "theano_complex64", "NPY_COMPLEX64")
    assert T.bvector.dtype_specs()[0] is int
    assert kind.to_scalar_type() == theano.scalar.float32


def test_elementwise_operations_overwrite_nothing_by_themselves():
    op = T.exp(T.vector()).owner.op
    assert op.inplace_pattern == op.destroy_map == {}
    assert not hasattr(T.vector().sum().owner.op, "inplace_pattern")


def test_numbers_of_an_index_in_programs_without_other_scalars():
    code = """
import numpy as np, theano, theano.tensor as T
x = T.dmatrix("x")
gradient = T.grad(T.sum(T.nonzero(x > 0.5)[0]), x)
assert not theano.function([x], gradient)(np.eye(2)).any()
one = x[1].owner.inputs[1]
assert (one + 1).eval() == 2 and one.type == theano.scalar.int64
assert x[one].eval({x: np.eye(2)}).tolist() == [0, 1]
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_constants_are_what_their_type_makes_of_a_value():
    class Doubles(theano.gof.Type):
        def filter(self, data, strict=False, allow_downcast=None):
            return float(data)

    kind = Doubles()
    assert repr(theano.gof.Constant(kind, 3).data) == "3.0"
    assert theano.gof.Constant(kind, 3).equals(theano.gof.Constant(kind, 3.0))
    int64 = theano.scalar.int64
    assert theano.gof.Constant(int64, 1).equals(T.dvector()[1:].owner.inputs[1])
    with pytest.raises(TypeError):
        theano.gof.Constant(int64, 1.5)


def test_constants_equal_numbers_and_arrays_of_their_type():
    number, ones = T.constant(2.5), T.constant(np.ones((1, 2)))
    assert number.equals(2.5) and number.equals(np.asarray(2.5, number.dtype))
    assert not number.equals(2) and not number.equals(2.75) and not number.equals("2.5")
    assert ones.equals(np.ones((1, 2))) and not ones.equals(np.ones((1, 2), np.int32))
    assert not ones.equals([[1.0, 1.0]]) and not ones.equals(T.dmatrix())


def test_numbers_of_an_index_that_lowering_writes():
    class Half(theano.Op):
        __props__ = ()

        def make_node(self, v):
            return theano.Apply(self, [v], [v.type()])

        def perform(self, node, inputs, outputs, params=None):
            outputs[0][0] = inputs[0][: len(inputs[0]) // 2]

        def infer_shape(self, node, shapes):
            lengths = T.stack([shapes[0][0] // 2, shapes[0][0]])
            return [(T.exp(T.log(lengths))[0].astype("int64"),)]

    v = T.dvector("v")
    half, shape = theano.function([v], [Half()(v), Half()(v).shape])(np.ones(4))
    assert half.shape == (2,) and shape.tolist() == [2]
    # A length that follows from the numbers of an index has no scalars of Theano in it.
    part = v[1:].owner
    ((length,),) = part.op.infer_shape(part, [(v.size,), ()])
    nodes = theano.gof.graph.ops([v], [length])
    assert not any("Scalar" in str(node.op) for node in nodes)


def test_names_of_packages_that_come_from_modules_in_them():
    assert theano.sparse.as_sparse is theano.sparse.as_sparse_variable
    assert isinstance(theano.sparse.EqualSS, type) and T.int32 is theano.scalar.int32
    assert issubclass(T.TensorVariable, T._tensor_py_operators)

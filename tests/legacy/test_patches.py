"""Methods and attributes that old programs use on operations, functions and modes of the engine."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate
from support.processes import run_python

x, y, v = T.dmatrices("x", "y", "v")
ROWS = np.arange(6.0).reshape(2, 3)
int64 = theano.scalar.int64


@pytest.mark.parametrize(
    "out",
    [T.exp(x), x.sum(0), x[0], x.dimshuffle(1, "x", 0), T.mul(x, x), T.dot(2 * x, x.T)],
    ids=str,
)
def test_operations_have_the_protocol_of_theano(out):
    node, storage = out.owner, [[None]]
    op, g = node.op, T.ones_like(out)
    of = lambda made: evaluate(made, {x: ROWS})
    expected = of(out)
    op.perform(node, of(node.inputs), storage)
    assert np.array_equal(storage[0][0], expected)
    (shape,) = op.infer_shape(node, [v.shape if v.ndim else () for v in node.inputs])
    assert tuple(of([T.as_tensor_variable(n) for n in shape])) == expected.shape
    assert [len(row) for row in op.connection_pattern(node)] == [1] * len(node.inputs)
    by_l_op, by_grad = op.L_op(node.inputs, node.outputs, [g]), op.grad(node.inputs, [g])
    # Each input by itself, also where one variable is given twice.
    known = dict(zip(node.inputs, by_l_op, strict=True))
    once = len(known) == len(node.inputs)
    whole = theano.grad(None, x, known_grads=known) if once else sum(by_l_op)
    assert np.allclose(*of([whole, theano.grad(out.sum(), x)]))
    for a, b in zip(by_l_op, by_grad, strict=True):
        if not isinstance(a.type, theano.gradient.DisconnectedType):
            assert np.allclose(*of([a, b]))


def test_r_op():
    a, b = np.eye(2), np.arange(4.0).reshape(2, 2)
    product = T.dot(x, y).owner.op
    along, of_product = T.exp.R_op([x], [v]) + product.R_op([x, y], [v, None])
    found = evaluate([along, of_product], {x: a, y: a, v: b})
    np.testing.assert_allclose(found, [np.exp(a) * b, b @ a])
    assert product.R_op([x, y], [None, None]) == [None]


def test_operations_of_users_have_what_their_class_defines():
    twice = type("Twice", (theano.Op,), {"make_node": lambda op, x: None})()
    assert not hasattr(twice, "grad") and not hasattr(twice, "infer_shape")
    assert not hasattr(T.exp, "no_such_method")


def test_functions_and_modes_have_their_parts():
    s = T.dscalar("s")
    f = theano.function([s], [s + 1, s.dimshuffle("x")])
    assert [len(o.variable.broadcastable) for o in f.outputs] == [0, 1]
    mode = theano.compile.get_default_mode()
    graph = theano.FunctionGraph([x], [(x + 0) * 1])
    mode.excluding("fusion").optimizer.optimize(graph)
    assert graph.outputs == graph.inputs
    assert theano.Mode(linker=mode.linker, optimizer="merge").backend == mode.backend


def test_types_of_tensors_say_what_memory_their_values_take():
    kind = T.fmatrix
    assert kind.get_size(kind.get_shape_info(np.zeros((2, 3), "float32"))) == 24
    assert kind.dtype_specs() == (float, "npy_float32", "NPY_FLOAT32")
    assert T.cvector.dtype_specs() == (complex, "theano_complex64", "NPY_COMPLEX64")
    assert T.bvector.dtype_specs()[0] is int
    assert kind.to_scalar_type() == theano.scalar.float32


def test_elementwise_operations_overwrite_nothing_by_themselves():
    op = T.exp(x).owner.op
    assert op.inplace_pattern == op.destroy_map == {}
    assert not hasattr(x.sum().owner.op, "inplace_pattern")


def test_numbers_of_an_index_in_programs_without_other_scalars():
    run_python("""
        import numpy as np, theano, theano.tensor as T
        x = T.dmatrix("x")
        gradient = T.grad(T.sum(T.nonzero(x > 0.5)[0]), x)
        assert not theano.function([x], gradient)(np.eye(2)).any()
        one = x[1].owner.inputs[1]
        assert (one + 1).eval() == 2 and one.type == theano.scalar.int64
        assert x[one].eval({x: np.eye(2)}).tolist() == [0, 1]
    """)


def test_constants_are_what_their_type_makes_of_a_value():
    class Doubles(theano.gof.Type):
        def filter(self, data, strict=False, allow_downcast=None):
            return float(data)

    kind, Constant = Doubles(), theano.gof.Constant
    assert repr(Constant(kind, 3).data) == "3.0"
    assert Constant(kind, 3).equals(Constant(kind, 3.0))
    assert Constant(int64, 1).equals(T.dvector()[1:].owner.inputs[1])
    with pytest.raises(TypeError):
        Constant(int64, 1.5)


def test_constants_equal_numbers_and_arrays_of_their_type():
    number, ones = T.constant(2.5), T.constant(np.ones((1, 2)))
    for same in (2.5, np.asarray(2.5, number.dtype)):
        assert number.equals(same)
    for other in (2, 2.75, "2.5"):
        assert not number.equals(other)
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
    half, shape = evaluate([Half()(v), Half()(v).shape], {v: np.ones(4)})
    assert half.shape == (2,) and shape.tolist() == [2]
    # A length that follows from the numbers of an index has no scalars of Theano in it.
    part = v[1:].owner
    ((length,),) = part.op.infer_shape(part, [(v.size,), ()])
    assert not any("Scalar" in str(node.op) for node in theano.gof.graph.ops([v], [length]))

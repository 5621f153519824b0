"""Operations derived from the engine's with methods of Theano 1.0.5, as old programs have them."""

import numpy as np
import pytest
from user_ops import computes, operation

import theano
import theano.tensor as T
from support.compiling import evaluate
from theano.gof import Apply
from theano.gradient import DisconnectedType
from theano.tensor.nlinalg import Det, Eig, MatrixInverse
from theano.tensor.slinalg import Solve

A = np.array([[2.0, 0.3, 0.1], [0.3, 3.0, 0.5], [0.1, 0.5, 4.0]])
m, b = T.dmatrix("m"), T.dvector("b")
MODES = ["FAST_RUN", "FAST_COMPILE", theano.Mode("py", None)]
close = np.testing.assert_allclose


class Symmetric(Eig):
    """Eigenvalues and eigenvectors of the symmetric part, and its trace."""

    def __init__(self):
        self.calls = 0

    def make_node(self, x):
        x = T.as_tensor_variable(x)
        return Apply(self, [x], [T.dvector(), x.type(), T.dscalar()])

    def perform(self, node, inputs, outputs):
        (x,) = inputs
        outputs[0][0], outputs[1][0] = np.linalg.eigh((x + x.T) / 2)
        outputs[2][0] = np.asarray(np.trace(x))

    def infer_shape(self, node, shapes):
        n = shapes[0][0]
        return [(n,), (n, n), ()]

    def grad(self, inputs, gradients):
        (x,) = inputs
        v = self(x)[1]
        of_w, of_v, of_trace = gradients
        assert isinstance(of_v.type, DisconnectedType)
        total = T.dot(v * of_w, v.T)
        if not isinstance(of_trace.type, DisconnectedType):
            total += of_trace * T.eye(x.shape[0])
        return [total]


@pytest.mark.parametrize("mode", MODES)
def test_more_outputs_and_an_own_gradient(mode):
    w, v, trace = Symmetric()(m)
    gradient = T.grad((w**3).sum() + trace**2, m)
    w, v, trace, shape, gradient = evaluate([w, v, trace, v.shape, gradient], {m: A}, mode)
    close(w, np.linalg.eigvalsh(A))
    close(v @ np.diag(w) @ v.T, A, atol=1e-12)
    assert trace == 9.0 and shape.tolist() == [3, 3]
    close(gradient, 3 * A @ A + 18 * np.eye(3), rtol=1e-9)


def test_only_the_gradient_is_its_own():
    class Scaled(MatrixInverse):
        def grad(self, inputs, gradients):
            return [gradients[0] * 7]

    inverse = Scaled()(m)
    plain = T.grad(MatrixInverse()(m).sum(), m)
    found, gradient, plain = evaluate([inverse, T.grad((inverse * m).sum(), m), plain], {m: A})
    close(found, np.linalg.inv(A))
    close(gradient, found + 7 * A)
    close(plain, -np.linalg.inv(A).T @ np.ones((3, 3)) @ np.linalg.inv(A).T)


@pytest.mark.parametrize("mode", MODES)
def test_only_what_it_computes_is_its_own(mode):
    class Doubling(Det):
        """Twice the determinant; forward mode is a user's."""

        def perform(self, node, inputs, outputs):
            outputs[0][0] = np.asarray(2 * np.linalg.det(inputs[0]))

        def R_op(self, inputs, eval_points):
            return [eval_points[0].sum() * 5]

    v, stacks = T.dmatrix("v"), T.dtensor3("stacks")
    out = Doubling()(m)
    each = theano.vectorize(Doubling())(stacks)
    given = {m: A, v: np.ones((3, 3)), stacks: np.stack([A, 2 * A])}
    value, along, many = evaluate([out, T.Rop(out, m, v), each], given, mode)
    close(value, 2 * np.linalg.det(A))
    assert along == 45.0
    close(many, [2 * np.linalg.det(A), 16 * np.linalg.det(A)])


def test_classes_of_one_name_are_two():
    one, two = (
        operation("Own", Det, perform=computes(lambda x, k=k: np.asarray(k)))(m) for k in (1.0, 2.0)
    )
    assert evaluate([one, two, one + two], {m: A}) == [1, 2, 3]


class Recorded(Solve):
    """Has each method of its own, and calls that of its base."""

    ran = []

    def perform(self, node, inputs, outputs):
        self.ran.append("perform")
        Solve.perform(self, node, inputs, outputs)

    def infer_shape(self, node, shapes):
        self.ran.append("infer_shape")
        return super().infer_shape(node, shapes)

    def connection_pattern(self, node):
        return super().connection_pattern(node)


class WithGrad(Recorded):
    def grad(self, inputs, gradients):
        self.ran.append("grad")
        return [g * 2 for g in super().grad(inputs, gradients)]


class WithLOp(Recorded):
    def L_op(self, inputs, outputs, gradients):
        self.ran.append("grad")
        return [g * 2 for g in super().L_op(inputs, outputs, gradients)]

    def R_op(self, inputs, eval_points):
        return [d * 3 for d in super().R_op(inputs, eval_points)]


@pytest.mark.parametrize("cls", [WithGrad, WithLOp])
def test_methods_of_the_base_can_be_called(cls):
    Recorded.ran.clear()
    x, plain = cls()(m, b), Solve()(m, b)
    made = evaluate([x, x.shape, *T.grad((x**2).sum(), [m, b])], {m: A, b: A[0]})
    wanted = evaluate([plain, *T.grad((plain**2).sum(), [m, b])], {m: A, b: A[0]})
    close(made[0], wanted[0])
    close(made[2], 2 * wanted[1])
    close(made[3], 2 * wanted[2])
    assert {"perform", "infer_shape", "grad"} <= set(Recorded.ran)


def test_the_derivative_of_the_base_can_be_called():
    along = [T.Rop(op(m, b), b, b) for op in (WithLOp(), Solve())]
    own, plain = evaluate(along, {m: A, b: A[0]})
    close(own, 3 * plain)


ROWS = T.constant([2, 0, 2])
STANDING = [
    (T.Sum, (0,), (m,)),
    (T.elemwise.Prod, (), (m,)),
    (T.elemwise.CAReduce, (theano.scalar.maximum, 1), (m,)),
    (T.subtensor.AdvancedSubtensor1, (), (m, ROWS)),
    (T.subtensor.AdvancedIncSubtensor1, (), (m, m, ROWS)),
    (T.Subtensor, ([slice(1, None)],), (m,)),
    (T.nnet.nnet.Softmax, (), (m,)),
    (T.extra_ops.CumOp, (0, "mul"), (m,)),
    (T.Join, (), (0, m, m * 2)),
]


@pytest.mark.parametrize(("base", "options", "operands"), STANDING)
def test_what_stands_for_operations_can_be_derived_from(base, options, operands):
    ran = set()

    class Own(base):
        def perform(self, node, inputs, outputs):
            ran.add("perform")
            super().perform(node, inputs, outputs)

        def grad(self, inputs, gradients):
            ran.add("grad")
            return super().grad(inputs, gradients)

    op, plain = Own(*options), base(*options)
    assert isinstance(op, base) and type(op) is Own and op == Own(*options)
    assert not isinstance(plain, Own)
    found, wanted = op(*operands), plain(*operands)
    assert found.owner.op is op and found.type == wanted.type
    outs = [[out, out.shape, T.grad((out**2).sum(), m)] for out in (found, wanted)]
    for mode in MODES:
        for one, two in zip(*(evaluate(each, {m: A}, mode) for each in outs), strict=True):
            close(one, two)
    assert ran == {"perform", "grad"}


def test_such_an_operation_knows_its_options():
    class Along(T.extra_ops.CumOp):
        def grad(self, inputs, gradients):
            return [gradients[0] * (self.axis + 7)]

    gradient = T.grad(Along(axis=1)(m).sum(), m)
    np.testing.assert_array_equal(gradient.eval({m: A}), np.full((3, 3), 8.0))
    with pytest.raises(AttributeError):
        Along(axis=1).lengths  # noqa: B018


def test_what_stands_for_operations_has_a_forward_derivative():
    class Own(T.Elemwise):
        def R_op(self, inputs, eval_points):
            return [d * 3 for d in super().R_op(inputs, eval_points)]

    class Plain(T.Elemwise):
        pass

    class OtherGradient(T.Elemwise):
        def grad(self, inputs, gradients):
            return [gradients[0] * 7]

    x, d = T.dvectors("xd")
    values = {x: np.array([0.5, 2.0]), d: np.array([1.0, 3.0])}
    exp = theano.scalar.exp
    (along,) = Plain(exp).R_op([x], [d])
    outs = [T.Rop(kind(exp)(x), x, d) for kind in (Own, Plain, OtherGradient)]
    wanted = np.exp(values[x]) * values[d]
    close(evaluate([*outs, along], values), [3 * wanted, wanted, values[d] * 7, wanted])
    assert Plain(exp).R_op([x], [None]) == [None]

"""Operations derived from the engine's with methods of Theano 1.0.5, as old programs have them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.gof import Apply
from theano.gradient import DisconnectedType

A = np.array([[2.0, 0.3, 0.1], [0.3, 3.0, 0.5], [0.1, 0.5, 4.0]])
m = T.dmatrix("m")
MODES = ["FAST_RUN", "FAST_COMPILE", theano.Mode("py", None)]


class Symmetric(T.nlinalg.Eig):
    """Eigenvalues and eigenvectors of the symmetric part, and its trace."""

    def __init__(self) -> None:
        self.calls = 0

    def make_node(self, x: Any) -> Apply:
        x = T.as_tensor_variable(x)
        return Apply(self, [x], [T.dvector(), x.type(), T.dscalar()])

    def perform(self, node: Apply, inputs: list[Any], outputs: list[Any]) -> None:
        (x,) = inputs
        outputs[0][0], outputs[1][0] = np.linalg.eigh((x + x.T) / 2)
        outputs[2][0] = np.asarray(np.trace(x))

    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        n = shapes[0][0]
        return [(n,), (n, n), ()]

    def grad(self, inputs: list[Any], gradients: list[Any]) -> list[Any]:
        (x,) = inputs
        v = self(x)[1]
        of_w, of_v, of_trace = gradients
        assert isinstance(of_v.type, DisconnectedType)
        total = T.dot(v * of_w, v.T)
        if not isinstance(of_trace.type, DisconnectedType):
            total += of_trace * T.eye(x.shape[0])
        return [total]


@pytest.mark.parametrize("mode", MODES)
def test_more_outputs_and_an_own_gradient(mode: Any) -> None:
    op = Symmetric()
    w, v, trace = op(m)
    f = theano.function([m], [w, v, trace, v.shape], mode=mode)
    values = f(A)
    np.testing.assert_allclose(values[0], np.linalg.eigvalsh(A))
    np.testing.assert_allclose(values[1] @ np.diag(values[0]) @ values[1].T, A, atol=1e-12)
    assert values[2] == 9.0 and values[3].tolist() == [3, 3]
    cost = (w**3).sum() + trace**2
    slope = theano.function([m], T.grad(cost, m), mode=mode)(A)
    np.testing.assert_allclose(slope, 3 * A @ A + 18 * np.eye(3), rtol=1e-9)


class Scaled(T.nlinalg.MatrixInverse):
    """The inverse, whose gradient is another one."""

    def grad(self, inputs: list[Any], gradients: list[Any]) -> list[Any]:
        return [gradients[0] * 7]


def test_only_the_gradient_is_its_own() -> None:
    inverse = Scaled()(m)
    f = theano.function([m], [inverse, T.grad((inverse * m).sum(), m)])
    found, slope = f(A)
    np.testing.assert_allclose(found, np.linalg.inv(A))
    np.testing.assert_allclose(slope, found + 7 * A)
    plain = T.grad(T.nlinalg.MatrixInverse()(m).sum(), m)
    ones = np.ones((3, 3))
    np.testing.assert_allclose(
        theano.function([m], plain)(A), -np.linalg.inv(A).T @ ones @ np.linalg.inv(A).T
    )


class Doubling(T.nlinalg.Det):
    """Twice the determinant; forward mode is a user's."""

    def perform(self, node: Apply, inputs: list[Any], outputs: list[Any]) -> None:
        outputs[0][0] = np.asarray(2 * np.linalg.det(inputs[0]))

    def R_op(self, inputs: list[Any], eval_points: list[Any]) -> list[Any]:
        return [eval_points[0].sum() * 5]


@pytest.mark.parametrize("mode", MODES)
def test_only_what_it_computes_is_its_own(mode: Any) -> None:
    v = T.dmatrix("v")
    out = Doubling()(m)
    f = theano.function([m, v], [out, T.Rop(out, m, v)], mode=mode)
    value, along = f(A, np.ones((3, 3)))
    np.testing.assert_allclose(value, 2 * np.linalg.det(A))
    assert along == 45.0
    stacks = T.dtensor3("stacks")
    each = theano.vectorize(lambda one: Doubling()(one))(stacks)
    many = theano.function([stacks], each, mode=mode)(np.stack([A, 2 * A]))
    np.testing.assert_allclose(many, [2 * np.linalg.det(A), 16 * np.linalg.det(A)])


def test_classes_of_one_name_are_two() -> None:
    def made(factor: float) -> Any:
        class Own(T.nlinalg.Det):
            def perform(self, node: Apply, inputs: list[Any], outputs: list[Any]) -> None:
                outputs[0][0] = np.asarray(factor)

        return Own()(m)

    assert theano.function([m], made(1.0))(A) == 1.0
    assert theano.function([m], made(2.0))(A) == 2.0
    assert theano.function([m], made(1.0) + made(2.0))(A) == 3.0


class Recorded(T.slinalg.Solve):
    """Has each method of its own, and calls that of its base."""

    ran: list[str] = []

    def perform(self, node: Apply, inputs: list[Any], outputs: list[Any]) -> None:
        self.ran.append("perform")
        T.slinalg.Solve.perform(self, node, inputs, outputs)

    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        self.ran.append("infer_shape")
        return super().infer_shape(node, shapes)

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return super().connection_pattern(node)


class WithGrad(Recorded):
    def grad(self, inputs: list[Any], gradients: list[Any]) -> list[Any]:
        self.ran.append("grad")
        return [g * 2 for g in super().grad(inputs, gradients)]


class WithLOp(Recorded):
    def L_op(self, inputs: list[Any], outputs: list[Any], gradients: list[Any]) -> list[Any]:
        self.ran.append("grad")
        return [g * 2 for g in super().L_op(inputs, outputs, gradients)]


class WithROp(Recorded):
    def R_op(self, inputs: list[Any], eval_points: list[Any]) -> list[Any]:
        return [d * 3 for d in super().R_op(inputs, eval_points)]


@pytest.mark.parametrize("cls", [WithGrad, WithLOp])
def test_methods_of_the_base_can_be_called(cls: Any) -> None:
    Recorded.ran.clear()
    b = T.dvector("b")
    x, plain = cls()(m, b), T.slinalg.Solve()(m, b)
    made = theano.function([m, b], [x, x.shape, *T.grad((x**2).sum(), [m, b])])(A, A[0])
    wanted = theano.function([m, b], [plain, *T.grad((plain**2).sum(), [m, b])])(A, A[0])
    np.testing.assert_allclose(made[0], wanted[0])
    np.testing.assert_allclose(made[2], 2 * wanted[1])
    np.testing.assert_allclose(made[3], 2 * wanted[2])
    assert {"perform", "infer_shape", "grad"} <= set(Recorded.ran)


def test_the_derivative_of_the_base_can_be_called() -> None:
    b = T.dvector("b")
    solve = T.slinalg.Solve
    own, plain = (theano.function([m, b], T.Rop(op()(m, b), b, b)) for op in (WithROp, solve))
    np.testing.assert_allclose(own(A, A[0]), 3 * plain(A, A[0]))


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
def test_what_stands_for_operations_can_be_derived_from(
    base: Any, options: Any, operands: Any
) -> None:
    ran = set()

    class Own(base):
        def perform(self, node: Apply, inputs: list[Any], outputs: list[Any]) -> None:
            ran.add("perform")
            super().perform(node, inputs, outputs)

        def grad(self, inputs: list[Any], gradients: list[Any]) -> list[Any]:
            ran.add("grad")
            return super().grad(inputs, gradients)

    op, plain = Own(*options), base(*options)
    assert isinstance(op, base) and type(op) is Own and op == Own(*options)
    assert not isinstance(plain, Own)
    found, wanted = op(*operands), plain(*operands)
    assert found.owner.op is op and found.type == wanted.type
    for mode in MODES:
        values = [
            theano.function([m], [out, out.shape, T.grad((out**2).sum(), m)], mode=mode)(A)
            for out in (found, wanted)
        ]
        for one, two in zip(*values, strict=True):
            np.testing.assert_allclose(one, two)
    assert ran == {"perform", "grad"}


def test_such_an_operation_knows_its_options() -> None:
    class Along(T.extra_ops.CumOp):
        def grad(self, inputs: list[Any], gradients: list[Any]) -> list[Any]:
            return [gradients[0] * (self.axis + 7)]

    slope = T.grad(Along(axis=1)(m).sum(), m)
    np.testing.assert_array_equal(slope.eval({m: A}), np.full((3, 3), 8.0))
    with pytest.raises(AttributeError):
        Along(axis=1).lengths  # noqa: B018


def test_what_stands_for_operations_has_a_forward_derivative() -> None:
    class Own(T.Elemwise):
        def R_op(self, inputs: list[Any], eval_points: list[Any]) -> list[Any]:
            return [d * 3 for d in super().R_op(inputs, eval_points)]

    class Plain(T.Elemwise):
        pass

    class OtherSlope(T.Elemwise):
        def grad(self, inputs: list[Any], gradients: list[Any]) -> list[Any]:
            return [gradients[0] * 7]

    x, d = T.dvectors("xd")
    values = {x: np.array([0.5, 2.0]), d: np.array([1.0, 3.0])}
    slope = np.exp(values[x]) * values[d]
    for kind, wanted in ((Own, slope * 3), (Plain, slope), (OtherSlope, values[d] * 7)):
        out = T.Rop(kind(theano.scalar.exp)(x), x, d)
        np.testing.assert_allclose(out.eval(values), wanted)
    (out,) = Plain(theano.scalar.exp).R_op([x], [d])
    np.testing.assert_allclose(out.eval(values), slope)
    assert Plain(theano.scalar.exp).R_op([x], [None]) == [None]

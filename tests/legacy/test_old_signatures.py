"""Names and positions of arguments as programs for Theano 1.0.5 give them."""

import numpy as np
import pytest
import scipy.sparse as sp

import theano
import theano.tensor as T
from support.compiling import evaluate
from theano import sparse
from theano.compile import nanguardmode
from theano.compile.mode import FAST_RUN, Mode
from theano.gof.graph import OrderedSet
from theano.gof.toolbox import NodeFinder, ReplaceValidate
from theano.tensor.nnet import ConvOp, sigm
from theano.tensor.signal.pool import DownsampleFactorMaxGradGrad
from theano.typed_list import TypedListType

x, m = T.dvector("x"), T.dmatrix("m")
items = TypedListType(T.dvector)()
of_graph = theano.OpFromGraph([x], [x * 2])
CALLS = {
    "contains_nan": lambda: nanguardmode.contains_nan(arr=np.ones(2), node=None, var=x),
    "contains_inf": lambda: nanguardmode.contains_inf(np.ones(2), None, x),
    "Reshape": lambda: T.Reshape(1, None)(x, [2]),
    "append": lambda: items.append(toAppend=x),
    "extend": lambda: items.extend(toAppend=items),
    "insert": lambda: items.insert(index=0, toInsert=x),
    "remove": lambda: items.remove(toRemove=x),
    "count": lambda: items.count(elem=x),
    "ind": lambda: items.ind(elem=x),
    "set_lop_overrides": lambda: of_graph.set_lop_overrides(lop_overrides="default"),
    "set_grad_overrides": lambda: of_graph.set_grad_overrides(grad_overrides="default"),
    "set_rop_overrides": lambda: of_graph.set_rop_overrides(rop_overrides="default"),
    "OrderedSet": lambda: OrderedSet([1]).union(s=[2]).intersection_update(s=[1]),
    "ConvOp": lambda: ConvOp((1, 4, 4), (2, 2), 1, 1, 1, 1, "valid", 0, 0, False),
    "is_mul": lambda: (sigm.is_mul(var=x), sigm.is_neg(var=x), sigm.is_exp(var=x)),
    "is_1pexp": lambda: sigm.is_1pexp(t=x),
    "dot": lambda: theano.dot(l=x, r=x),
    "get_scalar_constant_value": lambda: theano.get_scalar_constant_value(v=T.constant(1)),
    "memoize": lambda: theano.gof.utils.memoize(f=abs)(-1),
    "power": lambda: T.power(x=x, y=2),
    "sort": lambda: (T.sort(x, kind=None), T.argsort(x, -1, None)),
    "partition_num_or_denom": lambda: sigm.partition_num_or_denom(r=x, f=sigm.is_exp),
}


@pytest.mark.parametrize("name", CALLS)
def test_call(name):
    CALLS[name]()


def test_graphs():
    graph = theano.gof.FunctionGraph([x], [x * 2], None, True, {0: 0})
    assert graph.update_mapping == {0: 0}
    graph.attach_feature(NodeFinder())
    graph.attach_feature(ReplaceValidate())
    assert graph.clients(r=graph.inputs[0])[0][0].op == T.mul
    y = T.dvector("y")
    graph.add_input(input=y)
    assert graph.inputs[1] is y


def test_modes_with_another_optimizer():
    for other in (Mode("py", "fast_run").clone({}, "None"), FAST_RUN.clone(optimizer=None)):
        assert other.provided_optimizer in ("None", None)
        f = theano.function([x], x * 2 / 2, mode=other)
        assert len(f.maker.fgraph.apply_nodes) > 1
    assert FAST_RUN.clone() == FAST_RUN
    kept = FAST_RUN.excluding("inplace").clone(allow_gc=False)
    assert kept == FAST_RUN.excluding("inplace")
    guard = nanguardmode.NanGuardMode(True, True, True)
    assert isinstance(guard.clone(optimizer="fast_compile"), nanguardmode.NanGuardMode)


def test_operations_have_no_names_of_their_own():
    with pytest.raises(AssertionError, match="no name of its own"):
        T.Reshape(1, "x")


def test_shared_sparse_matrices():
    assert sparse.shared(sp.eye(3, format="csr"), "w", False, None, True, "csc").format == "csc"
    with pytest.raises(TypeError, match="Expected a sparse matrix"):
        sparse.shared(np.eye(3))


def test_gradients_of_pools_have_a_mode():
    made = [DownsampleFactorMaxGradGrad(True, "max", 3), DownsampleFactorMaxGradGrad(True, ndim=3)]
    assert made[0] == made[1] and [op.mode for op in made] == ["max", "max"]


def test_softmax_graph_of_any_rank():
    of = np.array([[1000.0, 1000.0], [0.0, 0.0]])
    for value in (of[0], of, of[None]):
        c = T.TensorType("float64", (False,) * value.ndim)()
        out = T.nnet.softmax_graph(c)
        assert out.type == c.type
        np.testing.assert_array_equal(evaluate(out, {c: value}), np.full(value.shape, 0.5))
    assert T.nnet.softmax_graph(c=T.bvector()).type.dtype == "float32"


def test_axes_from_the_end_and_none_at_all():
    assert evaluate(theano.compile.ops.shape_i(m, -1), {m: np.ones((2, 3))}) == 3
    assert T.is_flat(T.dscalar(), ndim=0) and T.is_flat(T.dscalar(), outdim=0)
    assert not T.is_flat(x, ndim=0) and T.is_flat(x) and not T.is_flat(m)

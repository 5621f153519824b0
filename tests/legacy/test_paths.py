"""Modules of Theano 1.0.5 that are not documented surface, but that old programs import."""

import importlib
import inspect

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate
from support.processes import run_python
from theano._core.legacy.paths import MODULES
from theano.tensor import inplace


@pytest.mark.parametrize("path", list(MODULES))
def test_module(path):
    module = importlib.import_module(path)
    assert all(hasattr(module, name) for name in MODULES[path])


def test_objects_are_those_of_the_engine():
    from theano.compile import SharedVariable
    from theano.gof.graph import Variable
    from theano.scan_module.scan import scan
    from theano.tensor.basic import exp, zeros_like
    from theano.tensor.sort import argsort
    from theano.tensor.var import TensorVariable

    assert Variable is theano.Variable and theano.gof.Apply is theano.Apply
    assert isinstance(theano.shared(1.0), SharedVariable)
    assert theano.compile.sharedvalue.shared is theano.shared
    assert isinstance(T.var(T.dvector()), TensorVariable)
    assert theano.scan_module.scan is scan is theano.scan
    assert exp is T.exp and zeros_like is T.zeros_like and argsort is T.argsort
    assert theano.scalar.basic.add is theano.scalar.add
    assert theano.compile.mode.get_mode is theano.compile.get_mode
    assert theano.scan_module.scan_utils.until is theano.scan_module.until
    assert issubclass(T.TensorVariable, T._tensor_py_operators)
    assert theano.sparse.as_sparse is theano.sparse.as_sparse_variable
    assert isinstance(theano.sparse.EqualSS, type) and T.int32 is theano.scalar.int32
    # Modules reach each other.
    assert theano.tensor.gof is theano.gof and theano.tensor.basic.theano is theano
    assert theano.gof.opt.theano is theano and theano.tensor.nnet.nnet.tensor is theano.tensor


@pytest.mark.parametrize("path", ["", "compile", "tensor.basic", "tensor.inplace", "scan_module"])
def test_what_is_not_there_is_an_attribute_error(path):
    module = importlib.import_module(f"theano.{path}".rstrip("."))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = module.nonsense
    with pytest.raises(ImportError):
        importlib.import_module("theano.gof.nonsense")


def test_in_place_names():
    x = T.dvector("x")
    given = theano.In(x, mutable=True)
    f = theano.function([given], inplace.exp_inplace(x), accept_inplace=True)
    assert f([0.0, 0.0]).tolist() == [1.0, 1.0]
    assert inplace.add_inplace == T.add and len(inplace.__all__) == 70


def test_names_that_packages_pass_on():
    """Packages of Theano 1.0.5 have what their modules define, and what these use of others."""
    from theano.compile import Rebroadcast, Shape_i, SpecifyShape, specify_shape
    from theano.gradient import NullType, null_type

    x = T.dmatrix("x")
    assert isinstance(null_type, NullType)
    assert isinstance(specify_shape(x, (2, 3)).owner.op, SpecifyShape)
    assert Rebroadcast((0, True))(x).broadcastable == (True, False)
    assert isinstance(Shape_i(1)(x).owner.op, Shape_i)


def test_what_walks_through_graphs_read():
    x, names = T.dmatrix("x"), {"sum": "add", "prod": "mul", "max": "maximum", "min": "minimum"}
    for name, scalar in (names | {"all": "and_", "any": "or_"}).items():
        op = getattr(T, name)(x, axis=0).owner.op
        assert isinstance(op, T.elemwise.CAReduce)
        assert (op.scalar_op, op.axis) == (getattr(theano.scalar, scalar), (0,))
    assert T.patternbroadcast(x, (True, False)).owner.op.axis[0] is True
    vector = T.opt.make_vector(T.lscalar(), 3)
    assert isinstance(vector.owner.op, T.opt.MakeVector)
    for dtype, number in [("int32", T.lscalar()), ("float32", T.dscalar()), ("int64", 1.5)]:
        with pytest.raises(AssertionError, match="does not narrow"):
            T.opt.MakeVector(dtype)(number, 3)


def test_the_operators_of_tensors_are_a_class_to_inherit():
    from theano.compile import SharedVariable
    from theano.tensor.basic import TensorType, _tensor_py_operators
    from theano.tensor.var import _tensor_py_operators as same

    class Parameter(_tensor_py_operators, SharedVariable):
        def __init__(self, value, name):
            kind = TensorType(value.dtype, (False,) * value.ndim)
            super().__init__(name, kind, value, strict=False, allow_downcast=True)

    assert same is _tensor_py_operators and isinstance(T.dmatrix(), same)
    w, x = Parameter(np.ones((2, 3)), "w"), T.dvector("x")
    cost = (T.dot(w, x) ** 2).sum() + w[0, 0]
    f = theano.function([x], cost, updates=[(w, w - 0.5 * theano.grad(cost, w))])
    assert f([1.0, 0.0, 0.0]) == 3.0
    assert w.get_value().tolist() == [[-0.5, 1.0, 1.0], [0.0, 1.0, 1.0]]


# -- names of Theano-PyMC -------------------------------------------------------------------------


def test_names_of_theano_pymc():
    """PyMC3 3.11 and its kin are written for a fork that has renamed modules."""
    from theano.graph import basic, fg, op
    from theano.graph.utils import TestValueError
    from theano.sandbox.rng_mrg import MRG_RandomStream
    from theano.scan import until
    from theano.scan.utils import until as same

    assert callable(theano.scan) and until is same
    assert MRG_RandomStream(1).uniform(()).eval().shape == ()
    x = T.dscalar("x")
    total = x + (square := x * x)
    with pytest.raises(TestValueError, match="no test value"):
        op.get_test_value(x)
    assert (basic.Apply, fg.FunctionGraph) == (theano.Apply, theano.FunctionGraph)
    assert [v for v in basic.graph_inputs([total]) if v.owner is None] == [x]
    assert list(basic.walk([total], lambda v: v.owner and v.owner.inputs)) == [total, x, square]
    pairs = basic.walk([6], lambda n: [n // 2] * (n > 2), bfs=False, return_children=True)
    assert list(pairs) == [(6, [3]), (3, [1]), (1, [])]


def test_shapes_that_broadcast_as_theano_pymc_has_them():
    from theano.tensor.extra_ops import broadcast_shape

    x, y, n = T.dmatrix(), T.dcol(), T.lscalar()
    given = broadcast_shape((3, 1), (n,), arrays_are_shapes=True)
    lengths = [*broadcast_shape(x, y), *given]
    assert evaluate(lengths, {x: np.ones((3, 4)), y: np.ones((3, 1)), n: 5}) == [3, 4, 3, 5]


def test_rewrites_that_are_told_the_graph_as_in_theano_pymc():
    from theano.graph.opt import local_optimizer, pre_greedy_local_optimizer

    graphs = []

    @local_optimizer([T.exp])
    def forget(fgraph, node):
        graphs.append(fgraph)
        return [node.inputs[0]]

    x = T.dvector("x")
    out = pre_greedy_local_optimizer(theano.graph.fg.FunctionGraph([], []), [forget], T.exp(x) * 2)
    assert out.eval({x: [3.0]}) == 6
    assert [type(graph) for graph in graphs] == [theano.gof.FunctionGraph]
    assert pre_greedy_local_optimizer([forget], T.exp(x) * 2).eval({x: [3.0]}) == 6


# -- stars ----------------------------------------------------------------------------------------


def starred(path):
    """Return the names that `from path import *` gives."""
    names = {}
    exec(f"from {path} import *", names)
    return names


def test_everything_of_a_module():
    assert starred("theano.tensor.basic")["dot"] is T.dot
    names = starred("theano.gof")
    assert names["graph"] is theano.gof.graph and names["op"] is theano.gof.op


# What `import *` gives besides the names of a module, and what it leaves to the user.
STARRED = {
    "theano": "compat compile config configparser gof np os scalar sys tensor theano utils",
    "theano.gradient": "gof np tensor theano utils",
    "theano.scan_module": "scan_op scan_utils",
    "theano.sparse": "basic config gof np scalar tensor theano utils",
    "theano.tensor": "basic blas compile config elemwise gof io np opt sys theano utils xrange",
    "theano.tensor.nlinalg": "np tensor theano trace",
    "theano.tensor.nnet": "nnet opt sigm",
    "theano.tensor.raw_random": "gof np string_types tensor theano",
    "theano.tensor.shared_randomstreams": "np",
    "theano.updates": "",
}
THE_USERS = (
    "basic compile config ctc diff einsum errors explain matmul neighbours random trace utils "
    "vectorize"
)


@pytest.mark.parametrize("path", STARRED)
def test_everything_of_a_module_that_is_a_file(path):
    names = starred(path)
    assert {*STARRED[path].split()} <= names.keys()
    assert not ({*THE_USERS.split()} - {*STARRED[path].split()}) & names.keys()
    assert names.get("compile", theano.compile) is theano.compile
    assert names.get("theano", theano) is theano


@pytest.mark.parametrize(
    "name", ["basic", "blas", "elemwise", "opt", "sort", "subtensor", "type", "var"]
)
def test_everything_of_a_deep_module_leaves_functions_of_python_alone(name):
    names = starred(f"theano.tensor.{name}")
    hidden = {"all", "any", "complex", "divmod", "max", "min", "pow", "round", "sum"}
    # In Theano 1.0.5, too, only the module that defines them gave those.
    assert hidden & names.keys() == (hidden if name == "basic" else set())


# Module → what `import *` gave of others, and some of what it did not.
STARRED_DEEP = {
    "theano.compile.mode": ("Mode Supervisor", "function io shared"),
    "theano.scalar.basic": ("add upcast", "basic_scipy"),
    "theano.tensor.basic": ("TensorType dot gof np shape theano var", "blas io nnet opt"),
    "theano.tensor.blas": ("Apply Op np theano", "_dot22 dot io sort"),
    "theano.tensor.elemwise": ("Apply Op as_tensor_variable scalar", "dot io load"),
    "theano.tensor.nnet.nnet": ("softmax softsign h_softmax", ""),
    "theano.tensor.opt": ("Alloc Constant Reshape T Variable extract_constant", "arange io load"),
    "theano.tensor.sort": ("argsort np set_subtensor sort topk", "dot io load"),
    "theano.tensor.subtensor": ("Apply TensorType alloc make_slice", "dot io load"),
    "theano.tensor.type": ("TensorType Type Variable", "dot io load"),
    "theano.tensor.var": ("Constant TensorVariable Variable", "dot io load"),
}


@pytest.mark.parametrize("path", STARRED_DEEP)
def test_everything_of_a_deep_module_is_what_it_gave(path):
    given, left = STARRED_DEEP[path]
    names = starred(path)
    assert {*given.split()} <= names.keys()
    assert not {*left.split()} & names.keys()


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("theano.gof", "Container HideC PureOp hashtype"),
        ("theano.gof.op", "FunctionGraph"),
        ("theano.tensor.nnet.nnet", "Apply DisconnectedType as_tensor_variable optdb"),
        ("theano.tensor.nnet.conv", "OpenMPOp patternbroadcast NotScalarConstantError"),
        ("theano.tensor.signal.pool", "Apply EnumList ParamsType Variable"),
        ("theano.tensor.shared_randomstreams", "SharedVariable"),
        ("theano.tensor.opt", "Optimizer InconsistencyError values_eq_approx_remove_nan"),
        ("theano.scalar", "Apply Constant FunctionGraph Op grad_undefined"),
        ("theano.scan_module.scan", "OrderedUpdates SharedVariable function"),
        ("theano.sandbox.rng_mrg", "function local_optimizer shared undefined_grad"),
        ("theano.scan_module.scan_op", "forced_replace io_connection_pattern"),
        ("theano.tensor.nnet.opt", "AbstractConv2d ConvOp CorrMM Corr3dMM SparseBlockGemv"),
        ("theano.tensor.sharedvar", "_tensor_py_operators"),
        ("theano.sparse.sharedvar", "_sparse_py_operators"),
        ("theano.typed_list.opt", "Append Reverse"),
        ("theano.sandbox.blocksparse", "sparse_block_dot SparseBlockGemv"),
        ("theano.compile.function_module", "In SymbolicInput view_op"),
        ("theano.compile.pfunc", "Out ProfileStats UnusedInputError orig_function"),
        ("theano.configdefaults", "AddConfigVar EnumStr StrParam"),
        ("theano.printing", "Apply Op SharedVariable"),
        ("theano.updates", "SharedVariable"),
    ],
)
def test_modules_have_what_they_imported_of_others(module, names):
    held = importlib.import_module(module)
    for name in names.split():
        assert getattr(held, name) is not None
    with pytest.raises(AttributeError):
        held.hashtipe  # noqa: B018
    assert not hasattr(T, "local_optimizer") and not hasattr(theano, "local_optimizer")
    assert theano.tensor.nnet.nnet.Apply is theano.Apply


def test_names_of_types():
    assert T.int_types == T.basic.int_scalar_types == (T.bscalar, T.wscalar, T.iscalar, T.lscalar)
    assert T.float_vector_types == (T.fvector, T.dvector)
    assert T.complex_matrix_types == (T.cmatrix, T.zmatrix)
    x = theano.sparse.csc_dmatrix("x")
    assert x.type == theano.sparse.csc_matrix(dtype="float64").type and x.name == "x"
    assert theano.sparse.basic.csr_fmatrix.dtype == "float32"


def test_names_that_tell_things_apart():
    from theano.gof.graph import Node
    from theano.sandbox.solve import solve
    from theano.tensor.slinalg import MATRIX_STRUCTURES
    from theano.version import git_revision, release

    y = T.exp(T.dvector())
    assert isinstance(y, Node) and isinstance(y.owner, Node) and not isinstance(y.type, Node)
    # Programs look for it among the bases, and by the path of Theano-PyMC.
    assert Node in inspect.getmro(type(y)) and Node in type(y.owner).__mro__
    assert Node is theano.graph.basic.Node
    assert solve is T.slinalg.solve and "lower_triangular" in MATRIX_STRUCTURES
    assert release is True and git_revision is None


def test_types_name_their_classes():
    assert T.TensorType.Variable is T.TensorVariable is T.dvector.Variable
    assert T.TensorType.Constant is T.dvector.Constant is T.TensorConstant
    assert isinstance(theano.sparse.csc_matrix("x"), theano.sparse.SparseType.Variable)
    assert T.float32_rtol == T.basic.float32_rtol


LISTED = """
import pickle, sys, threading
import theano
from theano._core.ops.core.op import Op
def every(base):
    for kind in base.__subclasses__():
        yield kind
        yield from every(kind)
kinds = set(every(Op))
assert len(kinds) > 100
assert {kind.__module__ for kind in kinds} <= set(sys.modules)
# No module is filled, or file read, for it.
kind = type(sys.modules["theano.gof.graph"])
assert kind.__name__ == "Unfilled"
assert type(sys.modules["theano.tensor.nlinalg"]).__name__ == "Unread"
assert pickle.loads(pickle.dumps(sys.modules["theano.gof.fg"])) is theano.gof.fg
assert not hasattr(sys.modules["theano.gof.graph"], "__path__")
found = []
def look():
    import theano.gof.graph as module, theano.tensor.nlinalg as read
    found.append((module.inputs, read.MatrixInverse, read.trace))
threads = [threading.Thread(target=look) for _ in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(found) == 20
assert type(theano.gof.graph) is not kind
assert "TensorType" in dir(sys.modules["theano.tensor.type"])
assert "trace" in dir(theano.tensor.nlinalg) and "trace" in theano.tensor.nlinalg.__all__
assert pickle.loads(pickle.dumps(theano.tensor.slinalg)) is theano.tensor.slinalg
# Modules within packages need no import.
theano.sandbox.rng_mrg, theano.sandbox.linalg.ops, theano.sparse
"""


def test_modules_that_classes_name_are_there():
    # A class whose module is not in `sys.modules` is copied by what pickles for other processes.
    run_python(LISTED)

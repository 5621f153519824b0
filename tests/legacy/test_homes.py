"""Classes of the engine say that they are where programs see them, and so do pickles."""

import importlib
import pickle
import pkgutil
import sys

import numpy as np
import pytest
import scipy.sparse

import theano
import theano.sparse as sparse
import theano.tensor as T
from support.processes import run_python
from theano import _core
from theano._core.ir.hooks import place_of
from theano._core.ir.variable import Type, Variable
from theano._core.legacy.homes import HOMES
from theano._core.legacy.user.expressed import Expressed
from theano._core.ops.core.naming import plain_class
from theano._core.ops.core.op import Op
from theano.compile.nanguardmode import NanGuardMode
from theano.gof.fg import FunctionGraph
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor.shared_randomstreams import RandomStreams
from theano.tensor.signal.pool import pool_2d

for module in pkgutil.walk_packages(_core.__path__, f"{_core.__name__}."):
    if not module.name.startswith(("theano._core.command", "theano._core.lower.jax")):
        importlib.import_module(module.name)

# No graph of a user has one: bases, what rewriting puts in, and what users derive from.
INSIDE = {*("AllGood", "Cut", "Guard"), *("KnownIndex", "Op", "Type", "Variable")}


def derived(base):
    """Yield what the engine derives from a class."""
    for kind in base.__subclasses__():
        if place_of(kind)[0].startswith("theano._core."):
            yield kind
        yield from derived(kind)


KINDS = sorted({*derived(Op), *derived(Type), *derived(Variable)}, key=str)
# What users derive from some is made when they do, and a class of a name when it is asked for.
KINDS = [kind for kind in KINDS if not issubclass(kind, Expressed) and plain_class(kind) is kind]
KINDS = [kind for kind in KINDS if kind.__name__[0] != "_" and kind.__name__ not in INSIDE]


def test_there_are_many():
    assert len(KINDS) > 300
    assert sum(map(len, HOMES.values())) > 330


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_class_is_found_where_it_says(kind):
    assert not kind.__module__.startswith("theano._core"), kind
    assert pickle.loads(pickle.dumps(kind)) is kind
    assert kind.__module__ in sys.modules
    # Pickles from before it said so.
    module, name = place_of(kind)
    if hasattr(sys.modules[module], name):
        assert pickle.loads(f"c{module}\n{name}\n.".encode()) is kind


@pytest.mark.parametrize("home", HOMES)
def test_names_are_there(home):
    for name, place in HOMES[home].items():
        source, _, own = place.partition(":")
        thing = getattr(importlib.import_module(f"theano._core.{source}"), own)
        assert getattr(importlib.import_module(home), name) is thing
        assert (thing.__module__, thing.__qualname__) == (home, name)


x, v, i, s = T.dmatrix("x"), T.dvector("v"), T.lvector("i"), T.iscalar("s")
images, S = T.tensor4("images"), sparse.csr_matrix("S", "float64")
w = theano.shared(np.eye(2), "w")
convolved = T.nnet.conv2d(images, images[:, :, :2, :2])
function = theano.function(
    [x, theano.In(v, value=np.ones(2))], theano.Out(T.dot(x, v), True), updates=[(w, w + 1)]
)
PICKLED = {
    "arithmetic": T.clip(x + v, 0, 1) ** 2 / T.erf(x),
    "reductions": [x.sum(0), x.mean(), x.std(), T.prod(x), T.any(x > 0), T.max(x), T.argmax(x, 1)],
    "indices": [x[1:, s], x[i], x[i, i], T.inc_subtensor(x[1:], 1.0), T.set_subtensor(x[i], 0.0)],
    "shapes": [
        x.reshape((2, -1)),
        x.flatten(),
        x.shape,
        x.dimshuffle(0, "x", 1),
        T.tile(x, (2, 2)),
    ],
    "made": [T.alloc(0.0, s, s), T.eye(s), T.arange(s), T.tri(3), T.diag(x), T.stack([s, s])],
    "joined": [T.concatenate([x, x]), T.repeat(v, 2), T.addbroadcast(x, 0), T.unbroadcast(x, 0)],
    "sorted": [T.sort(v), T.argsort(v), v.nonzero(), T.cumsum(v), T.extra_ops.Unique()(v)],
    "products": [T.dot(x, v), T.batched_dot(x[None], x[None]), T.slinalg.kron(x, x)],
    "linear algebra": [
        *(T.nlinalg.det(x), T.nlinalg.matrix_inverse(x), T.nlinalg.svd(x), T.nlinalg.eigh(x)),
        *(T.slinalg.cholesky(x), T.slinalg.solve(x, v), T.nlinalg.pinv(x), T.nlinalg.qr(x)),
        *(T.slinalg.expm(x), T.slinalg.eigvalsh(x, x)),
    ],
    "networks": [
        T.nnet.categorical_crossentropy(T.nnet.softmax(x), i).mean(),
        *(T.nnet.relu(x), T.nnet.logsoftmax(x), T.nnet.sigmoid(x), T.nnet.softplus(x)),
        *(convolved, pool_2d(images, (2, 2), ignore_border=True)),
    ],
    "gradients": T.grad(convolved.sum() + T.nnet.softmax(x).max(), [images, x]),
    "filters": [
        theano.gradient.grad_clip(x, -1, 1),
        theano.gradient.grad_scale(x, 2),
        theano.gradient.disconnected_grad(x),
        theano.gradient.zero_grad(x),
    ],
    "loop": theano.scan(lambda row, state: T.tanh(row + state), x, v)[0],
    "branch": theano.ifelse.ifelse(s, x, x + 1),
    "graph as operation": theano.OpFromGraph([x], [x + 1])(x),
    "observed": [theano.printing.Print("x")(x), T.opt.Assert("positive")(x, s > 0)],
    "sparse": [sparse.dot(S, x), S + S, sparse.dense_from_sparse(S), S * S, sparse.sp_sum(S)],
    "compared": [sparse.eq(S, S), sparse.lt(S, x)],
    "transforms": T.fft.rfft(x),
    "streams": [RandomStreams(1), MRG_RandomStreams(1), T.random.Stream(1)],
    "draws": [
        *(RandomStreams(1).uniform((2,)), MRG_RandomStreams(1).normal((2,))),
        *(MRG_RandomStreams(1).choice(p=x, size=1, replace=False), T.random.Stream(1).normal((2,))),
        *(RandomStreams(1).permutation(n=3), MRG_RandomStreams(1).multinomial(pvals=x)),
        *(RandomStreams(1).choice((2,), 3), RandomStreams(1).random_integers((2,))),
    ],
    "shared": [w, theano.shared(1), theano.shared(scipy.sparse.csr_matrix(np.eye(2)))],
    "objects": [theano.shared({}), T.NoneConst, theano.generic()],
    "modes": [theano.Mode(), theano.compile.get_mode("FAST_COMPILE"), NanGuardMode(True, True)],
    "checking": [theano.compile.get_mode("DEBUG_MODE"), theano.compile.MonitorMode()],
    "function": function,
    "graph": FunctionGraph([x], [x + 1]),
    "node": (x + 1).owner,
    "scalars": [
        theano.scalar.add,
        theano.scalar.Composite([a := theano.scalar.float64("a")], [a + a]),
        T.Elemwise(theano.scalar.add)(x, x),
        T.tensor_from_scalar(a * a),
    ],
    "lists": theano.typed_list.TypedListType(T.dmatrix)()[s],
    "specifications": [theano.In(x), theano.Out(x), theano.OrderedUpdates([(w, w + 1)])],
    "types": [x.type, S.type, T.scalar().type, theano.scalar.float64],
}


@pytest.mark.parametrize("name", PICKLED)
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_pickles_name_public_modules(name, protocol):
    data = pickle.dumps(PICKLED[name], protocol)
    assert b"theano._core" not in data
    again = pickle.loads(data)
    assert b"theano._core" not in pickle.dumps(again, protocol)


def test_operations_of_items():
    for name, value in vars(T).items():
        if isinstance(value, Op):
            data = pickle.dumps(value)
            assert b"theano._core" not in data, name
            assert pickle.loads(data) == value


ALONE = """
    import pickle, sys
    f, graph = pickle.loads({data!r})
    assert f([[1.0, 2.0]]).tolist() == [3.0]
    import theano
    assert isinstance(graph.owner.op, theano.tensor.DimShuffle)

    # Each class names its home as soon as it is made.
    from theano._core.legacy.homes import HOMES
    seen = 0
    for home, names in HOMES.items():
        for name, place in names.items():
            module, _, own = place.partition(":")
            thing = vars(sys.modules.get("theano._core." + module, object)).get(own)
            if thing is not None:
                seen += 1
            else:
                __import__("theano._core." + module)
                thing = getattr(sys.modules["theano._core." + module], own)
            assert (thing.__module__, thing.__qualname__) == (home, name)
    assert 200 < seen < 500

    # Finders of both times asked each other without end, and old names led to what was before.
    for name in [name for name in sys.modules if name.startswith("theano")]:
        del sys.modules[name]
    import theano._core.ops.nn.convolution as early
    assert early.AbstractConv2d.__module__ not in sys.modules
    import theano.tensor.nnet
    assert early.AbstractConv2d.__module__ in sys.modules
    from theano.tensor.nnet import abstract_conv
    assert abstract_conv.AbstractConv2d is early.AbstractConv2d
    import theano.tensor as T
    from theano.gof.graph import Variable
    from theano.sandbox.rng_mrg import MRG_RandomStreams
    assert isinstance(T.vector(), Variable)
    assert isinstance(MRG_RandomStreams(3).uniform((2,)), Variable)
"""


def test_pickles_load_elsewhere_and_the_package_may_be_imported_anew():
    run_python(ALONE.format(data=pickle.dumps((function, x.dimshuffle(1, 0)))))


def test_what_programs_print():
    assert str(type(x.dimshuffle(1, 0).owner.op)) == "<class 'theano.tensor.elemwise.DimShuffle'>"
    loop = PICKLED["loop"].owner.inputs[0].owner
    assert str(type(loop.op)) == "<class 'theano.scan_module.scan_op.Scan'>"
    assert str(type(S)) == "<class 'theano.sparse.basic.SparseVariable'>"
    assert str(type(theano.scalar.add)) == "<class 'theano.scalar.basic.Add'>"


def test_what_users_derive_stays_theirs():
    class Own(T.DimShuffle):
        pass

    class Kind(Type):
        pass

    assert Own.__module__ == Kind.__module__ == __name__
    assert place_of(Own)[0] == __name__

"""A call for which there is no memory changes nothing: each of its allocations fails in turn."""

import copy
import itertools
import sys

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.processes import run_python
from theano._core.runtime import native
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor import nlinalg
from theano.tensor.random import Stream
from theano.tensor.shared_randomstreams import RandomStreams

_testcapi = pytest.importorskip("_testcapi")
N = 40
X, V = T.dmatrix("x"), T.dvector("v")
H = T.cast(X, "float16")
# Small integers: products have the same bits in whatever order their terms are added.
ARGUMENTS = (np.arange(N * N).reshape(N, N) % 7 - 3.0 + 9 * np.eye(N), np.linspace(1, 2, N))


class Variables:
    """Shared variables for one function."""

    def __init__(self):
        self.w = theano.shared(np.linspace(0, 1, N * N).reshape(N, N))
        self.b = theano.shared(np.linspace(-1, 0, N))
        self.half = theano.shared(np.zeros((N, N), "float16"))
        self.n = theano.shared(np.int64(3))
        self.numpy = RandomStreams(5)
        self.mrg = MRG_RandomStreams(6)
        self.stream = Stream(7)


def loop(s):
    return theano.scan(lambda h: T.tanh(h + V), outputs_info=s.b, n_steps=4)[0]


UPDATES = {
    "none": lambda s: [],
    "sum": lambda s: [(s.b, s.b + V)],
    "sums": lambda s: [(s.b, s.b + V), (s.w, s.w * 2 - X), (s.n, s.n + 1)],
    "swap": lambda s: [(s.b, s.w[0]), (s.w, s.w + T.outer(s.b, V))],
    "part": lambda s: [(s.w, T.inc_subtensor(s.w[2:5], V)), (s.b, T.set_subtensor(s.b[3], 1.0))],
    "rows": lambda s: [(s.w, T.inc_subtensor(s.w[[3, 1, 3]], V))],
    "products": lambda s: [(s.w, s.w - 0.1 * T.dot(X.T, X)), (s.b, s.b - 0.1 * T.dot(X, V))],
    "product": lambda s: [(s.w, s.w - 0.1 * T.dot(X[::2].T, X[::2]))],
    "halves": lambda s: [
        (s.half, s.half - T.dot(H.T, H)),
        (s.w, s.w + T.dot(X[::-1].T, X[:, ::-1])),
    ],
    "outer": lambda s: [(s.w, s.w + T.outer(V, s.b))],
    "other shape": lambda s: [(s.b, T.concatenate([s.b, V])), (s.w, s.w[::2])],
    "loop": lambda s: [(s.b, loop(s)[-1]), (s.n, s.n * 2)],
    "factors": lambda s: [(s.w, nlinalg.matrix_inverse(X)), (s.b, T.sort(V - s.b))],
}
OUTPUTS = {
    "nothing": lambda s: [],
    "one": lambda s: V * 2,
    "twice": lambda s: [V * 2, V * 2, V],
    "shared": lambda s: [s.w, s.b, s.n, s.w.T],
    "after": lambda s: [s.b + V, s.w * 2 - X, s.w - 0.1 * T.dot(X.T, X)],
    "many": lambda s: [V + i for i in range(12)],
    "names": lambda s: {"a": X.sum(), "b": X[1:], "c": s.b[::-1]},
    "draws": lambda s: [s.numpy.normal((9,)), s.numpy.uniform((3,)), s.mrg.uniform((20,))],
    "stream": lambda s: [s.stream.normal((9,)), s.mrg.normal((3,)) + s.numpy.binomial((3,))],
}
CASES = [c for c in itertools.product(UPDATES, OUTPUTS) if c != ("none", "nothing")]


def state_of(value):
    if isinstance(value, np.random.RandomState):
        state = value.get_state(legacy=False)
        words = state.pop("state")
        return words["key"].tobytes(), words["pos"], state
    return np.asarray(value).tobytes(), np.shape(value)


def states(function):
    return [state_of(v.get_value(borrow=True)) for v in function.get_shared()]


def as_list(result):
    if isinstance(result, dict):
        return [state_of(result[key]) for key in sorted(result)]
    return [state_of(r) for r in (result if isinstance(result, list) else [result])]


class Pool:
    """Failures of the runtime's memory."""

    def start(self, number):
        native.fail_allocations(number, 1)

    def stop(self):
        """End it; tell whether there was a failure."""
        return native.fail_allocations(0, 0) == 0


class Python:
    """Failures of Python's memory: its objects, and those of NumPy."""

    # Python asks for memory that it can do without.
    PATIENCE = 40

    def start(self, number):
        self.number = number
        _testcapi.set_nomemory(number, number + 1)

    def stop(self):
        _testcapi.remove_mem_hooks()
        return self.number < self.PATIENCE


@pytest.mark.parametrize("updates, outputs", CASES)
def test_nothing_changes(updates, outputs):
    s = Variables()
    options = {"updates": UPDATES[updates](s), "on_unused_input": "ignore"}
    function = theano.function([X, V], OUTPUTS[outputs](s), **options)
    variables = function.get_shared()
    start = [copy.deepcopy(v.get_value(borrow=True)) for v in variables]
    before = states(function)
    wanted = as_list(function(*ARGUMENTS))
    after = states(function)
    for failures in (Pool(), Python()):
        for number in range(10_000):
            for variable, value in zip(variables, start, strict=True):
                variable.set_value(value)
            result = None
            failures.start(number)
            try:
                result = function(*ARGUMENTS)
            # Not always MemoryError: ctypes calls it an error of its argument.
            except Exception:
                pass
            finally:
                failed = failures.stop()
            if result is None:
                assert states(function) == before, (failures, number)
                result = function(*ARGUMENTS)
            assert as_list(result) == wanted, (failures, number)
            assert states(function) == after, (failures, number)
            if not failed:
                break


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit of memory")
def test_results_that_do_not_fit():
    run_python("""
        import resource
        import numpy as np, theano, theano.tensor as T
        s, x = theano.shared(np.zeros(10)), T.dvector()
        y = x * 2
        functions = [
            theano.function([x], outputs, updates=[(s, s + 1)])
            for outputs in ([y, y], [x + i for i in range(9)])
        ]
        # Larger than what the allocator of a thread holds in reserve.
        big = np.zeros(40_000_000)
        for f in functions:
            f(big[:3])
        s.set_value(np.zeros(10))
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 400_000_000, -1))
        for f in functions:
            try:
                f(big)
            except MemoryError:
                pass
            else:
                raise SystemExit("there was enough memory")
            assert (s.get_value() == 0).all()
    """)

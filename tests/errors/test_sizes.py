"""Arrays for which there is no memory: MemoryError with the shape and the user's line."""

import subprocess
import sys

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.tensor import random

HERE = "test_sizes.py"
HUGE = 2**60

n, w, x, m = T.lscalar("n"), T.bvector("w"), T.dvector("x"), T.dmatrix("m")
wide = np.broadcast_to(np.int8(1), (HUGE,))
rows = np.broadcast_to(1.0, (2**58, 3))
CASES = {
    "zeros": (T.zeros((n, 3)), [n], [HUGE], f"({HUGE}, 3)"),
    "range": (T.arange(n), [n], [HUGE], f"({HUGE},)"),
    "function of zeros": (T.exp(T.alloc(x[0], n)), [x, n], [np.ones(3), HUGE], f"({HUGE},)"),
    "function": (T.exp(m), [m], [rows], f"({2**58}, 3)"),
    "outer": (w[:, None] + T.alloc(np.int8(1), n), [w, n], [wide, HUGE], f"({HUGE}, {HUGE})"),
    "sum of an outer": (
        (w.dimshuffle(0, "x") * w + n).sum(),
        [w, n],
        [wide, 1],
        f"({HUGE}, {HUGE})",
    ),
    "join": (T.concatenate([w, w]), [w], [wide], f"({2 * HUGE},)"),
    "long join": (T.concatenate([w] * 9), [w], [wide], f"({2**63 - 1},)"),
    "stack": (T.stack([w, w]), [w], [wide], f"(2, {HUGE})"),
    "part": (w[::2], [w], [wide], f"({HUGE // 2},)"),
    "reshape": (w.reshape((n, -1)), [w, n], [wide, 2], f"({HUGE},)"),
    "items": (T.alloc(x, n, 3)[:, [0, 1]], [x, n], [np.ones(3), HUGE], f"({HUGE}, 2)"),
    "written": (T.set_subtensor(w[0], 2), [w], [wide], f"({HUGE},)"),
    "identity": (T.eye(n), [n], [HUGE], f"({HUGE}, {HUGE})"),
    "product": (T.dot(m, m.T), [m], [rows], f"({2**58}, {2**58})"),
    "sums": (m.sum(axis=1), [m], [rows], f"({2**58},)"),
    "sorted": (T.sort(w), [w], [wide], f"({HUGE},)"),
    "draws": (random.uniform(np.array([1, 2], "uint32"), (n, 2)), [n], [HUGE], f"({HUGE}, 2)"),
    "steps": (
        theano.scan(lambda h: h + 1, None, np.float64(0), n_steps=n)[0],
        [n],
        [HUGE],
        # With the first state, or without.
        f"({HUGE // 10}",
    ),
    "nothing beside much": (T.zeros((0, n)), [n], [2**62], f"(0, {2**62})"),
}


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("name", list(CASES))
def test_the_shape_and_the_line_are_told(name, mode):
    out, inputs, values, shape = CASES[name]
    f = theano.function(inputs, out, mode=mode)
    with pytest.raises(MemoryError) as caught:
        f(*values)
    assert shape in str(caught.value)
    assert HERE in str(caught.value) or name == "nothing beside much"


@pytest.mark.parametrize("name", ["zeros", "range", "identity", "draws", "nothing beside much"])
def test_so_does_the_reference(name):
    out, inputs, values, shape = CASES[name]
    f = theano.function(inputs, out, mode=theano.Mode("py", None))
    with pytest.raises(MemoryError) as caught:
        f(*values)
    assert shape in str(caught.value)


def test_lengths_that_are_no_numbers():
    f = theano.function([n], T.concatenate([T.zeros((n,)), T.ones((n,))]).shape[0])
    with pytest.raises(MemoryError, match=rf"{2**62} \+ {2**62} items") as caught:
        f(2**62)
    assert HERE in str(caught.value)
    f = theano.function([n], T.zeros((n, n)).size)
    with pytest.raises(MemoryError, match=f"{2**32} x {2**32} items") as caught:
        f(2**32)
    assert HERE in str(caught.value)


WORK = """
import resource, theano, theano.tensor as T, numpy as np
x = T.bvector("x")
f = theano.function([x], T.argsort(x))
f(np.zeros(10, "int8"))
data = np.zeros(1 << 24, "int8")
have = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (have + (200 << 20), have + (200 << 20)))
try:
    f(data)
except MemoryError as error:
    print(error)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit is that of Linux")
def test_no_memory_to_work_with():
    """The result fits, and what it is made with does not."""
    run = subprocess.run([sys.executable, "-c", WORK], capture_output=True, text=True, check=True)
    assert "there is no memory to work with" in run.stdout
    assert "ArgSort" in run.stdout and "line 4" in run.stdout

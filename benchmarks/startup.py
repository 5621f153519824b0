"""From nothing to the first training step: import, compile with a cold cache, and with a warm one.

Each figure is measured in a process of its own. A cold compile gets an empty cache folder, a warm
one the folder that a first process has filled. The import is counted on top of NumPy's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

from figures import Figures, main

PARTS = {
    "theano": (
        "import theano; import theano.tensor as T",
        "exec(SYMBOLIC)",
    ),
    "pytensor": (
        "import pytensor as theano; import pytensor.tensor as T",
        "exec(SYMBOLIC)",
    ),
    "jax": (
        "import jax; import jax.numpy as jnp",
        """
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
x, y = jnp.asarray(X), jnp.asarray(Y)
def cost(w, b):
    score = x @ w + b
    xent = jnp.logaddexp(0, score) - y * score
    return xent.mean() + 0.01 * (w**2).sum(), (score > 0, xent)
@jax.jit
def train(w, b):
    (gw, gb), out = jax.grad(cost, (0, 1), has_aux=True)(w, b)
    return out, (w - 0.1 * gw, b - 0.1 * gb)
w, b = jnp.asarray(W), jnp.asarray(0.0)
start()
jax.block_until_ready(train(w, b))
""",
    ),
    "torch": (
        "import torch",
        """
x, y = torch.from_numpy(X), torch.from_numpy(Y)
w, b = torch.from_numpy(W), torch.tensor(0.0).double()
torch.set_num_threads(1)
@torch.compile
def train(w, b):
    score = x @ w + b
    xent = torch.nn.functional.softplus(score, threshold=1e9) - y * score
    g = (torch.sigmoid(score) - y) / len(y)
    return score > 0, xent, w - 0.1 * (x.T @ g + 0.02 * w), b - 0.1 * g.sum()
start()
train(w, b)
""",
    ),
}
SYMBOLIC = """
x, y = T.dmatrix("x"), T.dvector("y")
w, b = theano.shared(W, name="w"), theano.shared(0.0, name="b")
p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))
xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)
cost = xent.mean() + 0.01 * (w**2).sum()
gw, gb = T.grad(cost, [w, b])
start()
train = theano.function(
    [x, y], [p_1 > 0.5, xent], updates=((w, w - 0.1 * gw), (b, b - 0.1 * gb)))
train(X, Y)
"""
FRAME = """
import json, os, sys, time
import numpy as np
SYMBOLIC = {symbolic!r}
rng = np.random.RandomState(7)
X, Y = rng.randn(400, 784), rng.randint(size=400, low=0, high=2).astype("float64")
W = 0.01 * rng.randn(784)
def clock():
    t = os.times()
    # Compilers that run as processes of their own count as well.
    return time.perf_counter(), t.user + t.system + t.children_user + t.children_system
begin = time.perf_counter()
{imports}
imported = time.perf_counter() - begin
def start():
    global began
    began = clock()
{body}
wall, cpu = (after - before for before, after in zip(began, clock()))
print(json.dumps({{"import": imported, "wall": wall, "cpu": cpu}}))
"""


def run(framework: str, cache: str) -> dict[str, float]:
    """Run the program in a fresh process whose caches lie in `cache`."""
    imports, body = PARTS[framework]
    flags = f"base_compiledir={cache}"
    environ = {
        **os.environ,
        "THEANO_FLAGS": flags,
        "PYTENSOR_FLAGS": flags,
        "JAX_COMPILATION_CACHE_DIR": cache,
        "TORCHINDUCTOR_CACHE_DIR": cache,
    }
    program = FRAME.format(symbolic=SYMBOLIC, imports=imports, body=body)
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def case(framework: str) -> Figures:
    with tempfile.TemporaryDirectory() as cache:
        cold, warm = run(framework, cache), run(framework, cache)
    return {
        "import, beyond NumPy": (1e3 * warm["import"], "ms"),
        "compile and first step, cold cache, wall": (1e3 * cold["wall"], "ms"),
        "compile and first step, cold cache, CPU": (1e3 * cold["cpu"], "ms"),
        "compile and first step, warm cache, wall": (1e3 * warm["wall"], "ms"),
    }


if __name__ == "__main__":
    main({name: lambda name=name: case(name) for name in PARTS})

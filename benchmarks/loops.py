"""Short steps, many of them: the cost of a step of a loop, float64.

The logistic map, 10,000 steps with all values out; and a body of four numbers that all need each
other, 10,000 steps, its last value and its gradient. The C loops are compiled with -O3.
"""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from figures import Figures, best_time, main

STEPS = 10_000
START = 0.3
VECTOR = np.array([0.1, 0.2, 0.3, 0.4])

SOURCE = """
#include <math.h>
void logistic(double x, long n, double *out) {
    for (long t = 0; t < n; ++t) { x = 3.7 * x * (1 - x); out[t] = x; }
}
void vector(double *c, long n) {
    for (long t = 0; t < n; ++t) {
        double sum = c[0] + c[1] + c[2] + c[3];
        for (int i = 0; i < 4; ++i) c[i] = tanh(0.9 * c[i] + 0.1 * sum);
    }
}
"""


def logistic_map() -> np.ndarray:
    values, x = [], START
    for _ in range(STEPS):
        x = 3.7 * x * (1 - x)
        values.append(x)
    return np.array(values)


def last_vector(c: np.ndarray) -> np.ndarray:
    for _ in range(STEPS):
        c = np.tanh(0.9 * c + 0.1 * c.sum())
    return c


def slope() -> np.ndarray:
    """Return the gradient of the sum of the last vector, going back by hand."""
    rows = [VECTOR]
    for _ in range(STEPS):
        rows.append(np.tanh(0.9 * rows[-1] + 0.1 * rows[-1].sum()))
    g = np.ones(4)
    for row in rows[:0:-1]:
        g = g * (1 - row**2)
        g = 0.9 * g + 0.1 * g.sum()
    return g


def figures(functions) -> Figures:
    """Time functions for the map, the vector and its gradient; None for what there is not."""
    names = ("logistic map, a step", "four numbers, a step", "and its gradient, a step")
    wanted = (logistic_map, lambda: last_vector(VECTOR), slope)
    found = {}
    for name, function, right in zip(names, functions, wanted, strict=True):
        if function is None:
            continue
        # The map is chaotic: only its first values can be compared.
        first = slice(0, 20) if "map" in name else slice(None)
        np.testing.assert_allclose(np.asarray(function())[first], right()[first], rtol=1e-6)
        found[name] = (1e9 * best_time(function, 0.3) / STEPS, "ns")
    return found


def c_case() -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder) / "loops.c", Path(folder) / "loops.so"
        source.write_text(SOURCE)
        command = ["cc", "-O3", "-march=native", "-shared", "-fPIC", "-o", library, source, "-lm"]
        subprocess.run(command, check=True, capture_output=True)
        loops = ctypes.CDLL(str(library))
    out, c = np.empty(STEPS), VECTOR.copy()
    pointer = ctypes.c_void_p

    def logistic():
        loops.logistic(ctypes.c_double(START), ctypes.c_long(STEPS), pointer(out.ctypes.data))
        return out

    def vector():
        c[:] = VECTOR
        loops.vector(pointer(c.ctypes.data), ctypes.c_long(STEPS))
        return c

    return figures((logistic, vector, None))


def symbolic(module, tensor) -> Figures:
    x, c = tensor.dscalar("x"), tensor.dvector("c")
    values, _ = module.scan(lambda x: 3.7 * x * (1 - x), outputs_info=x, n_steps=STEPS)
    rows, _ = module.scan(
        lambda c: tensor.tanh(0.9 * c + 0.1 * c.sum()), outputs_info=c, n_steps=STEPS
    )
    logistic = module.function([x], values)
    vector = module.function([c], rows[-1])
    gradient = module.function([c], tensor.grad(rows[-1].sum(), c))
    return figures((lambda: logistic(START), lambda: vector(VECTOR), lambda: gradient(VECTOR)))


def theano_case() -> Figures:
    import theano
    import theano.tensor

    return symbolic(theano, theano.tensor)


def pytensor_case() -> Figures:
    import pytensor
    import pytensor.tensor

    return symbolic(pytensor, pytensor.tensor)


def jax_case() -> Figures:
    import jax
    import jax.numpy as jnp

    def values(x):
        def step(x, _):
            x = 3.7 * x * (1 - x)
            return x, x

        return jax.lax.scan(step, x, None, length=STEPS)[1]

    def last(c):
        def step(c, _):
            return jnp.tanh(0.9 * c + 0.1 * c.sum()), None

        return jax.lax.scan(step, c, None, length=STEPS)[0]

    x, c = jnp.asarray(START), jnp.asarray(VECTOR)
    compiled = [jax.jit(f) for f in (values, last, jax.grad(lambda c: last(c).sum()))]
    arguments = (x, c, c)
    return figures(
        [
            lambda f=f, a=a: jax.block_until_ready(f(a))
            for f, a in zip(compiled, arguments, strict=True)
        ]
    )


if __name__ == "__main__":
    main({"c": c_case, "theano": theano_case, "pytensor": pytensor_case, "jax": jax_case})

"""Write draws of `MRG_RandomStreams` of Theano 1.0.5 to a JSON file.

Run with Python 3.7 and Theano 1.0.5 with a C++ compiler, not with this package (without a compiler
Theano rounds float32 draws otherwise):

    python tools/golden_mrg.py tests/golden/mrg_theano105.json

Each row: the seed, the method, its arguments, the dtype and the pattern of the variable, and two
successive results. A result of many items is kept as its shape, its first items, and its sum.
"""

import json
import sys
import warnings

import numpy as np

import theano
import theano.tensor as T
from theano.sandbox.rng_mrg import MRG_RandomStreams

warnings.simplefilter("ignore")
SIX = [1, 2, 3, 4, 5, 6]
ROWS = [[0.98, 0.01, 0.01], [0.01, 0.49, 0.5], [0.2, 0.3, 0.5], [0.0, 1.0, 0.0]]
CALLS = []


def call(name, seed=42, **arguments):
    """Add a row."""
    CALLS.append((seed, name, arguments))


for DTYPE in ["float16", "float32", "float64"]:
    for SIZE in [[1], [5], [40], [3, 4], [2, 1, 3], [1000], [200, 100]]:
        call("uniform", size=SIZE, dtype=DTYPE)
    for NSTREAMS in [1, 2, 7, 100]:
        call("uniform", size=[30], dtype=DTYPE, nstreams=NSTREAMS)
    call("uniform", seed=SIX, size=[20], dtype=DTYPE, low=-1.0, high=3.0)
for SEED in [1, 12345, 2147462578, [2147483646, 0, 1, 2147462578, 0, 0]]:
    call("uniform", seed=SEED, size=[20])
call("uniform", size=[2, 3], low=[1.0, 2.0, 3.0], high=[[10.0], [20.0]])
call("uniform", size={"vector": [3, 4]}, ndim=2)
call("uniform", size={"scalars": [3, 4]})
call("uniform", size={"scalars": [3, 4]}, nstreams=5)
for DTYPE in ["float32", "float64"]:
    for NAME in ["normal", "truncated_normal"]:
        for SIZE in [[1], [5], [40], [3, 4], [2, 1, 3], 7, [101, 10]]:
            call(NAME, size=SIZE, dtype=DTYPE)
        for NSTREAMS in [1, 2, 7, 100]:
            call(NAME, size=[30], dtype=DTYPE, nstreams=NSTREAMS)
        call(NAME, size=[50], dtype=DTYPE, avg=3.0, std=0.5)
        call(NAME, seed=SIX, size=[3, 4], dtype=DTYPE, avg=[0.0, 1.0, 2.0, 3.0], std=2.0)
        call(NAME, size={"vector": [3, 5]}, ndim=2, dtype=DTYPE)
        call(NAME, size={"scalars": [3, 5]}, dtype=DTYPE)
call("normal", size=[50], truncate=True)
for P in [0.5, 0.1, 0.99]:
    call("binomial", size=[60], p=P)
call("binomial", size=[3, 4], p=0.3, dtype="float32")
call("binomial", size=[2, 3], p=[0.1, 0.5, 0.9], nstreams=3)
call("binomial", size={"scalars": [3, 4]}, p=0.3)
for N in [1, 2, 20]:
    call("multinomial", pvals=ROWS, n=N)
    call("multinomial", pvals=ROWS, n=N, dtype="float32", nstreams=3)
call("multinomial", pvals=ROWS, n=5, dtype="auto")
for N in [1, 2, 3]:
    call("multinomial_wo_replacement", pvals=[[0.2, 0.1, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1]], n=N)
    call("choice", p=[[0.2, 0.1, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1]], size=N, replace=False)
call("choice", p=[[0.2, 0.1, 0.3, 0.4]], size=2, replace=False, dtype="float32", nstreams=2)


def value(argument):
    """Return an argument for the method, and the inputs of the function with their values."""
    if isinstance(argument, dict) and "vector" in argument:
        vector = T.lvector()
        return vector, [vector], [argument["vector"]]
    if isinstance(argument, dict):
        scalars = [T.lscalar() for _ in argument["scalars"]]
        return tuple(scalars), scalars, argument["scalars"]
    return argument, [], []


def draw(seed, name, arguments):
    """Return dtype, pattern and two results of a call."""
    size, inputs, values = value(arguments.get("size"))
    arguments = dict(arguments)
    if "size" in arguments:
        arguments["size"] = tuple(size) if isinstance(size, list) else size
    out = getattr(MRG_RandomStreams(seed), name)(**arguments)
    f = theano.function(inputs, out)
    results = [f(*values), f(*values)]
    return [out.dtype, list(out.broadcastable), [shorten(r) for r in results]]


def shorten(result):
    """Return the shape, the first items and the sum of a result."""
    items = result.reshape(-1).astype("float64")
    return [list(result.shape), items[:60].tolist(), float(np.sum(items))]


if __name__ == "__main__":
    rows = [
        [seed, name, arguments, *draw(seed, name, arguments)] for seed, name, arguments in CALLS
    ]
    with open(sys.argv[1], "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")

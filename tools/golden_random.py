"""Write draws of `RandomStreams` of Theano 1.0.5 to a JSON file.

Run with Python 3.7, Theano 1.0.5 and NumPy 1.17, not with this package:

    THEANO_FLAGS=cxx= python tools/golden_random.py tests/golden/random_theano105.json

Each row: the seed, the method, its arguments, and either the dtype and the pattern of the variable
with three successive results, or the step that failed ('make' or 'call') and the exception. Of a
long result the first items and the sum are kept.

An argument is a JSON value, or {"vector": lengths}, {"scalars": lengths}, {"tuple": [length or
{"scalar": length}]} for symbolic sizes, or {"input": value, "dtype": name} for a symbolic
parameter.
"""

import json
import sys
import warnings

import numpy as np

import theano
import theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStreams

warnings.simplefilter("ignore")
CALLS = []
ROW = [0.0, 1.0, 2.0]
COLUMN = [[10.0], [20.0]]


def call(name, seed=234, **arguments):
    """Add a row."""
    CALLS.append((seed, name, arguments))


def given(value, dtype="float64"):
    """Return a symbolic parameter."""
    return {"input": value, "dtype": dtype}


SIZES = [
    [],
    [1],
    [5],
    [2, 1, 3],
    [0],
    [3, 0],
    5,
    {"vector": [3, 4]},
    {"scalars": [3, 2]},
    {"tuple": [2, {"scalar": 3}, 1]},
    [-2],
    [-1],
    {"scalars": [-1]},
    2.5,
    [2.5],
]
SIMPLE = [
    ("uniform", {}),
    ("normal", {}),
    ("binomial", {}),
    ("random_integers", {}),
    ("choice", {}),
    ("poisson", {"lam": 4.0}),
    ("permutation", {"n": 4}),
    ("multinomial", {"n": 6, "pvals": [0.2, 0.3, 0.5]}),
]
for NAME, ARGUMENTS in SIMPLE:
    if NAME not in ("choice", "poisson"):
        call(NAME, **ARGUMENTS)
    for SIZE in SIZES:
        ndim = {"ndim": 2} if isinstance(SIZE, dict) and "vector" in SIZE else {}
        call(NAME, size=SIZE, **dict(ARGUMENTS, **ndim))
    call(NAME, size={"vector": [3]}, **ARGUMENTS)
    call(NAME, size={"vector": [3, 4]}, ndim=1, **ARGUMENTS)
    call(NAME, size=[3, 4], ndim=1, **ARGUMENTS)
    call(NAME, size=[3, 4], ndim=2, **ARGUMENTS)
    call(NAME, size=[400], **ARGUMENTS)
    for DTYPE in ["int8", "int32", "float32", "float64"]:
        call(NAME, size=[4], dtype=DTYPE, **ARGUMENTS)
for NAME, ONE, TWO in [
    ("uniform", "low", "high"),
    ("normal", "avg", "std"),
    ("random_integers", "low", "high"),
]:
    KIND = "int64" if NAME == "random_integers" else "float64"
    A = np.asarray(ROW, dtype=KIND).tolist()
    B = np.asarray(COLUMN, dtype=KIND).tolist()
    call(NAME, **{ONE: A, TWO: B})
    call(NAME, **{ONE: given(A, KIND), TWO: given(B, KIND)})
    call(NAME, **{ONE: given(A, KIND), TWO: 30})
    call(NAME, size=[2, 3], **{ONE: A, TWO: B})
    call(NAME, size=[4, 2, 3], **{ONE: A, TWO: B})
    call(NAME, size=[-1, 3], **{ONE: A, TWO: B})
    call(NAME, size=[-1, -1], **{ONE: given(A, KIND), TWO: given(B, KIND)})
    call(NAME, size=[4, -1, -1], **{ONE: given(A, KIND), TWO: given(B, KIND)})
    call(NAME, size=[-1, 2, 3], **{ONE: A, TWO: B})
    call(NAME, size=[3], **{ONE: B})
    call(NAME, size=[5], **{ONE: A, TWO: 30})
    call(NAME, size={"vector": [2, 3]}, ndim=2, **{ONE: given(A, KIND), TWO: given(B, KIND)})
    call(NAME, size=[4], **{ONE: 3, TWO: 7})
    call(NAME, size=[3], **{ONE: given(2, KIND), TWO: given(5, KIND)})
call("uniform", size=[4], low=given(1.0, "float32"), high=2.0)
call("uniform", size=[4], low=5.0, high=1.0)
call("uniform", size=[3], low="a")
call("normal", size=[4], std=-1.0)
call("normal", size=[4], std=0.0)
call("normal", size=[3, 3])
call("normal", size=[4], avg=given([1.0, 2.0, 3.0, 4.0], "float32"))
for P in [0.0, 0.3, 1.0, 1.5, -0.5, [0.1, 0.9], given([0.1, 0.9])]:
    call("binomial", n=7, p=P)
call("binomial", size=[3], n=[4, 5, 6], p=0.5)
call("binomial", n=given([[4, 6], [5, 7]], "int64"), p=given([0.2, 0.8]))
call("binomial", size=[4], n=1, prob=0.9)
call("binomial", size=[4], n=-1)
call("binomial", size=[4], n=1000, p=0.4)
call("binomial", size=[4], n=2.5)
for LOW, HIGH in [(0, 0), (0, 255), (0, 256), (-5, 5), (0, 2**31), (0, 2**40), (5, 4)]:
    call("random_integers", size=[6], low=LOW, high=HIGH)
call("random_integers", low=[0, 1, 2], high=300)
call("random_integers", size=[2, 3], low=[0, 1, 2], high=[[300], [2**33]])
call("random_integers", low=[5, 1], high=4)
call("random_integers", low=[0, 1, 2], high=[4, 5])
for ARGUMENTS in [
    {"a": 10},
    {"a": [5, 7, 9]},
    {"a": 10, "replace": False},
    {"a": [5, 7, 9, 11, 13], "replace": False},
    {"a": [5, 7, 9], "p": [0.8, 0.1, 0.1]},
    {"a": 5, "replace": False, "p": [0.3, 0.3, 0.2, 0.1, 0.1]},
    {"a": given([5, 7, 9], "int64"), "p": given([0.8, 0.1, 0.1])},
    {"a": [0.5, 1.5], "dtype": "float64"},
    {"a": [[1, 2], [3, 4]]},
    {"a": 2, "replace": False},
    {"a": 3, "p": [0.5, 0.1, 0.1]},
    {"a": 2, "p": [0.5, 0.3, 0.2]},
    {"a": 0},
]:
    call("choice", size=[4], **ARGUMENTS)
call("poisson", lam=[1.0, 5.0])
call("poisson", size=[2], lam=[1.0, 50.0])
call("poisson", size=[2], lam=given([1.0, 50.0]))
call("poisson", size=[3], lam=-1.0)
call("poisson", size=[3], lam=0.0)
call("poisson", size=[3], lam=[1.0, 2.0])
for N in [0, 1, 10, given(6, "int64"), [2, 3], -1]:
    call("permutation", n=N)
    call("permutation", size=[2], n=N)
call("permutation", ndim=1, n=3)
call("permutation", ndim=2, n=3)
for ARGUMENTS in [
    {"n": [4, 5], "pvals": [[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]},
    {"n": given([4, 5], "int64"), "pvals": given([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])},
    {"n": [4, 5], "pvals": [0.2, 0.3, 0.5]},
    {"size": [3, 2], "n": 9, "pvals": [[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]},
    {"size": [3, -1], "n": 9, "pvals": [[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]},
    {"size": [3], "n": 9, "pvals": [[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]},
    {"n": 20, "pvals": given([0.1] * 10, "float32")},
    {"n": 20, "pvals": given([1.0 / 3] * 3, "float32")},
    {"n": 20, "pvals": [0.5, 0.5, 0.0]},
    {"n": 20, "pvals": [1.0, 0.00001]},
    {"n": 20, "pvals": [0.7, 0.7]},
    {"n": 20, "pvals": [-0.5, 0.5]},
    {"n": 20, "pvals": [0.1, 0.1]},
    {"n": 0, "pvals": [0.1, 0.9]},
    {"n": -3, "pvals": [0.1, 0.9]},
    {"n": 3, "pvals": [[1.0]]},
    {"n": 3, "pvals": 0.5},
]:
    call("multinomial", **ARGUMENTS)
for X in [[1, 2, 3, 4], [[1, 2, 3], [4, 5, 6]], [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]]:
    call("shuffle_row_elements", input=given(X, "int64"))
for SEED in [0, 42, [1, 2, 3], 2**32 - 1, -1]:
    call("uniform", seed=SEED, size=[3])


def variable(argument, inputs, values):
    """Return an argument for the method; symbolic ones are added to the lists."""
    if isinstance(argument, list):
        return tuple(argument)
    if not isinstance(argument, dict):
        return argument
    if "vector" in argument:
        made, value = [T.lvector()], [argument["vector"]]
        result = made[0]
    elif "scalars" in argument:
        made, value = [T.lscalar() for _ in argument["scalars"]], argument["scalars"]
        result = tuple(made)
    elif "tuple" in argument:
        value = [n["scalar"] for n in argument["tuple"] if isinstance(n, dict)]
        made = [T.lscalar() for _ in value]
        rest = list(made)
        result = tuple(rest.pop(0) if isinstance(n, dict) else n for n in argument["tuple"])
    else:
        value = [np.asarray(argument["input"], dtype=argument["dtype"])]
        made = [T.TensorType(argument["dtype"], [False] * value[0].ndim)()]
        result = made[0]
    inputs += made
    values += value
    return result


def draw(seed, name, arguments):
    """Return what a call gives; see the module."""
    inputs, values = [], []
    step = "make"
    try:
        made = {}
        for key, argument in arguments.items():
            tensor = key not in ("size", "input") and isinstance(argument, list)
            made[key] = argument if tensor else variable(argument, inputs, values)
        out = getattr(RandomStreams(seed), name)(**made)
        step = "call"
        f = theano.function(inputs, out, mode="FAST_RUN")
        results = [shorten(f(*values)) for _ in range(3)]
    except Exception as error:
        return [step, type(error).__name__]
    return [out.dtype, list(out.broadcastable), results]


def shorten(result):
    """Return the shape, the first items and the sum of a result."""
    items = result.reshape(-1)
    return [list(result.shape), items[:20].tolist(), float(np.sum(items.astype("float64")))]


if __name__ == "__main__":
    rows = [
        [seed, name, arguments, *draw(seed, name, arguments)] for seed, name, arguments in CALLS
    ]
    with open(sys.argv[1], "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")

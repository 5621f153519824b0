"""Write the dtype answers of Theano 1.0.5 to a JSON file.

Run with Python 3.7 and Theano 1.0.5, not with this package:

    THEANO_FLAGS=cxx= python tools/golden_dtypes.py tests/golden/dtypes_theano105.json

One letter stands for each dtype (NumPy's type letters) or exception. An operation maps settings to
rows: row i, column j is the answer for operand dtypes i and j. Settings whose answers equal those
of the default settings are left out.
"""

from __future__ import print_function

import json
import sys

import numpy as np
import theano
import theano.tensor as tt
from theano.tensor import nnet

LETTERS = [
    ("bool", "?"),
    ("int8", "b"),
    ("int16", "h"),
    ("int32", "i"),
    ("int64", "l"),
    ("uint8", "B"),
    ("uint16", "H"),
    ("uint32", "I"),
    ("uint64", "L"),
    ("float16", "e"),
    ("float32", "f"),
    ("float64", "d"),
    ("complex64", "F"),
    ("complex128", "D"),
]
ERRORS = [
    ("TypeError", "T"),
    ("ComplexError", "C"),
    ("NotImplementedError", "N"),
    ("AsTensorError", "A"),
    ("ValueError", "V"),
    ("OverflowError", "O"),
    ("AttributeError", "Q"),
    ("AssertionError", "S"),
    ("IntegerDivisionError", "X"),
    ("NotScalarConstantError", "Z"),
]
CODE = dict(LETTERS)
ERROR_CODE = dict(ERRORS)
DTYPES = [name for name, _ in LETTERS]
SETTINGS = [
    (float_dtype, policy)
    for policy in ("custom", "numpy+floatX")
    for float_dtype in ("float64", "float32", "float16")
]
BINARY = (
    "add sub mul true_div int_div mod pow maximum minimum eq neq lt le gt ge and_ or_ xor arctan2 dot"
).split()
UNARY = (
    "neg abs_ sqr sqrt inv exp exp2 expm1 log log2 log10 log1p sin cos tan sinh cosh tanh arcsin "
    "arccos arctan arcsinh arccosh arctanh deg2rad rad2deg sgn ceil floor trunc round_half_to_even "
    "round_half_away_from_zero iround isnan isinf invert real imag angle conj erf erfc erfcx erfinv "
    "erfcinv gamma gammaln psi tri_gamma chi2sf j0 j1 i0 i1 zeros_like ones_like"
).split()
REDUCTIONS = "sum prod mean var std max min argmax argmin any all cumsum cumprod ptp".split()
CASTING_REDUCTIONS = "sum prod mean".split()
NUMBERS = [
    "True", "0", "1", "-1", "127", "128", "-129", "300", "40000", "2**31", "2**40", "2**63",
    "2**64", "0.0", "0.5", "0.1", "-1.0", "1e10", "1e300", "float('inf')", "float('nan')", "1j",
    "1.5+0.1j",
]  # fmt: skip
PAIRED = "add mul true_div pow maximum".split()


def outcome(make):
    """Return the letter of the dtype that `make` gives, or of its exception."""
    try:
        return CODE[make().dtype]
    except Exception as error:
        return ERROR_CODE.get(type(error).__name__, "E")


def operand(dtype):
    return tt.TensorType(dtype, (False,))("x")


def binary(name):
    function = getattr(tt, name)
    return [
        "".join(outcome(lambda a=a, b=b: function(operand(a), operand(b))) for b in DTYPES)
        for a in DTYPES
    ]


def unary(name):
    function = getattr(nnet if name in ("sigmoid", "softplus") else tt, name)
    return "".join(outcome(lambda a=a: function(operand(a))) for a in DTYPES)


def casting(name, keyword):
    function = getattr(tt, name)
    return [
        "".join(outcome(lambda a=a, b=b: function(operand(a), **{keyword: b})) for b in DTYPES)
        for a in DTYPES
    ]


def carried(name):
    def answer(dtype):
        out = getattr(tt, name)(operand(dtype))
        accumulator = out.owner.op.acc_dtype
        return type("Answer", (), {"dtype": accumulator})

    return "".join(outcome(lambda a=a: answer(a)) for a in DTYPES)


def with_numbers(name):
    function = getattr(tt, name)
    return [
        "".join(outcome(lambda a=a, n=n: function(operand(a), eval(n))) for n in NUMBERS)
        for a in DTYPES
    ]


def divisions():
    answers = {}
    for choice in ("int", "floatX", "raise"):
        with theano.change_flags(int_division=choice):
            answers[choice] = [
                "".join(
                    outcome(lambda a=a, b=b: tt.basic.div_proxy(operand(a), operand(b)))
                    for b in DTYPES
                )
                for a in DTYPES
            ]
    return answers


def binary_slash(choice):
    with theano.change_flags(int_division=choice):
        return [
            "".join(outcome(lambda a=a, b=b: operand(a) / operand(b)) for b in DTYPES)
            for a in DTYPES
        ]


def switches():
    condition = operand("bool")
    return [
        "".join(
            outcome(lambda a=a, b=b: tt.switch(condition, operand(a), operand(b))) for b in DTYPES
        )
        for a in DTYPES
    ]


def per_settings(measure):
    """Measure under all settings; leave out what equals the default."""
    answers = {}
    for float_dtype, policy in SETTINGS:
        with theano.change_flags(floatX=float_dtype, cast_policy=policy):
            found = measure()
        key = float_dtype + "," + policy
        if not answers or found != answers["float64,custom"]:
            answers[key] = found
    return answers


def main(path):
    np.seterr(all="ignore")
    golden = {
        "made_with": "Theano {}, NumPy {}".format(theano.__version__, np.__version__),
        "dtypes": DTYPES,
        "letters": CODE,
        "errors": ERROR_CODE,
        "numbers": NUMBERS,
        "constant": per_settings(
            lambda: "".join(outcome(lambda n=n: tt.constant(eval(n))) for n in NUMBERS)
        ),
        "binary": {n: per_settings(lambda n=n: binary(n)) for n in BINARY},
        "switch": per_settings(switches),
        "division": divisions(),
        "slash": {
            choice: binary_slash(choice) for choice in ("int", "floatX", "raise")
        },
        "unary": {n: per_settings(lambda n=n: unary(n)) for n in UNARY + ["sigmoid", "softplus"]},
        "reductions": {n: per_settings(lambda n=n: unary(n)) for n in REDUCTIONS},
        "accumulators": {n: per_settings(lambda n=n: carried(n)) for n in ("sum", "prod")},
        "reductions_dtype": {n: casting(n, "dtype") for n in CASTING_REDUCTIONS},
        "reductions_acc_dtype": {n: casting(n, "acc_dtype") for n in CASTING_REDUCTIONS},
        "with_numbers": {n: per_settings(lambda n=n: with_numbers(n)) for n in PAIRED},
    }
    with open(path, "w") as file:
        json.dump(golden, file, indent=1, sort_keys=True)
        file.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])

"""dtypes, patterns and errors of expressions, as Theano 1.0.5 has them."""

import inspect
import operator

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import variable
from theano._core.base.errors import (
    AsTensorError,
    ComplexError,
    EmptyConstantError,
    NotScalarConstantError,
)

VECTORS = {"v": "float64", "f": "float32", "iv": "int32", "u8": "uint8", "u64": "uint64"}
VECTORS |= {"bv": "int8", "wv": "int16", "lv": "int64", "f16": "float16"}
NAMES = {
    "T": T,
    "np": np,
    "operator": operator,
    "theano": theano,
    "mask": variable("bool", 2, "mask"),
}
NAMES |= {"x": T.dmatrix("x"), "s": T.dscalar("s"), "row": T.drow("row"), "t": T.dtensor3("t")}
NAMES |= {"i": T.iscalar("i"), "z": T.zmatrix("z")}
NAMES |= {name: variable(dtype, 1, name) for name, dtype in VECTORS.items()}

# What each expression has, as measured on Theano 1.0.5.
DTYPES = """
bool: x > 0; T.eq(x, 1); T.isnan(iv); mask & mask; ~mask; mask + mask; T.ones_like(x, dtype=bool)
bool: T.and_(v > 0, v < 1); T.or_(v > 0, v < 1); T.xor(v > 0, v < 1); T.cumsum(T.eq(bv, 0))
bool: T.cumprod(T.eq(bv, 0)); theano.shared(True)
int8: 1 - mask; mask * 1; bv + 1; T.alloc(0, 3); T.arange(3, dtype=np.int8)
int8: T.eye(3, dtype='int8'); T.ones_like(x, dtype='int8'); x.fill(1); T.constant(True)
int8: T.constant([1, 2], dtype='int8'); T.stack([1, 2]); T.cumsum(bv); T.cumprod(bv)
int8: T.as_tensor_variable(1)
float32: mask * 1.; f.sum(); f.mean(); iv.mean(dtype='float32'); f.var(); T.arange(f[0])
float32: T.arange(3, dtype='float32'); f * 2.; f + bv; f + wv; T.exp(mask); T.exp(bv); T.sqrt(wv)
float32: T.switch(mask, f, 0.); T.concatenate([f, bv]); T.extra_ops.to_one_hot(iv, 3, np.float32)
float32: T.cast(x, np.float32); x.sum(dtype=np.float32); T.constant(2.5); T.nnet.hard_sigmoid(f)
float32: T.nnet.relu(f); T.nnet.softplus(bv); iv.sum(dtype='float32')
int64: mask.sum(); bv.sum(); bv.prod(); x.argmax(); x.shape; T.arange(3); T.arange(bv[0])
int64: bv + 2 ** 40; x.astype(int); T.as_tensor_variable([1, 2]); T.iround(x); T.argsort(f)
int64: T.as_tensor_variable(2**40); theano.shared(3); iv.prod()
uint64: u8.sum()
float16: f16.sum(); f16.mean(); T.eye(3, dtype=np.float16)
float64: iv.mean(); mask.mean(); f.mean(dtype='float64'); bv.std(); T.arange(0, 1, .1); f * 0.1
float64: np.float64(2) * f; f * np.array(2.); f + iv; iv / 2; bv / bv; i ** 2.; T.exp(iv)
float64: T.floor(iv); lv + u64; T.switch(mask, f, 0.1); i.clip(0, 1.5); T.concatenate([f, iv])
float64: T.zeros(3); T.ones(3, float); T.dot(iv, f); T.as_tensor_variable([1., 2])
float64: T.as_tensor_variable([s, i]); abs(z); x.astype('floatX'); T.grad(i * 1., i)
float64: theano.shared(3.0); T.exp(lv)
complex128: z.mean()
int16: bv + 300; u8 - 1; T.zeros_like(x, np.dtype('>i2')); T.as_tensor_variable(300)
int32: iv // iv; iv % 2; i ** 2; 2 ** i; T.zeros((3,), np.int32); T.zeros_like(iv); T.dot(iv, iv)
uint8: -u8; u8 - u8
complex64: T.complex(f, f)
"""


def texts(table):
    """Return pairs of an expression and what stands before the colon of its line."""
    rows = [line.split(": ", 1) for line in table.strip().splitlines()]
    return [(text, key) for key, line in rows for text in line.split("; ")]


@pytest.mark.parametrize(("expression", "dtype"), texts(DTYPES))
def test_dtype(expression, dtype):
    assert eval(expression, NAMES).dtype == dtype


def test_values_have_the_dtype_of_their_variables():
    variables = [v for v in NAMES.values() if isinstance(v, T.TensorVariable)]
    arrays = [np.ones((1, 2) if v.name == "row" else (2,) * v.ndim, v.dtype) for v in variables]
    outputs = {text: eval(text, NAMES) for text, _ in texts(DTYPES)}
    found = theano.function(variables, outputs, on_unused_input="ignore")(*arrays)
    wrong = {text: v.dtype for text, v in found.items() if v.dtype != outputs[text].dtype}
    assert wrong == {}


SETTINGS = """
float32: f * 0.1; T.zeros(3); iv / 2; T.scalar(); x.astype('floatX')
float64: T.as_tensor_variable([1., 2]); T.exp(iv); theano.shared(3.0)
"""


@pytest.mark.parametrize(("expression", "dtype"), texts(SETTINGS))
@theano.config.change_flags(floatX="float32")
def test_dtype_with_short_floats(expression, dtype):
    assert eval(expression, NAMES).dtype == dtype


@theano.config.change_flags(cast_policy="numpy+floatX")
def test_numbers_of_python_are_those_of_numpy_under_its_policy():
    assert T.constant(1).dtype == "int64"
    assert T.constant(1.5).dtype == (NAMES["f"] * 2.0).dtype == "float64"


# 1 is a broadcastable axis.
PATTERNS = """
1 -: T.constant(np.ones((1, 3))); T.as_tensor_variable([[True, False]])
1 -: theano.shared(np.ones((1, 3)), broadcastable=(True, False)); T.ones((1, 3)); T.alloc(v, 1, 3)
1 -: x.reshape((1, -1)); x.sum(axis=0, keepdims=True); T.concatenate([row, row], axis=1)
1 -: T.tile(row, (1, 2)); T.addbroadcast(x, 0); row + row; T.as_tensor_variable(v, ndim=2)
1 -: T.outer(s, v); T.nnet.softmax(v); T.patternbroadcast(x, (True, False))
- -: theano.shared(np.ones((1, 3))); T.specify_shape(x, (1, 3)); T.eye(1)
- -: T.concatenate([row, row]); T.repeat(row, 2, axis=0); T.unbroadcast(row, 0); x + row
-: T.zeros(i); T.ones(T.constant(3)); row.squeeze()
- 1: x.reshape((i, 1)); x.mean(axis=1, keepdims=True)
1 1: x.argmin(axis=(0, 1), keepdims=True); T.tensordot(row, row, [[1], [1]])
- 1 -: x.dimshuffle(0, 'x', 1)
1 - -: x.dimshuffle(('x', 0, 1)); T.stack(x)
- - 1: T.shape_padright(x)
1: T.flatten(s)
"""


@pytest.mark.parametrize(("expression", "pattern"), texts(PATTERNS))
def test_pattern(expression, pattern):
    found = eval(expression, NAMES).broadcastable
    assert " ".join("1" if one else "-" for one in found) == pattern


ERRORS = [
    ("mask - mask", TypeError, "boolean subtract"),
    ("-mask", TypeError, "boolean subtract and negative"),
    ("mask & 1", TypeError, "BitOp"),
    ("T.and_(x, x)", TypeError, "BitOp"),
    ("~x", TypeError, "BitOp"),
    ("x + None", TypeError, "unsupported operand"),
    ("x + 'a'", TypeError, "unsupported operand"),
    ("x + True", TypeError, "unsupported operand"),
    ("x < 'a'", AsTensorError, "Cannot convert"),
    ("T.switch(x == 1, x, x)", AsTensorError, "theano.tensor.eq"),
    ("T.as_tensor_variable(True)", AsTensorError, "True or False"),
    ("T.as_tensor_variable(None)", AsTensorError, "Cannot convert"),
    ("T.as_tensor_variable(x, ndim=1)", ValueError, "1 dimensions"),
    ("T.as_tensor_variable(theano.shared([1]))", AsTensorError, "must be a TensorType"),
    ("T.exp(theano.generic())", AsTensorError, "exp needs tensors"),
    ("T.join(0, x, theano.generic())", AsTensorError, "join needs tensors"),
    ("T.eye(theano.generic())", AsTensorError, "eye needs tensors"),
    ("x[theano.generic()]", T.AdvancedIndexingError, "must be integers"),
    ("T.constant([1j], dtype='float32')", TypeError, "complex"),
    ("z % 2", ComplexError, "complex"),
    ("T.zeros(f[0])", TypeError, "must be integers"),
    ("T.zeros(iv)", ValueError, "length not known"),
    ("T.alloc(0, 1.5)", TypeError, "must be integers"),
    ("x.reshape(6)", TypeError, "must be a vector"),
    ("x.reshape(iv)", ValueError, "'ndim' keyword"),
    ("x.reshape(v, ndim=1)", TypeError, "integer vector"),
    ("x.flatten(3)", ValueError, "out of bound"),
    ("x.dimshuffle(0, 0)", ValueError, "may not appear twice"),
    ("x.max(axis=5)", ValueError, "Not enough dimensions"),
    ("x.sum(axis=i)", TypeError, "axis of a reduction"),
    ("x.sum(acc_dtype='float32')", TypeError, "precision would be lost"),
    ("iv.sum(acc_dtype='int8')", TypeError, "precision would be lost"),
    ("x.norm(0)", NotImplementedError, "0-norm"),
    ("iv.round()", TypeError, "only float"),
    ("x.round('up')", ValueError, "not implemented"),
    ("T.maximum(x, x, x)", TypeError, "takes 2 arguments"),
    ("T.stack([])", ValueError, "at least provide one"),
    ("T.stack([x, x], axis=3)", IndexError, "out of bounds"),
    ("T.concatenate([])", ValueError, "empty list"),
    ("T.concatenate([x, x], axis=2)", ValueError, "out of range"),
    ("T.shape_padaxis(x, 5)", IndexError, "out of bounds"),
    ("T.addbroadcast(x, 3)", ValueError, "non-existent"),
    ("T.patternbroadcast(x, (True,) * 3)", ValueError, "axes"),
    ("T.tensordot(x, x, axes=3)", ValueError, "larger than the dimension"),
    ("T.tensordot(x, x, [[0], [0, 1]])", ValueError, "same length"),
    ("T.tensordot(x, x, [0, 5])", ValueError, "has not"),
    ("T.batched_dot(s, x)", TypeError, "cannot batch-dot scalars"),
    ("T.batched_tensordot(x, x, [[0], [0]])", ValueError, "batch axis"),
    ("s @ x", ValueError, "needs operands with axes"),
    ("T.get_scalar_constant_value(s)", NotScalarConstantError, "not known"),
    ("T.get_scalar_constant_value(T.constant([]))", EmptyConstantError, "no items"),
    ("T.nnet.softmax(T.imatrix())", ValueError, "1-d or 2-d"),
    ("T.nnet.categorical_crossentropy(x, v)", TypeError, "integer vector required"),
    ("T.split(x, v, 2)", TypeError, "vector of integers"),
    ("len(x.shape)", TypeError, "len"),
    ("T.as_tensor_variable([v, s])", AsTensorError, "unlike rank"),
    ("T.as_tensor_variable([1.0, x])", AsTensorError, "unlike rank"),
]


@pytest.mark.parametrize(("expression", "kind", "message"), ERRORS)
def test_error(expression, kind, message):
    with pytest.raises(kind, match=message):
        eval(expression, NAMES)


def test_operators_of_numpy_give_way():
    x = T.dvector("x")
    for expression in (np.ones(3) * x, np.float64(2) * x, np.int64(2) - x, np.ones(3) < x):
        assert isinstance(expression, T.TensorVariable)
    assert isinstance(np.exp(x), T.TensorVariable)


def test_foreign_operands_decide():
    class Foreign:
        def _as_TensorVariable(self):
            raise AsTensorError("not an array")

        def __radd__(self, other):
            return "mine"

    assert T.dvector("x") + Foreign() == "mine"


SIGNATURES = {
    "sum": "(input, axis=None, dtype=None, keepdims=False, acc_dtype=None)",
    "prod": "(input, axis=None, dtype=None, keepdims=False, acc_dtype=None, "
    "no_zeros_in_input=False)",
    "mean": "(input, axis=None, dtype=None, op=False, keepdims=False, acc_dtype=None)",
    "var": "(input, axis=None, ddof=0, keepdims=False, corrected=False)",
    "max": "(x, axis=None, keepdims=False)",
    "argmax": "(x, axis=None, keepdims=False)",
    "any": "(x, axis=None, keepdims=False)",
    "reshape": "(x, newshape, ndim=None)",
    "flatten": "(x, ndim=None, outdim=None)",
    "transpose": "(x, axes=None)",
    "concatenate": "(tensor_list, axis=0)",
    "join": "(axis, *tensors_list)",
    "stack": "(*tensors, **kwargs)",
    "split": "(x, splits_size, n_splits, axis=0)",
    "zeros": "(shape, dtype=None)",
    "zeros_like": "(model, dtype=None, opt=False)",
    "eye": "(n, m=None, k=0, dtype=None)",
    "arange": "(start, stop=None, step=1, dtype=None)",
    "tile": "(x, reps, ndim=None)",
    "repeat": "(x, repeats, axis=None)",
    "constant": "(x, name=None, ndim=None, dtype=None)",
    "as_tensor_variable": "(x, name=None, ndim=None)",
    "set_subtensor": "(x, y, inplace=False, tolerate_inplace_aliasing=False)",
    "tensordot": "(a, b, axes=2)",
    "grad": "(cost, wrt=None, consider_constant=None, disconnected_inputs='raise', add_names=True, "
    "known_grads=None, return_disconnected='zero', null_gradients='raise')",
    "Rop": "(f, wrt, eval_points, disconnected_outputs='raise', return_disconnected='zero')",
    "verify_grad": "(fun, pt, n_tests=2, rng=None, eps=None, out_type=None, abs_tol=None, "
    "rel_tol=None, mode=None, cast_to_output_type=False, no_debug_ref=True)",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_signature(name):
    signature = inspect.signature(getattr(T, name))
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    text = str(inspect.Signature(bare))
    assert text == SIGNATURES[name]


def test_constructors():
    ranks = {"scalar": 0, "vector": 1, "row": 2, "col": 2, "matrix": 2, "tensor3": 3, "tensor7": 7}
    prefixes = {"b": "int8", "w": "int16", "i": "int32", "l": "int64", "f": "float32"}
    prefixes.update({"d": "float64", "c": "complex64", "z": "complex128"})
    for kind, rank in ranks.items():
        assert getattr(T, kind)("a").type == getattr(T, f"d{kind}")
        for prefix, dtype in prefixes.items():
            made = getattr(T, prefix + kind)("name")
            assert (made.name, made.ndim, made.dtype) == ("name", rank, dtype)
    assert T.row().broadcastable == (True, False)
    assert T.col().broadcastable == (False, True)
    assert [v.name for v in T.dscalars("x", "y")] == ["x", "y"]
    assert [v.name for v in T.vectors("ab")] == ["a", "b"]
    assert [v.name for v in T.fmatrices(3)] == [None] * 3
    assert T.tensor(dtype="float32", broadcastable=(True,), name="t").name == "t"


@pytest.mark.parametrize(
    ("expression", "number"),
    [
        ("T.constant(3) + 2", 5),
        ("3", 3),
        ("T.constant([1, 1])", 1),
        ("T.zeros((2,))", 0),
        ("T.constant([1, 2])[1]", 2),
        ("row.shape[0]", 1),
        ("T.stack([s, 4])[1]", 4),
        ("T.cast(T.constant(2.5), 'int8')", 2),
        ("T.alloc(2.0, t.shape[0]) ** T.alloc(3.0, t.shape[0])", 8),
        ("T.alloc(2.0, *v.shape, 3) + T.alloc(1, 3)", 3),
    ],
)
def test_numbers_that_are_known(expression, number):
    assert T.get_scalar_constant_value(eval(expression, NAMES)) == number


def test_dimshuffle_takes_more_lengths_of_1_than_it_was_told_of():
    op = T.dvector().dimshuffle("x", 0).owner.op
    one = T.TensorType("float64", [True])
    assert op(one()).type.broadcastable == (True, True)
    with pytest.raises(TypeError, match="pattern of the input"):
        one().dimshuffle("x", 0).owner.op(T.dvector())


def test_several_variables():
    """As in Theano 1.0.5: one name makes one variable, and not a list of it."""
    assert T.scalars("a").name == T.dvectors(["a"]).name == "a"
    assert [v.name for v in T.scalars("ab")] == [v.name for v in T.scalars("a", "b")] == ["a", "b"]
    assert len(T.scalars(1)) == 1 and len(T.dmatrices(2)) == 2


def test_equality_is_identity():
    x, y = T.dmatrices("x", "y")
    assert x == x and x != y and y in [x, y]
    assert {x: 1}[x] == 1 and bool(x) and bool(T.eq(x, y))


def test_names_that_the_library_gives():
    x = T.dmatrix("x")
    assert (x.T.name, x.mean().name, x.max().name, (x + 1).T.name) == ("x.T", "mean", "max", None)
    assert x.squeeze() is not x

"""dtypes, patterns and errors of expressions, as Theano 1.0.5 has them."""

from __future__ import annotations

import inspect
import operator
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.base.errors import (
    AsTensorError,
    ComplexError,
    EmptyConstantError,
    NotScalarConstantError,
)

NAMES: dict[str, Any] = {
    "T": T,
    "np": np,
    "operator": operator,
    "theano": theano,
    "x": T.dmatrix("x"),
    "v": T.dvector("v"),
    "s": T.dscalar("s"),
    "row": T.drow("row"),
    "t": T.dtensor3("t"),
    "f": T.fvector("f"),
    "i": T.iscalar("i"),
    "iv": T.ivector("iv"),
    "u8": T.TensorType("uint8", (False,))("u8"),
    "u64": T.TensorType("uint64", (False,))("u64"),
    "bv": T.bvector("bv"),
    "wv": T.wvector("wv"),
    "lv": T.lvector("lv"),
    "f16": T.TensorType("float16", (False,))("f16"),
    "mask": T.TensorType("bool", (False, False))("mask"),
    "z": T.zmatrix("z"),
}

DTYPES = [
    ("x > 0", "bool"),
    ("T.eq(x, 1)", "bool"),
    ("T.isnan(iv)", "bool"),
    ("mask & mask", "bool"),
    ("~mask", "bool"),
    ("mask + mask", "bool"),
    ("1 - mask", "int8"),
    ("mask * 1", "int8"),
    ("mask * 1.", "float32"),
    ("mask.sum()", "int64"),
    ("bv.sum()", "int64"),
    ("u8.sum()", "uint64"),
    ("f.sum()", "float32"),
    ("f16.sum()", "float16"),
    ("bv.prod()", "int64"),
    ("iv.mean()", "float64"),
    ("mask.mean()", "float64"),
    ("f.mean()", "float32"),
    ("f16.mean()", "float16"),
    ("z.mean()", "complex128"),
    ("iv.mean(dtype='float32')", "float32"),
    ("f.mean(dtype='float64')", "float64"),
    ("f.var()", "float32"),
    ("bv.std()", "float64"),
    ("x.argmax()", "int64"),
    ("x.shape", "int64"),
    ("T.arange(3)", "int64"),
    ("T.arange(bv[0])", "int64"),
    ("T.arange(0, 1, .1)", "float64"),
    ("T.arange(f[0])", "float32"),
    ("T.arange(3, dtype='float32')", "float32"),
    ("bv + 1", "int8"),
    ("bv + 300", "int16"),
    ("bv + 2 ** 40", "int64"),
    ("f * 2.", "float32"),
    ("f * 0.1", "float64"),
    ("np.float64(2) * f", "float64"),
    ("f * np.array(2.)", "float64"),
    ("f + iv", "float64"),
    ("f + bv", "float32"),
    ("f + wv", "float32"),
    ("iv / 2", "float64"),
    ("bv / bv", "float64"),
    ("iv // iv", "int32"),
    ("iv % 2", "int32"),
    ("i ** 2", "int32"),
    ("2 ** i", "int32"),
    ("i ** 2.", "float64"),
    ("T.exp(mask)", "float32"),
    ("T.exp(bv)", "float32"),
    ("T.sqrt(wv)", "float32"),
    ("T.exp(iv)", "float64"),
    ("T.floor(iv)", "float64"),
    ("-u8", "uint8"),
    ("u8 - u8", "uint8"),
    ("u8 - 1", "int16"),
    ("lv + u64", "float64"),
    ("T.switch(mask, f, 0.)", "float32"),
    ("T.switch(mask, f, 0.1)", "float64"),
    ("i.clip(0, 1.5)", "float64"),
    ("T.concatenate([f, iv])", "float64"),
    ("T.concatenate([f, bv])", "float32"),
    ("T.alloc(0, 3)", "int8"),
    ("T.zeros(3)", "float64"),
    ("T.zeros((3,), np.int32)", "int32"),
    ("T.ones(3, float)", "float64"),
    ("T.zeros_like(x, np.dtype('>i2'))", "int16"),
    ("T.ones_like(x, dtype=bool)", "bool"),
    ("T.extra_ops.to_one_hot(iv, 3, np.float32)", "float32"),
    ("T.eye(3, dtype=np.float16)", "float16"),
    ("T.cast(x, np.float32)", "float32"),
    ("x.astype(int)", "int64"),
    ("x.sum(dtype=np.float32)", "float32"),
    ("T.arange(3, dtype=np.int8)", "int8"),
    ("T.eye(3, dtype='int8')", "int8"),
    ("T.zeros_like(iv)", "int32"),
    ("T.ones_like(x, dtype='int8')", "int8"),
    ("x.fill(1)", "int8"),
    ("T.dot(iv, iv)", "int32"),
    ("T.dot(iv, f)", "float64"),
    ("T.as_tensor_variable([1, 2])", "int64"),
    ("T.as_tensor_variable([1., 2])", "float64"),
    ("T.as_tensor_variable([s, i])", "float64"),
    ("T.constant(True)", "int8"),
    ("T.constant(2.5)", "float32"),
    ("T.constant([1, 2], dtype='int8')", "int8"),
    ("T.stack([1, 2])", "int8"),
    ("abs(z)", "float64"),
    ("T.complex(f, f)", "complex64"),
    ("T.iround(x)", "int64"),
    ("x.astype('floatX')", "float64"),
    ("T.nnet.hard_sigmoid(f)", "float32"),
    ("T.nnet.relu(f)", "float32"),
    ("T.nnet.softplus(bv)", "float32"),
    ("T.grad(i * 1., i)", "float64"),
    ("iv.sum(dtype='float32')", "float32"),
]


@pytest.mark.parametrize(("expression", "dtype"), DTYPES)
def test_dtype(expression: str, dtype: str) -> None:
    assert eval(expression, NAMES).dtype == dtype


@pytest.mark.parametrize(
    ("expression", "dtype"),
    [
        ("f * 0.1", "float32"),
        ("T.zeros(3)", "float32"),
        ("iv / 2", "float32"),
        ("T.as_tensor_variable([1., 2])", "float64"),
        ("T.exp(iv)", "float64"),
        ("T.scalar()", "float32"),
        ("theano.shared(3.0)", "float64"),
        ("x.astype('floatX')", "float32"),
    ],
)
def test_dtype_with_short_floats(expression: str, dtype: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(theano.config, "floatX", "float32")
    assert eval(expression, NAMES).dtype == dtype


PATTERNS = [
    ("T.constant(np.ones((1, 3)))", (True, False)),
    ("T.as_tensor_variable([[True, False]])", (True, False)),
    ("theano.shared(np.ones((1, 3)))", (False, False)),
    ("theano.shared(np.ones((1, 3)), broadcastable=(True, False))", (True, False)),
    ("T.ones((1, 3))", (True, False)),
    ("T.alloc(v, 1, 3)", (True, False)),
    ("T.zeros(i)", (False,)),
    ("T.ones(T.constant(3))", (False,)),
    ("x.reshape((1, -1))", (True, False)),
    ("x.reshape((i, 1))", (False, True)),
    ("x.sum(axis=0, keepdims=True)", (True, False)),
    ("x.argmin(axis=(0, 1), keepdims=True)", (True, True)),
    ("x.mean(axis=1, keepdims=True)", (False, True)),
    ("T.specify_shape(x, (1, 3))", (False, False)),
    ("T.eye(1)", (False, False)),
    ("T.concatenate([row, row])", (False, False)),
    ("T.concatenate([row, row], axis=1)", (True, False)),
    ("T.tile(row, (1, 2))", (True, False)),
    ("T.repeat(row, 2, axis=0)", (False, False)),
    ("T.addbroadcast(x, 0)", (True, False)),
    ("T.unbroadcast(row, 0)", (False, False)),
    ("x + row", (False, False)),
    ("row + row", (True, False)),
    ("x.dimshuffle(0, 'x', 1)", (False, True, False)),
    ("x.dimshuffle(('x', 0, 1))", (True, False, False)),
    ("row.squeeze()", (False,)),
    ("T.as_tensor_variable(v, ndim=2)", (True, False)),
    ("T.shape_padright(x)", (False, False, True)),
    ("T.tensordot(row, row, [[1], [1]])", (True, True)),
    ("T.outer(s, v)", (True, False)),
    ("T.nnet.softmax(v)", (True, False)),
    ("T.flatten(s)", (True,)),
    ("T.stack(x)", (True, False, False)),
]


@pytest.mark.parametrize(("expression", "pattern"), PATTERNS)
def test_pattern(expression: str, pattern: tuple[bool, ...]) -> None:
    assert eval(expression, NAMES).broadcastable == pattern


ERRORS = [
    ("mask - mask", TypeError, "boolean subtract"),
    ("-mask", TypeError, "boolean subtract and negative"),
    ("x & 1", TypeError, "BitOp"),
    ("mask & 1", TypeError, "BitOp"),
    ("T.and_(x, x)", TypeError, "BitOp"),
    ("~x", TypeError, "BitOp"),
    ("x + None", TypeError, "unsupported operand"),
    ("x + 'a'", TypeError, "unsupported operand"),
    ("x + True", TypeError, "unsupported operand"),
    ("x < 'a'", AsTensorError, "Cannot convert"),
    ("T.switch(x == 1, x, x)", AsTensorError, "theano.tensor.eq"),
    ("bool(x > 0)", TypeError, "boolean operations"),
    ("x < x < x", TypeError, "boolean operations"),
    ("T.as_tensor_variable(True)", AsTensorError, "True or False"),
    ("T.as_tensor_variable(None)", AsTensorError, "Cannot convert"),
    ("T.as_tensor_variable('abc')", AsTensorError, "Cannot convert"),
    ("T.as_tensor_variable(x, ndim=1)", ValueError, "1 dimensions"),
    ("T.as_tensor_variable(theano.shared([1]))", AsTensorError, "must be a TensorType"),
    ("T.exp(theano.generic())", AsTensorError, "exp needs tensors"),
    ("T.join(0, x, theano.generic())", AsTensorError, "join needs tensors"),
    ("T.eye(theano.generic())", AsTensorError, "eye needs tensors"),
    ("x[theano.generic()]", T.AdvancedIndexingError, "must be integers"),
    ("T.constant(x)", TypeError, "Could not convert"),
    ("T.constant([1j], dtype='float32')", TypeError, "complex"),
    ("T.scalar(5)", TypeError, "must be a string"),
    ("T.tensor('int7', ())", TypeError, "Unsupported dtype"),
    ("T.cast(z, 'float32')", TypeError, "ambiguous"),
    ("T.cast(x, 'int7')", TypeError, "cannot cast"),
    ("z % 2", ComplexError, "complex"),
    ("T.zeros(f[0])", TypeError, "must be integers"),
    ("T.zeros(iv)", ValueError, "length not known"),
    ("T.alloc(x, 2)", TypeError, "more dimensions"),
    ("T.alloc(0, 1.5)", TypeError, "must be integers"),
    ("T.arange(v)", TypeError, "scalars"),
    ("x.reshape(6)", TypeError, "must be a vector"),
    ("x.reshape(iv)", ValueError, "'ndim' keyword"),
    ("x.reshape(v, ndim=1)", TypeError, "integer vector"),
    ("x.flatten(3)", ValueError, "out of bound"),
    ("x.dimshuffle(0)", ValueError, "non-broadcastable"),
    ("x.dimshuffle(0, 0)", ValueError, "may not appear twice"),
    ("x.dimshuffle(0, 1, 2)", ValueError, "does not exist"),
    ("x.sum(axis=2)", ValueError, "Not enough dimensions"),
    ("x.max(axis=5)", ValueError, "Not enough dimensions"),
    ("x.sum(axis=1.0)", TypeError, "axis of a reduction"),
    ("x.sum(axis=i)", TypeError, "axis of a reduction"),
    ("x.sum(acc_dtype='float32')", TypeError, "precision would be lost"),
    ("iv.sum(acc_dtype='int8')", TypeError, "precision would be lost"),
    ("x.norm(0)", NotImplementedError, "0-norm"),
    ("iv.round()", TypeError, "only float"),
    ("x.round('up')", ValueError, "not implemented"),
    ("T.maximum(x, x, x)", TypeError, "takes 2 arguments"),
    ("T.stack([])", ValueError, "at least provide one"),
    ("T.stack([v, x])", TypeError, "same number of dimensions"),
    ("T.stack([x, x], axis=3)", IndexError, "out of bounds"),
    ("T.concatenate(x)", TypeError, "tuple or a list"),
    ("T.concatenate([v, x])", TypeError, "same number of dimensions"),
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
    ("T.grad(x, x)", TypeError, "must be a scalar"),
    ("T.get_vector_length(v)", ValueError, "not known"),
    ("T.get_vector_length(x)", TypeError, "symbolic vector"),
    ("T.get_scalar_constant_value(s)", NotScalarConstantError, "not known"),
    ("T.get_scalar_constant_value(T.constant([]))", EmptyConstantError, "no items"),
    ("T.nnet.softmax(T.imatrix())", ValueError, "1-d or 2-d"),
    ("T.nnet.softmax(iv)", ValueError, "1-d or 2-d"),
    ("T.nnet.categorical_crossentropy(x, v)", TypeError, "integer vector required"),
    ("T.nnet.categorical_crossentropy(x, t)", TypeError, "rank mismatch"),
    ("float(x)", TypeError, "cannot be float here: it has no value before a function runs"),
    ("T.split(x, v, 2)", TypeError, "vector of integers"),
    ("T.repeat(x, s)", TypeError, "integer scalar"),
]


@pytest.mark.parametrize(("expression", "kind", "message"), ERRORS)
def test_error(expression: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        eval(expression, NAMES)


def test_equality_is_identity() -> None:
    x, y = T.dmatrices("x", "y")
    assert x == x
    assert x != y
    assert y in [x, y]
    assert {x: 1}[x] == 1
    assert bool(x)
    assert bool(T.eq(x, y))


def test_operators_of_numpy_give_way() -> None:
    x = T.dvector("x")
    for expression in (np.ones(3) * x, np.float64(2) * x, np.int64(2) - x, np.ones(3) < x):
        assert isinstance(expression, T.TensorVariable)
    assert isinstance(np.exp(x), T.TensorVariable)


def test_foreign_operands_decide() -> None:
    class Foreign:
        def _as_TensorVariable(self) -> Any:
            raise AsTensorError("not an array")

        def __radd__(self, other: Any) -> str:
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
def test_signature(name: str) -> None:
    signature = inspect.signature(getattr(T, name))
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    text = str(inspect.Signature(bare))
    assert text == SIGNATURES[name]


def test_constructors() -> None:
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


def test_names_that_the_library_gives() -> None:
    x = T.dmatrix("x")
    assert x.T.name == "x.T"
    assert x.mean().name == "mean"
    assert x.max().name == "max"
    assert (x + 1).T.name is None
    assert x.squeeze() is not x


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
def test_numbers_that_are_known(expression: str, number: float) -> None:
    assert T.get_scalar_constant_value(eval(expression, NAMES)) == number


def test_dimshuffle_takes_more_lengths_of_1_than_it_was_told_of() -> None:
    op = T.dvector().dimshuffle("x", 0).owner.op
    one = T.TensorType("float64", [True])
    assert op(one()).type.broadcastable == (True, True)
    with pytest.raises(TypeError, match="pattern of the input"):
        one().dimshuffle("x", 0).owner.op(T.dvector())


def test_several_variables() -> None:
    """As in Theano 1.0.5: one name makes one variable, and not a list of it."""
    assert T.scalars("a").name == T.dvectors(["a"]).name == "a"
    assert [v.name for v in T.scalars("ab")] == [v.name for v in T.scalars("a", "b")] == ["a", "b"]
    assert len(T.scalars(1)) == 1 and len(T.dmatrices(2)) == 2

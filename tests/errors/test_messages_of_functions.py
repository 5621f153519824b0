"""One case for each message of a function of the tensor language: its type, and what it names."""

from __future__ import annotations

import contextlib
import warnings
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.api.array import permutations
from theano._core.api.debug import debugprint
from theano._core.api.derivatives import gradients
from theano._core.base import dtypes, errors
from theano._core.ops.array import multi_index, nonzero as nonzero_ops, print_breakpoint
from theano._core.ops.array.products import BatchedDot
from theano._core.ops.control import scan_state
from theano._core.ops.core.op import Op
from theano._core.ops.elementwise.elementwise import elementwise
from theano._core.ops.linalg import systems
from theano._core.ops.random import mrg, numpy_streams, permutation, philox
from theano.gradient import grad_clip
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor import extra_ops, fft, nlinalg, nnet, random as keyed, slinalg
from theano.tensor.nnet import bn, neighbours

NAMES: dict[str, Any] = {
    **{m.__name__.rsplit(".", 1)[-1]: m for m in (theano, extra_ops, fft, nlinalg, nnet, slinalg)},
    **{
        m.__name__.rsplit(".", 1)[-1]: m
        for m in (systems, mrg, print_breakpoint, permutation, philox)
    },
    **{
        m.__name__.rsplit(".", 1)[-1]: m
        for m in (multi_index, scan_state, gradients, debugprint, permutations)
    },
    "random_ops": numpy_streams,
    "nonzero_ops": nonzero_ops,
    "dtypes": dtypes,
    "keyed": keyed,
    "bn": bn,
    "neighbours": neighbours,
    "np": np,
    "T": T,
    "Op": Op,
    "elementwise": elementwise,
    "BatchedDot": BatchedDot,
    "grad_clip": grad_clip,
    "mrg_stream": MRG_RandomStreams(1),
    "x": T.dscalar("x"),
    "v": T.dvector("v"),
    "m": T.dmatrix("m"),
    "t": T.dtensor3("t"),
    "z": T.zvector("z"),
    "n": T.lscalar("n"),
    "i": T.lvector("i"),
    "key": keyed.key(1),
    "shared": theano.shared(np.ones(2), "shared"),
}

Case = tuple[str, type[Exception], list[str]]

CONSTANTS: list[Case] = [
    ("T.numpy_scalar([])", errors.EmptyConstantError, ["empty"]),
    ("T.numpy_scalar([1, 2])", errors.NotScalarConstantError, ["shape (2,)"]),
    ("T.get_scalar_constant_value(None)", errors.NotScalarConstantError, ["None"]),
    ("T.get_scalar_constant_value([1, 2])", errors.NotScalarConstantError, ["[1, 2]"]),
    ("T.constant(np.ones((2, 2)), ndim=1)", ValueError, ["1 dimensions"]),
    ("T.as_tensor_variable([x, theano.tensor.NoneConst])", errors.AsTensorError, ["None"]),
    ("T.get_vector_length(m)", TypeError, ["vector", "m"]),
    ("T.get_vector_length(v)", ValueError, ["v", "ndim"]),
]

CREATION: list[Case] = [
    ("T.identity_like(v)", TypeError, ["matrix", "vector"]),
    ("T.stack()", TypeError, ["list of tensors"]),
    ("T.stack([x], axes=1)", TypeError, ["axes"]),
    ("T.horizontal_stack(m)", ValueError, ["two", "1"]),
    ("T.vertical_stack(m, v)", TypeError, ["matrices", "v"]),
    ("T.tile(m, (2, 2), ndim=1)", ValueError, ["ndim", "1", "matrix"]),
    ("T.tile(m, (2, v))", ValueError, ["integer", "vector"]),
    ("T.arange(0, 5, 0)", ValueError, ["step", "zero"]),
    ("T.arange(v)", TypeError, ["scalar"]),
    ("T.eye(v)", AssertionError, ["eye", "numbers", "vector"]),
    ("T.bartlett(i)", TypeError, ["scalar", "vector"]),
    ("T.repeat(v, v)", TypeError, ["integer", "float64"]),
]

SHAPES: list[Case] = [
    ("T.specify_shape(v, x)", AssertionError, ["specify_shape", "vector", "scalar"]),
    ("T.specify_shape(v, [0.1])", AssertionError, ["specify_shape", "integers", "float64"]),
    ("T.diagonal(v)", ValueError, ["two axes", "vector"]),
    ("T.diagonal(m, 0, 1, 1)", ValueError, ["different", "1 and 1"]),
    ("T.diag(x)", ValueError, ["scalar"]),
    ("T.trace(v)", ValueError, ["matrix", "vector"]),
    ("nlinalg.ExtractDiag()(v)", ValueError, ["2", "vector"]),
    ("nlinalg.AllocDiag()(x)", ValueError, ["scalar"]),
    ("T.flatten(m, 1, outdim=1)", ValueError, ["ndim", "outdim"]),
    ("extra_ops.diff(v, axis=2)", ValueError, ["axis 2", "vector"]),
    ("extra_ops.fill_diagonal_offset(m, 1.0, x)", TypeError, ["offset", "float64"]),
    ("T.cumsum(v, axis=3)", ValueError, ["axis", "3", "vector"]),
    ("T.elemwise.Sum(dtype='float64')(z)", TypeError, ["sum", "complex", "float64"]),
    ("T.sort(v, axis=v)", TypeError, ["sort", "axis", "vector"]),
    ("T.sort(v, axis=2)", ValueError, ["axis 2", "vector"]),
    ("T.topk(v, 1, axis=3)", ValueError, ["axis 3", "vector"]),
    ("extra_ops.Unique(axis=2)(v)", ValueError, ["2", "ndim = 1"]),
    ("extra_ops.searchsorted(v, v, sorter=v)", TypeError, ["sorter", "float64"]),
    ("extra_ops.searchsorted(v, v, sorter=m)", ValueError, ["sorter", "matrix"]),
    ("v[:2**63]", TypeError, ["9223372036854775808", "int64"]),
    ("T.Assert('why')(v, T.ge(v, 0))", TypeError, ["Assert", "bool, vector"]),
    ("v.transfer('gpu0')", ValueError, ["gpu0", "cpu"]),
]

INDEXING: list[Case] = [
    ("T.inc_subtensor(v[:2], z)", TypeError, ["float64", "complex128"]),
    ("m[i, i, i]", IndexError, ["too many indices", "m"]),
    ("T.choose(i, x)", TypeError, ["choose", "axis"]),
    ("T.choose(i, [v, v], out=v)", ValueError, ["out"]),
    ("extra_ops.unravel_index(i, m)", TypeError, ["vector", "m"]),
    ("extra_ops.ravel_multi_index((i, i), (2, 3), order='A')", ValueError, ["'A'", "'C'"]),
    ("permutations.permute_row_elements(m, v)", TypeError, ["integers", "float64"]),
    ("permutations.permute_row_elements(x, i)", TypeError, ["axes", "scalar"]),
]

PRODUCTS: list[Case] = [
    ("T.tensordot(m, m, axes=[[0], [0], [1]])", ValueError, ["[[0], [0], [1]]", "len 2"]),
    ("T.tensordot(m, m, axes=[[0, 1, 1], [0, 1, 1]])", ValueError, ["ndim=2", "[0, 1, 1]"]),
    ("T.tensordot(m, m, axes=-1)", ValueError, ["negative", "-1"]),
    ("T.batched_tensordot(t, t, [[1, 2], [1]])", ValueError, ["[1, 2]", "[1]"]),
    ("BatchedDot()(m, t)", TypeError, ["3 axes", "matrix"]),
    ("slinalg.Solve().make_node(t, v)", AssertionError, ["stack"]),
    ("nlinalg.lstsq()(t, v, 1e-9)", AssertionError, ["matrix", "3D"]),
    ("T.cov(m, ddof=0.5)", ValueError, ["ddof", "0.5"]),
    ("T.cov(t)", ValueError, ["2 dimensions", "3D"]),
    ("fft.irfft(t, is_odd=3)", ValueError, ["3", "True or False"]),
]

ELEMENTS: list[Case] = [
    ("T.largest()", TypeError, ["at least one"]),
    ("T.floor(z)", TypeError, ["complex128"]),
    ("T.complex(z, z)", TypeError, ["parts", "complex128"]),
    ("T.add(v, theano.tensor.NoneConst)", TypeError, ["add", "None"]),
    ("T.cast(z, 'float64')", TypeError, ["complex", "real()", "abs()"]),
    (
        "elementwise('add', doc='', compute=lambda xp, x: x, dtype=None, samples=())",
        ValueError,
        ["two", "add"],
    ),
    ("dtypes.autocast('word')", TypeError, ["'word'"]),
    ("Op().make_node()", NotImplementedError, []),
    ("Op().vjp(None, [])", NotImplementedError, ["derivative"]),
    ("Op().emit(None, None)", NotImplementedError, ["native"]),
]

GRADIENTS: list[Case] = [
    ("gradients.format_as(True, True, [x])", ValueError, ["use_list", "use_tuple"]),
    ("gradients.format_as(False, False, [x, x])", ValueError, ["2"]),
    ("T.Lop([v, v], v, [v])", AssertionError, ["2 f", "1 eval_points"]),
    ("T.Rop(v, [v, v], [v])", AssertionError, ["2 wrt", "1 eval_points"]),
    ("grad_clip(v, 2, 1)", ValueError, ["2", "1"]),
    ("T.hessian(3.0, v)", AssertionError, ["3.0"]),
    ("T.grad(x, v, disconnected_inputs='no')", ValueError, ["'no'", "raise", "ignore"]),
    ("T.grad(None, v)", AssertionError, ["cost", "known_grads"]),
    ("T.grad(3.0, v)", TypeError, ["3.0"]),
    ("T.grad(v.sum(), 3.0)", TypeError, ["3.0", "float"]),
    ("T.grad(None, v, known_grads={3.0: v})", TypeError, ["3.0"]),
    ("T.grad(T.grad_undefined(None, 0, x), x)", ValueError, ["NaN"]),
    ("T.verify_grad(T.exp, 3.0)", TypeError, ["list", "float"]),
    (
        "T.verify_grad(lambda a: [a, a], [np.ones(2)], rng=np.random.RandomState(1))",
        NotImplementedError,
        ["one output"],
    ),
    ("T.numeric_grad(lambda a: a, np.ones(2, 'int32'))", TypeError, ["float", "int32"]),
]

LOOPS: list[Case] = [
    (
        "theano.scan(lambda r: r, v, outputs_info=[dict(return_steps=1)])",
        ValueError,
        ["return_steps", "subtensor"],
    ),
    (
        "theano.scan(lambda r, s: r, v, [dict(initial=x, taps=[-2])])",
        IndexError,
        ["taps", "first axis", "x"],
    ),
    ("theano.scan(lambda r: (r, {v: v}), v)", TypeError, ["shared variables", "v"]),
    ("print_breakpoint.PdbBreakpoint('stop')(v, x)", TypeError, ["breakpoint", "vector"]),
]

NETWORKS: list[Case] = [
    ("neighbours.images2neibs(m, (2, 2))", AssertionError, ["4 axes", "matrix"]),
    ("nnet.categorical_crossentropy(t, m)", TypeError, ["matrix", "3D"]),
    ("nnet.prepend_scalar_to_each_row(v, m)", TypeError, ["scalar", "vector"]),
    ("nnet.confusion_matrix(m, i)", ValueError, ["vectors", "matrix"]),
    (
        "bn.batch_normalization_train(t, m, m, axes=())",
        ValueError,
        ["axis", "()"],
    ),
]

RANDOM: list[Case] = [
    ("keyed.multinomial(key, (2,), v, v)", TypeError, ["multinomial", "integers", "float64"]),
    ("keyed.choice(key, x)", TypeError, ["choice", "integer", "float64"]),
    (
        "mrg_stream.uniform(size=(2,), target='gpu')",
        TypeError,
        ["gpu", "cpu"],
    ),
    ("mrg_stream.multinomial_wo_replacement(size=(2,), pvals=m)", AssertionError, ["size", "2"]),
    ("permutation.WordsToPermutation()(v)", TypeError, ["uint64", "float64"]),
    (
        "keyed.key(v)",
        TypeError,
        ["integer", "float64"],
    ),
    ("mrg.MultinomialFromUniform('auto')(v, v)", NotImplementedError, ["pvals", "2"]),
    ("mrg.MultinomialFromUniform('auto')(m, m)", NotImplementedError, ["unis", "1"]),
    ("mrg.MultinomialFromUniform('auto')(m, v, x)", TypeError, ["integer", "float64"]),
    ("T.xor(v, v)", TypeError, ["float64"]),
]

TABLE = [
    *CONSTANTS,
    *CREATION,
    *SHAPES,
    *INDEXING,
    *PRODUCTS,
    *ELEMENTS,
    *GRADIENTS,
    *LOOPS,
    *NETWORKS,
    *RANDOM,
]


@pytest.mark.parametrize(("text", "error", "words"), TABLE, ids=[row[0] for row in TABLE])
def test_message(text: str, error: type[Exception], words: list[str]) -> None:
    with pytest.raises(error) as caught, quiet():
        evaluated(text)
    message = " ".join(str(part) for part in caught.value.args)
    assert [word for word in words if word not in message] == [], message


def evaluated(text: str) -> Any:
    """Return the value of an expression that is written in this file."""
    return eval(compile(text, __file__, "eval"), dict(NAMES))


def quiet() -> Any:
    """Return a context without warnings."""
    stack = contextlib.ExitStack()
    stack.enter_context(warnings.catch_warnings())
    warnings.simplefilter("ignore")
    return stack


# -- while a function runs -------------------------------------------------------------------------

HERE = "test_messages_of_functions.py"
LINE = ["Apply node that caused the error", HERE]

RUNS: list[tuple[str, str, tuple[Any, ...], type[Exception], list[str]]] = [
    (
        "t n",
        "BatchedDot()(t, t[1:])",
        (np.ones((2, 3, 3)), 0),
        ValueError,
        ["has 2 items", "has 1", "(1, 3, 3)"],
    ),
    ("v", "v.max()", ([],), ValueError, ["zero-size array", "max"]),
    ("v", "T.argmax(v)", ([],), ValueError, ["empty"]),
    ("m", "m.max(axis=0)", (np.ones((0, 2)),), ValueError, ["zero-size array"]),
    (
        "m i",
        "m[i > 0]",
        (np.ones((2, 2)), [1, 2, 3]),
        IndexError,
        ["boolean index", "size of axis is 2", "3"],
    ),
    ("m", "T.addbroadcast(m, 1)", (np.ones((2, 3)),), ValueError, ["Dimension 1", "got 3"]),
    (
        "v n",
        "theano.scan(lambda r: r * 2, v, n_steps=n)[0]",
        ([1.0], 3),
        ValueError,
        ["sequence", "1", "3"],
    ),
    (
        "v n",
        "theano.scan(lambda s: s * 2, outputs_info=v, n_steps=n)[0]",
        ([1.0], -1),
        IndexError,
        ["negative number of step", "-1"],
    ),
    ("v n", "T.repeat(v, T.stack([n, n]))", ([1.0, 2, 3], 2), ValueError, ["3 items", "2"]),
    ("v n", "T.topk(v, n)", ([1.0], 3), ValueError, ["kth", "3", "1"]),
    ("v n", "T.topk(v, n)", ([1.0], 0), ValueError, ["kth", "zero"]),
    ("i", "T.choose(i, [i, i])", ([2],), ValueError, ["choice", "2"]),
    (
        "v n",
        "T.Assert('n must be positive')(v, T.gt(n, 0))",
        ([1.0], 0),
        AssertionError,
        ["n must be positive"],
    ),
    ("i n", "keyed.split(keyed.key(n), 2)[i]", ([5], 3), IndexError, ["index 5", "size 2"]),
]


@pytest.mark.parametrize(
    ("inputs", "text", "given", "error", "words"), RUNS, ids=[row[1] + str(row[2]) for row in RUNS]
)
@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE", theano.Mode("py")], ids=str)
def test_message_of_a_call(
    inputs: str,
    text: str,
    given: tuple[Any, ...],
    error: type[Exception],
    words: list[str],
    mode: Any,
) -> None:
    variables = [NAMES[name] for name in inputs.split()]
    with quiet():
        out = evaluated(text)
        f = theano.function(variables, out, mode=mode, on_unused_input="ignore")
    with pytest.raises(error) as caught:
        f(*given)
    message = " ".join(str(part) for part in caught.value.args)
    assert [word for word in [*words, *LINE] if word not in message] == [], message

"""One case for each error message: its type, the values and shapes in it, and the user's line.

Those of typical mistakes stand in `mistakes.txt`.
"""

import linecache
import pickle
import re
import warnings

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.errors import refused
from theano import In, function, shared
from theano._core.api.array import permutations
from theano._core.api.derivatives import gradients
from theano._core.base import dtypes, errors
from theano._core.ir.source import SourceLine
from theano._core.ops.array import print_breakpoint
from theano._core.ops.array.products import BatchedDot
from theano._core.ops.core.op import Op
from theano._core.ops.elementwise.elementwise import elementwise
from theano._core.ops.random import mrg, permutation
from theano.gradient import grad_clip
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor import extra_ops, fft, nlinalg, nnet, random as keyed, slinalg
from theano.tensor.nnet import bn, neighbours

HERE = "test_messages.py"
MODULES = (permutations, gradients, dtypes, print_breakpoint, mrg, permutation)
MODULES += (extra_ops, fft, nlinalg, nnet, slinalg, bn, neighbours)
OBJECTS = (*MODULES, In, BatchedDot, Op, elementwise, grad_clip)
key, mrg_stream = keyed.key(1), MRG_RandomStreams(1)
x, y, s, n = T.dscalar("x"), T.dscalar("y"), T.dscalar("x"), T.lscalar("n")
v, w, fv, z, i = T.dvector("v"), T.dvector("w"), T.fvector("fv"), T.zvector("z"), T.lvector("i")
m, k, row, t = T.dmatrix("m"), T.dmatrix("k"), T.drow("row"), T.dtensor3("t")
tensor_called_t = t
a, number, single = (
    shared(np.ones((2, 3)), "a"),
    shared(1, "number"),
    shared(np.float32(1), "single"),
)
f = function([x], x, name="mine")
NAMES = {**globals(), **{each.__name__.rpartition(".")[2]: each for each in OBJECTS}}


def call(inputs, output, *args, **kwargs):
    """Make a function of `inputs`, and call it."""
    return function(inputs, output, name="mine")(*args, **kwargs)


# Of functions, their arguments and shared variables; then of the tensor language.
TABLE = [
    # Arguments of a function that is called.
    ("call([fv], fv, [1.5, 2.1])", TypeError, ["[1.5, 2.1]", "float32", "precision", HERE]),
    ("call([row], row, np.ones((2, 3)))", TypeError, ["axis 0", "(2, 3)", "(True, False)", HERE]),
    ("call([In(x, strict=True)], x, 3)", TypeError, ["expected a ndarray object", HERE]),
    ("call([x], x, 'word')", ValueError, ["Bad input argument", "'word'", HERE]),
    ("call([v], v, [1, [2, 3]])", ValueError, ["Bad input argument", "sequence", HERE]),
    ("call([x], x, 2j)", TypeError, ["Bad input argument", "2j", HERE]),
    ("call([n], n, 10**30)", OverflowError, ["Bad input argument", str(10**30), "int64", HERE]),
    ("call([x, y], x + y, y=1)", TypeError, ["Missing required input: x", "mine"]),
    ("call([x, y], x + y, 1, x=3)", TypeError, ["Multiple values for input: x"]),
    ("call([x, s], x + s, 1, x=3)", TypeError, ["Ambiguous name: x"]),
    ("call([y, In(x, value=1, implicit=True)], x + y, 1, x=2)", TypeError, ["implicit input: x"]),
    # What a function is made of.
    ("function([], [x + 0, y])", errors.MissingInputError, ["was not provided", HERE]),
    ("function([y, x, x], x + y)", errors.UnusedInputError, ["x is used twice", "indices 1 and 2"]),
    (
        "function([x], x, on_unused_input='no')",
        ValueError,
        ["'no'", "'raise', 'warn', and 'ignore'"],
    ),
    (
        "function([], a, updates=[(a, a.sum(axis=0, keepdims=True))])",
        *(TypeError, ["same type as the original", "shared_var=a", "row", "patternbroadcast"]),
    ),
    (
        "function([], [], updates=[(number, 5.5)])",
        *(TypeError, ["shared_var=number", "update_val=5.5", "int64"]),
    ),
    (
        "function([x], x, givens={x: y})",
        RuntimeError,
        ["replace variable 'x' through the `givens`"],
    ),
    (
        "function([s], x + y, givens=[(x, y), (y, s)])",
        *(AssertionError, ["y is used by the pairs before its own"]),
    ),
    ("theano.Mode('quick')", ValueError, ["'quick'", "cvm", "py"]),
    ("function([In(x, implicit=True)], x)", TypeError, ["must be given a default value", "x"]),
    ("complex(x)", TypeError, ["x", "no value", "eval"]),
    ("int(n)", TypeError, ["n", "no value", "eval"]),
    (
        "setattr(single, 'default_update', x * 1)",
        *(TypeError, ["TensorType(float64, scalar)", "TensorType(float32, scalar)"]),
    ),
    ("single.set_value(0.1)", TypeError, ["0.1", "precision", 'Container name "single"']),
    ("f['q']", TypeError, ["Unknown input or state: q. The function has 1 named input (x)."]),
    ("f.copy(swap={a: a})", ValueError, ["SharedVariable a is not used by the function"]),
    ("setattr(theano.config, 'device', 'cuda')", Exception, ["device", "THEANO_FLAGS"]),
    # Constants.
    ("T.numpy_scalar([])", errors.EmptyConstantError, ["empty"]),
    ("T.numpy_scalar([1, 2])", errors.NotScalarConstantError, ["shape (2,)"]),
    ("T.get_scalar_constant_value(None)", errors.NotScalarConstantError, ["None"]),
    ("T.get_scalar_constant_value([1, 2])", errors.NotScalarConstantError, ["[1, 2]"]),
    ("T.constant(np.ones((2, 2)), ndim=1)", ValueError, ["1 dimensions"]),
    ("T.as_tensor_variable([x, theano.tensor.NoneConst])", errors.AsTensorError, ["None"]),
    ("T.get_vector_length(m)", TypeError, ["vector", "m"]),
    ("T.get_vector_length(v)", ValueError, ["v", "ndim"]),
    # Creation.
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
    # Shapes.
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
    # Indexing.
    ("T.inc_subtensor(v[:2], z)", TypeError, ["float64", "complex128"]),
    ("m[i, i, i]", IndexError, ["too many indices", "m"]),
    ("T.choose(i, x)", TypeError, ["choose", "axis"]),
    ("T.choose(i, [v, v], out=v)", ValueError, ["out"]),
    ("extra_ops.unravel_index(i, m)", TypeError, ["vector", "m"]),
    ("extra_ops.ravel_multi_index((i, i), (2, 3), order='A')", ValueError, ["'A'", "'C'"]),
    ("permutations.permute_row_elements(m, v)", TypeError, ["integers", "float64"]),
    ("permutations.permute_row_elements(x, i)", TypeError, ["axes", "scalar"]),
    # Products.
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
    # Elements.
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
    # Gradients.
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
    # Loops.
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
    # Networks.
    ("neighbours.images2neibs(m, (2, 2))", AssertionError, ["4 axes", "matrix"]),
    ("nnet.categorical_crossentropy(t, m)", TypeError, ["matrix", "3D"]),
    ("nnet.prepend_scalar_to_each_row(v, m)", TypeError, ["scalar", "vector"]),
    ("nnet.confusion_matrix(m, i)", ValueError, ["vectors", "matrix"]),
    ("bn.batch_normalization_train(t, m, m, axes=())", ValueError, ["axis", "()"]),
    # Random.
    ("keyed.multinomial(key, (2,), v, v)", TypeError, ["multinomial", "integers", "float64"]),
    ("keyed.choice(key, x)", TypeError, ["choice", "integer", "float64"]),
    ("mrg_stream.uniform(size=(2,), target='gpu')", TypeError, ["gpu", "cpu"]),
    ("mrg_stream.multinomial_wo_replacement(size=(2,), pvals=m)", AssertionError, ["size", "2"]),
    ("permutation.WordsToPermutation()(v)", TypeError, ["uint64", "float64"]),
    ("keyed.key(v)", TypeError, ["integer", "float64"]),
    ("mrg.MultinomialFromUniform('auto')(v, v)", NotImplementedError, ["pvals", "2"]),
    ("mrg.MultinomialFromUniform('auto')(m, m)", NotImplementedError, ["unis", "1"]),
    ("mrg.MultinomialFromUniform('auto')(m, v, x)", TypeError, ["integer", "float64"]),
    ("T.xor(v, v)", TypeError, ["float64"]),
]


def evaluated(text):
    """Return the value of an expression, to whose text messages may point."""
    linecache.cache[HERE] = (len(text), None, [text], HERE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return eval(compile(text, HERE, "eval"), {**NAMES, "call": call})


def told(error):
    return " ".join(map(str, error.value.args))


@pytest.mark.parametrize(("text", "error", "words"), TABLE, ids=[row[0] for row in TABLE])
def test_message(text, error, words):
    with pytest.raises(error) as caught:
        evaluated(text)
    assert [word for word in words if word not in told(caught)] == [], told(caught)


ONES = np.ones((2, 3))
SUM = "in m + v, axis 1 of m has 3 items, axis 0 of v has 4."
# While a function runs: names of inputs, an expression, values.
CALLS = [
    (
        *("t m", "T.tensordot(tensor_called_t, m, 2)", (np.ones((2, 3, 4)), np.ones((3, 5)))),
        *(ValueError, ["T.tensordot(tensor_called_t, m, 2)", "Shapes: t (2, 3, 4), m (3, 5)."]),
    ),
    ("m v", "theano.OpFromGraph([m, v], [m + v])(m, v)", (ONES, np.ones(4)), ValueError, [SUM]),
    (
        "m n",
        "m[:, n]",
        (ONES, -4),
        IndexError,
        ["index -4 is out of bounds for axis 1 with size 3"],
    ),
    ("m", "m.reshape((-1, 4))", (ONES,), ValueError, ["array of size 6 into shape (-1, 4)"]),
    ("v w", "T.stack([v, w])", (np.ones(3), np.ones(2)), ValueError, ["must match", "3", "2"]),
    (
        "v",
        "T.specify_shape(v, (2,))",
        (np.ones(3),),
        AssertionError,
        ["axis 0 has 3 items, expected 2"],
    ),
    ("m", "T.addbroadcast(m, 0)", (ONES,), ValueError, ["Dimension 0", "be 1 (got 2 instead)"]),
    ("v n", "T.alloc(v, n, 3)", ([1, 2], 2), ValueError, ["2 items along axis 1 to length 3"]),
]
# In any mode.
RUNS = [
    ("m v", "T.dot(m, v)", (ONES, np.ones(4)), ValueError, ["3", "4"]),
    (
        "t n",
        "BatchedDot()(t, t[1:])",
        (np.ones((2, 3, 3)), 0),
        ValueError,
        ["2 items", "(1, 3, 3)"],
    ),
    ("v", "v.max()", ([],), ValueError, ["zero-size array", "max"]),
    ("v", "T.argmax(v)", ([],), ValueError, ["empty"]),
    ("m", "m.max(axis=0)", (np.ones((0, 2)),), ValueError, ["zero-size array"]),
    ("m i", "m[i > 0]", (np.ones((2, 2)), [1, 2, 3]), IndexError, ["boolean", "axis is 2", "3"]),
    ("m", "T.addbroadcast(m, 1)", (ONES,), ValueError, ["Dimension 1", "got 3"]),
    (
        "v n",
        "theano.scan(lambda r: r, v, n_steps=n)[0] * 2",
        ([1.0], 3),
        ValueError,
        ["sequence", "3"],
    ),
    (
        "v n",
        "theano.scan(lambda s: s, None, v, n_steps=n)[0]",
        ([1.0], -1),
        IndexError,
        ["number", "-1"],
    ),
    ("v n", "T.repeat(v, T.stack([n, n]))", ([1.0, 2, 3], 2), ValueError, ["3 items", "2"]),
    ("v n", "T.topk(v, n)", ([1.0], 3), ValueError, ["kth", "3", "1"]),
    ("v n", "T.topk(v, n)", ([1.0], 0), ValueError, ["kth", "zero"]),
    ("i", "T.choose(i, [i, i])", ([2],), ValueError, ["choice", "2"]),
    ("v n", "T.Assert('n is not')(v, T.gt(n, 0))", ([1.0], 0), AssertionError, ["n is not"]),
    ("i n", "keyed.split(keyed.key(n), 2)[i]", ([5], 3), IndexError, ["index 5", "size 2"]),
]
NODE = ["Apply node that caused the error", HERE]


def said_by(inputs, text, given, error, mode=None):
    variables = [NAMES[name] for name in inputs.split()]
    f = function(variables, evaluated(text), mode=mode, on_unused_input="ignore")
    with pytest.raises(error) as caught:
        f(*given)
    return told(caught)


@pytest.mark.parametrize(("inputs", "text", "given", "error", "words"), CALLS)
def test_message_of_a_call(inputs, text, given, error, words):
    message = said_by(inputs, text, given, error)
    words = [*words, *NODE, "Inputs types", "Inputs shapes"]
    assert [word for word in words if word not in message] == [], message


@pytest.mark.parametrize(("inputs", "text", "given", "error", "words"), RUNS)
@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE", theano.Mode("py")], ids=str)
def test_message_in_every_mode(inputs, text, given, error, words, mode):
    message = said_by(inputs, text, given, error, mode)
    assert [word for word in [*words, *NODE] if word not in message] == [], message


def test_the_line_is_the_one_that_made_the_node():
    g = function([v, w], (v + 1) * w, mode="FAST_COMPILE")  # this line
    with pytest.raises(ValueError, match="mis-match") as caught:
        g([1, 2], [1, 2, 3])
    with open(__file__, encoding="utf-8") as file:
        line = next(k for k, t in enumerate(file, 1) if t.rstrip().endswith("# this line"))
    assert re.search(rf"{HERE}\", line {line}, in test_the_line", str(caught.value))


def test_the_expression_is_marked():
    wrong = T.exp(x) + T.dot(v, w)
    with pytest.raises(ValueError, match="Shape mismatch") as raised:
        function([x, v, w], wrong)(1, [1, 2], [1, 2, 3])
    place, text, mark = str(raised.value).split("is created:\n")[1].splitlines()[:3]
    assert HERE in place
    assert text.strip() == "wrong = T.exp(x) + T.dot(v, w)"
    assert text[mark.index("^") : mark.rindex("^") + 1] == "T.dot(v, w)"


def test_letters_of_several_bytes_do_not_move_the_mark():
    nowhere = compile("T.dot(v, w, )", "<nowhere>", "eval")
    line = eval(nowhere, {"T": T, "v": v, "w": w}).owner.source
    assert line.quoted() == str(line)  # text that is nowhere
    é = T.dot(v, w)
    *_, text, mark = é.owner.source.quoted().splitlines()
    assert text[mark.index("^") : mark.rindex("^") + 1] == "T.dot(v, w)"


def test_lines_travel_without_code():
    again = pickle.loads(pickle.dumps(T.exp(x))).owner.source
    assert again == SourceLine(__file__, again.line, "test_lines_travel_without_code")
    assert "^" not in again.quoted()


def test_the_line_survives_fusion():
    f = function([v, w], T.exp(v + 1) * T.tanh(w) + w)
    with refused(ValueError, "mis-match", __file__):
        f([1, 2], [1, 2, 3])


def test_the_whole_expression_on_demand():
    f = function([v, w], (v + 1) * w)
    for verbosity, word in (("low", "exception_verbosity=high"), ("high", "Expression:")):
        with theano.config.change_flags(exception_verbosity=verbosity), refused(ValueError, word):
            f([1, 2], [1, 2, 3])


def test_large_values_are_not_printed():
    f = function([v, w], v * w)
    with pytest.raises(ValueError, match="not shown") as caught:
        f(np.arange(1000.0), np.arange(999.0))
    assert "[(1000,), (999,)]" in str(caught.value) and len(str(caught.value)) < 2000

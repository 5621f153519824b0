"""Random expressions of sparse matrices: the default mode against the graph as it was written.

    python tests/fuzz/fuzz_sparse.py FIRST LAST

tries the expressions numbered FIRST to LAST - 1, and prints those whose results differ. As written,
SciPy computes them; what rewriting makes of them is loops over their arrays. Matrices are of both
formats and all kinds of items, with items stored twice, in no order, that are zero, or none at all;
some have indices of 64 bits. Some operands do not fit: then both must refuse them.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

import theano
import theano.sparse as S
import theano.tensor as T

LENGTHS = [0, 1, 1, 2, 3, 3, 5, 8, 20]
DTYPES = ["float64"] * 5 + ["float32", "int32", "int8", "uint8", "complex128"]
AS_WRITTEN = theano.Mode(optimizer=None)


class Value(NamedTuple):
    """A variable, the shape of its value, and whether its items are exact, being few digits."""

    variable: Any
    shape: tuple[int, ...]
    exact: bool

    @property
    def sparse(self) -> bool:
        """Whether it is a sparse matrix."""
        return isinstance(self.variable.type, S.SparseType)


def matrix(rng: Any, shape: tuple[int, int], format: str, dtype: str) -> Any:
    """Return a matrix with what a matrix may have."""
    lines, width = shape if format == "csr" else shape[::-1]
    counts = rng.integers(0, min(width, 4) + 1, lines) if width else np.zeros(lines, int)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype("int32")
    indices = rng.integers(0, max(width, 1), indptr[-1]).astype("int32")
    if rng.random() < 0.5:
        # In order, and none stored twice.
        parts = [rng.choice(width, n, replace=False) if n else [] for n in counts]
        indices = np.concatenate([[], *map(np.sort, parts)]).astype("int32")
    data = items(rng, (len(indices),), dtype)
    made = {"csr": sp.csr_matrix, "csc": sp.csc_matrix}[format]((data, indices, indptr), shape)
    if rng.random() < 0.1:
        made.indices, made.indptr = made.indices.astype("int64"), made.indptr.astype("int64")
    return made


def items(rng: Any, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Return numbers of few digits, some of them zero."""
    whole = rng.integers(0 if dtype.startswith("u") else -6, 7, shape)
    if np.dtype(dtype).kind in "iu":
        return whole.astype(dtype)
    return (whole / 4 + (1j * whole if dtype.startswith("c") else 0)).astype(dtype)


class Expression:
    """An expression that is made at random.

    Attributes
    ----------
    inputs : list of variables
    arguments : list
        Their values.
    outputs : list of variables
    words : list of str
        What it is made of.
    """

    def __init__(self, seed: int) -> None:
        self.rng: Any = np.random.default_rng(seed)
        self.inputs: list[Any] = []
        self.arguments: list[Any] = []
        self.words: list[str] = []
        self.shape = tuple(int(n) for n in self.rng.choice(LENGTHS, 2))
        self.values = [self.input(True) for _ in range(2)]
        for _ in range(int(self.rng.integers(1, 7))):
            name = str(self.rng.choice(list(WORDS)))
            made = WORDS[name](self)
            if made is not None:
                self.words.append(name)
                self.values.append(made)
        new = self.values[2:] or self.values
        chosen = self.rng.choice(len(new), min(len(new), 2), replace=False)
        self.outputs = [new[int(i)].variable for i in {*chosen.tolist(), len(new) - 1}]
        if self.rng.random() < 0.4:
            self.outputs += self.gradients()

    def gradients(self) -> list[Any]:
        """Return the gradients of the sum of the outputs."""
        wrt = [v for v in self.inputs if v.type.dtype == "float64"]
        parts = [S.sp_sum(v) if isinstance(v.type, S.SparseType) else v.sum() for v in self.outputs]
        parts = [p for p in parts if p.type.dtype in ("float32", "float64")]
        if not wrt or not parts:
            return []
        self.words.append("gradients")
        found = T.grad(sum(parts[1:], parts[0]), wrt, disconnected_inputs="ignore")
        return list(found)

    # -- operands -----------------------------------------------------------------------------

    def dtype(self) -> str:
        return str(self.rng.choice(DTYPES))

    def input(self, sparse: bool, shape: Any = None, dtype: str | None = None) -> Value:
        """Return a new input."""
        shape, dtype = self.fitting(shape), dtype or self.dtype()
        if sparse:
            format = str(self.rng.choice(["csr", "csc"]))
            self.arguments.append(matrix(self.rng, shape, format, dtype))
            self.inputs.append(S.matrix(format, f"x{len(self.inputs)}", dtype))
        else:
            self.arguments.append(items(self.rng, shape, dtype))
            kind = T.TensorType(dtype, (False,) * len(shape))
            self.inputs.append(kind(f"x{len(self.inputs)}"))
        return Value(self.inputs[-1], shape, True)

    def fitting(self, shape: Any) -> Any:
        """Return a shape, which seldom fits."""
        if shape is None:
            return self.shape if self.rng.random() < 0.9 else self.shape[::-1]
        if shape and self.rng.random() < 0.03:
            return (shape[0] + 1, *shape[1:])
        return tuple(shape)

    def one(self, sparse: bool = True, shape: Any = None) -> Value:
        """Return a value there is, or a new input."""
        known = [v for v in self.values if v.sparse is sparse]
        known = [v for v in known if shape is None or v.shape == tuple(shape)]
        if known and self.rng.random() < 0.8:
            return known[int(self.rng.integers(len(known)))]
        return self.input(sparse, shape)


Word = Callable[[Expression], Value | None]


def of_items(function: Any, exact: bool, reals: bool = True) -> Word:
    """Return a word: a function of stored items."""

    def word(e: Expression) -> Value | None:
        x = e.one()
        if reals and x.variable.dtype.startswith("complex"):
            return None
        if not exact and not x.variable.dtype.startswith(("float", "complex")):
            return None
        return Value(function(x.variable), x.shape, exact and x.exact)

    return word


def same_shape(function: Any, sparse: bool, exact: bool = True) -> Word:
    """Return a word: a function of two matrices of one shape."""

    def word(e: Expression) -> Value:
        x = e.one()
        y = e.one(sparse, x.shape)
        return Value(function(x.variable, y.variable), x.shape, exact and x.exact and y.exact)

    return word


def compared(function: Any, sparse: bool) -> Word:
    def word(e: Expression) -> Value | None:
        x = e.one()
        y = e.one(sparse, x.shape)
        real = not any("complex" in v.variable.dtype for v in (x, y))
        alike = not sparse or x.variable.type.format == y.variable.type.format
        if not (real and alike and x.exact and y.exact):
            return None
        return Value(function(x.variable, y.variable), x.shape, True)

    return word


def with_vector(function: Any, axis: int) -> Word:
    def word(e: Expression) -> Value:
        x = e.one()
        v = e.one(False, (x.shape[axis],))
        return Value(function(x.variable, v.variable), x.shape, False)

    return word


def product(function: Any, first: bool, sparse: bool, vector: bool = False) -> Word:
    """Return a word: the product of a sparse matrix, as first operand or second, and another."""

    def word(e: Expression) -> Value:
        x = e.one()
        n = int(e.rng.choice([0, 1, 2, 4, 5, 33]))
        inner = x.shape[1 if first else 0]
        shape = (inner,) if vector else (inner, n) if first else (n, inner)
        y = e.one(sparse, shape)
        operands = (x.variable, y.variable) if first else (y.variable, x.variable)
        outer = x.shape[:1] if first else x.shape[1:]
        rest = () if vector else (n,)
        return Value(function(*operands), outer + rest if first else rest + outer, False)

    return word


def number(e: Expression) -> Any:
    return float(e.rng.integers(-3, 4)) / 2 if e.rng.random() < 0.5 else int(e.rng.integers(-2, 3))


def scaled(e: Expression) -> Value:
    x = e.one()
    return Value(x.variable * number(e), x.shape, x.exact)


def cast(e: Expression) -> Value | None:
    x = e.one()
    to = str(e.rng.choice(["float32", "float64", "complex128"]))
    if x.variable.dtype.startswith("complex") and to != "complex128":
        return None
    return Value(S.cast(x.variable, to), x.shape, x.exact)


def part(e: Expression) -> Value:
    x = e.one()
    first = int(e.rng.integers(0, 3))
    made = x.variable[first:, ::-1] if e.rng.random() < 0.5 else x.variable[:, first:]
    rows, columns = x.shape
    by_rows = made.owner.op.given[0] and not made.owner.op.given[3]
    shape = (max(rows - first, 0), columns) if by_rows else (rows, max(columns - first, 0))
    return Value(made, shape, x.exact)


def with_data(e: Expression) -> Value | None:
    """A matrix made of the parts of another one."""
    x = e.one()
    if x.variable.dtype.startswith(("complex", "uint", "int")):
        return None
    data, indices, indptr, shape = S.csm_properties(x.variable)
    make = S.CSR if x.variable.format == "csr" else S.CSC
    return Value(make(T.tanh(data) * 2, indices, indptr, shape), x.shape, False)


def sampled(e: Expression) -> Value | None:
    p = e.one()
    n = int(e.rng.choice([0, 1, 3, 20]))
    x, y = (e.input(False, (size, n), "float64") for size in p.shape)
    return Value(S.sampling_dot(x.variable, y.variable, p.variable), p.shape, False)


def added_product(e: Expression) -> Value | None:
    x = e.one()
    if x.variable.dtype.startswith("complex"):
        return None
    y = e.input(False, (x.shape[1], 3), "float64")
    z = e.input(False, (x.shape[0], 3), "float64")
    alpha = e.input(False, (), "float64")
    made = S.usmm(alpha.variable, x.variable, y.variable, z.variable)
    return Value(made, (x.shape[0], 3), False)


def summed(e: Expression) -> Value:
    x = e.one()
    axis = [None, 0, 1][int(e.rng.integers(3))]
    shape = () if axis is None else (x.shape[1 - axis],)
    return Value(S.sp_sum(x.variable, axis, bool(e.rng.random() < 0.5)), shape, x.exact)


def diagonal(e: Expression) -> Value:
    x = e.one()
    return Value(S.diag(x.variable), x.shape[:1], x.exact)


def on_diagonal(e: Expression) -> Value:
    v = e.one(False, (self_length(e),))
    return Value(S.square_diagonal(v.variable), v.shape * 2, v.exact)


def self_length(e: Expression) -> int:
    return int(e.rng.choice(e.shape))


def in_loop(e: Expression) -> Value | None:
    """Products with the same matrix in the steps of a loop."""
    x = e.one()
    if x.variable.dtype != "float64":
        return None
    n = x.shape[1]
    v = e.input(False, (n,), "float64")
    made, _ = theano.scan(
        lambda h, x: h * 0.5 + S.dot(S.tanh(x).T, S.dot(x, h)) / 8,
        outputs_info=v.variable,
        non_sequences=x.variable,
        n_steps=3,
    )
    return Value(made, (3, n), False)


WORDS: dict[str, Word] = {
    "neg": of_items(lambda x: -x, True, False),
    "transpose": lambda e: (lambda x: Value(x.variable.T, x.shape[::-1], x.exact))(e.one()),
    "tanh": of_items(S.tanh, False, False),
    "sqr": of_items(S.sqr, True, False),
    "sigmoid": of_items(S.structured_sigmoid, False),
    "exp of tanh": of_items(lambda x: S.structured_exp(S.tanh(x)), False),
    "maximum": of_items(lambda x: S.structured_maximum(x, 0.5), True),
    "add number": of_items(lambda x: S.structured_add(x, 1), True, False),
    "ones": of_items(S.sp_ones_like, True, False),
    "zeros": of_items(S.sp_zeros_like, True, False),
    "sorted": of_items(S.ensure_sorted_indices, True, False),
    "remove0": of_items(S.remove0, True, False),
    "scaled": scaled,
    "cast": cast,
    "part": part,
    "with data": with_data,
    "items": lambda e: (lambda x: Value(x.variable.toarray(), x.shape, x.exact))(e.one()),
    "add": same_shape(lambda x, y: x + y, True),
    "sub": same_shape(lambda x, y: x - y, True),
    "mul": same_shape(lambda x, y: x * y, True),
    "add dense": same_shape(lambda x, y: x + y, False),
    "mul dense": same_shape(lambda x, y: x * y, False),
    "eq": compared(S.eq, True),
    "lt": compared(S.lt, True),
    "neq dense": compared(S.neq, False),
    "le dense": compared(S.le, False),
    "mul_s_v": with_vector(S.mul_s_v, 1),
    "add_s_v": with_vector(S.structured_add_s_v, 1),
    "col_scale": with_vector(S.col_scale, 1),
    "row_scale": with_vector(S.row_scale, 0),
    "dot": product(S.dot, True, False),
    "dot of dense": product(S.dot, False, False),
    "dot vector": product(S.dot, True, False, True),
    "vector dot": product(S.dot, False, False, True),
    "dot of both": product(S.dot, True, True),
    "structured_dot": product(S.structured_dot, True, False),
    "structured_dot of dense": product(S.structured_dot, False, False),
    "structured_dot of both": product(S.structured_dot, True, True),
    "true_dot": product(S.true_dot, True, True),
    "sampling_dot": sampled,
    "usmm": added_product,
    "sp_sum": summed,
    "diag": diagonal,
    "square_diagonal": on_diagonal,
    "from dense": lambda e: (lambda x: Value(S.csr_from_dense(x.variable), x.shape, x.exact))(
        e.one(False, e.shape)
    ),
    "loop": in_loop,
}


def results(expression: Expression, mode: Any) -> list[Any] | Exception:
    """Return what the expression gives in a mode, or the error."""
    try:
        f = theano.function(
            expression.inputs, expression.outputs, mode=mode, on_unused_input="ignore"
        )
        return f(*(a.copy() for a in expression.arguments))
    except Exception as error:
        return error


def differ(got: Any, wanted: Any) -> str:
    """Say how two results differ; the places of stored items count."""
    if type(got) is not type(wanted) or got.shape != wanted.shape or got.dtype != wanted.dtype:
        return f"{type(got).__name__} {got.shape} {got.dtype}, not {wanted.shape} {wanted.dtype}"
    if sp.issparse(got):
        if got.format != wanted.format or got.nnz != wanted.nnz:
            return f"{got.format} of {got.nnz} items, not {wanted.format} of {wanted.nnz}"
        for name in ("indices", "indptr"):
            if not np.array_equal(getattr(got, name), getattr(wanted, name)):
                return f"other {name}"
        got, wanted = got.data, wanted.data
    if got.dtype.kind in "iub":
        return "" if np.array_equal(got, wanted) else "other integers"
    near = 1e-3 if got.dtype in ("float32", "complex64") else 1e-8
    scale = float(np.max(np.abs(wanted), initial=1.0, where=np.isfinite(wanted)))
    close = np.allclose(got, wanted, rtol=near, atol=near * scale, equal_nan=True)
    return "" if close else f"{got.ravel()[:4]}, not {wanted.ravel()[:4]}"


def described(value: Any) -> str:
    name = f"{value.format} " if sp.issparse(value) else ""
    return f"{name}{value.shape} {value.dtype}"


def difference(seed: int) -> str:
    """Say how the results of an expression differ from those of the graph as written."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            expression = Expression(seed)
        except (TypeError, ValueError, NotImplementedError, AssertionError):
            # No such operation on such operands.
            return ""
        wanted, got = results(expression, AS_WRITTEN), results(expression, None)
    where = f"{'; '.join(expression.words)} of {', '.join(map(described, expression.arguments))}"
    if isinstance(wanted, Exception) or isinstance(got, Exception):
        # Of several errors another one may come first.
        known = (ValueError, IndexError)
        alike = type(got) is type(wanted) or (isinstance(got, known) and isinstance(wanted, known))
        return "" if alike else f"{where}: {got!r}, not {wanted!r}"
    for number, pair in enumerate(zip(got, wanted, strict=True)):
        text = differ(*pair)
        if text:
            return f"{where}: output {number}: {text}"
    return ""


def problems(first: int, last: int) -> Iterator[str]:
    """Yield what is wrong with the expressions of some seeds."""
    for seed in range(first, last):
        text = difference(seed)
        if text:
            yield f"seed {seed}: {text}"


def main(first: int, last: int) -> None:
    """Print what is wrong with the expressions of some seeds."""
    for problem in problems(first, last):
        print(problem, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

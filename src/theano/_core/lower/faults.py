"""What can go wrong inside a native function: one entry per kind.

Native code reports a number and integer facts; the text is made here, on the error path only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from numpy.exceptions import AxisError
from numpy.linalg import LinAlgError

from theano._core.base.errors import WindowError
from theano._core.base.records import Record
from theano._core.ops.array.dims import UNCOUNTABLE, ProductOfLengths, SumOfLengths
from theano._core.ops.array.products import batches_differ


class Fault(Record):
    """A kind of run-time error: its exception and its text from the facts."""

    exception: type[Exception]
    text: Callable[[Sequence[int]], str]


# Stands for the state of a loop whose number is the first fact; the operation knows its label.
STATE = "<state>"


def _mismatch(f: Sequence[int]) -> str:
    i, axis, a, j, b = f
    return (
        f"Input dimension mis-match. (input[{i}].shape[{axis}] = {a}, input[{j}].shape[{axis}] ="
        f" {b}). A length of 1 is broadcast only where the variable declares it broadcastable."
    )


def _matmul(f: Sequence[int]) -> str:
    a, b, *shape = f
    rank = len(shape) // 2
    shapes = f" Their shapes are {tuple(shape[:rank])} and {tuple(shape[rank:])}."
    text = f"Shape mismatch: the last axis of x has {a} items, the first summed axis of y {b}."
    return text + shapes * bool(shape)


def _index(f: Sequence[int]) -> str:
    index, axis, length = f
    return f"index {index} is out of bounds for axis {axis} with size {length}"


def _join(f: Sequence[int]) -> str:
    i, axis, a, b = f
    return (
        f"all the input array dimensions except for the concatenation axis must match: input {i}"
        f" has {b} items along axis {axis}, input 0 has {a}"
    )


# What an array without items has none of.
EXTREMES = ("max", "min", "argmax", "argmin")


def _empty_reduction(f: Sequence[int]) -> str:
    kind = EXTREMES[f[0]]
    if kind.startswith("arg"):
        return f"attempt to get {kind} of an empty sequence"
    return f"zero-size array to reduction operation {kind} which has no identity"


def _in_stack(number: int) -> str:
    return f" Matrix {number} (0-based) of the stack." if number else ""


def _why_not(info: int) -> str:
    # A negative number: the matrix was not even given to LAPACK.
    return ": the matrix has infinities or NaN." if info < 0 else "."


FAULTS: dict[str, Fault] = {
    "elementwise": Fault(ValueError, _mismatch),
    "matmul": Fault(ValueError, _matmul),
    "index": Fault(IndexError, _index),
    "batch": Fault(ValueError, batches_differ),
    "join": Fault(ValueError, _join),
    "transform_length": Fault(
        ValueError, lambda f: f"fft: the length must be positive, got {f[0]}"
    ),
    "spectrum_parts": Fault(
        ValueError, lambda f: f"irfft: the last axis must hold two parts, it has {f[0]}"
    ),
    "infer_shape": Fault(
        ValueError,
        lambda f: (
            f"Output {f[0]} has length {f[2]} along axis {f[1]}, and the operation promised {f[3]} "
            "in its infer_shape or shape."
        ),
    ),
    "mask": Fault(
        IndexError,
        lambda f: (
            f"boolean index did not match indexed array along axis {f[0]}; size of axis is {f[1]}"
            f" but size of corresponding boolean axis is {f[2]}"
        ),
    ),
    "reshape": Fault(
        ValueError, lambda f: f"cannot reshape array of size {f[0]} into shape {tuple(f[1:])}"
    ),
    "reshape_rank": Fault(
        ValueError,
        lambda f: f"the new shape of reshape has {f[0]} lengths, {f[1]} were declared (ndim)",
    ),
    "specify_rank": Fault(
        AssertionError,
        lambda f: f"SpecifyShape: {f[0]} lengths were given for {f[1]} axes.",
    ),
    "broadcast": Fault(
        ValueError,
        lambda f: (
            f"could not broadcast an array with {f[1]} items along axis {f[0]} to length {f[2]}"
        ),
    ),
    "negative_length": Fault(ValueError, lambda f: f"negative dimensions are not allowed: {f[0]}"),
    "too_large": Fault(
        MemoryError, lambda f: f"an array of shape {tuple(f)} does not fit into memory"
    ),
    # What the runtime works with has no shape that a user knows.
    "no_memory": Fault(MemoryError, lambda f: "there is no memory to work with"),
    "empty_reduction": Fault(ValueError, _empty_reduction),
    "assert": Fault(AssertionError, lambda f: "Theano Assert failed!"),
    # The operation has the text.
    "parameter": Fault(ValueError, lambda f: "a parameter is out of range"),
    "axis": Fault(AxisError, lambda f: "the array has no such axis"),
    "windows": Fault(WindowError, lambda f: "the windows do not fit"),
    "misfit": Fault(TypeError, lambda f: "the operands do not fit"),
    "parameter_length": Fault(
        ValueError,
        lambda f: f"parameter {f[0]} has {f[2]} items along axis {f[1]}, the result {f[3]}",
    ),
    "random_key": Fault(ValueError, lambda f: f"a random key has 2 words, got {f[0]}"),
    "specify_shape": Fault(
        AssertionError, lambda f: f"SpecifyShape: axis {f[0]} has {f[1]} items, expected {f[2]}."
    ),
    "rebroadcast": Fault(
        ValueError,
        lambda f: (
            f"Dimension {f[0]} in Rebroadcast's input was supposed to be {f[2]} (got {f[1]}"
            " instead)"
        ),
    ),
    "scan_steps": Fault(
        IndexError, lambda f: f"Scan was asked to run for negative number of step {f[0]}"
    ),
    "scan_sequence": Fault(
        ValueError,
        lambda f: f"scan: sequence {f[0]} (0-based) has {f[1]} items, {f[2]} steps need as many",
    ),
    "scan_initial": Fault(
        ValueError,
        lambda f: f"scan: {STATE} needs {f[1]} initial values, got {f[2]}",
    ),
    "scan_shape": Fault(
        ValueError,
        lambda f: (
            f"scan: a step changes the shape of {STATE}: its axis {f[1]} had {f[2]} items and now"
            f" has {f[3]}"
        ),
    ),
    "sum_of_lengths": Fault(MemoryError, SumOfLengths.text),
    "product_of_lengths": Fault(MemoryError, ProductOfLengths.text),
    "range": Fault(ValueError, lambda f: UNCOUNTABLE),
    "range_length": Fault(MemoryError, lambda f: "the numbers of arange do not fit into memory"),
    "slice_step": Fault(ValueError, lambda f: "slice step cannot be zero"),
    "arange_step": Fault(ValueError, lambda f: "the step of arange must not be zero"),
    "index_shapes": Fault(
        IndexError,
        lambda f: (
            "shape mismatch: indexing arrays could not be broadcast together: along axis"
            f" {f[0]} one has {f[1]} items, another {f[2]}"
        ),
    ),
    "write": Fault(
        ValueError,
        lambda f: (
            f"could not broadcast a value with {f[1]} items along axis {f[0]} into {f[2]} positions"
        ),
    ),
    "too_many_draws": Fault(
        ValueError,
        lambda f: f"rng_mrg does not support more then (2**31 -1) samples, got {f[0]}",
    ),
    "streams": Fault(
        ValueError,
        lambda f: f"rstate must have 6 columns and some rows, got shape {tuple(f)}",
    ),
    "too_many_picks": Fault(
        ValueError,
        lambda f: (
            "Cannot sample without replacement n samples bigger than the size of the distribution:"
            f" {f[0]} of {f[1]}."
        ),
    ),
    "uniforms": Fault(
        ValueError,
        lambda f: f"unis.shape[0] != pvals.shape[0] * n: {f[0]}, {f[1]} * {f[2]}",
    ),
    "places": Fault(
        IndexError,
        lambda f: f"a sparse matrix stores items beyond {f[0]} rows and {f[1]} columns",
    ),
    "not_square": Fault(
        LinAlgError,
        lambda f: f"a square matrix is needed, got one of {f[0]} rows and {f[1]} columns",
    ),
    "solve_rows": Fault(
        LinAlgError,
        lambda f: f"A x = b: A has {f[0]} rows, b has {f[1]}; they must be equal",
    ),
    "singular": Fault(
        LinAlgError,
        lambda f: (
            f"Singular matrix: a pivot of its factorisation, number {f[0] - 1} (0-based), is zero."
            " pinv and lstsq also take singular matrices." + _in_stack(f[1])
        ),
    ),
    "not_positive": Fault(
        LinAlgError,
        lambda f: (
            f"Matrix is not positive definite: its leading minor of order {f[0]} is not positive."
            " Cholesky(on_error='nan') gives NaN instead." + _in_stack(f[1])
        ),
    ),
    "no_eigenvalues": Fault(
        LinAlgError,
        lambda f: "Eigenvalues did not converge" + _why_not(f[0]) + _in_stack(f[1]),
    ),
    "no_eigenvectors": Fault(
        LinAlgError,
        lambda f: (
            (
                "Array must not contain infs or NaNs."
                if f[0] < 0
                else "Eigenvalues did not converge."
            )
            + _in_stack(f[1])
        ),
    ),
    "no_singular_values": Fault(
        LinAlgError,
        lambda f: "SVD did not converge" + _why_not(f[0]) + _in_stack(f[1]),
    ),
}
CODES = {name: index for index, name in enumerate(FAULTS)}
NAMES = tuple(FAULTS)

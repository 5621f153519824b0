"""Programs run by Python, one instruction after the other: what they mean, without LLVM.

Addresses are real, kernels are NumPy's arithmetic on whole arrays. What is written straight with
the builder (`Emitted`), LAPACK and products by panels are not known here.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.lower import program as ir
from theano._core.lower.builder.convolution import ConvolutionNumbers
from theano._core.lower.builder.extremes import ExtremesWork
from theano._core.lower.builder.fourier import KINDS as FOURIER_KINDS, TransformWork
from theano._core.lower.faults import FAULTS
from theano._core.lower.kernel.expression import Body, Emitted
from theano._core.lower.kernel.loops import Loop
from theano._core.lower.passes.outline import inlined
from theano._core.lower.simplify import applied
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.runtime import native

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike

_PRIMITIVES: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "divide": np.divide,
    "neg": np.negative,
    "ceil": np.ceil,
    "copysign": np.copysign,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "select": np.where,
    "or_": np.bitwise_or,
    "and_": np.bitwise_and,
    "eq": np.equal,
    "neq": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "isnan": np.isnan,
}


def run(text: object, inputs: Sequence[TensorLike], types: Sequence[object]) -> list[Any]:
    """Return the results of a `ProgramText`, of these types: outputs, then new shared variables.

    `inputs` are arrays, those of shared variables included.

    Raises
    ------
    NotImplementedError
        The program has an instruction that is not known here.
    Exception
        What a check that does not hold says.
    """
    return _Interpreter(text).run(inputs, types)


def failure(i: ir.Check, facts: Sequence[int]) -> Exception:
    """Return the exception of a check that does not hold."""
    fault = FAULTS[i.fault]
    return fault.exception(fault.text(facts))


def memory(address: int, dtype: str, shape: Sequence[int], strides: Sequence[int]) -> Any:
    """Return the array that lies at an address."""
    if 0 in shape:
        return np.empty(shape, dtype)
    ends = [(n - 1) * s for n, s in zip(shape, strides, strict=True)]
    low, size = sum(min(e, 0) for e in ends), np.dtype(dtype).itemsize
    nbytes = sum(max(e, 0) for e in ends) - low + size
    block: Any = (ctypes.c_ubyte * nbytes).from_address(address + low)
    return np.ndarray(tuple(shape), dtype, block, -low, tuple(strides))


def packed(shape: Sequence[int], size: int) -> list[int]:
    """Return the strides of C-contiguous items."""
    return [size * int(np.prod(shape[i + 1 :], dtype=object)) for i in range(len(shape))]


class _Interpreter:
    def __init__(self, text: Any) -> None:
        self.text = text
        self.frame = np.zeros(max(1, text.frame_size), "int64")
        self.blocks: dict[int, Any] = {}
        self.kept: list[Any] = []
        places = (*text.program.stacks, ("%block", 8 * text.program.block_words))
        self.stacks = [np.zeros(nbytes + 64, "uint8") for _, nbytes in places]
        self.values: dict[str, Any] = {"null": 0, "%frame": self.frame.ctypes.data}
        for (name, _), block in zip(places, self.stacks, strict=True):
            self.values[name] = block.ctypes.data

    def run(self, inputs: Sequence[Any], types: Sequence[Any]) -> list[Any]:
        text = self.text
        arrays = [np.array(x) for x in inputs]
        offsets = (*text.inputs, *text.constant_offsets)
        for array, offset in zip([*arrays, *text.constants], offsets, strict=True):
            self._describe(np.asarray(getattr(array, "array", array)), offset)
        with np.errstate(all="ignore"):
            self._block(inlined(text.program).body)
        address = self.frame.ctypes.data
        return [
            self._described(address + 8 * out.descriptor, type_.dtype, type_.ndim).copy()
            for out, type_ in zip(text.outputs, types, strict=True)
        ]

    def _describe(self, array: Any, offset: int) -> None:
        self.kept.append(array)
        n = array.ndim
        words = self.frame[offset : offset + 2 + 2 * n]
        words[0], words[1] = array.ctypes.data, array.flags.c_contiguous * native.CONTIGUOUS
        words[2 : 2 + n], words[2 + n :] = array.shape, array.strides

    def _described(self, address: int, dtype: str, ndim: int) -> Any:
        words = memory(address, "int64", (2 + 2 * ndim,), (8,))
        return memory(
            int(words[0]), dtype, words[2 : 2 + ndim].tolist(), words[2 + ndim :].tolist()
        )

    def _block(self, block: ir.Block) -> None:
        for i in block:
            getattr(self, f"_do_{type(i).__name__.lower()}")(i)

    def value(self, x: Any) -> Any:
        """Return a number, or what a register holds."""
        if isinstance(x, ir.Number):
            return np.frombuffer(x.data, x.dtype)[0]
        return (
            self.values[x.name if isinstance(x, ir.Register) else x]
            if not isinstance(x, int)
            else x
        )

    # -- numbers ------------------------------------------------------------------------------

    def _do_let(self, i: ir.Let) -> None:
        operands = [int(self.value(x)) for x in i.operands]
        if i.function == "slot":
            self.values[i.name] = self.frame.ctypes.data + 8 * operands[0]
        else:
            self.values[i.name] = applied(i.function, i.type, operands)

    def _do_compute(self, i: ir.Compute) -> None:
        operands = [np.asarray(self.value(x)).astype(x.dtype) for x in i.operands]
        (result,), _ = evaluated(i.body, operands, ())
        self.values[i.name] = result[()] if result.ndim == 0 else result

    # -- memory -------------------------------------------------------------------------------

    def _do_frameload(self, i: ir.FrameLoad) -> None:
        self.values[i.name] = int(self.frame[i.offset])

    def _do_framestore(self, i: ir.FrameStore) -> None:
        for n, value in enumerate(i.values):
            self.frame[i.offset + n] = self.value(value)

    def _do_load(self, i: ir.Load) -> None:
        self.values[i.name] = memory(self.value(i.address), i.dtype, (), ())[()]

    def _do_store(self, i: ir.Store) -> None:
        memory(self.value(i.address), i.value.dtype, (), ())[()] = self.value(i.value)

    def _do_words(self, i: ir.Words) -> None:
        words = memory(self.value(i.address), "int64", (len(i.words),), (8,))
        for n, word in enumerate(i.words):
            if word != "":
                words[n] = self.value(word)

    def _do_alloc(self, i: ir.Alloc) -> None:
        nbytes = self.value(i.nbytes)
        try:
            block = np.empty(nbytes + 64, "uint8")
        except (MemoryError, ValueError):
            self.values[i.name] = 0
            return
        self.blocks[i.slot] = block
        self.values[i.name] = self.frame[i.slot] = block.ctypes.data

    def _do_free(self, i: ir.Free) -> None:
        self.frame[i.slot] = 0
        block = self.blocks.pop(i.slot, None)
        if block is not None:
            # Who reads it still is to see that.
            block.fill(0xFF)

    def _do_hand(self, i: ir.Hand) -> None:
        self.blocks[i.to] = self.blocks.pop(i.slot)
        self.frame[i.slot], self.frame[i.to] = 0, self.value(i.address)

    # -- what may fail --------------------------------------------------------------------------

    def _do_check(self, i: ir.Check) -> None:
        if not self.value(i.condition):
            raise failure(i, [int(self.value(fact)) for fact in i.facts])

    def _do_guard(self, i: ir.Guard) -> None:
        if not self.value(i.condition):
            raise RuntimeError("a call of the runtime failed")

    # -- calls --------------------------------------------------------------------------------

    def _do_call(self, i: ir.Call) -> None:
        operands = [self.value(x) for x in i.operands]
        functions = {
            "matmul": self._matmul,
            "multiply_pairs": _multiply_pairs,
            "convolve": _convolve,
            "transform": _transform,
            "extremes": _extremes,
            "launch": lambda *_: 0,
            "matrix_pass": self._matrix_pass,
        }
        if i.function in ("release", "tick", "forget", "kept", "lap"):
            result: Any = 0
        elif i.function in functions:
            result = functions[i.function](*operands)
        else:
            raise NotImplementedError(f"call of {i.function}")
        if i.name:
            self.values[i.name] = result

    def _matmul(
        self, typenum: int, rank_a: int, rank_b: int, a: int, b: int, c: int, alpha: int, beta: int
    ) -> int:
        dtype = _dtype(typenum)
        one, two = self._described(a, dtype, rank_a), self._described(b, dtype, rank_b)
        out = self._described(c, dtype, rank_a + rank_b - 2)
        product = np.asarray(np.dot(one, two))
        if alpha:
            product = product * memory(alpha, dtype, (), ())
        if beta:
            product = product + out * memory(beta, dtype, (), ())
        out[...] = product
        return 0

    def _matrix_pass(self, kernel: int, arguments: int, _: int, words: int) -> int:
        """Multiply a matrix from both sides: see `matrix_pass.cpp`."""
        number, rows, columns, down, across, step, *at = memory(
            words, "int64", (13,), (8,)
        ).tolist()
        dtype = _dtype(number)
        matrix = memory(at[0], dtype, (rows, columns), (down, across))
        item = packed((1,), matrix.itemsize)
        scores = memory(at[2], dtype, (rows,), item)
        product = np.dot(matrix, memory(at[1], dtype, (columns,), (step,)))
        alpha, beta = (memory(a, dtype, (), ()) if a else 0 for a in at[5:])
        scores[...] = (product * alpha if at[5] else product) + (scores * beta if at[6] else 0)
        if kernel >= 0:
            self._loop(self.text.kernels[kernel], arguments, 0)
        terms = memory(at[3], dtype, (rows,), item)
        memory(at[4], dtype, (columns,), item)[...] = np.dot(terms, matrix)
        return 0

    def _do_launch(self, i: ir.Launch) -> None:
        arguments = self.value(i.arguments)
        if i.kernel == "copy":
            _copy(arguments)
        elif isinstance(i.kernel, int):
            self._loop(self.text.kernels[i.kernel], arguments, 0)
        else:
            raise NotImplementedError(f"kernel {i.kernel}")

    def _do_reduce(self, i: ir.Reduce) -> None:
        self._loop(self.text.kernels[i.kernel], self.value(i.arguments), i.facts[8])

    def _loop(self, kernel: Any, arguments: int, first: int) -> None:
        """Run a kernel; `first` is the word of the address of its first result, 0: after stores."""
        loop: Loop | None = getattr(kernel, "loop", None)
        if loop is None:
            raise NotImplementedError(f"kernel {type(kernel).__name__}")
        groups: list[Any] = kernel.groups or [[]]
        words = memory(arguments, "int64", (512,), (8,))
        extents = words[: len(groups)].tolist()
        reduced = [bool(g) and g[0] in loop.reduced and bool(loop.reductions) for g in groups]
        every = list(range(len(groups)))
        moves = [
            [a for a in every if groups[a] and groups[a][0] not in s] for _, s in loop.operands
        ]
        moves += [every for _ in loop.stores]
        moves += [[a for a in every if not reduced[a]] for _ in loop.reductions]
        dtypes = (
            [d for d, _ in loop.operands]
            + list(loop.stores)
            + [f.out_dtype for f in loop.reductions]
        )
        plain = len(loop.operands) + len(loop.stores)
        at = [len(groups) + n for n in range(plain)]
        at += [(first or len(groups) + plain) + n for n in range(len(loop.reductions))]
        strides = iter(words[at[-1] + 1 :].tolist())
        arrays = []
        for index, (dtype, axes, place) in enumerate(zip(dtypes, moves, at, strict=True)):
            shape = [extents[a] for a in axes]
            whole = index >= plain and all(reduced)
            side_by_side = kernel.layout == "packed" or whole
            steps = packed(shape, np.dtype(dtype).itemsize)
            steps = steps if side_by_side else [next(strides) for _ in axes]
            item = memory(int(words[place]), dtype, shape, steps)
            arrays.append((item, axes))
        walked = [g[0] if g else -1 for g in groups]
        self._compute(loop, walked, extents, reduced, arrays)

    def _compute(
        self,
        loop: Loop,
        walked: Sequence[int],
        extents: list[int],
        reduced: list[bool],
        arrays: Sequence[Any],
    ) -> None:
        rank = len(extents)
        operands = []
        for array, axes in arrays[: len(loop.operands)]:
            shape = [extents[a] if a in axes else 1 for a in range(rank)]
            operands.append(array.reshape(shape))
        stores, reductions = evaluated(loop.body, operands, extents, walked)
        targets = [array for array, _ in arrays[len(loop.operands) :]]
        for target, value in zip(targets, stores, strict=False):
            target[...] = np.broadcast_to(value, extents)
        axes = tuple(a for a in range(rank) if reduced[a])
        for reduction, target, value in zip(
            loop.reductions, targets[len(stores) :], reductions, strict=True
        ):
            whole = np.broadcast_to(value, extents).astype(reduction.dtype)
            ufunc: Any = _PRIMITIVES[reduction.combine]
            if reduction.dtype == "bool":
                ufunc = {"and_": np.logical_and, "mul": np.logical_and}.get(
                    reduction.combine, np.logical_or
                )
            target[...] = ufunc.reduce(whole, axes, initial=reduction.start).astype(
                reduction.out_dtype
            )

    # -- branches and loops -------------------------------------------------------------------

    def _do_if(self, i: ir.If) -> None:
        holds = bool(self.value(i.condition))
        self._block(i.then if holds else i.otherwise)
        values = [self.value(m.one if holds else m.two) for m in i.merges]
        self.values.update(zip((m.name for m in i.merges), values, strict=True))

    def _do_for(self, i: ir.For) -> None:
        carried = i.handed_on
        limit, step = self.value(i.limit), 0
        values = [self.value(c.start) for c in carried]
        while True:
            self.values.update(zip((c.name for c in carried), values, strict=True))
            self.values[i.step] = step
            if step >= limit or (i.stop is not None and values[-1]):
                return
            self._block(i.body)
            values = [self.value(c.after) for c in carried]
            step += 1

    def _do_step(self, i: ir.Step) -> None:
        pass

    def _do_fence(self, i: ir.Fence) -> None:
        pass

    # -- rows in registers ----------------------------------------------------------------------

    def _do_mask(self, i: ir.Mask) -> None:
        self.values[i.name] = np.arange(i.lanes) < self.value(i.length)

    def _row(self, address: Any, dtype: str, mask: Any) -> Any:
        size = np.dtype(dtype).itemsize
        return memory(self.value(address), dtype, (int(mask.sum()),), (size,))

    def _do_loadrow(self, i: ir.LoadRow) -> None:
        mask = self.values[i.mask]
        row = np.zeros(i.lanes, i.dtype)
        row[mask] = self._row(i.address, i.dtype, mask)
        self.values[i.name] = row

    def _do_storerow(self, i: ir.StoreRow) -> None:
        mask = self.values[i.mask]
        self._row(i.address, i.value.dtype, mask)[...] = self.value(i.value)[mask]

    def _do_widen(self, i: ir.Widen) -> None:
        self.values[i.name] = np.full(i.lanes, self.value(i.value))

    def _do_reducerow(self, i: ir.ReduceRow) -> None:
        value, ufunc = self.value(i.value), _PRIMITIVES[i.combine]
        items = value[self.values[i.mask]]
        result = ufunc.reduce(items, initial=self.value(i.start))  # type: ignore[attr-defined]
        self.values[i.name] = value.dtype.type(result)


def evaluated(
    body: Body, operands: Sequence[TensorLike], extents: Sequence[int], axes: Sequence[int] = ()
) -> tuple[list[Any], list[Any]]:
    """Return what a body stores and reduces, of whole arrays, whose axes are `axes` of the loop."""
    computed = [np.asarray(x) for x in operands]
    for operation in body.operations:
        values = [computed[n] for n in operation.operands]
        function, dtype = operation.function, operation.dtype
        if isinstance(function, Emitted):
            raise NotImplementedError(f"function {function.name}")
        if isinstance(function, Elementwise):
            result = function.function(np, *values)
        elif function == "number":
            result = operation.number
        elif function == "index":
            # An axis of length 1 may have no loop.
            own = [axis == operation.parameter for axis in axes]
            shape = [n if o else 1 for o, n in zip(own, extents, strict=True)]
            result = np.arange(np.prod(shape, dtype=int)).reshape(shape)
        else:
            result = values[0] if function == "cast" else _PRIMITIVES[function](*values)
        computed.append(np.asarray(result).astype(dtype))
    return [computed[n] for n in body.stores], [computed[n] for n in body.reductions]


def _dtype(typenum: int) -> str:
    return next(d for d in map(np.dtype, "?bBhHiIlLqQefdFD") if d.num == typenum).name


def _copy(arguments: int) -> None:
    """Copy an array: see `copy.h`."""
    size, _, axes, source, target, *rest = memory(arguments, "int64", (128,), (8,)).tolist()
    shape, read, written = (rest[i : 3 * axes : 3] for i in range(3))
    memory(target, f"V{size}", shape, written)[...] = memory(source, f"V{size}", shape, read)


def _multiply_pairs(arguments: int) -> int:
    """Multiply matrix after matrix: see `matmul.h`."""
    words = memory(arguments, "int64", (16,), (8,)).tolist()
    number, count, rows, terms, columns, *steps, a, b, c, beta = words
    dtype = _dtype(number)
    one = memory(a, dtype, (count, rows, terms), steps[:3])
    two = memory(b, dtype, (count, terms, columns), steps[3:6])
    apart = (steps[6], *packed((rows, columns), np.dtype(dtype).itemsize))
    out = memory(c, dtype, (count, rows, columns), apart)
    product = np.matmul(one, two)
    out[...] = product + out * memory(beta, dtype, (), ()) if beta else product
    return 0


def _strides(shape: Sequence[int], size: int, last: int) -> list[int]:
    """Return the strides of an array without gaps; `last`: axes 1 and 2 lie behind the others."""
    if not last:
        return packed(shape, size)
    one, groups, channels, *axes = packed((shape[0], *shape[3:], *shape[1:3]), size)
    return [one, axes[-2], axes[-1], groups, channels, *axes[:-2]]


def _convolve(arguments: int) -> int:
    """Write a convolution, or a gradient of one: see `convolution.h`."""
    count = len(ConvolutionNumbers.fields)
    words = memory(arguments, "int64", (count + 3 * 6 + 3,), (8,)).tolist()
    number = dict(zip(ConvolutionNumbers.fields, words[:count], strict=True))
    gives, size, items, groups = (number[n] for n in ("gives", "itemsize", "items", "groups"))
    channels, kernels = number["channels"], number["kernels"]
    image, kernel, result, before, step, dilation = np.array(words[count:-3]).reshape(3, 6).T
    ends = ((items, groups, channels, image), (groups, kernels, channels, kernel))
    shapes = [[*lead, *n.tolist()] for *lead, n in (*ends, (items, groups, kernels, result))]
    lasts = (number["image_last"], 0, number["result_last"])
    x, w, y = (
        memory(at, f"float{8 * size}", shape, _strides(shape, size, last))
        for at, shape, last in zip(words[-3:], shapes, lasts, strict=True)
    )
    reach = (result - 1) * step + (kernel - 1) * dilation + 1
    wide = np.zeros((*x.shape[:3], *np.maximum(before + image, reach)), x.dtype)
    own = wide[(..., *map(slice, before, before + image))]
    if gives == 0:
        y[...] = 0
    if gives != 1:
        own[...] = x
    for item in np.ndindex(*kernel):
        at = (kernel - 1 - item if number["flip"] else np.array(item)) * dilation
        part = wide[(..., *map(slice, at, at + (result - 1) * step + 1, step))]
        if gives == 0:
            y += np.einsum("ngcxyz,gkc->ngkxyz", part, w[(..., *item)])
        elif gives == 1:
            part += np.einsum("ngkxyz,gkc->ngcxyz", y, w[(..., *item)])
        else:
            w[(..., *item)] = np.einsum("ngcxyz,ngkxyz->gkc", part, y)
    if gives == 1:
        x[...] = own
    return 0


def _transform(arguments: int) -> int:
    """Write Fourier transforms: see `fourier.h`."""
    words = memory(arguments, "int64", (len(TransformWork.fields) + 2,), (8,)).tolist()
    size, number, n, *shape, divided, source, out = words
    type_ = FOURIER_KINDS[number]
    float_, complex_ = f"float{8 * size}", f"complex{16 * size}"
    source_dtype = float_ if type_ == "half" or type_.endswith("_real") else complex_
    x = memory(source, source_dtype, shape, packed(shape, np.dtype(source_dtype).itemsize))
    inverse = type_.startswith("inverse") or type_ == "from_half"
    norm = (("backward", "forward", "ortho"), ("forward", "backward", "ortho"))[inverse][divided]
    name = {"half": "rfft", "from_half": "irfft"}.get(type_, "ifft" if inverse else "fft")
    made = getattr(np.fft, name)(x, n, 1, norm=norm)
    result = float_ if type_ == "from_half" else complex_
    memory(out, result, made.shape, packed(made.shape, np.dtype(result).itemsize))[...] = made
    return 0


def _extremes(arguments: int) -> int:
    """Write where the extremes along an axis are, and which these are: see `extremes.h`."""
    words = memory(arguments, "int64", (len(ExtremesWork.fields) + 3,), (8,)).tolist()
    largest, number, has_places, *shape, source, places, items = words
    dtype = _dtype(number)
    x = memory(source, dtype, shape, packed(shape, np.dtype(dtype).itemsize))
    kept = (shape[0], 1, shape[2])
    where = memory(places, "int64", kept, packed(kept, 8))
    if not has_places:
        where[...] = (np.argmax if largest else np.argmin)(x, axis=1, keepdims=True)
    if items:
        extremes = np.take_along_axis(x, where, 1)
        memory(items, dtype, kept, packed(kept, x.itemsize))[...] = extremes
    return 0

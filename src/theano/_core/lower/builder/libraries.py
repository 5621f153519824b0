"""Calls of what is not ours: BLAS, and Python functions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import reduce
from typing import Any

from theano._core.base.dtypes import itemsize, typenum
from theano._core.base.records import Record
from theano._core.ir.types import TensorType, generic
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.lower.arrays import Array, Buffer, Object, Size
from theano._core.lower.builder import copies, kernel_call, views
from theano._core.lower.builder.core import Core
from theano._core.lower.computed_again import inputs_read
from theano._core.lower.program_text import CallbackRecord
from theano._core.ops.array.products import Gemm
from theano._core.ops.array.shaping import is_measured
from theano._core.ops.core.python_call import NumPyCall
from theano._core.ops.random.numpy_streams import Draw, copy_stream
from theano._core.runtime import native

# A product of more multiplications than this lets Python's lock go.
LONG_PRODUCT = 1 << 18
# Longer sums, and more rows, are left to BLAS.
MOST_TERMS, MOST_ROWS = 1024, 256
# Of fewer rows or columns, tiles of the kernel would be mostly empty.
TILE_ROWS, TILE_COLUMNS = 8, 32
# Steps that multiply vectors by a matrix at least, and items of it at most, if it is worth packing.
VECTOR_STEPS, VECTOR_ITEMS = 16, 1 << 16
# So many of the words of `PanelWork` are numbers, the others addresses.
PANEL_NUMBERS = 9
# So many of those of `Pairs` of `matmul.h`.
PAIRS_NUMBERS = 12
# Type of the number of a step of a loop.
_STEP = TensorType("int64", ())


class PanelWork(Record):
    """The arguments of the runtime's kernels over panels: `Work` of `panels.h`."""

    itemsize: Size
    width: Size
    panels: Size
    rows: Size
    terms: Size
    columns: Size
    leading: Size
    across: Size
    added: Size
    source: str
    packed: str
    out: str
    first: str
    factor: str = "null"


def matmul(
    p: Core,
    node: Apply,
    x: Array,
    y: Array,
    into: Array | None = None,
    alpha: Array | None = None,
    beta: Array | None = None,
) -> Array:
    """Return a product of vectors or matrices; with `into`, added to it."""
    x, y = p.multiplied.pop(node, (x, y))
    vector = _vector_for_panels(p, node, x, y)
    row, matrix, wanted = vector or (x, y, 0)
    x, y = _packed_before(p, x, wanted), _packed_before(p, y, wanted)
    first = None if into is None else into.begun
    one, two = x.shape[-1], y.shape[0]
    p.check_equal(node, one, two, "matmul", (one, two))
    shape = [*x.shape[:-1], *y.shape[1:]]
    rows = _rows_of_step(p, node, x, y) if into is None else None
    if rows is not None:
        return _multiply_rows(p, node, rows, x, y)
    out = product_memory(p, node, shape, into)
    scale = "null" if alpha is None else p.pointer(alpha)
    keep = "null" if beta is None else p.pointer(beta)
    work = p.product([*shape, one])
    # INVARIANT: what is only begun is not copied, since `out` is `into`.
    assert first is None or (into is not None and out.data == into.data)
    if vector is not None or _suits_panels(p, node, x, y):
        row, matrix = (row, matrix) if vector else (x, y)

        def by_blas() -> None:
            if first is not None:
                _multiply_if_wanted(p, first)
            arrays = (out, x, y)
            own = [array.descriptor for array in arrays]
            _call_matmul(p, x, y, _descriptors(p, *arrays), scale, keep)
            # Those written here are there on this way only.
            for array, descriptor in zip(arrays, own, strict=True):
                array.descriptor = descriptor

        _multiply_by_panels(p, out, row, matrix, wanted, into is not None, first, by_blas)
        return out
    if first is not None:
        _multiply_if_wanted(p, first)
    release_if_long(p, work)
    pointers = _descriptors(p, out, x, y)
    with p.into(copies.overwriting(p, node)):
        _call_matmul(p, x, y, pointers, scale, keep)
    return out


def _suits_panels(p: Core, node: Apply, x: Array, y: Array) -> bool:
    """Tell whether `y` is worth packing: a loop multiplies by it again and again."""
    steady = p.region is not None and y.steady is p.region and x.steady is None
    whole = x.contiguous is True and not (x.broadcast_axes or y.broadcast_axes)
    plain = not isinstance(node.op, Gemm) or all(_is_one(node.inputs[i]) for i in (1, 4))
    return (
        steady and whole and plain and x.dtype in ("float32", "float64") and x.ndim == y.ndim == 2
    )


def _vector_for_panels(
    p: Core, node: Apply, x: Array, y: Array
) -> tuple[Array, Array, Size] | None:
    """Return a vector as a row, the matrix that it is multiplied by, and whether to pack that.

    Rows of a matrix begin anywhere in the cache's lines; panels do not.
    """
    if p.region is None or x.ndim + y.ndim != 3:
        return None
    one, matrix = (x, y) if x.ndim == 1 else (y, views.permute(p, x, (1, 0)))
    row = one.replace(shape=(1, *one.shape), strides=None, descriptor=None)
    if not _suits_panels(p, node, row, matrix):
        return None
    (terms, columns), steps = matrix.shape, p.region.steps
    with p.once():
        part = native.panel_width(itemsize(matrix.dtype), p.vector_bits) // 4
        limits = [("ge", steps, VECTOR_STEPS), ("ge", columns, part), ("le", terms, MOST_TERMS)]
        limits.append(("le", p.product([terms, columns]), VECTOR_ITEMS))
        wanted = _every(p, limits)
    return (row, matrix, wanted) if wanted else None


def _begins_a_sum(p: Core, node: Apply) -> bool:
    """Tell whether the product of a node is only there for another one to be added to it."""
    assert p.step is not None
    value = node.outputs[0]
    users = [user for user in p.step.users if inputs_read(user)]
    if p.uses.get(value) != 1 or len(users) != 1:
        return False
    first = isinstance(users[0].op, Gemm) and users[0].inputs[0] is value
    return first and p.row_of(users[0].outputs[0]) is None


def _multiply_by_panels(
    p: Core,
    out: Array,
    x: Array,
    y: Array,
    wanted: Size,
    added: bool,
    first: tuple[Size, str] | None,
    by_blas: Callable[[], object],
) -> None:
    """Multiply by packed panels, or by BLAS where the lengths or numbers of steps do not suit that.

    Vectors are what panels are `wanted` for, or not. `first` is a product that is only begun: its
    sums are gone on with in the same registers.
    """
    assert p.region is not None
    rows, (terms, columns) = x.shape[0], y.shape
    with p.once():
        wanted = wanted or p.let("le", terms, MOST_TERMS)
        panels = _panels(p, y, wanted)
    few = p.let("and", wanted, p.let("le", rows, MOST_ROWS), type="bool")
    p.if_else(few, lambda: _call_panels(p, out, x, columns, panels, added, first), by_blas)


def _rows_of_step(p: Core, node: Apply, x: Array, y: Array) -> Array | None:
    """Return the sequence of which `x` is the item, if panels may suit products with it."""
    if p.region is None or p.row_of(node.outputs[0]) is not None:
        return None
    sequence = p.region.sequences.get(x.data)
    if sequence is None or not _suits_panels(p, node, x, y):
        return None
    return sequence if sequence.shape[1:] == x.shape else None


def _multiply_rows(p: Core, node: Apply, sequence: Array, x: Array, y: Array) -> Array:
    """Return the product of this step's item of a sequence with a matrix.

    Items that fill the tiles of the kernel are multiplied in their steps, whose results stay in
    the cache, or together with another product if they are its first terms; others all at once
    before the loop.
    """
    region = p.region
    assert region is not None
    (rows, terms), columns, size = x.shape, y.shape[1], itemsize(x.dtype)
    with p.once():
        limits = [("ge", rows, TILE_ROWS), ("le", rows, MOST_ROWS)]
        limits += [("ge", columns, TILE_COLUMNS), ("le", terms, MOST_TERMS)]
        stepwise = _every(p, limits)
        kept = p.let("select", stepwise, 1, sequence.shape[0])
        results = p.new_array(x.dtype, (kept, rows, columns))
        every = p.multiply(sequence.shape[0], rows)
        flat = Array(x.dtype, (every, terms), sequence.data)
        out = Array(x.dtype, (every, columns), results.data)
        pointers = _descriptors(p, out, flat, y)

        def multiply_all() -> None:
            release_if_long(p, p.product([every, terms, columns]))
            _call_matmul(p, flat, y, pointers, "null", "null")

        p.if_else(stepwise, None, multiply_all)
        panels = _panels(p, y, stepwise)
    step = p.product([region.step, rows, columns, size])
    place = views.moved(p, results.data, p.let("select", stepwise, 0, step))
    out = Array(x.dtype, (rows, columns), place)
    out.buffer = Buffer(None, place)
    product = stepwise, _panel_arguments(p, out, x, columns, panels)
    if _begins_a_sum(p, node):
        out.begun = product
    else:
        _multiply_if_wanted(p, product)
    return out


def _every(p: Core, limits: Sequence[tuple[str, Size, int]]) -> Size:
    """Return whether all comparisons of lengths and numbers hold."""
    fits = [p.let(how, length, bound) for how, length, bound in limits]
    return reduce(lambda one, two: p.let("and", one, two, type="bool"), fits)


def _multiply_if_wanted(p: Core, product: tuple[Size, str]) -> None:
    """Make a product; see `Array.begun`."""
    wanted, arguments = product
    p.if_else(wanted, lambda: _multiply_packed(p, arguments))


def _call_panels(
    p: Core,
    out: Array,
    x: Array,
    columns: Size,
    panels: tuple[Size, Array],
    added: bool,
    first: tuple[Size, str] | None,
) -> None:
    """Multiply rows without gaps by panels; see `panels.h`."""
    if first is None:
        arguments = _panel_arguments(p, out, x, columns, panels, int(added))
    else:
        wanted, begun = first
        added_now = p.let("select", wanted, 0, 1)
        begun_now = p.let("select", wanted, begun, "null", type="ptr")
        arguments = _panel_arguments(p, out, x, columns, panels, added_now, begun_now)
    _multiply_packed(p, arguments)


def _panel_arguments(
    p: Core,
    out: Array,
    x: Array,
    columns: Size,
    panels: tuple[Size, Array],
    added: Size = 0,
    first: str = "null",
) -> str:
    """Write the arguments of a product with panels; return their address."""
    (rows, terms), (count, packed), size = x.shape, panels, itemsize(x.dtype)
    work = PanelWork(
        itemsize=size,
        width=packed.shape[-1],
        panels=count,
        rows=rows,
        terms=terms,
        columns=columns,
        leading=p.multiply(terms, size),
        across=size,
        added=added,
        source=x.data,
        packed=packed.data,
        out=out.data,
        first=first,
    )
    return kernel_call.arguments(p, work, kernel_call.types_of(PANEL_NUMBERS, len(work)))


def _multiply_packed(p: Core, arguments: str) -> None:
    p.call_or_fail("multiply_packed", arguments)


def _panels(p: Core, y: Array, wanted: Size = 1) -> tuple[Size, Array]:
    """Return the number of panels of a matrix, none unless they are wanted, and the panels."""
    (terms, columns), (leading, across), size = y.shape, p.strides(y), itemsize(y.dtype)
    width = native.panel_width(size, p.vector_bits)
    count = p.let("select", wanted, p.parts(columns, width), 0)
    packed = p.new_array(y.dtype, (count, terms, width))
    work = PanelWork(
        itemsize=size,
        width=width,
        panels=count,
        rows=0,
        terms=terms,
        columns=columns,
        leading=leading,
        across=across,
        added=0,
        source=y.data,
        packed=packed.data,
        out="null",
        first="null",
    )
    total = p.product([count, terms, width])
    kernel_call.call_function(p, "pack", work, PANEL_NUMBERS, count, total)
    return count, packed


def _descriptors(p: Core, *arrays: Array) -> list[str]:
    return [p.frame_pointer(p.descriptor(a)) for a in arrays]


def _call_matmul(
    p: Core, x: Array, y: Array, pointers: Sequence[str], scale: str, keep: str
) -> None:
    """Call the product of the runtime; `pointers` are the descriptors of the result, x and y."""
    out, *operands = pointers
    p.call_or_no_memory("matmul", typenum(x.dtype), x.ndim, y.ndim, *operands, out, scale, keep)


def multiply_into(p: Core, x: Array, y: Array, out: Array, keep: str = "null") -> None:
    """Write the product of two matrices, added to what is there times the number at `keep`."""
    _call_matmul(p, x, y, _descriptors(p, out, x, y), "null", keep)


def batched_matmul(p: Core, node: Apply, x: Array, y: Array) -> Array:
    """Return the products of the matrices along the last two axes of two arrays."""
    check_product(p, node, x.shape, y.shape)
    ones = node.inputs[0].type.broadcastable[:-2]
    pairs = zip(ones, x.shape, y.shape, strict=False)
    counts = [other if one else own for one, own, other in pairs]
    out = p.new_array(x.dtype, (*counts, x.shape[-2], y.shape[-1]))
    release_if_long(p, p.product([*out.shape, x.shape[-1]]))
    multiply_pairs(p, node, x, y, out)
    return out


def check_product(p: Core, node: Apply, x: Sequence[Size], y: Sequence[Size]) -> None:
    """Check the lengths of two matrices, or of two stacks of matrices."""
    shapes = (*x, *y) if len(x) > 2 else ()
    for axis in node.op.paired(node) if len(x) > 2 else ():
        p.check_equal(node, x[axis], y[axis], "batch", shapes)
    p.check_equal(node, x[-1], y[-2], "matmul", (x[-1], y[-2], *shapes))


def multiply_pairs(
    p: Core, node: Apply, x: Array, y: Array, out: Array, keep: str = "null"
) -> None:
    """Write products of pairs of matrices, added to what is there times the number at `keep`."""
    arrays = (x, y, out)
    # Strides are computed where they are first asked for: here, not in the loop.
    strides = [list(p.strides(a)) for a in arrays]
    for own, variable in zip(strides, node.inputs, strict=False):
        for axis, one in enumerate(variable.type.broadcastable[:-2]):
            own[axis] = 0 if one else own[axis]
    counts = out.shape[:-2] or (1,)
    if out.ndim == 2:
        strides = [[0, *own] for own in strides]

    def multiply(axis: int, starts: list[str]) -> None:
        if axis < len(counts) - 1 and counts[axis] == 1:
            multiply(axis + 1, starts)
        elif axis < len(counts) - 1:
            with p.counted(counts[axis]) as number:
                here = [
                    at if own[axis] == 0 else views.moved(p, at, p.let("mul", number, own[axis]))
                    for at, own in zip(starts, strides, strict=True)
                ]
                multiply(axis + 1, here)
        else:
            one, two, product = (steps[axis:] for steps in strides)
            lengths = (counts[axis], x.shape[-2], *y.shape[-2:])
            words = (typenum(x.dtype), *lengths, *one, *two, product[0], *starts, keep)
            types = kernel_call.types_of(PAIRS_NUMBERS, len(words))
            p.call_or_no_memory("multiply_pairs", kernel_call.arguments(p, words, types))

    multiply(0, [p.pointer(a) for a in arrays])


def _packed_before(p: Core, matrix: Array, panels: Size) -> Array:
    """Return a matrix that all steps of a loop multiply by, copied once if it is not contiguous.

    Nothing is copied of one that there are `panels` of.

    BLAS takes transposed matrices, but small products of them take it longer.
    """
    region = p.region
    if region is None or matrix.steady is not region or matrix.ndim != 2:
        return matrix
    if matrix.contiguous is True or matrix.broadcast_axes:
        return matrix
    layout = (matrix.data, *p.strides(matrix), panels)
    if layout not in region.packed:
        with p.once():
            rows, columns = matrix.shape
            part = matrix.replace(
                shape=(p.let("select", panels, 0, rows), columns), descriptor=None
            )
            packed = copies.contiguous(p, part)
            packed = packed.replace(shape=matrix.shape, descriptor=None, buffer=None, steady=region)
            # Not where it is first asked for: that may be a branch which is not taken.
            p.descriptor(packed)
        region.packed[layout] = packed
    return region.packed[layout]


def product_memory(p: Core, node: Apply, shape: Sequence[Size], into: Array | None) -> Array:
    """Return memory for a product, which has there what it is added to, if there is such."""
    if into is None:
        return p.memory_for(node.outputs[0], shape)
    check_added(p, node, into.shape, shape)
    return copies.writable(p, node, into)


def check_added(p: Core, node: Apply, own: Sequence[Size], product: Sequence[Size]) -> None:
    """Check that what a product is added to has its lengths."""
    for axis, (one, two) in enumerate(zip(own, product, strict=True)):
        p.check_equal(node, one, two, "elementwise", (0, axis, one, 1, two))


def release_if_long(p: Core, work: Size) -> None:
    """Let Python's lock go before so many multiplications, if these are many."""
    if isinstance(work, str):
        p.if_else(p.let("gt", work, LONG_PRODUCT), lambda: p.call("release"))
    elif work > LONG_PRODUCT:
        p.call("release")


def call_python(
    p: Core,
    node: Apply,
    function: Callable[..., object],
    values: Sequence[Any],
    arguments: Sequence[Variable] | None = None,
    written: Sequence[int] = (),
    lends: bool = False,
    handed_back: Collection[int] = (),
) -> list[Any]:
    """Call a Python function from inside the program; return its results as values.

    `values` are those of the variables `arguments`, by default the inputs of `node`. Those numbered
    by `written` are arguments of the program, and the function may write into them. What it `lends`
    is read where it is, and shows no memory of the program. Outputs numbered by `handed_back` are
    results as they are, whatever they are.
    """
    inputs = [v.descriptor if isinstance(v, Object) else p.descriptor(v) for v in values]
    types = [generic if i in handed_back else o.type for i, o in enumerate(node.outputs)]
    results: list[Any] = []
    offsets = []
    for type_ in types:
        offset = p.reserve(2 + 2 * (type_.ndim if isinstance(type_, TensorType) else 0))
        offsets.append(offset)
    p.callbacks.append(
        CallbackRecord(
            function,
            tuple(v.type for v in (node.inputs if arguments is None else arguments)),
            tuple(types),
            tuple(written),
            lends,
        )
    )
    listed_inputs, made = map(p.listed, (inputs, offsets))
    number = len(p.callbacks) - 1
    p.call_or_fail("callback", number, len(inputs), listed_inputs, len(offsets), made)
    for type_, offset in zip(types, offsets, strict=True):
        results.append(_from_descriptor(p, type_, offset))
    return results


def call_compute(p: Core, node: Apply, values: Sequence[object]) -> list[Any]:
    """Call the definition of an operation."""
    return call_checked(p, node, NumPyCall(node), values)


def call_checked(p: Core, node: Apply, function: NumPyCall, values: Sequence[object]) -> list[Any]:
    """Call what computes a node; its results must have the promised lengths.

    Nothing else must refer to the arrays that it returns: they may become results.
    """
    loops = p.loops()
    function.loops = [region.node for region in loops]
    steps = [p.scalar(region.step) for region in loops]
    arguments = [*node.inputs, *(_STEP.output() for _ in loops)]
    if function.hands_back is not None:
        function.hands_back = frozenset(i for i in range(len(node.outputs)) if _is_free(p, node, i))
    free = function.hands_back or ()
    results = call_python(p, node, function, [*values, *steps], arguments, handed_back=free)
    for out, result in zip(node.outputs, results, strict=True):
        p.values[out] = result
    for position, result in enumerate(results):
        if not isinstance(result, Object):
            p.callback_arrays.add(result.descriptor)
            _check_promise(p, node, position, result.shape)
    return results


def _is_free(p: Core, node: Apply, position: int) -> bool:
    """Tell whether an output is a result, nothing reads it, and its lengths are not promised."""
    out = node.outputs[position]
    results = p.outputs[: len(p.outputs) - len(p.updates)]
    if results.count(out) != 1 or not isinstance(out.type, TensorType):
        return False
    if p.uses[out] > 1 or any(out in user.inputs for user in p.number_of):
        return False
    return all(is_measured(length, out) for length in p.rewriter.shape(out))


def _check_promise(p: Core, node: Apply, position: int, got: Sequence[Size]) -> None:
    out = node.outputs[position]
    for axis, length in enumerate(p.rewriter.shape(out)):
        if is_measured(length, out):
            continue
        promised = p.size(length)
        facts = (position, axis, got[axis], promised)
        p.check_equal(node, got[axis], promised, "infer_shape", facts)


def _from_descriptor(p: Core, type_: object, offset: int) -> Any:
    if not isinstance(type_, TensorType):
        return Object(offset)
    shape = tuple(p.frame_load(offset + 2 + i) for i in range(type_.ndim))
    strides = tuple(p.frame_load(offset + 2 + type_.ndim + i) for i in range(type_.ndim))
    array = Array(type_.dtype, shape, p.frame_load(offset, "ptr"), descriptor=offset)
    if type_.ndim:
        array.strides = strides
        array.contiguous = p.has_flag(offset, native.CONTIGUOUS)
    return array


def own_stream(p: Core, stream: Variable, value: Object) -> Object:
    """Return a copy of a stream that this call may draw from in place."""
    node = Apply(None, [stream], [stream.type.output()])
    return call_python(p, node, lambda s: (copy_stream(s),), [value])[0]


def draw(p: Core, node: Apply, values: Sequence[object]) -> list[Any]:
    """Draw random numbers: in place where the function, or this call, owns the stream."""
    stream, after = node.inputs[0], node.outputs[0]
    kept = len(p.outputs) - len(p.updates)
    own = [
        out
        for out, number in zip(p.outputs[kept:], p.updates, strict=True)
        if p.inputs[number] is stream and number in p.overwritable
    ]
    alone = p.uses.get(stream) == 1
    # A stream that is a result as well must not change at the next call.
    updated = alone and own == [after] and after not in p.outputs[:kept]
    draw = Draw(node.op, node, updated, alone and stream in p.own_streams)
    if not updated:
        p.own_streams.add(after)
    free = [node.inputs[i] for i in draw.free]
    new_stream, drawn = call_python(p, node, draw, [values[i] for i in draw.free], free)
    p.callback_arrays.add(drawn.descriptor)
    return [new_stream, drawn]


def _is_one(variable: Variable) -> bool:
    return isinstance(variable, Constant) and variable.data.size == 1 and variable.data.item() == 1

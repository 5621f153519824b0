"""Instructions of AVX-512 that take floats apart and put them together, for any lanes."""

from theano._core.lower.llvm.text.emitter import BITS, Emitter, Value, llvm_type

# The significand is at least 1 and less than 2, that of a negative number NaN.
_FROM_ONE_TO_TWO = 8


def is_for(b: Emitter, x: Value) -> bool:
    """Whether the processor has them, and x fills a register."""
    return b.scales and x.lanes * BITS[x.dtype] >= 128


def exponent(b: Emitter, x: Value) -> Value:
    """The exponent of |x|, subnormal or not, as a float; -infinity of 0, infinity of infinity."""
    return _masked(b, "getexp", (x,), None)


def significand(b: Emitter, x: Value) -> Value:
    """What times two to the exponent is x, for x >= 0; 1 of 0 and of infinity."""
    return _masked(b, "getmant", (x,), _FROM_ONE_TO_TWO)


def scaled(b: Emitter, x: Value, k: Value) -> Value:
    """`x * 2**k` rounded once, for floats k that are integers."""
    return _masked(b, "scalef", (x, k), None)


def has_mask(x: Value) -> bool:
    """Whether vectors as x have masks of a bit for each item, in one register."""
    return x.lanes >= 8 and x.lanes * BITS[x.dtype] <= 512


def scaled_where(b: Emitter, condition: Value, x: Value, k: Value) -> Value:
    """`scaled` where a condition holds, else 0 without any work."""
    bits = f"i{x.lanes}"
    mask = b.emit(f"bitcast {condition.type} {condition.text} to {bits}")
    return _masked(b, "scalef", (x, k), None, mask)


def _masked(
    b: Emitter, name: str, operands: tuple[Value, ...], choice: int | None, mask: str = "-1"
) -> Value:
    """An instruction under a mask; if that is full, vectors of more than a register are halved."""
    x = operands[0]
    dtype, lanes = x.dtype, x.lanes
    bits = lanes * BITS[dtype]
    if bits > 512:
        order = list(range(lanes))
        low, high = (
            _masked(b, name, tuple(b.shuffle(v, v, half) for v in operands), choice)
            for half in (order[: lanes // 2], order[lanes // 2 :])
        )
        return b.shuffle(low, high, order)
    arguments = [(v.type, v.text) for v in operands]
    if choice is not None:
        arguments.append(("i32", str(choice)))
    arguments += [(x.type, "zeroinitializer"), (f"i{max(lanes, 8)}", mask)]
    if bits == 512:
        # Of whole registers, the last argument says how to round: as always.
        arguments.append(("i32", "4"))
    letter, type_ = "s" if dtype == "float32" else "d", llvm_type(dtype, lanes)
    full = f"@llvm.x86.avx512.mask.{name}.p{letter}.{bits}"
    # An argument that the instruction has in itself must be told to be one.
    kinds = ", ".join(f"{kind} immarg" if kind == "i32" else kind for kind, _ in arguments)
    b.declarations[f"declare {type_} {full}({kinds})"] = None
    text = ", ".join(f"{kind} {value}" for kind, value in arguments)
    return b.pure(f"call {type_} {full}({text})", dtype, lanes)

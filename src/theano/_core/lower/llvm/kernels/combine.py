"""The last step of a reduction of everything: the results of its blocks become one."""

from __future__ import annotations

from collections.abc import Sequence

from theano._core.lower.kernel.loops import KernelReduction
from theano._core.lower.llvm.builder import Builder
from theano._core.lower.llvm.kernels.items import constant, itemsize, load, select, store
from theano._core.lower.llvm.text.emitter import Value


def combine_text(reductions: Sequence[KernelReduction]) -> str:
    """Return the module of `combine(args, 0, n)`: n partial results of each become one, pairwise.

    The arguments are the addresses of the partial results, then those of the results.
    """
    b = Builder(1)
    lines = [
        "define void @combine(ptr noalias %args, i64 %zero, i64 %n) nounwind {",
        "entry:",
        "  br label %start0",
    ]
    for index, reduction in enumerate(reductions):
        lines += _one(b, index, reduction, len(reductions))
    lines += [f"start{len(reductions)}:", "  ret void", "}"]
    return "\n".join([*lines, *b.helpers.values(), *sorted(b.declarations)]) + "\n"


def _one(b: Builder, k: int, reduction: KernelReduction, count: int) -> list[str]:
    """Return the blocks for reduction number `k`; those of the next one begin with `start`."""
    dtype, size = reduction.dtype, itemsize(reduction.dtype)
    b.lines = []
    b.label(f"do{k}")
    one, two = (load(b, f"%p{side}{k}", dtype, 1) for side in "ij")
    store(b, getattr(b, reduction.combine)(one, two), f"%pi{k}")
    pair, b.lines = b.lines, []
    b.label(f"last{k}")
    # Of nothing, the reduction is its start; the caller refuses reductions that have none.
    start = constant(b, reduction.start, dtype, 1)
    some = Value(b.emit(f"icmp sgt i64 %n{k}, 0"), "bool", 1)
    result = select(b, some, load(b, f"%base{k}", dtype, 1), start)
    store(b, b.cast(result, reduction.out_dtype), f"%out{k}")
    return [
        f"start{k}:",
        f"  %slot{k} = getelementptr i64, ptr %args, i64 {k}",
        f"  %base{k} = load ptr, ptr %slot{k}, align 8",
        f"  %to{k} = getelementptr i64, ptr %args, i64 {count + k}",
        f"  %out{k} = load ptr, ptr %to{k}, align 8",
        f"  br label %level{k}",
        f"level{k}:",
        f"  %n{k} = phi i64 [%n, %start{k}], [%half{k}, %pairs{k}]",
        f"  %many{k} = icmp sgt i64 %n{k}, 1",
        f"  br i1 %many{k}, label %next{k}, label %last{k}",
        f"next{k}:",
        f"  %up{k} = add i64 %n{k}, 1",
        f"  %half{k} = lshr i64 %up{k}, 1",
        f"  br label %pairs{k}",
        f"pairs{k}:",
        f"  %i{k} = phi i64 [0, %next{k}], [%after{k}, %did{k}]",
        f"  %j{k} = add i64 %i{k}, %half{k}",
        f"  %go{k} = icmp slt i64 %j{k}, %n{k}",
        f"  br i1 %go{k}, label %do{k}, label %level{k}",
        pair[0],
        f"  %oi{k} = mul i64 %i{k}, {size}",
        f"  %oj{k} = mul i64 %j{k}, {size}",
        f"  %pi{k} = getelementptr i8, ptr %base{k}, i64 %oi{k}",
        f"  %pj{k} = getelementptr i8, ptr %base{k}, i64 %oj{k}",
        *pair[1:],
        f"  br label %did{k}",
        f"did{k}:",
        f"  %after{k} = add i64 %i{k}, 1",
        f"  br label %pairs{k}",
        *b.lines,
        f"  br label %start{k + 1}",
    ]

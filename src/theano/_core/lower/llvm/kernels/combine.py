"""The last step of a reduction in blocks: the results of the blocks become one."""

from __future__ import annotations

from theano._core.lower.kernel.loops import KernelReduction
from theano._core.lower.llvm.builder import Builder
from theano._core.lower.llvm.kernels.items import constant, itemsize, load, select, store
from theano._core.lower.llvm.text.emitter import Value

_HEAD = """\
define void @combine(ptr noalias %args, i64 %columns, i64 %n) nounwind {{
entry:
  %slot = getelementptr i64, ptr %args, i64 1
  %blocks = load ptr, ptr %args, align 8
  %results = load ptr, ptr %slot, align 8
  br label %level
level:
  %rows = phi i64 [%n, %entry], [%half, %pairs]
  %many = icmp sgt i64 %rows, 1
  br i1 %many, label %next, label %last
next:
  %up = add i64 %rows, 1
  %half = lshr i64 %up, 1
  %others = sub i64 %rows, %half
  %count = mul i64 %others, %columns
  %apart = mul i64 %half, %columns
  br label %pairs
pairs:
  %i = phi i64 [0, %next], [%after, %pair]
  %go = icmp slt i64 %i, %count
  br i1 %go, label %pair, label %level
pair:
  %j = add i64 %i, %apart
  %oi = mul i64 %i, {size}
  %oj = mul i64 %j, {size}
  %pi = getelementptr i8, ptr %blocks, i64 %oi
  %pj = getelementptr i8, ptr %blocks, i64 %oj
  %after = add i64 %i, 1"""
_LAST = """\
  br label %pairs
last:
  %some = icmp sgt i64 %n, 0
  br label %column
column:
  %c = phi i64 [0, %last], [%following, %column]
  %ob = mul i64 %c, {size}
  %or = mul i64 %c, {out_size}
  %pb = getelementptr i8, ptr %blocks, i64 %ob
  %pr = getelementptr i8, ptr %results, i64 %or
  %following = add i64 %c, 1"""
_END = """\
  %more = icmp slt i64 %following, %columns
  br i1 %more, label %column, label %done
done:
  ret void
}"""


def combine_text(reduction: KernelReduction) -> str:
    """Return the module of `combine(args, columns, n)`: n rows of partial results become one.

    They do so pairwise. The arguments are the address of the rows, each of some `columns`, and that
    of the results. Of no rows, the reduction is its start, which is one column; the caller refuses
    reductions that have none.
    """
    b, dtype = Builder(1), reduction.dtype
    sizes = {"size": itemsize(dtype), "out_size": itemsize(reduction.out_dtype)}
    b.lines = [_HEAD.format(**sizes)]
    one, two = (load(b, pointer, dtype, 1) for pointer in ("%pi", "%pj"))
    store(b, getattr(b, reduction.combine)(one, two), "%pi")
    b.lines.append(_LAST.format(**sizes))
    start = constant(b, reduction.start, dtype, 1)
    result = select(b, Value("%some", "bool", 1), load(b, "%pb", dtype, 1), start)
    store(b, b.cast(result, reduction.out_dtype), "%pr")
    return "\n".join([*b.lines, _END, *b.helpers.values(), *sorted(b.declarations)]) + "\n"

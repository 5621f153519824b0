"""Loops over steps in machine code, cut into pieces between which signals are handled."""

from __future__ import annotations

from collections.abc import Sequence

from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Size
from theano._core.lower.builder.carried import Phi
from theano._core.lower.builder.core import Core

# Steps after which a loop first looks at the time, to handle signals; one of more steps lets
# Python's lock go.
PATIENCE = 1024
# The same for loops whose steps may take long.
FEW_STEPS = 16


def nest(
    p: Core,
    tag: str,
    phis: Sequence[Phi],
    limit: Size,
    body: Sequence[str],
    latch: str,
    stop: str = "",
) -> None:
    """Write a loop of `limit` steps around the lines of its body, which end in block `latch`.

    The first of `phis` counts the steps; the i1 `stop` among them ends the loop. It is cut
    into pieces, between which signals are handled: a call inside the loop would have it keep
    its values in memory. The runtime says how long the next piece may be.
    """
    b = p.b
    before, step = b.block, phis[0].name
    b.declarations["declare i64 @llvm.smin.i64(i64, i64)"] = None
    first = FEW_STEPS if _calls_out(body) else PATIENCE
    b.perform(f"br label %{tag}.piece")
    b.label(f"{tag}.piece")
    b.perform(f"%{tag}.size = phi i64 [{first}, %{before}], [%{tag}.next, %{tag}.polled]")
    for f in phis:
        b.perform(f"{f.name}.p = phi {f.kind} [{f.start}, %{before}], [{f.name}, %{tag}.polled]")
    far = b.emit(f"add nuw nsw i64 {step}.p, %{tag}.size")
    end = b.emit(f"call i64 @llvm.smin.i64(i64 {far}, i64 {limit})")
    b.perform(f"br label %{tag}.head")
    b.label(f"{tag}.head")
    for f in phis:
        b.perform(f"{f.name} = phi {f.kind} [{f.name}.p, %{tag}.piece], [{f.after}, %{latch}]")
    more = b.emit(f"icmp slt i64 {step}, {end}")
    if stop:
        more = b.emit(f"and i1 {more}, {b.emit(f'xor i1 {stop}, true')}")
    b.perform(f"br i1 {more}, label %{tag}.body, label %{tag}.left")
    b.lines += [f"{tag}.body:", *body, f"  br label %{tag}.head"]
    b.label(f"{tag}.left")
    over = b.emit(f"icmp sge i64 {step}, {limit}")
    over = b.emit(f"or i1 {over}, {stop}") if stop else over
    b.perform(f"br i1 {over}, label %{tag}.done, label %{tag}.poll")
    b.label(f"{tag}.poll")
    b.perform(f"%{tag}.next = call i64 {p.runtime('poll')}(ptr %call, i64 %{tag}.size)")
    p.or_fail(b.emit(f"icmp sgt i64 %{tag}.next, 0"))
    b.perform(f"br label %{tag}.polled")
    b.label(f"{tag}.polled")
    b.perform(f"br label %{tag}.piece")
    b.label(f"{tag}.done")


def release_for(p: Core, steps: Size) -> None:
    """Let Python's lock go before a loop of many steps."""
    if isinstance(steps, int):
        if steps >= PATIENCE:
            p.b.perform(f"call void {p.runtime('release')}(ptr %call)")
        return
    b = p.b
    many, go = b.fresh_label("many"), b.fresh_label("go")
    release = p.runtime("release")
    b.perform(f"br i1 {b.emit(f'icmp sge i64 {steps}, {PATIENCE}')}, label %{many}, label %{go}")
    b.label(many)
    b.perform(f"call void {release}(ptr %call)")
    b.perform(f"br label %{go}")
    b.label(go)


def check_steps(p: Core, node: Apply, steps: Size, lengths: Sequence[Size]) -> None:
    """Fail unless there can be so many steps over sequences of these lengths."""
    b = p.b
    if not (isinstance(steps, int) and steps >= 0):
        p.check(node, b.emit(f"icmp sge i64 {steps}, 0"), "scan_steps", (steps,))
    for number, own in enumerate(lengths):
        if own is not steps and own != steps:
            fits = b.emit(f"icmp sge i64 {own}, {steps}")
            p.check(node, fits, "scan_sequence", (number, own, steps))


def _calls_out(body: Sequence[str]) -> bool:
    """Tell whether steps call the runtime or kernels."""
    return any("call" in line and ("ptr %call" in line or "void %" in line) for line in body)

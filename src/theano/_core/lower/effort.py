"""How long the text of a program is, and whether LLVM should take its time for it.

Most programs run kernels and libraries, one after the other, or in a loop: what stands between them
costs next to nothing, however it is compiled. LLVM's level 0 takes a fifth of the time, and time in
proportion to the length of a function.
"""

from __future__ import annotations

from theano._core.lower import program as ir

# The cost of what a call, or a step of a loop, computes outside of kernels that is not worth
# improving; of a call, one more for each function that it calls.
LITTLE = 32
LITTLE_IN_STEP = 4
# Lines of LLVM text from which on a program with loops is long: for others the time is short.
LONG = 1500
_CALLS = (ir.Alloc, ir.Free, ir.Call, ir.Launch, ir.Reduce, ir.Run)


def calls_out(body: ir.Block) -> bool:
    """Tell whether steps of a loop call the runtime or kernels."""
    return any(isinstance(i, _CALLS) or (isinstance(i, ir.For) and i.polls) for i in ir.walk(body))


def is_spent_elsewhere(program: ir.Program, lines: int) -> bool:
    """Tell whether the time of a call is spent in kernels and libraries.

    `lines` is about how many lines of LLVM text the program has. A step of a small program with a
    loop may take some 30 ns, in which level 0 would be noticed.
    """
    cost = calls = 0
    for body, runs in ((program.body, 1), *((r.body, r.runs) for r in program.routines)):
        own = 0
        for i in ir.walk(body):
            cls = type(i)
            if cls is ir.Compute:
                own += i.body.cost
            elif cls is ir.Launch or cls is ir.Call or cls is ir.Reduce:
                calls += 1
            elif cls is ir.For and i.polls:
                in_step = sum(j.body.cost for j in ir.walk(i.body) if type(j) is ir.Compute)
                if lines < LONG or in_step > LITTLE_IN_STEP or not calls_out(i.body):
                    return False
        if runs < ir.MANY:
            cost += own * runs
        elif own > LITTLE_IN_STEP:
            return False
    return cost <= LITTLE + calls


def lines_of(i: ir.Instruction) -> int:
    """Return roughly how many lines of LLVM text an instruction has."""
    cls = type(i)
    if cls is ir.Compute:
        return 2 + i.body.cost
    if cls is ir.Words:
        return 2 * len(i.words)
    if cls is ir.FrameStore:
        return 2 * len(i.values)
    inner = ir.blocks_of(i) if cls is ir.If or cls is ir.For else ()
    return _LINES.get(cls, 1) + sum(sum(map(lines_of, block)) for block in inner)


_LINES = {
    **dict.fromkeys((ir.FrameLoad, ir.Check, ir.Guard), 2),
    ir.Step: 0,
    ir.Hand: 4,
    ir.Launch: 5,
    ir.Reduce: 4,
    ir.ReduceRow: 20,
    ir.If: 4,
    ir.For: 20,
}

"""The rewriting engine: one bottom-up walk per phase over a graph of merged nodes.

Every node that the engine makes is looked up by (operation, inputs) first, so equal
expressions are one node. A new node is then folded if its inputs are constants, and offered
to the rules of its operation; what a rule returns goes the same way. Inputs are always finished
before their users, hence the cost of a walk is linear in the graph.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import is_not
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.base.errors import InternalError
from theano._core.ir.graph import constant_data, toposort
from theano._core.ir.source import SourceLine, at_line, without_lines
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.ops.array.broadcasting import Alloc
from theano._core.ops.array.dims import as_length, unchanged_graphs
from theano._core.ops.array.shaping import Length, is_measured, pattern_broadcast
from theano._core.ops.control.branch import IfElse, needed_always
from theano._core.ops.core.dimshuffle import DimShuffle
from theano._core.ops.core.fill import Second
from theano._core.ops.core.op import Guard
from theano._core.ops.elementwise.elementwise import cast
from theano._core.rewrite.measured import Measured
from theano._core.rewrite.rule import ActiveRules, Application, RuleSet

if TYPE_CHECKING:
    from theano._core.ir.annotations import Dims

# Longer chains, of rules on what rules made, end: in deep graphs, or of users' rules in circles.
CHAIN_LIMIT = 60


class Finished(dict[Any, Any]):
    """Finished variables, by those that they stand for; what is missing is an input or a constant.

    Equal constants are one variable, in all phases of a rewriter.
    """

    def __init__(self, constants: dict[Any, Constant], inputs: Iterable[object] = ()) -> None:
        super().__init__((v, v) for v in inputs)
        self._constants = constants

    def __missing__(self, variable: Variable) -> Variable:
        one = variable
        if isinstance(variable, Constant):
            one = self._constants.setdefault(variable.signature(), variable)
        self[variable] = one
        return one


class Rewriter:
    """State of the rewriting of one function: merged nodes, known lengths, the log.

    Parameters
    ----------
    keep_log : bool
        Record every node of a rule.
    sizes : dict of Variable to shape, optional
        Lengths of inputs that are declared, None where one is not.
    """

    def __init__(
        self, keep_log: bool = False, sizes: dict[Variable, tuple[int | None, ...]] | None = None
    ) -> None:
        self.sizes = sizes or {}
        self.rules = RuleSet(())
        self._active = ActiveRules(self.rules)
        self.table: dict[Any, list[Any]] = {}
        self.constants: dict[Any, Constant] = {}
        self.finished = Finished(self.constants)
        self.uses: dict[Any, int] = {}
        self.shape_memo: dict[Any, tuple[Any, ...]] = {}
        # Those of phases before, the lengths of inputs that the last was told, what rewrote loops.
        self._known_shapes: dict[Any, tuple[Any, ...]] = {}
        self._told: dict[Any, Any] = {}
        # By identity: an operation, kept so that no other gets its identity, and its rewriter.
        self.bodies: dict[int, tuple[Any, Rewriter]] = {}
        # Lengths of what has no others; they stay from phase to phase.
        self._raw: dict[Any, Any] = {}
        # Finished lengths, by lengths and pattern: those of most variables are those of others.
        self._shapes: dict[Any, tuple[Any, ...]] = {}
        self._equal: dict[Any, Any] = {}
        # Elementwise nodes of which nobody has asked yet which lengths they check to be equal, of
        # those that are computed whichever branches are taken.
        self._checks: deque[Apply] = deque()
        self._always: set[Any] | None = None
        # Sums and products of so many operands that rules leave them as they are.
        self.wide_sums: set[Any] = set()
        self.wide_products: set[Any] = set()
        # Which exponentials variables are made of, and divided by.
        self.divided: dict[Any, tuple[Any, Any]] = {}
        # Variables made of something that has guards.
        self.guarded: set[Any] = set()
        self._measured = Measured((), ())
        # The graph that was walked last.
        self._walked: tuple[object, list[Apply]] = None, []
        self.log: list[Application] | None = [] if keep_log else None
        self._depth = 0

    def run(
        self,
        outputs: Sequence[Any],
        rules: RuleSet,
        inputs: Iterable[object] = (),
        shape: dict[Any, Any] | None = None,
    ) -> list[Any]:
        """Return `outputs` rewritten by one phase.

        `shape` has the lengths of `inputs`: numbers, and an input and its axis for equal lengths.
        """
        self.rules = rules
        self._active = ActiveRules(rules)
        self.table = {}
        self._shapes = {}
        self._equal = {}
        self._checks.clear()
        self.finished = Finished(self.constants, inputs)
        order = toposort(outputs, self.finished) if self.finished else self.nodes(outputs)
        branches = any(isinstance(node.op, IfElse) for node in order)
        self._always = needed_always(outputs, self.finished) if branches else None
        # As an input of a node, or as an output.
        self.uses = Counter(chain(outputs, chain.from_iterable(node.inputs for node in order)))
        measured, told = Measured(outputs, order), shape or {}
        same = told == self._told and not (measured.any or self._measured.any)
        shapes = {**self._known_shapes, **self.shape_memo} if same else {}
        # None of bodies: lowering asks for theirs, where other inputs may have the same variables.
        self._known_shapes = {v: shapes[v] for node in order for v in node.outputs if v in shapes}
        self._measured, self._told, self.shape_memo = measured, told, {}
        with without_lines(), unchanged_graphs():
            for leaf, lengths in told.items():
                own = (n if isinstance(n, int) else self._raw_length(*n) for n in lengths)
                self.shape_memo[leaf] = tuple(own)
            return self._measured.in_graph(self._finished(outputs, order))

    def nodes(self, outputs: Sequence[Any]) -> list[Apply]:
        """Return the nodes that `outputs` need, inputs first; of the same list, as before."""
        if outputs is not self._walked[0]:
            self._walked = outputs, toposort(outputs)
        return self._walked[1]

    def finish(self, outputs: Sequence[Any]) -> list[Any]:
        """Return `outputs` with every node below them merged, folded and rewritten."""
        return self._finished(outputs, toposort(outputs, self.finished))

    def _finished(self, outputs: Sequence[object], order: Iterable[Apply]) -> list[Any]:
        finished = self.finished
        of = finished.__getitem__
        for node in order:
            inputs = [*map(of, node.inputs)]
            for old, new in zip(node.outputs, self.apply(node, inputs), strict=True):
                finished[old] = new
                if new is not old:
                    finished.setdefault(new, new)
                    self.uses[new] = self.uses.get(new, 0) + self.uses.get(old, 0)
        return [*map(of, outputs)]

    def one(self, output: object) -> Any:
        """Return one variable finished."""
        finished = self.finished
        return finished[output] if output in finished else self.finish([output])[0]

    def apply(self, node: Apply, inputs: list[Variable]) -> list[Any]:
        """Return finished outputs for `node` over finished `inputs`."""
        key = (node.op, *inputs)
        reused = self.table.get(key) if node.rules.pure else None
        if reused is not None:
            return reused
        certain = self._always is None or (node.outputs[0] in self._always and not self._depth)
        if any(map(is_not, inputs, node.inputs)):
            node = rebuilt(node, inputs)
        outputs = self._folded(node)
        if outputs is None:
            outputs = self._rewritten(node)
        if outputs is None:
            # Not before: no rule may take the check for granted that it removes.
            if certain and node.rules.broadcasts and len(inputs) > 1:
                self._checks.append(node)
            outputs = node.outputs
            for out in outputs:
                self.finished[out] = out
            if node.rules.may_fail(node) or not self.guarded.isdisjoint(inputs):
                self.guarded.update(outputs)
        self.table[key] = outputs
        return outputs

    def _folded(self, node: Apply) -> list[Any] | None:
        for value in node.inputs:
            if not isinstance(value, Constant):
                return None
        tensors = (isinstance(v.type, TensorType) for v in (*node.inputs, *node.outputs))
        if not (node.inputs and node.rules.foldable() and all(tensors) and node.rules.folds(node)):
            return None
        try:
            with np.errstate(all="ignore"):
                values = node.rules.compute(np, node, *constant_data(node))
        except Exception:
            # The same error will come when the function runs, with the user's line.
            return None
        result = []
        for out, value in zip(node.outputs, values, strict=True):
            array = np.array(value, dtype=out.type.dtype, order="C")
            fresh = out.type.constant_class(out.type, array)
            fresh.source = out.source
            result.append(self.finished[fresh])
        return result

    def _rewritten(self, node: Apply) -> list[Any] | None:
        rules = self._active.of(node.op)
        for rule in rules if self._depth < CHAIN_LIMIT else ():
            if (result := rule.apply(self, node)) is None:
                continue
            news = list(result) if isinstance(result, (list, tuple)) else [result]
            news = [conform(new, out) for new, out in zip(news, node.outputs, strict=True)]
            if node.rules.may_fail(node) or not self.guarded.isdisjoint(node.inputs):
                news = self._with_guards(node, news)
            if self.log is not None:
                self.log.append(Application(rule, node, news))
            self._depth += 1
            for new in news:
                inherit_source(new, node.source, self.finished)
            news = self.finish(news)
            self._depth -= 1
            return news
        return None

    def _guards(self, node: Apply) -> list[Guard]:
        """Return what `Op.guards` says of a node."""
        if not node.rules.may_fail(node):
            return []
        tensors = (v for v in node.inputs if isinstance(v.type, TensorType))
        return node.rules.guards(node, [self.shape(v) for v in tensors])

    def _with_guards(self, node: Apply, news: list[Variable]) -> list[Any]:
        """Return what takes the place of a node, with what could fail in that and cannot in this.

        INVARIANT: a rule may do without an operand, but not without the errors of making it.
        """
        if node.op.measures:
            return news
        fresh = toposort(news, self.finished)
        kept = {*news, *(v for n in fresh for v in n.inputs)}
        below = self._guarded_below([node.outputs[0]], kept)
        lost = [n for n in below if not any(_same_guards(n, f) for f in fresh) and self._guards(n)]
        if lost:
            # What is not just below the new values may be further down.
            there = set(self._guarded_below(kept, set()))
            lost = [n for n in lost if n not in there]
        for old in lost:
            with at_line(old.source):
                for op, operands in self._guards(old):
                    news = [op(new, *operands()) for new in news]
        return news

    def _guarded_below(self, variables: Iterable[Variable], stop: set[Variable]) -> list[Apply]:
        """Return the nodes that make `variables` and may fail, apart from what `stop` needs."""
        nodes: dict[Apply, None] = {}
        stack = [v for v in variables if v not in stop]
        while stack:
            node = stack.pop().owner
            if node is None or node in nodes:
                continue
            nodes[node] = None
            # Only the lengths of what is filled are needed.
            needed = () if node.op.measures else node.inputs[isinstance(node.op, Second) :]
            stack += [v for v in needed if v in self.guarded and v not in stop]
        return list(nodes)

    def shape(self, variable: Variable) -> tuple[Any, ...]:
        """Return the length of each axis: an int, or a finished int64 scalar variable.

        Equal variables mean equal lengths.
        """
        memo = self.shape_memo
        if variable in memo:
            return memo[variable]
        waiting: list[Apply] = [] if variable.owner is None else [variable.owner]
        done: set[Apply | None] = {None}
        while waiting:
            node = waiting[-1]
            missing = [v.owner for v in node.inputs if v.owner not in done and v not in memo]
            if missing:
                waiting += reversed(missing)
                continue
            waiting.pop()
            if node not in done:
                done.add(node)
                self._find_shape(node)
        if variable not in memo:
            memo[variable] = self._leaf_shape(variable)
        return memo[variable]

    def _find_shape(self, node: Apply) -> None:
        """Find the lengths of the outputs of a node; of its inputs only leaves may lack theirs."""
        memo, known_shapes = self.shape_memo, self._known_shapes
        if known_shapes and node.outputs[0] in known_shapes:
            for out in filter(known_shapes.__contains__, node.outputs):
                # Its own length would be looked for by its shape.
                own = [None if is_measured(n, out) else n for n in known_shapes[out]]
                memo[out] = self._finished_shape(out, own)
            return
        for value in node.inputs:
            if value.type.has_shape and value not in memo:
                memo[value] = self._leaf_shape(value)
        shapes = [memo[v] if v.type.has_shape else () for v in node.inputs]
        # What refuses a length tells the line of what has it.
        with at_line(node.source):
            for out, shape in zip(node.outputs, self._measured.shape(node, shapes), strict=True):
                if out.type.has_shape:
                    memo[out] = self._finished_shape(out, shape)

    def tell_shape(self, leaf: Variable, shape: Dims) -> None:
        """Have a variable of the body of a loop or branch have the lengths of what it is there."""
        pairs = zip(leaf.type.broadcastable, shape, strict=True)
        self.shape_memo[leaf] = tuple(1 if one else length for one, length in pairs)

    def keep(self, nodes: Iterable[Apply]) -> None:
        """Have lengths be made of the nodes of a body as they are, which are computed there."""
        for node in nodes:
            self.finished.update((out, out) for out in node.outputs)
            self._active.of(node.op)

    def same_shape(self, one: Variable, two: Variable) -> bool:
        """Tell whether two variables have the same shape, by itself or by an operation's check."""
        first, second = ([*map(self._find, self.shape(v))] for v in (one, two))
        while self._checks and first != second:
            self._note_equal(self._checks.popleft())
            first, second = ([*map(self._find, shape)] for shape in (first, second))
        return first == second

    def _find(self, length: Variable | int) -> Any:
        while length in self._equal:
            length = self._equal[length]
        return length

    def _note_equal(self, node: Apply) -> None:
        """Remember that the operands of an elementwise node are checked to have equal lengths."""
        if isinstance(node.op, Alloc):
            # Its operand may turn out to have one item, and broadcast, when the function runs.
            return
        out = node.outputs[0]
        for value in node.inputs:
            pattern = value.type.broadcastable
            if len(pattern) != out.type.ndim or isinstance(value, Constant) or all(pattern):
                continue
            shape, own = self.shape(out), self.shape(value)
            if shape is own:
                continue
            for one, first, second in zip(pattern, shape, own, strict=True):
                first, second = self._find(first), self._find(second)
                if not one and first is not second and not isinstance(second, int):
                    self._equal[second] = first

    def _leaf_shape(self, variable: Variable) -> tuple[Any, ...]:
        if isinstance(variable, Constant):
            return variable.data.shape
        declared = self.sizes.get(variable)
        return self._finished_shape(variable, declared or (None,) * variable.type.ndim)

    def _finished_shape(self, variable: Variable, shape: Sequence[object]) -> tuple[Any, ...]:
        key = tuple(shape), variable.type.broadcastable
        lengths = self._shapes.get(key)
        if lengths is not None:
            return lengths
        result: list[Any] = []
        for axis, (value, one) in enumerate(zip(*key, strict=True)):
            if one or isinstance(value, int):
                result.append(1 if one else value)
            elif value is None:
                result.append(self._raw_length(variable, axis))
            else:
                result.append(as_length(self.one(value)))
        if None not in key[0]:
            self._shapes[key] = tuple(result)
        return tuple(result)

    def _raw_length(self, variable: Variable, axis: int) -> Any:
        key = (Length(axis), variable)
        outputs = self.table.get(key)
        if outputs is None:
            outputs = self._raw.get(key)
            if outputs is None:
                node = key[0].make_node(variable)
                node.source = variable.source
                outputs = self._raw[key] = node.outputs
            self.table[key] = outputs
            self.finished[outputs[0]] = outputs[0]
        return outputs[0]


def _same_guards(one: Apply, two: Apply) -> bool:
    """Tell whether one node fails where the other does: the operation on more or other values."""
    return one.op == two.op and all(v in two.inputs for v in one.inputs[1:])


def rebuilt(node: Apply, inputs: Sequence[Variable]) -> Apply:
    """Return the operation of `node` over `inputs`, with its source line and names."""
    same = [a.type for a in inputs] == [b.type for b in node.inputs]
    if same or not node.rules.remakes:
        outputs = [out.type.output() for out in node.outputs]
        fresh = Apply(node.op, inputs, outputs)
    else:
        fresh = _made_again(node, inputs)
    fresh.source = node.source
    for new, old in zip(fresh.outputs, node.outputs, strict=True):
        new.source, new.name = old.source, old.name
    return fresh


def _made_again(node: Apply, inputs: Sequence[Variable]) -> Apply:
    """Return the operation of `node` over `inputs` of other types."""
    op = node.op
    inputs = [_declared(new, old) for new, old in zip(inputs, node.inputs, strict=True)]
    if isinstance(op, DimShuffle):
        # Lengths that were found to be 1 are declared now, and it names the declared ones.
        op = DimShuffle(inputs[0].type.broadcastable, op.new_order)
    fresh = op.make_node(*inputs)
    for new, old in zip(fresh.outputs, node.outputs, strict=True):
        if isinstance(old.type, TensorType) and (
            new.type.dtype != old.type.dtype or new.type.ndim != old.type.ndim
        ):
            raise InternalError(f"{node.op} changed the type {old.type} to {new.type}")
    return fresh


def _declared(new: Variable, old: Variable) -> Any:
    """Return a constant that took the place of `old` with the lengths of 1 that `old` declares."""
    if not isinstance(new, Constant) or not isinstance(new.type, TensorType):
        return new
    pattern = [a or b for a, b in zip(new.type.broadcastable, old.type.broadcastable, strict=True)]
    if tuple(pattern) == new.type.broadcastable:
        return new
    type_ = TensorType(new.type.dtype, pattern)
    return type_.constant_class(type_, new.data, new.name)


def conform(new: Variable, old: Variable) -> Any:
    """Return `new` with the dtype and pattern of `old`."""
    if new.type == old.type or not isinstance(old.type, TensorType):
        return new
    new = cast(new, old.type.dtype)
    if new.type.ndim != old.type.ndim:
        raise InternalError(f"a rule replaced {old.type} by {new.type}")
    pattern = [a or b for a, b in zip(new.type.broadcastable, old.type.broadcastable, strict=True)]
    return pattern_broadcast(new, pattern) if tuple(pattern) != new.type.broadcastable else new


def inherit_source(
    new: Variable, source: SourceLine | None, replaced: dict[Variable, Variable]
) -> None:
    """Give the nodes that a rule made the source line of the node they replace."""
    for node in toposort([new], replaced):
        node.source = source
        for out in node.outputs:
            out.source = source

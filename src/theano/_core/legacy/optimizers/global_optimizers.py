"""Rewrites in the manner of Theano 1.0.5: functions and patterns that change a `FunctionGraph`.

A (global) optimizer changes a graph; a local one (`local_optimizers.py`) says what replaces the
outputs of one node. `optdb.py` has where they run when a function is compiled.
"""

from __future__ import annotations

import logging
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from theano._core.api.debug.debugprint import debugprint
from theano._core.base.errors import InconsistencyError
from theano._core.base.settings import config
from theano._core.compile.checking_modes import replacements
from theano._core.ir.function_graph import editable
from theano._core.ir.graph import listed
from theano._core.ir.variable import Apply
from theano._core.legacy.optimizers.destroyhandler import DestroyHandler
from theano._core.legacy.optimizers.local_optimizers import LocalOptGroup, LocalOptimizer
from theano._core.legacy.optimizers.shape_feature import ShapeFeature
from theano._core.legacy.optimizers.toolbox import Feature, ReplaceValidate

if TYPE_CHECKING:
    from theano._core.ir.function_graph import FunctionGraph

_logger = logging.getLogger("theano.gof.opt")
# More rounds than this over a graph are taken for rewrites that undo each other.
MOST_ROUNDS = 200


class Optimizer:
    """Base of what changes a graph: subclasses write `apply`, and `add_requirements` if needed."""

    name: Any = None

    def apply(self, fgraph: Any) -> Any:
        """Change the graph."""

    def optimize(self, fgraph: Any, *args: object, **kwargs: object) -> Any:
        """Attach what is required, and change the graph."""
        self.add_requirements(fgraph)
        return self.apply(fgraph, *args, **kwargs)

    def __call__(self, fgraph: Any) -> Any:
        return self.optimize(fgraph)

    def add_requirements(self, fgraph: Any) -> None:
        """Attach features that `apply` needs."""

    def __str__(self) -> str:
        return str(self.name or type(self).__name__)


class FromFunctionOptimizer(Optimizer):
    """A function of a graph as an optimizer."""

    def __init__(
        self, fn: Callable[..., Any], requirements: Iterable[Callable[[Any], None]] = ()
    ) -> None:
        self.apply = fn  # type: ignore[method-assign]
        self.fn = fn
        self.name = self.__name__ = getattr(fn, "__name__", None)
        self.requirements = tuple(requirements)

    def add_requirements(self, fgraph: Any) -> None:
        fgraph.attach_feature(ReplaceValidate())
        for require in self.requirements:
            require(fgraph)

    def __call__(self, *args: object, **kwargs: object) -> Any:
        return self.fn(*args, **kwargs)


def optimizer(f: Callable[..., object]) -> FromFunctionOptimizer:
    """Return a function of a graph as an optimizer; to be used as a decorator."""
    return FromFunctionOptimizer(f)


def inplace_optimizer(f: Callable[..., object]) -> FromFunctionOptimizer:
    """Return a function of a graph as an optimizer: reuse of memory is planned by the engine."""
    return FromFunctionOptimizer(f)


class SeqOptimizer(Optimizer, list):  # type: ignore[type-arg]
    """Optimizers one after another; one that fails is reported and left out.

    Parameters
    ----------
    *opts : Optimizer, or one list of them
    failure_callback : callable, optional
        `failure_callback(error, self, optimizer)`.
    """

    @staticmethod
    def warn(exc: Exception, self: Any, optimizer: object) -> None:
        """Report an optimizer that failed."""
        _report(exc, optimizer)

    def __init__(self, *opts: object, failure_callback: Any = None) -> None:
        if len(opts) == 1 and isinstance(opts[0], (list, tuple)):
            opts = tuple(opts[0])
        list.__init__(self, opts)
        self.failure_callback = failure_callback

    def apply(self, fgraph: Any) -> None:
        for each in self:
            try:
                each.optimize(fgraph)
            except Exception as error:
                if self.failure_callback is None:
                    raise
                self.failure_callback(error, self, each)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)

    def __str__(self) -> str:
        return f"SeqOpt({list.__str__(self)})"


def _report(error: Exception, optimizer: object) -> None:
    """Do with an optimizer that failed what `config.on_opt_error` says."""
    if config.on_opt_error == "raise":
        raise error
    if config.on_opt_error == "pdb":
        traceback.print_exception(error)
        breakpoint()
    elif config.on_opt_error != "ignore":
        text = "".join(traceback.format_exception(error))
        _logger.error("Optimization failure due to: %s\n%s", optimizer, text)


class NavigatorOptimizer(Optimizer):
    """Base of optimizers that take a local one through a graph.

    Parameters
    ----------
    local_opt : LocalOptimizer
    ignore_newtrees : bool or 'auto'
        Whether nodes that a replacement brought are looked at as well.
    failure_callback : callable, optional
        `failure_callback(error, self, replacements, local_opt, node)`; without one the error is
        raised. `warn` of this class does what `config.on_opt_error` says.
    """

    def __init__(
        self, local_opt: Any, ignore_newtrees: object = "auto", failure_callback: Any = None
    ) -> None:
        self.local_opt = local_opt
        self.ignore_newtrees = ignore_newtrees is True
        self.failure_callback = failure_callback
        self.name = str(local_opt)

    @staticmethod
    def warn(exc: Exception, nav: object, repl_pairs: object, local_opt: object, node: Any) -> None:
        """Report a local optimizer that failed."""
        _report(exc, local_opt)

    @staticmethod
    def warn_inplace(
        exc: Exception, nav: object, repl_pairs: object, local_opt: object, node: Any
    ) -> None:
        """Report a local optimizer that failed, unless a feature refused what it did."""
        if not isinstance(exc, InconsistencyError):
            _report(exc, local_opt)

    @staticmethod
    def warn_ignore(
        exc: Exception, nav: object, repl_pairs: object, local_opt: object, node: Any
    ) -> None:
        """Say nothing of a local optimizer that failed."""

    def add_requirements(self, fgraph: Any) -> None:
        fgraph.attach_feature(ReplaceValidate())
        if self.local_opt is not None:
            self.local_opt.add_requirements(fgraph)

    def process_node(self, fgraph: Any, node: Apply, lopt: Any = None) -> bool:
        """Offer a node to a local optimizer; tell whether it was replaced."""
        lopt = lopt or self.local_opt
        pairs: list[tuple[Any, Any]] = []
        try:
            # Theano's documentation has one that tracks [], and looks at every node.
            if lopt.tracks() and not lopt.looks_at(node):
                return False
            transformed = lopt.transform(node)
            if not transformed:
                return False
            pairs, remove = _replacements(lopt, node, transformed)
            if not pairs:
                return False
            if remove:
                fgraph.replace_all_validate_remove(pairs, remove, reason=lopt)
            else:
                fgraph.replace_all_validate(pairs, reason=lopt)
        except Exception as error:
            if self.failure_callback is None:
                raise
            self.failure_callback(error, self, pairs, lopt, node)
            return False
        return True


def _replacements(
    lopt: Any, node: Apply, transformed: object
) -> tuple[list[tuple[Any, Any]], list[Any]]:
    """Return (old, new) pairs of what a local optimizer said, and what must be gone then."""
    remove: list[Any] = []
    if isinstance(transformed, dict):
        transformed = dict(transformed)
        remove = list(transformed.pop("remove", []))
        old, new = list(transformed), list(transformed.values())
    else:
        if not isinstance(transformed, (list, tuple)):
            transformed = [transformed]
        old, new = node.outputs, list(transformed)
    if len(old) != len(new):
        raise ValueError(
            f"Optimizer {lopt} gave wrong number of replacements: {len(new)} for {len(old)} outputs"
        )
    pairs = [(o, n) for o, n in zip(old, new, strict=True) if n is not None and n is not o]
    return pairs, remove


class _Arrivals(Feature):
    """Notes the nodes that come into a graph."""

    def __init__(self, queue: deque[Any]) -> None:
        self.queue = queue

    def on_import(self, fgraph: FunctionGraph, node: Any, reason: object) -> None:
        self.queue.append(node)


class TopoOptimizer(NavigatorOptimizer):
    """Takes a local optimizer once through a graph.

    Parameters
    ----------
    order : {'in_to_out', 'out_to_in'}
    """

    def __init__(
        self,
        local_opt: Any,
        order: str = "in_to_out",
        ignore_newtrees: object = False,
        failure_callback: Any = None,
    ) -> None:
        if order not in ("out_to_in", "in_to_out"):
            raise ValueError("order must be 'out_to_in' or 'in_to_out'")
        super().__init__(local_opt, ignore_newtrees, failure_callback)
        self.order = order

    def apply(self, fgraph: Any, start_from: object = None) -> int:
        """Return the number of replacements."""
        # Not the order that features ask for: there may be none, and this is to mend that.
        queue = deque(listed(fgraph.outputs, fgraph.inputs))
        take = queue.popleft if self.order == "in_to_out" else queue.pop
        arrivals = _Arrivals(queue)
        if not self.ignore_newtrees:
            fgraph.attach_feature(arrivals)
        count = 0
        try:
            while queue and count < MOST_ROUNDS * (1 + len(fgraph.apply_nodes)):
                node = take()
                if node in fgraph:
                    count += self.process_node(fgraph, node)
        finally:
            fgraph.remove_feature(arrivals)
        return count


class OpKeyOptimizer(TopoOptimizer):
    """Takes a local optimizer to the nodes of the operations that its `op_key` names."""

    def __init__(
        self, local_opt: Any, ignore_newtrees: object = False, failure_callback: Any = None
    ) -> None:
        if not hasattr(local_opt, "op_key"):
            raise TypeError("LocalOptimizer for OpKeyOptimizer must have an 'op_key' method.")
        super().__init__(local_opt, "in_to_out", ignore_newtrees, failure_callback)

    def process_node(self, fgraph: Any, node: Apply, lopt: Any = None) -> bool:
        key = self.local_opt.op_key()
        keys = key if isinstance(key, (list, tuple)) else [key]
        return node.op in keys and super().process_node(fgraph, node, lopt)


class EquilibriumOptimizer(NavigatorOptimizer):
    """Takes optimizers, local and global, through a graph until nothing changes.

    Parameters
    ----------
    optimizers : list
    max_use_ratio : float, optional
        Replacements by one local optimizer, at most, per node of the graph; all ends with
        the first one above that.
    final_optimizers, cleanup_optimizers : list, optional
        Global optimizers that run at the end of each round.
    tracks_on_change_inputs : bool
        Accepted for old programs.
    """

    def __init__(
        self,
        optimizers: Iterable[LocalOptimizer | Optimizer],
        failure_callback: Any = None,
        ignore_newtrees: object = True,
        tracks_on_change_inputs: bool = False,
        max_use_ratio: float | None = None,
        final_optimizers: Iterable[Optimizer] | None = None,
        cleanup_optimizers: Iterable[Optimizer] | None = None,
    ) -> None:
        super().__init__(None, ignore_newtrees, failure_callback)
        all_optimizers = list(optimizers)
        self.local = [o for o in all_optimizers if isinstance(o, LocalOptimizer)]
        self.whole = [o for o in all_optimizers if not isinstance(o, LocalOptimizer)]
        self.last = [*(final_optimizers or ()), *(cleanup_optimizers or ())]
        self.max_use_ratio = max_use_ratio
        self.name = f"EquilibriumOptimizer({','.join(str(o) for o in all_optimizers)})"

    def get_local_optimizers(self) -> list[Any]:
        """Return the local optimizers."""
        return list(self.local)

    def add_requirements(self, fgraph: Any) -> None:
        super().add_requirements(fgraph)
        for each in (*self.local, *self.whole, *self.last):
            each.add_requirements(fgraph)

    def apply(self, fgraph: Any, start_from: Any = None) -> tuple[Any, ...]:
        """Change the graph; return what `print_profile` took in Theano: sizes, without times."""
        sizes = [len(fgraph.apply_nodes)]
        uses = self._changed(fgraph, sizes)
        counts = sizes[0], len(fgraph.apply_nodes), max(sizes)
        return self, [0.0] * len(sizes[1:]), [uses], counts, {}, sizes[1:], {}, [], {}, [], [], []

    def _changed(self, fgraph: Any, sizes: list[int]) -> dict[Any, int]:
        """Change the graph; return how often each local optimizer did, and add to `sizes`."""
        uses: dict[Any, int] = {}
        most = (self.max_use_ratio or float("inf")) * max(1, len(fgraph.apply_nodes))
        for _ in range(MOST_ROUNDS):
            sizes.append(len(fgraph.apply_nodes))
            before = [*fgraph.toposort(), *fgraph.outputs]
            for each in self.whole:
                each.apply(fgraph)
            changed = False
            for node in fgraph.toposort():
                for lopt in self.local:
                    if node not in fgraph or not self.process_node(fgraph, node, lopt):
                        continue
                    uses[lopt] = uses.get(lopt, 0) + 1
                    changed = True
                    if uses[lopt] > most:
                        self._too_often(lopt)
                        return uses
            for each in self.last:
                each.apply(fgraph)
            if not changed and before == [*fgraph.toposort(), *fgraph.outputs]:
                return uses
        _logger.error("%s does not come to an end after %d rounds", self, MOST_ROUNDS)
        return uses

    def _too_often(self, lopt: Any) -> None:
        text = (
            f"EquilibriumOptimizer max'ed out by '{lopt}'. You can safely raise the current "
            f"threshold of {self.max_use_ratio:f} with the theano flag 'optdb.max_use_ratio'."
        )
        if config.on_opt_error == "raise":
            raise AssertionError(text)
        _logger.error(text)


def in2out(*local_opts: object, **options: object) -> TopoOptimizer:
    """Return an optimizer that takes local ones through a graph, inputs first."""
    return _through("in_to_out", local_opts, options)


def out2in(*local_opts: object, **options: object) -> TopoOptimizer:
    """Return an optimizer that takes local ones through a graph, outputs first."""
    return _through("out_to_in", local_opts, options)


def _through(
    order: str, local_opts: tuple[object, ...], options: dict[str, object]
) -> TopoOptimizer:
    name = options.pop("name", None)
    options.setdefault("failure_callback", NavigatorOptimizer.warn)
    local = local_opts[0] if len(local_opts) == 1 else LocalOptGroup(*local_opts)
    result = TopoOptimizer(local, order=order, **options)
    if name:
        result.name = name
    return result


class FusionOptimizer(Optimizer):
    """Changes nothing: elementwise operations share loops when code is written for them."""

    def __init__(self, local_optimizer: object = None) -> None:
        self.optimizer = local_optimizer


class CheckStackTraceOptimization(Optimizer):
    """Finds nothing: every variable knows the line that made it."""


def copy_stack_trace(from_var: Any, to_var: Any) -> Any:
    """Let variables without a line of the user's program have that of others; return them.

    Parameters
    ----------
    from_var, to_var : variable or sequence of variables
    """
    several = (list, tuple)
    sources = [v.source for v in (from_var if isinstance(from_var, several) else [from_var])]
    for variable in to_var if isinstance(to_var, several) else [to_var]:
        variable.source = variable.source or next(filter(None, sources), None)
    return to_var


def check_stack_trace(
    f_or_fgraph: object, ops_to_check: object = "last", bug_print: str = "raise"
) -> bool:
    """Return True: every variable knows the line that made it."""
    return True


def pre_greedy_local_optimizer(list_optimizations: Any, out: Any, *more: Any) -> Any:
    """Return `out` rewritten by local optimizers, before it is part of a graph.

    Theano-PyMC has a graph before these two.
    """
    if more:
        list_optimizations, out = out, *more
    local = LocalOptGroup(*list_optimizations)
    return optimized([out], [TopoOptimizer(local, failure_callback=NavigatorOptimizer.warn)])[0]


class _Notes(Feature):
    """Notes what is replaced, and why."""

    def __init__(self, notes: list[tuple[Any, Any, Any]]) -> None:
        self.notes = notes

    def on_change_input(
        self,
        fgraph: object,
        node: object,
        i: object,
        r: object,
        new_r: object,
        reason: object = None,
    ) -> None:
        self.notes.append((r, new_r, reason))


def optimized(outputs: Sequence[Any], optimizers: Iterable[Any]) -> list[Any]:
    """Return `outputs` as optimizers leave them; the graph of `outputs` itself stays."""
    graph = editable(outputs)
    graph.attach_feature(ShapeFeature())
    notes = replacements.get(None)
    if notes is not None:
        graph.attach_feature(_Notes(notes))
    SeqOptimizer(list(optimizers), failure_callback=SeqOptimizer.warn).apply(graph)
    result = graph.outputs
    graph.disown()
    return result


class AddFeatureOptimizer(Optimizer):
    """Attaches a feature to the graph."""

    def __init__(self, feature: object) -> None:
        self.feature = feature

    def add_requirements(self, fgraph: Any) -> None:
        fgraph.attach_feature(self.feature)


class AddDestroyHandler(Optimizer):
    """Attaches a `DestroyHandler`, so that operations may overwrite from here on."""

    def add_requirements(self, fgraph: Any) -> None:
        fgraph.attach_feature(DestroyHandler())


class PrintCurrentFunctionGraph(Optimizer):
    """Prints the graph as it is where this runs, after a heading."""

    def __init__(self, header: object) -> None:
        self.header = header

    def apply(self, fgraph: Any) -> None:
        print("PrintCurrentFunctionGraph:", self.header)
        debugprint(fgraph.outputs)

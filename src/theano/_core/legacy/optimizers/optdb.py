"""Where rewrites in the manner of Theano 1.0.5 are registered, and run when a function is compiled.

`optdb` has their places by name and position, as in Theano. Around each phase of the engine's own
pipeline those run that stand there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from typing import TYPE_CHECKING, Any

from theano._core.compile.modes import Mode
from theano._core.ir import hooks
from theano._core.ir.variable import Variable
from theano._core.legacy.graphs.numbers import numbers_as_inputs
from theano._core.legacy.optimizers.coarse_sigmoids import (
    local_hard_sigmoid,
    local_ultra_fast_sigmoid,
)
from theano._core.legacy.optimizers.global_optimizers import (
    EquilibriumOptimizer,
    NavigatorOptimizer,
    Optimizer,
    SeqOptimizer,
    TopoOptimizer,
    optimized,
)
from theano._core.legacy.optimizers.local_optimizers import LocalOptGroup, LocalOptimizer
from theano._core.legacy.optimizers.toolbox import ReplaceValidate
from theano._core.rewrite.pipeline import Selection, rewrite

if TYPE_CHECKING:
    from theano._core.ir.function_graph import FunctionGraph

# Theano's positions of what our passes do.
POSITIONS = {"canonicalize": 1, "stabilize": 1.5, "specialize": 2, "uncanonicalize": 3}
# Before each of these passes run the rewrites whose positions end here; the rest before `merge`.
PLACES = {"canonical": 1.0, "loops": 1.5, "special": 2.0, "blas": 49.0, "merge": float("inf")}


class Query:
    """What to take of a database.

    Parameters
    ----------
    include, require, exclude : list of str
        Names or tags: of one of `include`, of all of `require`, of none of `exclude`.
    subquery : dict of str to Query
        For databases within, by their name.
    position_cutoff : float
        Of a sequence, what stands before it.
    extra_optimizations : list of (Optimizer, position)
        Taken in addition.
    """

    def __init__(
        self,
        include: Iterable[str],
        require: Iterable[str] | None = None,
        exclude: Iterable[str] | None = None,
        subquery: dict[str, Query] | None = None,
        position_cutoff: float = float("inf"),
        extra_optimizations: Iterable[tuple[Variable, float]] | None = None,
    ) -> None:
        self.include = frozenset(include)
        self.require = frozenset(require or ())
        self.exclude = frozenset(exclude or ())
        self.subquery = dict(subquery or {})
        self.position_cutoff = position_cutoff
        self.extra_optimizations = list(extra_optimizations or ())

    def __str__(self) -> str:
        return (
            f"Query{{inc={sorted(self.include)},ex={sorted(self.exclude)},"
            f"require={sorted(self.require)},subquery={self.subquery},"
            f"position_cutoff={self.position_cutoff},extra_opts={self.extra_optimizations}}}"
        )

    def _changed(self, **fields: object) -> Query:
        result = copy(self)
        vars(result).update(fields)
        return result

    def including(self, *tags: str) -> Query:
        """Return a query that includes more tags."""
        return self._changed(include=self.include | set(tags))

    def excluding(self, *tags: str) -> Query:
        """Return a query that excludes more tags."""
        return self._changed(exclude=self.exclude | set(tags))

    def requiring(self, *tags: str) -> Query:
        """Return a query that requires more tags."""
        return self._changed(require=self.require | set(tags))

    def register(self, *optimizations: tuple[Variable, float]) -> Query:
        """Return a query that takes (optimizer, position) pairs in addition."""
        return self._changed(extra_optimizations=[*self.extra_optimizations, *optimizations])


class DB:
    """Named rewrites, found by tags: their names, classes, and others that are given."""

    def __init__(self) -> None:
        self.name: str | None = None
        self._entries: dict[str, Any] = {}
        self._tags: dict[str, set[str]] = {}

    def register(self, name: str, obj: object, *tags: str, use_db_name_as_tag: bool = True) -> None:
        """Add a rewrite.

        Raises
        ------
        TypeError
            It is none.
        ValueError
            There is one of this name, the name is a tag, or a tag is the name of another.
        """
        if not isinstance(obj, (DB, Optimizer, LocalOptimizer)):
            raise TypeError("Object cannot be registered in OptDB", obj)
        if name in self:
            raise ValueError(
                "The name of the object cannot be an existing tag or the name of another existing "
                "object.",
                obj,
                name,
            )
        for tag in tags:
            if tag in self._entries:
                raise ValueError("The tag of the object cannot be the name of another.", obj, tag)
        obj.name = name
        self._entries[name] = obj
        own = {name, type(obj).__name__, *tags}
        if use_db_name_as_tag and self.name is not None:
            own.add(self.name)
        self._tags[name] = own

    def add_tags(self, name: str, *tags: str) -> None:
        """Give a rewrite more tags."""
        self._tags[name] |= set(tags)

    def remove_tags(self, name: str, *tags: str) -> None:
        """Take tags from a rewrite."""
        self._tags[name] -= set(tags)

    def __getitem__(self, name: str) -> Any:
        if name in self._entries:
            return self._entries[name]
        names = [n for n, tags in self._tags.items() if name in tags]
        if not names:
            raise KeyError(f"Nothing registered for '{name}'")
        if len(names) > 1:
            raise KeyError(f"More than one match for '{name}': {', '.join(names)}")
        return self._entries[names[0]]

    def __contains__(self, name: str) -> bool:
        return name in self._entries or any(name in tags for tags in self._tags.values())

    def selected(self, query: Query) -> list[tuple[str, Any]]:
        """Return the (name, rewrite) pairs that a query takes; a database within, queried."""
        result = []
        for name, obj in self._entries.items():
            tags = self._tags[name]
            if not tags & query.include or not query.require <= tags or tags & query.exclude:
                continue
            if isinstance(obj, DB):
                inner = query.subquery.get(name, query._changed(extra_optimizations=[]))
                obj = obj.query(inner)
                obj.name = name
            result.append((name, obj))
        return result

    def query(self, *tags: object, **subquery: object) -> Any:
        """Return what `+tag` (include), `&tag` (require) and `-tag` (exclude) take; or a Query."""
        return self._result(_query(tags, subquery))

    def _result(self, query: Query) -> Any:
        return [obj for _, obj in self.selected(query)]


def _query(tags: tuple[Any, ...], subquery: dict[str, Any]) -> Query:
    first = next(iter(tags), None)
    if isinstance(first, Query):
        if len(tags) > 1 or subquery:
            raise TypeError(
                "If the first argument to query is a Query, there should be no other arguments.",
                tags,
                subquery,
            )
        return first
    if any(tag[:1] not in ("+", "&", "-") for tag in tags):
        raise ValueError(
            "All tags must start with one of the following characters: '+', '&' or '-'", tags
        )
    kinds = {sign: [tag[1:] for tag in tags if tag[0] == sign] for sign in "+&-"}
    return Query(kinds["+"], kinds["&"], kinds["-"], subquery)


class EquilibriumDB(DB):
    """Rewrites that run until nothing changes.

    Parameters
    ----------
    ignore_newtrees, tracks_on_change_inputs : bool
        As of `EquilibriumOptimizer`.
    """

    def __init__(self, ignore_newtrees: bool = True, tracks_on_change_inputs: bool = False) -> None:
        super().__init__()
        self.ignore_newtrees = ignore_newtrees
        self._last: set[str] = set()

    def register(self, name: str, obj: object, *tags: str, **options: Any) -> None:
        if options.pop("final_opt", False) or options.pop("cleanup", False):
            self._last.add(name)
        super().register(name, obj, *tags, **options)

    def _result(self, query: Query) -> EquilibriumOptimizer:
        selected = self.selected(query)
        return EquilibriumOptimizer(
            [obj for name, obj in selected if name not in self._last],
            failure_callback=NavigatorOptimizer.warn_inplace,
            ignore_newtrees=self.ignore_newtrees,
            final_optimizers=[obj for name, obj in selected if name in self._last],
        )


class SequenceDB(DB):
    """Rewrites that run one after another, in the order of their positions."""

    def __init__(self, failure_callback: Callable[..., object] = SeqOptimizer.warn) -> None:
        super().__init__()
        self.failure_callback = failure_callback
        self.__position__: dict[str, float] = {}

    def register(self, name: str, obj: object, position: Any, *tags: str) -> None:  # type: ignore[override]
        """Add a rewrite at a position: a number, 'first' or 'last'."""
        super().register(name, obj, *tags)
        positions = self.__position__.values()
        if position == "last":
            position = max(positions, default=-1) + 1
        elif position == "first":
            position = min(positions, default=1) - 1
        self.__position__[name] = position

    def placed(self, query: Query) -> list[tuple[float, Any]]:
        """Return what a query takes, with positions, in order."""
        placed = [(self.__position__[name], obj) for name, obj in self.selected(query)]
        placed += [(position, obj) for obj, position in query.extra_optimizations]
        placed.sort(key=lambda pair: pair[0])
        return [pair for pair in placed if pair[0] < query.position_cutoff]

    def _result(self, query: Query) -> Any:
        return SeqOptimizer(
            [obj for _, obj in self.placed(query)], failure_callback=self.failure_callback
        )


class LocalGroupDB(SequenceDB):
    """Local rewrites of which the first that changes something counts.

    Parameters
    ----------
    apply_all_opts : bool
        Whether the others then look at what it made.
    local_opt : callable
        Makes one of them.
    """

    def __init__(
        self, apply_all_opts: bool = False, profile: bool = False, local_opt: type = LocalOptGroup
    ) -> None:
        super().__init__()
        self.apply_all_opts = apply_all_opts
        self.local_opt = local_opt

    def register(self, name: str, obj: object, *tags: Any, **options: object) -> None:  # type: ignore[override]
        position = options.pop("position", "last")
        if (tags and not isinstance(tags[0], str)) or (tags and tags[0] in ("first", "last")):
            position, *tags = tags  # type: ignore[assignment]
        super().register(name, obj, position, *tags)

    def _result(self, query: Query) -> Any:
        optimizers = [obj for _, obj in self.placed(query)]
        return self.local_opt(*optimizers, apply_all_opts=self.apply_all_opts)


class TopoDB(DB):
    """What a database of local rewrites gives, taken once through a graph."""

    def __init__(
        self,
        db: DB,
        order: str = "in_to_out",
        ignore_newtrees: bool = False,
        failure_callback: Callable[..., object] | None = None,
    ) -> None:
        super().__init__()
        self.db = db
        self.options = (order, ignore_newtrees, failure_callback)

    def _result(self, query: Query) -> TopoOptimizer:
        return TopoOptimizer(self.db.query(query), *self.options)


class ProxyDB(DB):
    """Another database, to be registered at a second place.

    Raises
    ------
    TypeError
        It is none.
    """

    def __init__(self, db: DB) -> None:
        if not isinstance(db, DB):
            raise TypeError("ProxyDB needs a database", db)
        super().__init__()
        self.db = db

    def _result(self, query: Query) -> Any:
        return self.db.query(query)


# -- the database of the compiler -----------------------------------------------------------------


class _Pipeline(SequenceDB):
    """Everything that runs when a function is compiled: the engine's phases, and what is added."""

    def _result(self, query: Query) -> Any:
        return WholeOfMode(Mode(optimizer=query))


class WholeOfMode(Optimizer):
    """The pipeline of a mode as an optimizer of a `FunctionGraph`."""

    def __init__(self, mode: Mode) -> None:
        self.mode = mode

    def add_requirements(self, fgraph: FunctionGraph) -> None:
        fgraph.attach_feature(ReplaceValidate())

    def apply(self, fgraph: FunctionGraph) -> None:
        new = rewrite(fgraph.outputs, self.mode.passes, selection=self.mode.selection)
        new = numbers_as_inputs(new)
        fgraph.replace_all(zip(list(fgraph.outputs), new, strict=True), reason="pipeline")


optdb = _Pipeline()
local_useless = LocalGroupDB(apply_all_opts=True)
for _name, _db, _position, _tags in (
    ("useless", TopoDB(local_useless, failure_callback=NavigatorOptimizer.warn), 0.6, True),
    ("canonicalize", EquilibriumDB(ignore_newtrees=False), POSITIONS["canonicalize"], True),
    ("stabilize", EquilibriumDB(), POSITIONS["stabilize"], False),
    ("specialize", EquilibriumDB(), POSITIONS["specialize"], False),
    ("uncanonicalize", EquilibriumDB(), POSITIONS["uncanonicalize"], False),
    ("specialize_device", EquilibriumDB(), 48.6, True),
):
    optdb.register(_name, _db, _position, "fast_run", *(["fast_compile"] * _tags))
    _db.name = _name
for _by_request in (local_hard_sigmoid, local_ultra_fast_sigmoid):
    optdb["uncanonicalize"].register(_by_request.name, _by_request)


@hooks.run_added_rewrites.fill
def _run(name: str, outputs: list[Variable], selection: Selection) -> list[Any]:
    """Run what is registered to run before a pass, and databases that stand just before again."""
    if name not in PLACES:
        return outputs
    low = max((p for p in PLACES.values() if p < PLACES[name]), default=float("-inf"))
    high = PLACES[name]
    chosen = [
        obj
        for position, obj in _chosen(selection)
        if low < position <= high or (position == low and isinstance(obj, EquilibriumOptimizer))
    ]
    return optimized(outputs, chosen) if chosen else outputs


def _chosen(selection: Selection) -> list[tuple[float, Any]]:
    """Return what is registered and not empty, with its positions."""
    query = Query(selection.included, None, selection.excluded, extra_optimizations=selection.extra)
    return [(position, obj) for position, obj in optdb.placed(query) if not _is_empty(obj)]


@hooks.has_added_rewrites.fill
def _some(selection: Selection) -> bool:
    return bool(_chosen(selection))


def _is_empty(obj: EquilibriumOptimizer | TopoOptimizer) -> bool:
    if isinstance(obj, EquilibriumOptimizer):
        return not (obj.local or obj.whole or obj.last)
    return isinstance(obj, TopoOptimizer) and getattr(obj.local_opt, "opts", True) == []


def _registers(db: DB, *always: str) -> Callable[..., Any]:
    """Return a decorator that registers local rewrites in a database."""

    def register(lopt: Any, *tags: str, **options: Any) -> Any:
        if isinstance(lopt, str):
            return lambda inner: register(inner, lopt, *tags, **options)
        name = options.pop("name", None) or getattr(lopt, "__name__", str(lopt))
        db.register(name, lopt, *always, "fast_run", *tags, **options)
        return lopt

    return register


register_useless = _registers(local_useless, "last")
register_canonicalize = _registers(optdb["canonicalize"])
register_stabilize = _registers(optdb["stabilize"])
register_specialize = _registers(optdb["specialize"])
register_uncanonicalize = _registers(optdb["uncanonicalize"])
register_specialize_device = _registers(optdb["specialize_device"])


# What the names of optimizers stand for in Theano.
OPT_NONE, OPT_MERGE = Query([]), Query(["merge"])
OPT_FAST_RUN, OPT_FAST_COMPILE = Query(["fast_run"]), Query(["fast_compile", "fast_compile_gpu"])
OPT_FAST_RUN_STABLE = OPT_FAST_RUN.requiring("stable")
OPT_STABILIZE = Query(["fast_run"], position_cutoff=1.5000001)
OPT_O2, OPT_O3 = OPT_FAST_COMPILE.including("fusion"), OPT_FAST_RUN.excluding("inplace")
OPT_UNSAFE = OPT_O3.including("unsafe")

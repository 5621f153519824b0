"""What runs a rewritten graph instead of native code: a function of arrays that a backend makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theano._core.compile.modes import LINKERS
from theano._core.ir.variable import Variable
from theano._core.lower.reference import reference

Run = Callable[..., Sequence[Any]]
Backend = Callable[[Sequence[Any], Sequence[Any]], Run]


def _jax(inputs: Sequence[Variable], outputs: Sequence[Variable]) -> Run:
    try:
        from theano._core.lower.jax.compiled import CompiledByXLA
    except ImportError as error:
        raise ImportError(
            f"linker 'jax' needs the package jax (pip install jax): {error}"
        ) from error
    return CompiledByXLA(inputs, outputs)


_OURS: dict[str, Backend] = {"reference": reference, "jax": _jax}
BACKENDS = dict(_OURS)


def runner_of(maker: Any, rewritten: Sequence[Variable]) -> Run:
    """Return what runs the rewritten graph of a function as its mode says."""
    if maker.mode.runner is not None:
        return maker.mode.runner(maker, rewritten)
    if maker.mode.backend == "reference":
        return reference(maker.leaves, rewritten, lambda: updated_cells(maker))
    return BACKENDS[maker.mode.backend](maker.leaves, rewritten)


def updated_cells(maker: Any) -> dict[Any, Any]:
    """Return the cells that a function updates, by what stands for them in its rewritten graph.

    What a call within a call stores there, the rest of the outer one goes on with.
    """
    updated = {target for target, _ in maker.updates}
    cells = {}
    for k, (variable, leaf) in enumerate(zip(maker.all_inputs, maker.leaves, strict=True)):
        kept = k >= len(maker.arguments) or maker.arguments[k].implicit
        if kept and variable in updated:
            cells[leaf] = maker.containers[k].cell
    return cells


def add_backend(name: str, make: Backend) -> None:
    """Let `theano.Mode(linker=name)` run functions by a backend of yours.

    Parameters
    ----------
    name : str
    make : callable
        `make(inputs, outputs)` is called with the variables of a rewritten graph when a function
        is compiled. It returns what runs it: a function of the values of the inputs (arrays of
        NumPy; shared variables are among the inputs) that returns one array for each output, the
        new values of shared variables among them. `theano.gof.graph.toposort(outputs)` are the
        nodes in order, and `node.op.compute(numpy, node, *arrays)` is the meaning of one.

    Returns
    -------
    None

    Raises
    ------
    ValueError
        A linker has this name.

    Examples
    --------
    >>> import numpy, theano, theano.tensor as T
    >>> from theano import extend
    >>> def one_by_one(inputs, outputs):
    ...     def run(*values):
    ...         known = dict(zip(inputs, values))
    ...         for node in theano.gof.graph.io_toposort(inputs, outputs):
    ...             arrays = [known[v] if v in known else v.data for v in node.inputs]
    ...             known.update(zip(node.outputs, node.op.compute(numpy, node, *arrays)))
    ...         return [known[out] for out in outputs]
    ...     return run
    >>> extend.add_backend("one by one", one_by_one)
    >>> x = T.dvector("x")
    >>> f = theano.function([x], T.exp(x) + 1, mode=theano.Mode(linker="one by one"))
    >>> f([0.0, 1.0]).round(2)
    array([2.  , 3.72])
    >>> extend.remove_backend("one by one")
    """
    if name in LINKERS:
        raise ValueError(f"there is a linker {name!r} already; known: {', '.join(LINKERS)}")
    BACKENDS[name] = make
    LINKERS[name] = name


def remove_backend(name: str) -> None:
    """Take back what `add_backend` did; raises ValueError if it did not.

    Parameters
    ----------
    name : str

    Returns
    -------
    None

    Examples
    --------
    >>> theano.extend.add_backend("none", lambda inputs, outputs: None)
    >>> theano.extend.remove_backend("none")
    """
    if name in _OURS or name not in BACKENDS:
        raise ValueError(f"the backend {name!r} was not added")
    del BACKENDS[name], LINKERS[name]

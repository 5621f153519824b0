"""Random programs of thousands of scalar operations: made, cut anywhere, run, compared, printed.

    python tests/fuzz/fuzz_scalars.py FIRST LAST

tries the seeds from FIRST to LAST - 1 and prints the shortest beginning of each program that fails.
A long program is cut into routines (`lower/passes/outline.py`). Here a seed says after how many
lines, from one on, so that each way the builder writes a program is cut at each place it can be.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

TESTS = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path[:0] = [str(TESTS / folder) for folder in (".", "ops", "fuzz")]

import fuzz_steps  # noqa: E402
from fuzz_programs import ERRORS, NAMES, Input, Program, run, usable  # noqa: E402
from fuzz_steps import Drawer, Misfit, Step  # noqa: E402

import theano  # noqa: E402
import theano.tensor as T  # noqa: E402
from theano._core.ir.graph import toposort  # noqa: E402
from theano._core.lower.passes import outline  # noqa: E402
from theano._core.lower.reference import evaluate  # noqa: E402

SMOOTH = ["sin", "cos", "tanh", "exp", "arctan", "log1p", "sqrt", "sigmoid", "erf", "arcsinh"]
KINDS = ["float64"] * 5 + ["float32", "complex128", "complex64", "int8", "uint16", "int64"]
KINDS += ["uint64", "bool"]
NARROW = ("float16", "float32", "complex64")
# Lines of a routine.
ROUTINES = [1, 2, 5, 17, 60, 250, 1500]
MODES = {
    "FAST_RUN": "FAST_RUN",
    "FAST_COMPILE": "FAST_COMPILE",
    "as written": theano.Mode("llvm", None),
}
# By the least precise dtype in a program.
TOLERANCE = {"float16": np.inf, "float32": 3e-3, "complex64": 3e-3, "float64": 1e-9}
# A change of the inputs by so much, of 1, shows what rounding can do.
STEP = 1e-10


class LongDrawer(Drawer):
    """Draws from thousands of values without looking at all of them."""

    def operand(
        self, fits: Callable[[np.ndarray], bool] = lambda a: True, same: bool = False
    ) -> int:
        count = len(self.values)
        for _ in range(40):
            # Mostly of the last hundred, so that programs are deep; sometimes any.
            low = max(count - 100, 0) if self.chance(0.7) else 0
            k = low + self.below(count - low)
            if (
                self.values[k].dtype != "float16"
                and fits(self.values[k])
                and (self.exact[k] or not same)
            ):
                return k
        raise Misfit


def smooth(d: Drawer) -> Step:
    """Return a function of something, added to something: as long chains in programs are."""
    x = d.number(0, "fc")
    y = d.partner(x, d.values[x].dtype.kind)
    name = d.one_of(SMOOTH)
    if d.values[x].dtype.kind == "c":
        return Step(f"0.3 * T.sin(v{x}) + 0.5 * v{y}")
    inner = f"abs(v{x}) + 0.5" if name in ("log1p", "sqrt") else f"v{x}"
    outer = "T.tanh({})" if name == "exp" else "{}"
    text = outer.format(f"op({name!r})({inner})")
    return Step(f"v{y}.dtype and T.cast(0.5 * {text} + 0.4 * v{y}, v{y}.dtype)")


def item(d: Drawer) -> Step:
    """Return an item of the vector, at a position that is computed or not."""
    k = d.operand(lambda a: a.ndim == 0 and a.dtype.kind in "iu", same=True)
    return Step(d.one_of([f"v0[T.mod(v{k}, 5)]", f"v0[{d.below(10) - 5}]"]))


FAMILIES = [
    *[fuzz_steps.elementwise] * 4,
    *[smooth] * 4,
    fuzz_steps.arithmetic,
    fuzz_steps.with_constant,
    fuzz_steps.logic,
    fuzz_steps.cast,
    item,
]


def make(seed: int, longest: int = 5000) -> Program:
    """Return the program of a seed: 50 to `longest` operations, more often few."""
    rng = np.random.default_rng(seed)
    kinds = KINDS if rng.random() < 0.4 else [k for k in KINDS if k not in NARROW]
    inputs = [Input("float64", (5,), "contiguous", seed)]
    for _ in range(int(rng.integers(2, 10))):
        inputs.append(Input(str(rng.choice(kinds)), (), "contiguous", int(rng.integers(1 << 30))))
    inputs.append(Input("int64", (), "contiguous", seed))
    length = int(np.exp(rng.uniform(np.log(50), np.log(longest))))
    variables = [T.TensorType(one.kind, (False,) * len(one.shape))() for one in inputs]
    scope = {**NAMES, **{f"v{k}": v for k, v in enumerate(variables)}}
    values, moved = values_at(inputs, 0), values_at(inputs, STEP)
    drawer = LongDrawer(rng, values, [True] * len(inputs))
    steps: list[str] = []
    for _ in range(3 * length):
        if len(steps) == length:
            break
        try:
            step = drawer.one_of(FAMILIES)(drawer)
            variable = run(step.text, scope)
            value = evaluate([variable], dict(zip(variables, values, strict=True)))[0]
            near = evaluate([variable], dict(zip(variables, moved, strict=True)))[0]
        except (Misfit, *ERRORS):
            continue  # these operands do not fit
        if value.ndim or not usable(value) or not calm(value, near):
            continue
        if value.dtype in NARROW and not set(NARROW) & set(kinds):
            continue
        steps.append(step.text)
        scope[f"v{len(variables)}"] = variable
        variables.append(variable)
        values.append(value)
        moved.append(near)
        drawer.exact.append(step.exact)
    last = len(variables) - 1
    outputs = tuple(sorted({last, last - 1, *map(int, rng.integers(len(inputs), last + 1, 4))}))
    gradient = length < 1000 and bool(rng.random() < 0.5)
    return Program(tuple(inputs), tuple(steps), outputs, gradient, seed)


def values_at(inputs: Any, step: float) -> list[np.ndarray]:
    """Return the arguments, those of floats moved a little."""
    values = [np.array(one.value(), one.kind) for one in inputs]
    return [v * (1 + step) if v.dtype in ("float64", "complex128") else v for v in values]


def calm(value: np.ndarray, near: np.ndarray) -> bool:
    """Tell whether a value is far from where rounding decides, and from growing it."""
    if value.dtype.kind not in "fc":
        return bool(value == near)
    return bool(abs(near - value) <= 1e4 * STEP * (1 + abs(value)))


@contextmanager
def routines_of(lines: int) -> Any:
    """Have programs cut after so many lines; those that are kept were cut elsewhere."""
    before = outline.ROUTINE, outline.SHORTEST, outline.LONGEST
    outline.ROUTINE, outline.SHORTEST, outline.LONGEST = lines, 4 * lines, 0
    try:
        with theano.config.change_flags(cache_programs=False):
            yield
    finally:
        outline.ROUTINE, outline.SHORTEST, outline.LONGEST = before


def difference(program: Program) -> str | None:
    """Return what is wrong with a program, or None."""
    try:
        variables, outputs = program.build()
    except NotImplementedError:
        # Some operations have no gradient.
        program = replace(program, gradient=False)
        variables, outputs = program.build()
    wanted, moved = (
        evaluate(outputs, dict(zip(variables, values_at(program.inputs, step), strict=True)))
        for step in (0, STEP)
    )
    tolerance = TOLERANCE[narrowest(outputs)]
    rng = np.random.default_rng(program.seed)
    for name, mode in MODES.items():
        # The bits must not depend on where a function is cut.
        places = rng.choice(ROUTINES, 2 if mode == "FAST_RUN" else 1, replace=False)
        results = []
        for lines in places:
            with routines_of(int(lines)):
                f = theano.function(variables, outputs, mode=mode, on_unused_input="ignore")
            results.append(f(*values_at(program.inputs, 0)))
        for k, (first, *others) in enumerate(zip(*results, strict=True)):
            if any(first.tobytes() != other.tobytes() for other in others):
                return f"{name}, result {k}: {first} and {others} by where it is cut"
            text = wrong(first, wanted[k], moved[k], tolerance)
            if text:
                return f"{name}, result {k}: {text}"
    return None


def narrowest(outputs: Any) -> str:
    """Return the least precise dtype of floats in a graph."""
    kinds = {getattr(v.type, "dtype", "") for node in toposort(outputs) for v in node.outputs}
    return next((kind for kind in TOLERANCE if kind in kinds), "float64")


def wrong(got: np.ndarray, wanted: np.ndarray, moved: np.ndarray, tolerance: float) -> str | None:
    """Compare with the reference, as near as rounding allows."""
    if (got.dtype, got.shape) != (wanted.dtype, wanted.shape):
        return f"{got.dtype}{got.shape}, reference {wanted.dtype}{wanted.shape}"
    if got.dtype.kind not in "fc":
        near = got == wanted
    elif np.isfinite(wanted).all() and np.isfinite(moved).all():
        near = abs(got - wanted) <= tolerance * (1 + abs(wanted)) + 1e3 * abs(moved - wanted)
    else:
        return None
    return None if np.all(near) else f"{got}, reference {wanted}"


def problem_of(seed: int, longest: int = 5000) -> str | None:
    """Return the shortest beginning of a seed's program that fails, and how; None: it does not."""
    program = make(seed, longest)
    problem = complaint(program)
    if problem is None:
        return None
    low, high = 0, len(program.steps)
    while high - low > 1:
        middle = (low + high) // 2
        if complaint(beginning(program, middle)) is None:
            low = middle
        else:
            high = middle
    short = beginning(program, high)
    return f"{short}\n# {complaint(short) or problem}"


def complaint(program: Program) -> str | None:
    try:
        return difference(program)
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:500]}"


def beginning(program: Program, count: int) -> Program:
    """Return a program of the first steps, which returns the last of them."""
    last = len(program.inputs) + count - 1
    return replace(program, steps=program.steps[:count], outputs=(last,))


def main(first: int, last: int) -> None:
    """Print what is wrong with the programs of these seeds."""
    warnings.simplefilter("ignore")
    failed = 0
    for seed in range(first, last):
        problem = problem_of(seed)
        if problem is not None:
            failed += 1
            print(problem, flush=True)
        if seed % 50 == 0:
            print(f"seed {seed}: {failed} failures", flush=True)
    print(f"{last - first} programs, {failed} failures")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

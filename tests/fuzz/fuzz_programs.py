"""Random programs: made, run on every backend, compared, shrunk and printed as Python.

    python tests/fuzz/fuzz_programs.py FIRST LAST

tries the seeds from FIRST to LAST - 1, prints the smallest program of each that fails, and at the
end which operations no program had.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

TESTS = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path[:0] = [str(TESTS / folder) for folder in ("exact", "ops", "fuzz")]

from fuzz_steps import Drawer, next_step  # noqa: E402
from hard_arrays import LAYOUTS, laid_out  # noqa: E402
from registry import OPS  # noqa: E402

import theano  # noqa: E402
import theano.tensor as T  # noqa: E402
from theano._core.ir.graph import toposort  # noqa: E402
from theano._core.lower.reference import evaluate  # noqa: E402
from theano.ifelse import ifelse  # noqa: E402
from theano.scan_module import until  # noqa: E402
from theano.tensor import fft, nlinalg, slinalg  # noqa: E402
from theano.tensor.signal import pool  # noqa: E402

NAMES = {
    "np": np,
    "theano": theano,
    "T": T,
    "op": OPS.__getitem__,
    "ifelse": ifelse,
    "until": until,
    "fft": fft,
    "pool": pool,
    "nlinalg": nlinalg,
    "slinalg": slinalg,
}
KINDS = ["float64", "float64", "float64", "float32", "float32", "float16", "complex64"]
KINDS += ["complex128", "bool", "int8", "uint8", "int16", "int32", "int64", "uint32", "uint64"]
ERRORS = (
    AssertionError,
    OverflowError,
    ValueError,
    IndexError,
    TypeError,
    NotImplementedError,
    np.linalg.LinAlgError,
)
# Numbers beyond are not used on: rounding errors would be of any size.
LARGEST = {"f": 1e3, "c": 1e3, "i": 2**62, "u": 2**62, "b": 1}
TOLERANCE = {"float16": 3e-2, "float32": 2e-3, "float64": 1e-6}


@dataclass(frozen=True)
class Input:
    """An argument: its dtype, shape and layout, and where its numbers come from."""

    kind: str
    shape: tuple[int, ...]
    layout: str
    seed: int

    def value(self) -> np.ndarray:
        rng = np.random.default_rng(self.seed)
        numbers = np.asarray(rng.normal(size=self.shape)) * 2
        if self.kind == "bool":
            numbers = numbers > 0
        elif "uint" in self.kind:
            numbers = abs(numbers)
        elif "complex" in self.kind:
            numbers = numbers + 1j * rng.normal(size=self.shape)
        return laid_out(np.asarray(numbers).astype(self.kind), self.layout)


@dataclass(frozen=True)
class Program:
    """Inputs, steps, and which variables are returned; with the gradient of their sum if asked."""

    inputs: tuple[Input, ...]
    steps: tuple[str, ...]
    outputs: tuple[int, ...]
    gradient: bool = False
    seed: int = field(default=0, compare=False)

    @lru_cache(1)  # noqa: B019
    def build(self) -> tuple[list[Any], list[Any]]:
        """Return the input variables and the outputs: of one program the same each time."""
        variables = [
            T.TensorType(one.kind, (False,) * len(one.shape))(f"v{k}")
            for k, one in enumerate(self.inputs)
        ]
        scope = {**NAMES, **{f"v{k}": v for k, v in enumerate(variables)}}
        for k, text in enumerate(self.steps, len(variables)):
            scope[f"v{k}"] = run(text, scope)
        outputs = [scope[f"v{k}"] for k in self.outputs]
        if self.gradient:
            cost = cost_of(outputs)
            outputs += [] if cost is None else [cost, *gradients(cost, variables)]
        return variables, outputs

    @property
    def text(self) -> str:
        """The steps and outputs."""
        return "\n".join([*self.steps, *(f"v{out}" for out in self.outputs)])

    def __str__(self) -> str:
        lines = [f"# seed {self.seed}"]
        for k, one in enumerate(self.inputs):
            pattern = (False,) * len(one.shape)
            lines.append(f"v{k} = T.TensorType({one.kind!r}, {pattern})('v{k}')")
            lines.append(f"a{k} = {one!r}.value()")
        lines += [f"v{k} = {text}" for k, text in enumerate(self.steps, len(self.inputs))]
        results = ", ".join(f"v{k}" for k in self.outputs)
        lines.append(f"outputs = [{results}]" + ("  # and gradients" if self.gradient else ""))
        return "\n".join(lines)


def run(text: str, scope: dict[str, Any]) -> Any:
    """Return the value of a line of a program: a variable."""
    value = eval(text, scope)
    return value[0] if isinstance(value, (list, tuple)) else T.as_tensor_variable(value)


def cost_of(outputs: list[Any]) -> Any:
    """Return a smooth number that depends on every output of floats; None if there is none."""
    parts = [T.cast(out, "float64").sum() for out in outputs if out.dtype.startswith("float")]
    return sum(T.tanh(part * 0.01) for part in parts) if parts else None


def gradients(cost: Any, variables: list[Any]) -> list[Any]:
    """Return the gradients by the inputs that have one."""
    wrt = [v for v in variables if v.dtype.startswith("float")]
    if not wrt:
        return []
    found = T.grad(cost, wrt, disconnected_inputs="ignore", null_gradients="return")
    return [g for g in found if hasattr(g.type, "dtype")]


# -- making ----------------------------------------------------------------------------------------


def random_inputs(rng: np.random.Generator) -> tuple[Input, ...]:
    n, m = int(rng.integers(0, 5)), int(rng.choice([1, 2, 3, 5, 9, 17, 40]))
    shapes: list[tuple[int, ...]] = [(), (m,), (m,), (n, m), (n, m), (m, m), (1, m), (2, n, m)]
    # Of these alone, gradients can be compared with finite differences.
    kinds = ["float64"] if rng.random() < 0.3 else KINDS
    return tuple(
        Input(
            str(rng.choice(kinds)),
            shapes[rng.integers(len(shapes))] if m < 20 else [(), (m,), (n, m)][rng.integers(3)],
            str(rng.choice(LAYOUTS)) if rng.random() < 0.4 else "contiguous",
            int(rng.integers(1 << 30)),
        )
        for _ in range(int(rng.integers(2, 6)))
    )


def usable(value: Any) -> bool:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in LARGEST:
        return False
    if value.size > 3000 or value.ndim > 4 or not np.isfinite(value).all():
        return False
    largest = 6e4 if value.dtype == "float16" else LARGEST[value.dtype.kind]
    return value.size == 0 or np.abs(value.astype("complex128")).max() <= largest


def make(seed: int) -> Program:
    """Return the program of a seed."""
    rng = np.random.default_rng(seed)
    inputs = random_inputs(rng)
    values = [np.array(one.value(), one.kind) for one in inputs]
    variables = [T.TensorType(one.kind, (False,) * len(one.shape))() for one in inputs]
    exact = [True] * len(inputs)
    steps: list[str] = []
    length = int(rng.integers(1, 12)) if rng.random() < 0.7 else int(rng.integers(12, 50))
    for _ in range(3 * length):
        if len(steps) == length:
            break
        step = next_step(Drawer(rng, values, exact))
        if step is None:
            continue
        try:
            scope = {**NAMES, **{f"v{k}": v for k, v in enumerate(variables)}}
            variable = run(step.text, scope)
            value = evaluate([variable], dict(zip(variables, values, strict=True)))[0]
        except ERRORS:
            continue  # these operands do not fit
        if not usable(value):
            continue
        steps.append(step.text)
        variables.append(variable)
        values.append(value)
        exact.append(step.exact)
    last = len(variables) - 1
    outputs = {last, int(rng.integers(last + 1)), last // 2 + 1 if last else 0}
    program = Program(inputs, tuple(steps), tuple(sorted(outputs)), bool(rng.random() < 0.5), seed)
    try:
        program.build()
    except NotImplementedError:
        # Some operations have no gradient.
        return replace(program, gradient=False)
    return program


# -- comparing -------------------------------------------------------------------------------------


def precision(outputs: list[Any]) -> float:
    """Return the tolerance that the least precise dtype in a graph asks for."""
    found = TOLERANCE["float64"]
    for node in toposort(outputs):
        for variable in (*node.inputs, *node.outputs):
            name = getattr(variable.type, "dtype", "")
            name = {"complex64": "float32"}.get(name, name)
            small = name in ("bool", "int8", "uint8", "int16", "uint16")
            found = max(found, TOLERANCE.get("float32" if small else name, 0))
    return found


def values_of(program: Program, mode: Any) -> list[np.ndarray] | str:
    """Return the results in a mode, or the class of the error; None: the reference, by node."""
    arguments = [one.value() for one in program.inputs]
    variables, outputs = program.build()
    try:
        if mode is None:
            plain = [
                np.array(a, one.kind) for a, one in zip(arguments, program.inputs, strict=True)
            ]
            return evaluate(outputs, dict(zip(variables, plain, strict=True)))
        with theano.config.change_flags(vector_width=WIDTHS[program.seed % len(WIDTHS)]):
            f = theano.function(variables, outputs, mode=mode, on_unused_input="ignore")
        return f(*arguments)
    except ERRORS as error:
        return f"{type(error).__name__}: {error}"


MODES = {"rewritten": "FAST_RUN", "as written": theano.Mode("llvm", None)}
WIDTHS = [0, 128, 256, 512]


def difference(program: Program) -> str | None:
    """Return what is wrong with a program, or None."""
    tolerance = precision(program.build()[1])
    wanted = values_of(program, None)
    if program.gradient and tolerance == TOLERANCE["float64"] and not isinstance(wanted, str):
        text = wrong_slope(program, wanted)
        if text is not None:
            return text
    for name, mode in MODES.items():
        got = values_of(program, mode)
        if isinstance(wanted, str) or isinstance(got, str):
            if isinstance(wanted, str) and isinstance(got, str):
                continue
            return f"{name}: {str(got)[:400]}\nreference: {str(wanted)[:400]}"
        for k, (one, two) in enumerate(zip(got, wanted, strict=True)):
            text = mismatch(one, two, tolerance)
            if text and k > len(program.outputs) and rounding_decides(program, wanted, tolerance):
                continue
            if text:
                return f"{name}, result {k}: {text}"
    return None


def wrong_slope(program: Program, wanted: list[np.ndarray]) -> str | None:
    """Compare the gradients with finite differences along one direction."""
    count = len(program.outputs)
    directions, results = along(program)
    slopes = wanted[count + 1 :]
    if len(slopes) != len(directions):
        return None  # there is no cost, or a gradient is not defined
    pairs = zip(directions.values(), slopes, strict=True)
    expected = float(sum((direction * g).sum() for direction, g in pairs))

    def cost(step: float) -> float:
        return float(results(step, count, count + 1)[0])

    try:
        wide, narrow = ((cost(h) - cost(-h)) / (2 * h) for h in (1e-5, 1e-6))
    except ERRORS:
        return None
    # Where the two differ there is a kink, or a jump.
    sure = abs(wide - narrow) <= 1e-6 * max(1.0, abs(wide))
    if not sure or abs(expected - narrow) <= 1e-4 * max(1.0, abs(narrow)):
        return None
    return f"slope {expected}, by finite differences {narrow} and {wide}"


def along(program: Program) -> tuple[dict[int, np.ndarray], Callable[..., list[np.ndarray]]]:
    """Return a direction for each input of floats, and some results after a step along it."""
    variables, outputs = program.build()
    values = [np.array(one.value(), one.kind) for one in program.inputs]
    rng = np.random.default_rng(program.seed)
    floats = [k for k, v in enumerate(variables) if v.dtype.startswith("float")]
    directions = {k: rng.normal(size=values[k].shape) for k in floats}

    def results(step: float, first: int, last: int | None) -> list[np.ndarray]:
        moved = [v + step * directions[k] if k in directions else v for k, v in enumerate(values)]
        return evaluate(outputs[first:last], dict(zip(variables, moved, strict=True)))

    return directions, results


def rounding_decides(program: Program, wanted: list[np.ndarray], tolerance: float) -> bool:
    """Tell whether tiny steps change gradients: of items that are equal but for rounding, say."""
    first = len(program.outputs) + 1
    _, results = along(program)
    for step in (1e-10, -1e-10, 3e-10, -3e-10, 1e-9, -1e-9):
        pairs = zip(results(step, first, None), wanted[first:], strict=True)
        if any(mismatch(one, two, max(tolerance, 1e-6)) for one, two in pairs):
            return True
    return False


def mismatch(one: np.ndarray, two: np.ndarray, tolerance: float) -> str | None:
    if (one.dtype, one.shape) != (two.dtype, two.shape):
        return f"{one.dtype}{one.shape}, reference {two.dtype}{two.shape}"
    if one.dtype.kind in "fc":
        size = float(np.nanmax(abs(two[np.isfinite(two)]), initial=1.0))
        near = np.isclose(one, two, rtol=tolerance, atol=tolerance * size, equal_nan=True)
        # A derivative may be infinite, and NaN where infinities meet.
        near |= ~np.isfinite(two)
    else:
        near = one == two
    if np.all(near):
        return None
    return f"{one[~near][:4]}, reference {two[~near][:4]} at {np.argwhere(~near)[:4].tolist()}"


# -- shrinking -------------------------------------------------------------------------------------


def used(program: Program) -> Program:
    """Return a program without the steps that no output needs."""
    for k in range(len(program.steps) - 1, -1, -1):
        name = f"v{k + len(program.inputs)}"
        later = [*program.steps[k + 1 :], *(f"v{out}" for out in program.outputs)]
        if not any(mentions(text, name) for text in later):
            return used(without(program, k, None))
    return program


def mentions(text: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", text) is not None


def without(program: Program, k: int, instead: int | None) -> Program:
    """Return a program without step `k`; variable `instead` takes the place of its result."""
    gone = k + len(program.inputs)

    def renumbered(match: Any) -> str:
        number = int(match[1])
        if number == gone and instead is not None:
            number = instead
        return f"v{number - 1 if number > gone else number}"

    steps = [re.sub(r"\bv(\d+)\b", renumbered, text) for text in program.steps]
    del steps[k]
    numbers = [out if out != gone or instead is None else instead for out in program.outputs]
    return replace(
        program,
        steps=tuple(steps),
        outputs=tuple(sorted({n - 1 if n > gone else n for n in numbers if n != gone})),
    )


def without_input(program: Program, k: int) -> Program:
    """Return a program without an input that nothing uses."""

    def renumbered(match: Any) -> str:
        number = int(match[1])
        return f"v{number - 1 if number > k else number}"

    return replace(
        program,
        inputs=program.inputs[:k] + program.inputs[k + 1 :],
        steps=tuple(re.sub(r"\bv(\d+)\b", renumbered, text) for text in program.steps),
        outputs=tuple(n - 1 if n > k else n for n in program.outputs),
    )


def fails(program: Program) -> bool:
    try:
        return bool(program.outputs) and difference(program) is not None
    except Exception:
        # Anything but an answer is a failure; a program that cannot be built is none.
        try:
            program.build()
        except Exception:
            return False
        return True


def smaller(program: Program) -> Iterator[Program]:
    """Yield programs that are a little smaller."""
    if program.gradient:
        yield replace(program, gradient=False)
    if len(program.outputs) > 1:
        for out in program.outputs:
            yield used(replace(program, outputs=(out,)))
    for k in range(len(program.steps) - 1, -1, -1):
        for instead in range(k + len(program.inputs)):
            if mentions(program.steps[k], f"v{instead}"):
                yield used(without(program, k, instead))
    yield from with_smaller_inputs(program)


def with_smaller_inputs(program: Program) -> Iterator[Program]:
    """Yield programs of fewer, shorter or plainer inputs."""
    for k, one in enumerate(program.inputs):
        if len(program.inputs) > 1 and not mentions(program.text, f"v{k}"):
            yield without_input(program, k)
        if one.layout != "contiguous":
            plain = replace(one, layout="contiguous")
            inputs = (*program.inputs[:k], plain, *program.inputs[k + 1 :])
            yield replace(program, inputs=inputs)
    shape = sorted({n for one in program.inputs for n in one.shape if n > 1}, reverse=True)
    for long, short in ((n, m) for n in shape for m in (1, 2, n - 1) if m < n):
        inputs = tuple(
            replace(one, shape=tuple(short if n == long else n for n in one.shape))
            for one in program.inputs
        )
        yield replace(program, inputs=inputs)


def shrunk(program: Program) -> Program:
    """Return a small program that fails as well."""
    found = True
    while found:
        found = False
        for candidate in smaller(program):
            if candidate != program and fails(candidate):
                program, found = candidate, True
                break
    return program


# -- at the command line ---------------------------------------------------------------------------


def ops_of(program: Program, seen: dict[str, int]) -> None:
    for node in toposort(program.build()[1]):
        name = getattr(node.op, "name", None) or ""
        text = f"{type(node.op).__qualname__} {name}".strip()
        seen[text] = seen.get(text, 0) + 1


def problem_of(seed: int) -> str | None:
    """Return the shrunk program of a seed and what is wrong with it, or None."""
    program = make(seed)
    if not fails(program):
        return None
    small = shrunk(program)
    try:
        text = difference(small)
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
    return f"{small}\n# {text}"


def main(first: int, last: int) -> None:
    """Print what is wrong with the programs of these seeds, and the operations they had."""
    seen: dict[str, int] = {}
    warnings.simplefilter("ignore")
    failed = 0
    for seed in range(first, last):
        problem = problem_of(seed)
        if problem is not None:
            failed += 1
            print(problem, flush=True)
        if seed % 20 == 0:
            ops_of(make(seed), seen)
        if seed % 500 == 0:
            print(f"seed {seed}: {failed} failures", flush=True)
    print(f"{last - first} programs, {failed} failures")
    missing = [name for name in OPS if f"Elementwise {name}" not in seen]
    print("operations:", ", ".join(f"{n} {c}" for n, c in sorted(seen.items())))
    print("elementwise operations that did not occur:", ", ".join(missing))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

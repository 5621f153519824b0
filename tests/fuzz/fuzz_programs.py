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
    sys.path[:0] = [str(TESTS / folder) for folder in (".", "ops", "fuzz")]

from bodies import LEVELS, Body, nested  # noqa: E402
from fuzz_steps import Drawer, next_step  # noqa: E402
from registry import OPS  # noqa: E402

import theano  # noqa: E402
import theano.tensor as T  # noqa: E402
from support.arrays import LAYOUTS  # noqa: E402
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
    """An argument, a constant or a shared variable, and where its numbers come from.

    Of an argument or shared variable that is `broadcastable`, axes of length 1 are known to be so.
    """

    kind: str
    shape: tuple[int, ...]
    layout: str
    seed: int
    origin: str = "argument"
    broadcastable: bool = False

    def variable(self, name: str) -> Any:
        pattern = tuple(self.broadcastable and n == 1 for n in self.shape)
        if self.origin == "constant":
            return T.constant(self.value())
        if self.origin == "shared":
            return theano.shared(self.value(), name, broadcastable=pattern)
        return T.TensorType(self.kind, pattern)(name)

    def value(self) -> np.ndarray:
        rng = np.random.default_rng(self.seed)
        numbers = np.asarray(rng.normal(size=self.shape)) * 2
        if self.origin == "constant" and self.seed % 3 == 0:
            # Rules take an array of one number for that number.
            numbers = np.full(self.shape, float(rng.integers(-1, 3)))
        if self.kind == "bool":
            numbers = numbers > 0
        elif "uint" in self.kind:
            numbers = abs(numbers)
        elif "complex" in self.kind:
            numbers = numbers + 1j * rng.normal(size=self.shape)
        return LAYOUTS[self.layout](np.asarray(numbers).astype(self.kind))


@dataclass(frozen=True)
class Program:
    """Inputs, steps, and which variables are returned; with the gradient of their sum if asked.

    An update is an input and the variable of its type that a shared variable's next value is.
    """

    inputs: tuple[Input, ...]
    steps: tuple[str, ...]
    outputs: tuple[int, ...]
    gradient: bool = False
    seed: int = field(default=0, compare=False)
    updates: tuple[tuple[int, int], ...] = ()

    @lru_cache(1)  # noqa: B019
    def build(self) -> tuple[list[Any], list[Any]]:
        """Return the input variables and the results: of one program the same each time.

        The results are the next values of what is updated, the outputs, their cost and gradients.
        """
        variables = [one.variable(f"v{k}") for k, one in enumerate(self.inputs)]
        scope = {**NAMES, **{f"v{k}": v for k, v in enumerate(variables)}}
        for k, text in enumerate(self.steps, len(variables)):
            scope[f"v{k}"] = run(text, scope)
        if any(scope[f"v{k}"].type != scope[f"v{new}"].type for k, new in self.updates):
            raise TypeError("a shared variable keeps its type")
        outputs = [scope[f"v{k}"] for k in self.outputs]
        results = [*(scope[f"v{k}"] for _, k in self.updates), *outputs]
        if self.gradient:
            cost = cost_of(outputs)
            results += [] if cost is None else [cost, *gradients(cost, variables)]
        return variables, results

    @property
    def plain(self) -> int:
        """How many results come before the cost and its gradients."""
        return len(self.updates) + len(self.outputs)

    def values(self) -> dict[Any, np.ndarray]:
        """Return the value of each input, as NumPy lays it out."""
        pairs = zip(self.build()[0], self.inputs, strict=True)
        return {v: np.array(one.value(), one.kind) for v, one in pairs}

    def text_from(self, first: int = 0) -> str:
        """Return the steps from `first` on, and the outputs and updates."""
        read = [*self.outputs, *(k for update in self.updates for k in update)]
        return "\n".join([*self.steps[first:], *(f"v{k}" for k in read)])

    def __str__(self) -> str:
        lines = [f"# seed {self.seed}"]
        lines += [f"v{k} = {one!r}.variable('v{k}')" for k, one in enumerate(self.inputs)]
        lines += [f"v{k} = {text}" for k, text in enumerate(self.steps, len(self.inputs))]
        results = ", ".join(f"v{k}" for k in self.outputs)
        lines.append(f"outputs = [{results}]" + ("  # and gradients" if self.gradient else ""))
        updates = ", ".join(f"(v{k}, v{new})" for k, new in self.updates)
        lines += [f"updates = [{updates}]"] if updates else []
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
    wrt = [v for v in variables if differentiable(v)]
    if not wrt:
        return []
    found = T.grad(cost, wrt, disconnected_inputs="ignore", null_gradients="return")
    return [g for g in found if hasattr(g.type, "dtype")]


def differentiable(variable: Any) -> bool:
    constant = isinstance(variable, theano.Constant)
    return bool(variable.dtype.startswith("float")) and not constant


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
            str(rng.choice(list(LAYOUTS))) if rng.random() < 0.4 else "contiguous",
            int(rng.integers(1 << 30)),
            str(rng.choice(["argument", "argument", "argument", "constant", "shared"])),
            bool(rng.random() < 0.5),
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
    variables = [one.variable(f"v{k}") for k, one in enumerate(inputs)]
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
    updates = []
    for k, one in enumerate(inputs):
        fitting = [n for n, v in enumerate(variables) if n != k and v.type == variables[k].type]
        if one.origin == "shared" and fitting and rng.random() < 0.7:
            updates.append((k, int(rng.choice(fitting))))
    gradient = bool(rng.random() < 0.5)
    program = Program(inputs, tuple(steps), tuple(sorted(outputs)), gradient, seed, tuple(updates))
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
    """Return the results in a mode or way, or the class of the error; None: the reference."""
    try:
        if mode is None:
            return evaluate(program.build()[1], program.values())
        return mode(program) if callable(mode) else called_twice(program, mode)
    except ERRORS as error:
        return f"{type(error).__name__}: {error}"


def called_twice(program: Program, mode: Any) -> list[np.ndarray]:
    """Return the results of a function: the second call gives them again, with the arguments kept.

    Raises
    ------
    RuntimeError
        If it does not.
    """
    variables, results = program.build()
    pairs = list(zip(variables, program.inputs, strict=True))
    arguments = [v for v, one in pairs if one.origin == "argument"]
    updated = [variables[k] for k, _ in program.updates]
    new = dict(zip(updated, results, strict=False))
    with theano.config.change_flags(vector_width=WIDTHS[program.seed % len(WIDTHS)]):
        f = theano.function(
            arguments, results[len(new) :], updates=new, mode=mode, on_unused_input="ignore"
        )
    values = [one.value() for one in program.inputs if one.origin == "argument"]
    kept = [np.array(a) for a in values]
    calls = []
    for _ in range(2):
        for v, one in pairs:
            if one.origin == "shared":
                v.set_value(one.value())
        outputs = f(*values)
        calls.append([*(v.get_value() for v in updated), *outputs])
    if not all(map(identical, *calls)):
        raise RuntimeError("the second call gives other results")
    if not all(map(identical, kept, values)):
        raise RuntimeError("an argument was changed")
    return calls[0]


def identical(one: Any, two: Any) -> bool:
    """Tell whether two arrays have the same bits; any NaN is any other."""
    numbers = one.dtype.kind in "fc"
    return one.dtype == two.dtype and np.array_equal(one, two, equal_nan=numbers)


def as_body(program: Program) -> Body:
    """Return the results as a function of what is not constant."""
    variables, results = program.build()
    pairs = zip(program.inputs, variables, strict=True)
    free = {v: one.value() for one, v in pairs if one.origin != "constant"}

    def build(*new: Any) -> list[Any]:
        return theano.clone(results, dict(zip(free, new, strict=True)))

    return Body([v.type for v in free], list(free.values()), build)


def ways_of(seed: int) -> dict[str, Callable[[Program], list[np.ndarray]]]:
    """Return ways to run the program of a seed, besides modes."""
    rng = np.random.default_rng(seed)
    levels = [LEVELS[k] for k in rng.integers(len(LEVELS), size=seed % 3)]
    name = ", ".join(level.__name__ for level in levels)
    ways = {name: lambda program: nested(as_body(program), levels).results()} if levels else {}
    if seed % 4 == 0:
        ways["in place"] = lambda program: as_body(program).results(mutable=True)
    return ways


MODES: dict[str, Any] = {"rewritten": "FAST_RUN", "as written": theano.Mode("llvm", None)}
WIDTHS = [0, 128, 256, 512]


def difference(program: Program) -> str | None:
    """Return what is wrong with a program, or None."""
    tolerance = precision(program.build()[1])
    wanted = values_of(program, None)
    if program.gradient and tolerance == TOLERANCE["float64"] and not isinstance(wanted, str):
        text = wrong_slope(program, wanted)
        if text is not None:
            return text
    for name, mode in (MODES | ways_of(program.seed)).items():
        got = values_of(program, mode)
        if isinstance(wanted, str) or isinstance(got, str):
            if isinstance(wanted, str) and isinstance(got, str):
                continue
            return f"{name}: {str(got)[:400]}\nreference: {str(wanted)[:400]}"
        for k, (one, two) in enumerate(zip(got, wanted, strict=True)):
            text = mismatch(one, two, tolerance)
            if text and k > program.plain and rounding_decides(program, wanted, tolerance):
                continue
            if text:
                return f"{name}, result {k}: {text}"
    return None


def wrong_slope(program: Program, wanted: list[np.ndarray]) -> str | None:
    """Compare the gradients with finite differences along one direction."""
    count = program.plain
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


def along(program: Program) -> tuple[dict[Any, np.ndarray], Callable[..., list[np.ndarray]]]:
    """Return a direction for each input of floats, and some results after a step along it."""
    outputs, values = program.build()[1], program.values()
    rng = np.random.default_rng(program.seed)
    directions = {v: rng.normal(size=a.shape) for v, a in values.items() if differentiable(v)}

    def results(step: float, first: int, last: int | None) -> list[np.ndarray]:
        moved = {v: a + step * directions[v] if v in directions else a for v, a in values.items()}
        return evaluate(outputs[first:last], moved)

    return directions, results


def rounding_decides(program: Program, wanted: list[np.ndarray], tolerance: float) -> bool:
    """Tell whether tiny steps change gradients: of items that are equal but for rounding, say."""
    first = program.plain + 1
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
        if not mentions(program.text_from(k + 1), name):
            return used(without(program, k, None))
    return program


def mentions(text: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", text) is not None


def without(program: Program, k: int, instead: int | None) -> Program:
    """Return a program without step `k`; variable `instead` takes the place of its result."""
    gone = k + len(program.inputs)

    def moved(number: int) -> int:
        number = instead if number == gone and instead is not None else number
        return number - 1 if number > gone else number

    left = replace(
        program,
        steps=program.steps[:k] + program.steps[k + 1 :],
        outputs=tuple(n for n in program.outputs if n != gone or instead is not None),
    )
    return renumbered(left, moved)


def renumbered(program: Program, moved: Callable[[int], int]) -> Program:
    """Return a program whose variables have other numbers."""

    def name(match: Any) -> str:
        return f"v{moved(int(match[1]))}"

    return replace(
        program,
        steps=tuple(re.sub(r"\bv(\d+)\b", name, text) for text in program.steps),
        outputs=tuple(sorted(set(map(moved, program.outputs)))),
        updates=tuple((moved(k), moved(new)) for k, new in program.updates),
    )


def without_input(program: Program, k: int) -> Program:
    """Return a program without an input that nothing uses."""
    left = replace(program, inputs=program.inputs[:k] + program.inputs[k + 1 :])
    return renumbered(left, lambda number: number - 1 if number > k else number)


def fails(program: Program) -> bool:
    try:
        return bool(program.outputs or program.updates) and difference(program) is not None
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
    for k in range(len(program.updates)):
        updates = program.updates[:k] + program.updates[k + 1 :]
        yield used(replace(program, updates=updates))
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
        if len(program.inputs) > 1 and not mentions(program.text_from(), f"v{k}"):
            yield without_input(program, k)
        plainer = [replace(one, layout="contiguous"), replace(one, broadcastable=False)]
        if all(k != updated for updated, _ in program.updates):
            plainer.append(replace(one, origin="argument"))
        for plain in plainer:
            if plain != one:
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

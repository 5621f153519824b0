"""Print the largest error of every elementary and special function as a table for the documents.

Run as `python tools/ulp.py [draws]`; `draws` numbers come from each region (1000 by default). The
references, regions and bounds are those of tests/lower/llvm/math/test_elementary.py, in ulp, and of
tests/exact/test_ulp.py, in the units that the docstring of the function names.
"""

import sys
from pathlib import Path

import mpmath

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("", "lower", "lower/llvm/math", "ops", "exact")
sys.path[:0] = [str(ROOT / "src"), *(str(ROOT / "tests" / folder) for folder in FOLDERS)]

import test_elementary as suite  # noqa: E402  (the path must be set first)
import test_ulp as special  # noqa: E402
from kernel_jig import Kernel  # noqa: E402
from registry import OPS  # noqa: E402


def worst(name: str, dtype: str, draws: int) -> tuple[float, float]:
    """The largest error in ulp, and the argument that has it."""
    case = suite.CASES[name]
    x = suite.inputs(dtype, case.regions, draws)
    got = Kernel(lambda b, x: getattr(b, name)(x), (dtype,), 8)(x)
    with mpmath.workprec(suite.PRECISION):
        errors = [
            suite.error_in_ulp(g, suite.exact_value(case.exact, v), dtype)
            for g, v in zip(got, x, strict=True)
        ]
    error = max(errors)
    return error, float(x[errors.index(error)])


def worst_special(name: str, dtype: str, draws: int) -> tuple[float, float]:
    """The largest error of a special function, and the argument that has it."""
    x, errors = special.errors_of(name, dtype, draws)
    return max(errors), float(x[errors.index(max(errors))])


def main() -> None:
    """Print the table."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print("| function | bound | float32 | at | float64 | at |")
    print("| --- | --- | --- | --- | --- | --- |")
    rows = [(name, case.ulp, worst) for name, case in suite.CASES.items()]
    rows += [(name, OPS[name].ulp, worst_special) for name in special.SPECIAL]
    for name, bound, measure in rows:
        cells = [name, f"{bound:g}"]
        for dtype in suite.FLOATS:
            error, where = measure(name, dtype, draws)
            cells += [f"{error:.2f}", f"{where:.9g}"]
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()

"""Write the table of speed in README from the tables of docs/performance.md.

    .venv/bin/python tools/speed_summary.py

Run it after new figures of `make bench` stand there.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLES = ROOT / "docs" / "performance.md"
README = ROOT / "README.md"
COLUMNS = {
    "NumPy": "numpy",
    "Theano": "theano",
    "PyTensor": "pytensor",
    "JAX": "jax",
    "PyTorch": "torch",
}
# What README says of a row, and the row: the first of this name in the tables.
ROWS = {
    "a call with two numbers": "f(1.0, 2.0)",
    "a training step": "training step",
    "an expression of 10⁶ float64, each": "1e6 numbers, float64, each",
    "sum of 10⁷ along rows of 1,000": "10,000 × 1,000, axis 1",
    "LSTM, cost and gradients": "LSTM, cost and gradients",
    "MLP 784-500-500-10, a step on 128 images": "MLP 784-500-500-10, a step on 128 images, float32",
    "attention with gradients": "attention of 4 axes, with gradients, float32",
    "a normal random number, float64": "normal, float64, each",
    "import, beyond NumPy": "import, beyond NumPy",
    "compile and first step": "compile and first step, cold cache, wall",
}
UNITS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
PLACE = re.compile(r"(<!-- speeds: begin -->\n).*?(<!-- speeds: end -->)", re.DOTALL)


def tables() -> dict[str, dict[str, str]]:
    """Return the cells of each row by the names of their columns."""
    found: dict[str, dict[str, str]] = {}
    head: list[str] = []
    for line in TABLES.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            head = []
        elif not head:
            head = cells
        elif set(line) - set("|-: "):
            found.setdefault(cells[0], dict(zip(head[1:], cells[1:], strict=False)))
    return found


def figure(cell: str) -> str:
    """Return a time with three digits, in the unit that suits it."""
    match = re.match(r"([\d.e+]+) (\w+)", cell)
    if match is None:
        return ""
    seconds = float(match[1]) * UNITS[match[2]]
    unit = next((u for u, size in UNITS.items() if seconds < 999.5 * size), "s")
    return f"{seconds / UNITS[unit]:.3g} {unit}"


def summary() -> str:
    """Return the table."""
    rows = tables()
    lines = ["| | " + " | ".join(COLUMNS) + " |", "| --- |" + " ---: |" * len(COLUMNS)]
    for label, name in ROWS.items():
        cells = [figure(rows[name].get(column, "")) for column in COLUMNS.values()]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def readme() -> str:
    """Return README with the table as it is to be."""
    text, count = PLACE.subn(lambda m: f"{m[1]}\n{summary()}\n{m[2]}", README.read_text())
    assert count == 1
    return text


if __name__ == "__main__":
    README.write_text(readme())

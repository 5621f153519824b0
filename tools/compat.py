"""Write `docs/compat.md`: each public name of Theano 1.0.5, and how it is here.

    .venv/bin/python tools/compat.py

A name is the same, differs as `compat_table.py` says, or is refused with an advice when it is used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import surface
from compat_table import CLIENTS, DIFFERENCES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "compat.md"
HEAD = """# Theano 1.0.5, name by name

Made by `tools/compat.py`; `tools/surface.py` counts. *Same* means: same arguments, same results,
same errors where tests of the original ask for them. What differs everywhere (Python 3.11,
settings, the order of sums) is in the [changelog](../CHANGELOG.md). Names that are refused can be
imported; who uses one gets a `NotImplementedError` with the advice in the last column.
"""
TOLD = """\
`make test-clients` names the reason of each failure. They are names and conversions that NumPy
and SciPy removed, and other libraries that the tests ask for; five tests meet a difference:
NumPy's functions of variables are variables, shapes are checked, a last bit, and logarithms of
densities are finite where these underflow (two tests).
"""
REPEATED = """## Positions that repeat

`T.set_subtensor(x[i], x[i] + v)` says: where a position is twice in `i`, the last `v` stays. The
default mode of Theano 1.0.5 rewrote it into `T.inc_subtensor(x[i], v)`, which adds both, and
programs train by that. So does every mode here that rewrites. `optimizer_excluding=add_repeated`
in THEANO_FLAGS, or `mode.excluding("add_repeated")`, gives NumPy's meaning.

```python
import numpy as np

import theano
import theano.tensor as T

x, i = T.dvector("x"), T.lvector("i")
out = T.set_subtensor(x[i], x[i] + 1)
arguments = (np.zeros(2), [0, 0])
assert theano.function([x, i], out)(*arguments)[0] == 2
numpys = theano.compile.mode.get_default_mode().excluding("add_repeated")
assert theano.function([x, i], out, mode=numpys)(*arguments)[0] == 1
```

Gradients with regard to `v` of `T.set_subtensor(x[i], v)` are those of Theano, too: each item of
`v` has the slope of its position, also one that another is written over. `T.Rop` has it of the last
only.

```python
v = T.dvector("v")
out = T.set_subtensor(x[i], v)
slopes = [T.grad(out.sum(), v), T.Rop(out, v, v)]
slope, tangent = theano.function([x, i, v], slopes)(np.zeros(2), [0, 0], [1, 5])
assert slope.tolist() == [1, 1] and tangent.tolist() == [5, 0]
```
"""


def status(name: str) -> tuple[str, str]:
    """Return the status of a name and what there is to say."""
    found = surface.found(name)
    if not found:
        return "missing", ""
    advice = getattr(found[0], "advice", None)
    if isinstance(advice, str):
        return "refused", advice
    return ("differs", DIFFERENCES[name]) if name in DIFFERENCES else ("same", "")


def _sections() -> Iterator[str]:
    for title, priorities in surface.names().items():
        names = [name for listed in priorities.values() for name in listed]
        by = {name: status(name) for name in names}
        others = [(name, *by[name]) for name in names if by[name][0] != "same"]
        same = [f"`{name}`" for name in names if by[name][0] == "same"]
        yield f"## {title}\n"
        if others:
            yield "| name | status | difference |\n| --- | --- | --- |"
            yield "\n".join(f"| `{name}` | {kind} | {text} |" for name, kind, text in others) + "\n"
        if same:
            yield "Same: " + ", ".join(same) + ".\n"


def _clients() -> str:
    rows = [f"| {name} | {passed} | {failed} |" for name, (passed, failed) in CLIENTS.items()]
    whose = "Their own tests, by `make test-clients`; of Pymanopt, whose release has none, ours:"
    head = f"## Libraries\n\n{whose}\n"
    table = ["| library | passed | failed |", "| --- | --- | --- |", *rows]
    return "\n".join([head, *table, "", TOLD])


def page() -> str:
    """Return the page."""
    return "\n".join([HEAD, _clients(), REPEATED, *_sections()])


def main() -> None:
    """Write it."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()

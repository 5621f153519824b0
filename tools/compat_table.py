"""What differs from Theano 1.0.5, by name: the part of `docs/compat.md` that a person writes."""

from theano._core.legacy.differences import DIFFERENCES

__all__ = ["CLIENTS", "DIFFERENCES"]

# Test suites of libraries written for 1.0.5: name → (passed, failed), by `make test-clients`.
CLIENTS = {
    "Lasagne 0.1": (485, 0),
    "Keras 2.3.1": (902, 9),
    "SymPy": (38, 0),
    "Pymanopt 0.2.4": (14, 0),
    "TheanoLM": (23, 0),
    "PyMC3 3.9.3": (3466, 108),
    "PyMC3 3.11.5": (4687, 124),
}

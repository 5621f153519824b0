"""Loads and stores of some lanes of a vector."""

from __future__ import annotations


def masked(access: str, vector: str, suffix: str, mask: str) -> tuple[str, str]:
    """Return the name and the declaration of a 'load' or 'store' of some lanes of a vector.

    Parameters
    ----------
    access : str
    vector, mask : str
        Types.
    suffix : str
        What stands for the type of the vector in names.
    """
    name = f"@llvm.masked.{access}.{suffix}.p0"
    if access == "load":
        return name, f"declare {vector} {name}(ptr, i32, {mask}, {vector})"
    return name, f"declare void {name}({vector}, ptr, i32, {mask})"

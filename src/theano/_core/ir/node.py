"""The class that variables and applied operations have in common."""

from __future__ import annotations


class Node:
    """What graphs are made of: variables and applied operations."""

    __slots__ = ()

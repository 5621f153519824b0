"""Steps that run together, for some rows at a time."""

from __future__ import annotations

from typing import ClassVar

from theano._core.lower.schedule import Step


class Joined(Step):
    """Steps that are done as one.

    Attributes
    ----------
    parts : list of Step
    writer : str
        The module of `builder` that writes such steps.
    """

    __slots__ = ("parts",)

    writer: ClassVar[str]

    def __init__(self, parts: list[Step]) -> None:
        super().__init__(parts[0].nodes[0], 0, None, None, sum(s.weight for s in parts))
        self.nodes = [node for part in parts for node in part.nodes]
        self.users = [user for part in parts for user in part.users]
        self.again = {node: None for part in parts for node in part.again}
        self.parts = parts

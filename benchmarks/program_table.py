"""What a whole program is, and the list of them that the files of programs fill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Data = Callable[..., list[np.ndarray]]


@dataclass
class Program:
    """A function of a framework's words and of arrays.

    Parameters
    ----------
    name : str
    build : function
        Of the words and the arrays; what it returns is what the program computes.
    data : function
        Of a generator of random numbers and of sizes; returns the arrays.
    sizes, tiny : tuple of int
        What is measured, and what tests run.
    wrt : tuple of int
        The arrays by which the result, a number, is differentiated. None: it is not.
    rate : float
        If not 0, these arrays are states, each of which loses its gradient times this.
    derivative : str
        'gradient', of a number, with it; or 'jacobian' or 'hessian' alone.
    by_hand : function
        Of the arrays; the result and its derivatives, as someone writes them with NumPy, or the
        result alone if there are none, or states are changed, in place. None: `build`.
    loops : bool
        Whether it has many steps, which torch does not compile in useful time.
    """

    name: str
    build: Callable[..., Any]
    data: Data
    sizes: tuple[int, ...]
    tiny: tuple[int, ...]
    wrt: tuple[int, ...] = ()
    rate: float = 0.0
    derivative: str = "gradient"
    by_hand: Callable[..., list[Any]] | None = None
    loops: bool = False

    def arrays(self, sizes: tuple[int, ...]) -> list[np.ndarray]:
        return [np.asarray(a) for a in self.data(np.random.RandomState(11), *sizes)]


PROGRAMS: dict[str, Program] = {}


def program(name: str, data: Data, sizes: tuple[int, ...], tiny: tuple[int, ...], **options: Any):
    """Return what adds a function to the programs."""

    def add(build: Callable[..., Any]) -> Callable[..., Any]:
        PROGRAMS[name] = Program(name, build, data, sizes, tiny, **options)
        return build

    return add


def by_hand(name: str):
    """Return what makes a function the one that NumPy runs for a program."""

    def add(function: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
        PROGRAMS[name].by_hand = function
        return function

    return add

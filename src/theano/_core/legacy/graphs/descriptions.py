"""Texts that say how a variable is made, for comparisons and messages."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from theano._core.ir.variable import Variable


def hex_digest(x: np.ndarray) -> str:
    """Return a hash of the items, strides and shape of an array.

    Parameters
    ----------
    x : ndarray

    Returns
    -------
    str

    Examples
    --------
    >>> theano.printing.hex_digest(np.zeros(2)) == theano.printing.hex_digest(np.zeros(2))
    True
    """
    if not isinstance(x, np.ndarray):
        raise AssertionError(f"an array is needed, got {type(x).__name__}")
    strides, shape = (",".join(map(str, numbers)) for numbers in (x.strides, x.shape))
    return f"{hashlib.sha256(x.tobytes()).hexdigest()}|strides=[{strides}]|shape=[{shape}]"


def position_independent_str(obj: object) -> str:
    """Return a text for a variable that has no address in it; NotImplementedError for others.

    Parameters
    ----------
    obj : TensorVariable

    Returns
    -------
    str

    Examples
    --------
    >>> theano.printing.position_independent_str(T.dvector("x"))
    'theano_var{type=TensorType(float64, vector)}'
    """
    if not isinstance(obj, Variable):
        raise NotImplementedError(f"only variables have such a text, got {type(obj).__name__}")
    return f"theano_var{{type={obj.type}}}"


def _letters(number: int) -> str:
    """Return A, B, …, Z, AA, AB, … for 0, 1, …."""
    text = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, 26)
        text = chr(ord("A") + digit) + text
    return text


def var_descriptor(obj: object) -> str:
    """Return one line that says how a variable is computed, without addresses.

    Equal texts mean equal computations. A part that occurs again is a reference to the first.

    Parameters
    ----------
    obj : variable, or anything else
        Of what is no variable: its text.

    Returns
    -------
    str

    Examples
    --------
    >>> import theano.tensor as T
    >>> x = T.dscalar("x")
    >>> var_descriptor(x * x)
    'A=Elemwise{mul,no_inplace}(B=x,<B>)'
    """
    tags: dict[int, str] = {}
    done: list[str] = []
    # What is still to be written, last first: objects, and texts as they are.
    todo: list[Any] = [_Object(obj)]
    while todo:
        item = todo.pop()
        if not isinstance(item, _Object):
            done.append(item)
            continue
        tag = tags.get(id(item.value))
        if tag is not None:
            done.append(f"<{tag}>")
            continue
        tag = tags[id(item.value)] = _letters(len(tags))
        owner = getattr(item.value, "owner", None)
        if owner is None:
            done.append(f"{tag}={_leaf(item.value)}")
            continue
        done.append(f"{tag}={owner.op}(")
        todo.append(")")
        for position, value in reversed(list(enumerate(owner.inputs))):
            todo.append(_Object(value))
            if position:
                todo.append(",")
    return "".join(done)


class _Object:
    def __init__(self, value: object) -> None:
        self.value = value


def _leaf(obj: Any) -> str:
    if isinstance(obj, (np.ndarray, np.generic)):
        array = np.asarray(obj)
        strides = ",".join(map(str, array.strides))
        digest = hashlib.sha256(array.tobytes()).hexdigest()
        return f"<ndarray:strides=[{strides}],digest={digest}>"
    if getattr(obj, "name", None) is not None:
        return obj.name
    text = str(obj)
    return position_independent_str(obj) if " at 0x" in text else text

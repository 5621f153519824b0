"""`explain`: what compiling made of a function, and what could make it faster, in words."""

from __future__ import annotations

import sys
from typing import Any


def explain(f: object, file: Any = None) -> Any:
    """Say what compiling made of a function: what was fused, what was not and why, what is slow.

    Parameters
    ----------
    f : compiled function
    file : file object, 'str' or None
        Where to write: None is the standard output, 'str' returns the text.

    Returns
    -------
    str or file object
        The text if `file` is 'str', else `file`.

    Raises
    ------
    TypeError
        `f` is no compiled function.

    Examples
    --------
    >>> import theano, theano.tensor as T
    >>> x = T.fmatrix("x")
    >>> f = theano.function([x], (x * T.constant(0.5, dtype="float64")).sum())
    >>> text = theano.explain(f, file="str")
    >>> "float64" in text and "one loop" in text
    True
    """
    maker = getattr(f, "maker", None)
    if maker is None:
        raise TypeError(
            f"explain takes a compiled function, got {type(f).__name__}: "
            "theano.explain(theano.function([...], ...))"
        )
    # Functions that are found in the cache do without what it needs.
    from theano._core.api.debug.explained import explanation

    text = explanation(f)
    if file == "str":
        return text
    (sys.stdout if file is None else file).write(text)
    return file

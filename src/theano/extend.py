"""Operations of your own, declared as ours are.

`elementwise` declares a scalar function that fuses into native loops; classes derived from
`Structured` are operations on whole arrays; classes derived from `Op` are written as in Theano
1.0.5, and `as_op` makes one of a function. `check` runs the generic tests of an operation.
`rule` writes a rewriting rule as two expressions, `add_rule` has the compiler use it, and
`add_backend` runs functions by other means than native code.
"""

from theano._core.base.stubs import listed_in_stub as _listed_in_stub

__getattr__ = _listed_in_stub(__name__)

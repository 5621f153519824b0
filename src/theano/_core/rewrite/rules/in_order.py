"""All rules, in the order in which those of a phase are tried."""

from __future__ import annotations

from theano._core.rewrite.rule import Rule
from theano._core.rewrite.rules import (
    absorbing,
    blas,
    canonical,
    inc_subtensor,
    inner_graphs,
    inverses,
    joins,
    linalg,
    logarithms,
    masks,
    one_hot,
    products,
    reduced_products,
    reversals,
    shapes,
    special,
    stable,
    subtensor,
    switch,
    weighted_quotients,
    weighted_sums,
)

RULES: tuple[Rule, ...] = (
    *shapes.RULES,
    *canonical.RULES,
    *products.RULES,
    *absorbing.RULES,
    *stable.RULES,
    *linalg.RULES,
    *one_hot.RULES,
    *masks.RULES,
    *special.RULES,
    *blas.RULES,
    *inner_graphs.RULES,
    *inc_subtensor.RULES,
    *switch.RULES,
    *inverses.RULES,
    *logarithms.RULES,
    *weighted_sums.RULES,
    *weighted_quotients.RULES,
    *joins.RULES,
    *reduced_products.RULES,
    *subtensor.RULES,
    *reversals.RULES,
)

"""Random variables from the generator MRG31k3p."""

from theano._core.api.random.mrg import (
    MRG_RandomStreams,
)
from theano._core.api.random.mrg_states import (
    M1,
    M2,
    ff_2p72,
    ff_2p134,
    guess_n_streams,
    matVecModM,
    mrg_next_value,
    multMatVect,
)
from theano._core.legacy.ops.random_ops import (
    DotModulo,
)
from theano._core.legacy.paths import old_names as _old_names
from theano._core.ops.random.mrg import (
    MASK2,
    MASK12,
    MASK13,
    MULT2,
    NORM,
    A1p72,
    A1p134,
    A2p72,
    A2p134,
    mrg_uniform,
)

# Its name in Theano-PyMC.
MRG_RandomStream = MRG_RandomStreams

__all__ = [
    "M1",
    "M2",
    "MASK2",
    "MASK12",
    "MASK13",
    "MULT2",
    "NORM",
    "A1p72",
    "A1p134",
    "A2p72",
    "A2p134",
    "DotModulo",
    "MRG_RandomStream",
    "MRG_RandomStreams",
    "ff_2p72",
    "ff_2p134",
    "guess_n_streams",
    "matVecModM",
    "mrg_next_value",
    "mrg_uniform",
    "multMatVect",
]

__getattr__ = _old_names(__name__)

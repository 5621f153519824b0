"""Write tests/golden/pickles_theano105.pkl: what old programs have pickled of their models.

Run under Python 3.7 with Theano==1.0.5, numpy==1.17.5 and scipy==1.4.1:
THEANO_FLAGS=cxx=,floatX=float64,traceback.limit=0 python tools/golden_pickles.py
"""

import os
import pickle

import numpy as np

import theano
import theano.tensor as T
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor.shared_randomstreams import RandomStreams

PATH = os.path.join(os.path.dirname(__file__), "..", "tests", "golden", "pickles_theano105.pkl")
W = theano.shared(np.arange(6.0).reshape(2, 3), name="W")
row = theano.shared(np.ones((1, 3), "float32"), name="row", broadcastable=(True, False))
x = T.dvector("x")
VALUES = {
    "parameters": [W, row],
    "scalar": theano.shared(2.5, "s"),
    "list": theano.shared([1, 2]),
    "type": W.type,
    "input": x,
    "constant": T.constant(np.arange(3.0)),
    "streams": RandomStreams(3),
    "mrg": MRG_RandomStreams(3),
    "graph": T.exp(x),
    "function": theano.function([x], T.exp(x)),
}

with open(PATH, "wb") as file:
    pickle.dump({name: pickle.dumps(value, 2) for name, value in VALUES.items()}, file, 2)

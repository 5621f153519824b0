"""What differs from Theano 1.0.5 under the same name; `python -m theano compat` tells it."""

# What another implementation of the same name would not tell: name → difference.
DIFFERENCES: dict[str, str] = {
    "theano.function": (
        "functions are compiled by LLVM, without a C compiler; unused branches and what only their "
        "gradients need are not computed. `f.maker.fgraph` shows the rewritten graph with "
        "operations whole that are written out here, such as softmax and those on sparse matrices, "
        "results that are arguments as copies, products by their names in BLAS, and no checks of "
        "lengths; "
        "`f.maker.graph`, which `debugprint` prints, is what is lowered"
    ),
    "theano.In": (
        "`mutable=True`: the result of elementwise operations and writes to parts is copied into "
        "the argument when all is computed"
    ),
    "theano.scan": (
        "any number of steps, none included; too few items are a ValueError; a step that changes "
        "the shape of a state names the step; constants in `outputs_info` take the dtype that a "
        "step returns, if it holds them, which was a ValueError"
    ),
    "theano.tensor.as_tensor_variable": (
        "a masked array of NumPy that masks an item is a TypeError, also as an operand: the mask "
        "was left out"
    ),
    "theano.tensor.constant": (
        "as there, equal numbers from -10 to 10 are one variable while it is in use, but none that "
        "has a name or attributes in its `tag`"
    ),
    "theano.tensor.default": (
        "chooses when the graph is made: where an argument of a function is no array, calls fail"
    ),
    "theano.tensor.setdefault": "as `default`",
    "theano.grad": (
        "the branch of `ifelse` that is not taken cannot make NaN; that of the mean and of the "
        "smallest of integers with respect to these is not 0"
    ),
    "theano.Op.perform": (
        "as there, what is nothing but a result of the function may have another type than was "
        "declared, without `infer_shape`; everywhere else that is a TypeError, as is all of it "
        "under the linker `py`, and an InvalidValueError in DebugMode"
    ),
    "theano.gof.COp": (
        "arrays that `perform` gets are read-only unless `destroy_map` names them; its results are "
        "checked; without `perform` it is refused: C code is not compiled"
    ),
    "theano.gradient.jacobian": "`vectorized=True` needs no loop",
    "theano.gradient.hessian": "needs no loop",
    "theano.tensor.reshape": (
        "all lengths must make up the number of items, as in NumPy, also where only the shape is "
        "asked for: 1.0.5 let `(1, 3)` pass for 2 items, and said `[1, 2]` of 3 items as `(-1, 2)`"
    ),
    "theano.printing.debugprint": (
        "of a function, an index that is known stands in the name of the operation "
        "(`Subtensor{-1}`) and is no input; `program=True` prints what runs"
    ),
    "theano.pp": "a known index is its number: `x[1]`, not `x[Constant{1}]`",
    "theano.printing.pydotprint": "writes SVG or DOT itself where pydot is not installed",
    "theano.tensor.set_subtensor": (
        "as there, `set_subtensor(x[i], x[i] + v)` adds every `v` where a position repeats: see "
        "below; of a part such as `x[1:, None]`, the result has the axes of `x`, where it had the "
        "new ones, too"
    ),
    "theano.tensor.inc_subtensor": (
        "`inplace=True` overwrites arguments only; of parts with new axes as `set_subtensor`"
    ),
    "theano.tensor.unravel_index": "`order='F'` counts in that order, which was ignored",
    "theano.tensor.nlinalg.trace": (
        "of more than two axes, one of each matrix of the stack; they were one sum, of the items "
        "that are on a diagonal of the first two axes"
    ),
    "theano.tensor.bincount": "counts are int64, as NumPy's; they had the dtype of what is counted",
    "theano.tensor.permute_row_elements": "with `inverse=True`, the gradient is right",
    "theano.tensor.repeat": "takes one number for each item of every axis, with a gradient",
    "theano.tensor.topk": "`sorted=True` works",
    "theano.tensor.argtopk": "`sorted=True` works",
    "theano.tensor.topk_and_argtopk": "`sorted=True` works",
    "theano.tensor.cumprod": "the gradient is right where items are zero",
    "theano.tensor.std": "`ddof` is taken off the number of items, which was off each length",
    "theano.tensor.var": "`ddof` is taken off the number of items, which was off each length",
    "theano.tensor.tril": "zeros also where NaN or infinity is dropped",
    "theano.tensor.triu": (
        "zeros also where NaN or infinity is dropped; of bools and unsigned integers it keeps the "
        "dtype, which was a wider one"
    ),
    "theano.tensor.gammainc": "has both derivatives",
    "theano.tensor.nlinalg.svd": "has a gradient",
    "theano.tensor.nlinalg.qr": "has a gradient",
    "theano.tensor.nlinalg.eig": "has a gradient",
    "theano.tensor.nlinalg.det": "the gradient exists at singular matrices",
    "theano.tensor.nlinalg.lstsq": "has a gradient",
    "theano.tensor.nlinalg.matrix_power": "the power 0 is the identity",
    "theano.tensor.slinalg.expm": "the gradient is exact for matrices that are not symmetric, too",
    "theano.tensor.nnet.conv2d": (
        "image and kernel may be of two dtypes, or "
        "float16; a kernel larger than the image is an error"
    ),
    "theano.tensor.signal.pool.pool_2d": (
        "what holds NaN is NaN; averages with `pad` have gradients"
    ),
    "theano.tensor.shared_randomstreams.RandomStreams": (
        "a failed call leaves the streams as they were; a negative length is a ValueError"
    ),
    "theano.sandbox.rng_mrg.MRG_RandomStreams": (
        "draws have derivatives by bounds, mean and deviation"
    ),
    "theano.compile.Mode": (
        "linkers name a backend (native code, NumPy, JAX); options about thunks and memory have "
        "no effect"
    ),
    "theano.compile.monitormode.MonitorMode": "functions run with NumPy, one node at a time",
    "theano.compile.nanguardmode.NanGuardMode": (
        "functions run natively, and node by node where a number is wrong; where operations have "
        "effects of their own, such as `Print`, always so"
    ),
    "theano.compile.DebugMode": "compares native code, NumPy and the graph before rewriting",
    "theano.compile.optdb": (
        "rewrites of the engine are not in it: `canonicalize`, `stabilize` and `specialize` run "
        "its phases; users' run where registered"
    ),
    "theano.config": "`device=cuda*` warns once: `mode='JAX'` runs functions on a GPU",
}

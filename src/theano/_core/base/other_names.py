"""What names of NumPy, PyTorch, JAX and TensorFlow are called here, for messages of errors."""

from __future__ import annotations

_STREAM = "theano.tensor.random.Stream(seed)"

# Of variables and functions alike: a name → what is written here.
_ANYWHERE = {
    "randint": f"{_STREAM}.integers(shape, low, high)",
    "randn": f"{_STREAM}.normal(shape)",
    "rand": f"{_STREAM}.uniform(shape)",
    "detach": "theano.gradient.disconnected_grad(x)",
    "stop_gradient": "theano.gradient.disconnected_grad(x)",
    "no_grad": "theano.gradient.disconnected_grad(x)",
    "unsqueeze": "theano.tensor.expand_dims(x, axis)",
    "permute": "x.dimshuffle(1, 0)",
    "mm": "theano.tensor.dot(x, y), or x @ y",
    "bmm": "theano.tensor.matmul(x, y), or x @ y",
    "masked_fill": "theano.tensor.switch(mask, value, x)",
    "gather": "theano.tensor.take(x, index, axis)",
    "numel": "x.size",
    "expand": "theano.tensor.alloc(x, *shape), and most operations need none",
    "expand_as": "theano.tensor.fill(y, x), and most operations need none",
    "broadcast_to": "theano.tensor.alloc(x, *shape), and most operations need none",
}
# Of variables only.
_METHODS = {
    "numpy": "x.eval({...}), or a function that returns x",
    "cpu": "x.eval({...}), or a function that returns x",
    "tolist": "x.eval({...}).tolist()",
    "backward": "theano.grad(x, wrt): it returns the gradient as an expression",
    "grad": "theano.grad(cost, x): it returns the gradient as an expression",
    "requires_grad": "theano.grad(cost, x), which takes any variable",
    "requires_grad_": "theano.grad(cost, x), which takes any variable",
    "grad_fn": "x.owner",
    "at": "theano.tensor.set_subtensor(x[...], value), and inc_subtensor",
    "append": "theano.tensor.concatenate([x, y])",
    "float": "x.astype('float32')",
    "double": "x.astype('float64')",
    "half": "x.astype('float16')",
    "int": "x.astype('int32')",
    "long": "x.astype('int64')",
    "type_as": "x.astype(y.dtype)",
    "to": "x.astype(dtype); all is computed in the one device that there is",
    "cuda": "x itself: all is computed in the one device that there is",
    "assign": "theano.function(..., updates=[(w, value)]) for a shared variable w",
    "assign_sub": "theano.function(..., updates=[(w, w - step)]) for a shared variable w",
    "set_value": "w.set_value(...) of a shared variable w, and x is an expression",
    "get_value": "x.eval({...}); shared variables have get_value()",
    "update": "theano.function(..., updates=[(w, value)]) for a shared variable w",
    "view": "x.reshape(shape)",
    "fill_": "theano.tensor.fill(x, value)",
    "add_": "x + y: an expression never changes",
    "mul_": "x * y: an expression never changes",
    "copy_": "w.set_value(value) for a shared variable w",
    "item": "x.eval({...}).item()",
    "get_shape": "x.shape",
    "block_until_ready": "nothing: functions return when they are done",
    "contiguous": "x itself",
}
# Of modules only.
_NO_LAYERS = "shared variables and expressions: there are no layers"
_FUNCTIONS = {
    "cat": "theano.tensor.concatenate([x, y], axis=0)",
    "array": "theano.tensor.as_tensor_variable(value), or theano.shared(value)",
    "asarray": "theano.tensor.as_tensor_variable(value), or theano.shared(value)",
    "from_numpy": "theano.tensor.as_tensor_variable(value), or theano.shared(value)",
    "reduce_sum": "theano.tensor.sum(x, axis)",
    "reduce_mean": "theano.tensor.mean(x, axis)",
    "reduce_max": "theano.tensor.max(x, axis)",
    "reduce_min": "theano.tensor.min(x, axis)",
    "reduce_prod": "theano.tensor.prod(x, axis)",
    "add_n": "theano.tensor.add(x, y, z)",
    "concat": "theano.tensor.concatenate([x, y], axis=0)",
    "square": "theano.tensor.sqr(x)",
    "Session": "theano.function([x], y), which is called with values",
    "Variable": "theano.shared(value)",
    "Tensor": "theano.tensor.as_tensor_variable(value), or theano.shared(value)",
    "GradientTape": "theano.grad(cost, wrt)",
    "value_and_grad": "theano.gradient.value_and_grad(cost, wrt)",
    "device_put": "theano.shared(value): all is computed in the one device that there is",
    "placeholder": "theano.tensor.matrix('x')",
    "nn": "theano.tensor.nnet",
    "jit": "theano.function([x], y)",
    "compile": "theano.function([x], y)",
    "vmap": "theano.vectorize(function)",
    "pmap": "theano.vectorize(function)",
    "jacfwd": "theano.gradient.jacobian(y, x)",
    "jacrev": "theano.gradient.jacobian(y, x)",
    "cond": "theano.ifelse.ifelse(condition, x, y)",
    "while_loop": "theano.scan, whose steps may return theano.scan_module.until(condition)",
    "fori_loop": "theano.scan(step, outputs_info=initial, n_steps=n)",
    "lax": "theano.scan and theano.ifelse.ifelse",
    "random": f"{_STREAM}.normal(shape)",
    "optim": "theano.function(..., updates=[(w, w - rate * theano.grad(cost, w))])",
    "Linear": _NO_LAYERS,
    "Dense": _NO_LAYERS,
    "Sequential": _NO_LAYERS,
    "Module": _NO_LAYERS,
    "max_pool": "theano.tensor.signal.pool.pool_2d(x, (2, 2), ignore_border=True)",
    "max_pool2d": "theano.tensor.signal.pool.pool_2d(x, (2, 2), ignore_border=True)",
    "cross_entropy": "theano.tensor.nnet.categorical_crossentropy(softmax(x), y).mean()",
}
# Arguments: a name → those that it may be called here.
KEYWORDS = {
    "dim": ("axis",),
    "keepdim": ("keepdims",),
    "stride": ("subsample", "stride"),
    "strides": ("subsample", "stride"),
    "padding": ("border_mode", "pad"),
    "dilation": ("filter_dilation",),
    "groups": ("num_groups",),
    "slope": ("alpha",),
    "negative_slope": ("alpha",),
    "init": ("outputs_info",),
    "carry": ("outputs_info",),
    "xs": ("sequences",),
    "taps": ("outputs_info",),
    "length": ("n_steps",),
    "reverse": ("go_backwards",),
    "requires_grad": (),
}
# Functions that other libraries call with another number of arguments.
_CALLS = {
    ("switch", 1): "theano.tensor.nonzero(condition)",
    ("log", 2): "theano.tensor.log(x) / theano.tensor.log(base)",
    ("clip", 2): "theano.tensor.maximum(x, low)",
    ("round", 2): "theano.tensor.round(x * 10**digits) / 10**digits",
}
_ELSEWHERE = (
    "theano.tensor",
    "theano.tensor.nnet",
    "theano.tensor.nlinalg",
    "theano.tensor.slinalg",
    "theano.tensor.extra_ops",
    "theano.gradient",
)


def written_here(name: str, module: bool) -> str:
    """Return, after a blank, what is written for a name of another library; '' if that is unknown.

    Parameters
    ----------
    name : str
    module : bool
        Whether it was looked for in a module, not in a variable.
    """
    replacement = _ANYWHERE.get(name) or (_FUNCTIONS if module else _METHODS).get(name)
    return f" Here one writes {replacement}." if replacement else ""


def call_for(name: str, count: int) -> str:
    """Return, as a sentence, what is written for a call with so many arguments; '' if unknown."""
    replacement = _CALLS.get((name, count))
    return f". Here one writes {replacement}." if replacement else ""


def module_with(name: str, but: str) -> str:
    """Return, after a blank, where there is a public function of this name; '' if nowhere."""
    from importlib import import_module

    for module in _ELSEWHERE:
        space = import_module(module)
        if module != but and name in dir(space) and callable(getattr(space, name)):
            return f" It is {module}.{name}."
    return ""

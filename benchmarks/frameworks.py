"""The words that whole programs are written in, for each framework: one class each.

A program is a function of these words and of arrays. Names that frameworks share are those of
NumPy's functions; what they spell differently is a method here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import scipy.special

Build = Callable[..., Any]


def as_list(results: Any) -> list[Any]:
    return list(results) if isinstance(results, (list, tuple)) else [results]


class Words:
    """A module of functions of arrays, with what is said of it in the same way everywhere."""

    def __init__(self, module: Any) -> None:
        self.module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self.module, name)

    def sigmoid(self, x: Any) -> Any:
        return 1 / (1 + self.exp(-x))

    def softmax(self, x: Any) -> Any:
        e = self.exp(x - self.amax(x, -1))
        return e / e.sum(axis=-1)[..., None]

    def log_sum(self, x: Any, axis: int) -> Any:
        top = self.amax(x, axis)
        return self.log(self.exp(x - top).sum(axis=axis)) + top.sum(axis=axis)

    def amax(self, x: Any, axis: int) -> Any:
        """Return the largest items along an axis, which stays with length 1."""
        return x.max(axis=axis, keepdims=True)

    def cast(self, x: Any, dtype: str) -> Any:
        return x.astype(dtype)

    def inverse(self, x: Any) -> Any:
        return self.linalg.inv(x)

    def cholesky(self, x: Any) -> Any:
        return self.linalg.cholesky(x)

    def solve(self, a: Any, b: Any) -> Any:
        return self.linalg.solve(a, b)

    def lower_solve(self, a: Any, b: Any) -> Any:
        """Return the solution for a lower triangle."""
        return self.linalg.solve(a, b)

    def log_diagonal(self, a: Any) -> Any:
        """Return the sum of the logarithms on the diagonal."""
        return self.log(self.diagonal(a)).sum()

    def put(self, x: Any, part: Any, y: Any) -> Any:
        """Return `x` with a part of it set to `y`."""
        x = x.copy()
        x[part] = y
        return x

    def repeat(self, step: Callable[..., Any], starts: Sequence[Any], steps: int) -> list[Any]:
        """Return the last of the states."""
        raise NotImplementedError


class WithNumPy(Words):
    """All is computed at once: the reference of each program."""

    def __init__(self) -> None:
        super().__init__(np)
        self.erf = scipy.special.erf

    def top(self, x: Any, count: int) -> Any:
        """Return the largest items of rows, in no order."""
        return np.partition(x, -count, axis=-1)[:, -count:]

    def filter_rows(self, x: Any, response: Any) -> Any:
        """Return rows whose Fourier transforms are multiplied by real numbers."""
        return np.fft.irfft(np.fft.rfft(x) * response)

    def lower_solve(self, a: Any, b: Any) -> Any:
        return scipy.linalg.solve_triangular(a, b, lower=True, check_finite=False)

    def add_rows(self, table: Any, index: Any, rows: Any) -> Any:
        table = table.copy()
        np.add.at(table, index, rows)
        return table

    def scan(self, step, sequences, starts, backwards=False):
        state, rows = starts, []
        for items in zip(*(s[:: -1 if backwards else 1] for s in sequences), strict=True):
            state = step(*items, *state)
            rows.append(state)
        return [np.stack(values) for values in zip(*rows, strict=True)]

    def repeat(self, step, starts, steps):
        for _ in range(steps):
            starts = step(*starts)
        return list(starts)

    def function(self, build: Build, arrays: list[Any]) -> Callable[[], list[Any]]:
        return lambda: as_list(build(self, *arrays))


class Symbolic(Words):
    """Theano, or a framework that is written as it is."""

    def __init__(self, base: Any, tensor: Any) -> None:
        super().__init__(tensor)
        self.base = base

    def scan(self, step, sequences, starts, backwards=False):
        rows, _ = self.base.scan(
            step, sequences=sequences, outputs_info=starts, go_backwards=backwards
        )
        return as_list(rows)

    def repeat(self, step, starts, steps):
        rows, _ = self.base.scan(step, outputs_info=list(starts), n_steps=steps)
        return [row[-1] for row in as_list(rows)]

    def put(self, x, part, y):
        return self.set_subtensor(x[part], y)

    def equal(self, x, y):
        return self.eq(x, y)

    def log_sum(self, x, axis):
        return self.logsumexp(x, axis=axis)

    def log_diagonal(self, a):
        return self.log(self.module.diagonal(a)).sum()

    def add_rows(self, table, index, rows):
        return self.inc_subtensor(table[index], rows)

    def filter_rows(self, x, response):
        # Real and imaginary parts lie along a last axis.
        return self.fft.irfft(self.fft.rfft(x) * response[:, None])

    def variables(self, arrays: list[Any]) -> list[Any]:
        # Python's numbers take the width of the arrays, as with NumPy.
        single = any(a.dtype == "float32" for a in arrays)
        self.base.config.floatX = "float32" if single else "float64"
        kind = self.tensor_type
        return [kind(a.dtype.name, (None,) * a.ndim)() for a in arrays]

    def function(self, build, arrays):
        inputs = self.variables(arrays)
        f = self.base.function(inputs, as_list(build(self, *inputs)))
        return lambda: f(*arrays)

    def gradient(self, build, arrays, wrt):
        inputs = self.variables(arrays)
        cost = build(self, *inputs)
        f = self.base.function(inputs, [cost, *self.grad(cost, [inputs[i] for i in wrt])])
        return lambda: f(*arrays)

    def second(self, kind, build, arrays, wrt):
        inputs = self.variables(arrays)
        derive = getattr(self.base.gradient, kind)
        result = derive(build(self, *inputs), inputs[wrt], **self.together.get(kind, {}))
        f = self.base.function(inputs, as_list(result))
        return lambda: f(*arrays)

    def train(self, build, arrays, wrt, rate):
        inputs = self.variables(arrays)
        states = {i: self.base.shared(arrays[i].copy()) for i in wrt}
        cost = build(self, *(states.get(i, v) for i, v in enumerate(inputs)))
        gradients = self.grad(cost, list(states.values()))
        rate = np.asarray(rate, self.base.config.floatX)
        updates = [(w, w - rate * g) for w, g in zip(states.values(), gradients, strict=True)]
        given = [i for i in range(len(arrays)) if i not in states]
        f = self.base.function([inputs[i] for i in given], cost, updates=updates)
        rest = [arrays[i] for i in given]
        return lambda: f(*rest), lambda: [w.get_value() for w in states.values()]

    def wait(self, results: Any) -> Any:
        return results


class WithTheano(Symbolic):
    together = {"jacobian": {"vectorized": True}}  # all rows in one pass

    def __init__(self) -> None:
        import theano
        import theano.tensor
        import theano.tensor.fft
        import theano.tensor.linalg
        import theano.tensor.slinalg

        super().__init__(theano, theano.tensor)
        self.slinalg = theano.tensor.slinalg

    def tensor_type(self, dtype: str, shape: tuple) -> Any:
        return self.module.TensorType(dtype, (False,) * len(shape))

    def softmax(self, x):
        return self.nnet.softmax(x)

    def top(self, x, count):
        return self.topk(x, count, sorted=False)

    def lower_solve(self, a, b):
        return self.slinalg.solve_lower_triangular(a, b)


class WithPyTensor(Symbolic):
    together = {"jacobian": {"vectorize": True}}

    def softmax(self, x):
        return self.special.softmax(x, axis=-1)

    def top(self, x, count):
        return self.sort(x, axis=-1)[:, -count:]

    def __init__(self) -> None:
        import pytensor
        import pytensor.tensor
        import pytensor.tensor.fft
        import pytensor.tensor.special

        super().__init__(pytensor, pytensor.tensor)

    def tensor_type(self, dtype: str, shape: tuple) -> Any:
        return self.module.TensorType(dtype, shape)

    def scan(self, step, sequences, starts, backwards=False):
        return as_list(
            self.base.scan(
                step,
                sequences=sequences,
                outputs_info=starts,
                go_backwards=backwards,
                return_updates=False,
            )
        )

    def repeat(self, step, starts, steps):
        rows = self.base.scan(step, outputs_info=list(starts), n_steps=steps, return_updates=False)
        return [row[-1] for row in as_list(rows)]

    def lower_solve(self, a, b):
        return self.module.linalg.solve_triangular(a, b, lower=True)

    def bincount(self, x, weights=None, minlength=0):
        return self.module.extra_ops.bincount(x, weights, minlength)


class WithJax(Words):
    def __init__(self) -> None:
        import jax
        import jax.numpy

        jax.config.update("jax_enable_x64", True)
        super().__init__(jax.numpy)
        self.jax = jax
        self.erf = jax.scipy.special.erf
        self.softmax = jax.nn.softmax
        self.log_sum = jax.scipy.special.logsumexp
        self.wait = jax.block_until_ready

    def top(self, x, count):
        return self.jax.lax.top_k(x, count)[0]

    def filter_rows(self, x, response):
        return self.module.fft.irfft(self.module.fft.rfft(x) * response)

    def lower_solve(self, a, b):
        return self.jax.scipy.linalg.solve_triangular(a, b, lower=True)

    def bincount(self, x, weights=None, minlength=0):
        return self.module.bincount(x, weights, length=minlength)

    def put(self, x, part, y):
        return x.at[part].set(y)

    def add_rows(self, table, index, rows):
        return table.at[index].add(rows)

    def scan(self, step, sequences, starts, backwards=False):
        def next_state(state, items):
            new = step(*items, *state)
            return new, new

        sequences = [s[:: -1 if backwards else 1] for s in sequences]
        return self.jax.lax.scan(next_state, tuple(starts), sequences)[1]

    def repeat(self, step, starts, steps):
        # Reverse-mode derivatives go through `scan` and not through `fori_loop`.
        return self.jax.lax.scan(
            lambda state, _: (tuple(step(*state)), None), tuple(starts), None, steps
        )[0]

    def function(self, build, arrays):
        f, arrays = self.jax.jit(partial(build, self)), self.jax.device_put(arrays)
        return lambda: as_list(self.wait(f(*arrays)))

    def gradient(self, build, arrays, wrt):
        f = self.jax.jit(self.jax.value_and_grad(partial(build, self), wrt))
        arrays = self.jax.device_put(arrays)

        def call():
            cost, gradients = self.wait(f(*arrays))
            return [cost, *gradients]

        return call

    def second(self, kind, build, arrays, wrt):
        derive = {"jacobian": self.jax.jacrev, "hessian": self.jax.hessian}[kind]
        f, arrays = self.jax.jit(derive(partial(build, self), wrt)), self.jax.device_put(arrays)
        return lambda: [self.wait(f(*arrays))]

    def train(self, build, arrays, wrt, rate):
        def step(states, rest):
            def cost(states):
                given, old = iter(rest), iter(states)
                chosen = [next(old if i in wrt else given) for i in range(len(arrays))]
                return build(self, *chosen)

            value, gradients = self.jax.value_and_grad(cost)(states)
            return value, [w - rate * g for w, g in zip(states, gradients, strict=True)]

        f = self.jax.jit(step, donate_argnums=0)
        states = [self.jax.numpy.array(arrays[i]) for i in wrt]
        rest = self.jax.device_put([a for i, a in enumerate(arrays) if i not in wrt])

        def call():
            value, states[:] = self.wait(f(states, rest))
            return value

        return call, lambda: states


class WithTorch(Words):
    compiled = True  # else run eagerly

    def __init__(self) -> None:
        import torch

        super().__init__(torch)
        self.erf = torch.special.erf

    def wait(self, results: Any) -> Any:
        return results

    def jit(self, f: Callable[..., Any]) -> Callable[..., Any]:
        if not self.compiled:
            return f
        self.module._dynamo.reset()  # it gives up where it has compiled many
        return self.module.compile(f, dynamic=False)

    def softmax(self, x):
        return self.module.softmax(x, -1)

    def log_sum(self, x, axis):
        return self.module.logsumexp(x, axis)

    def amax(self, x, axis):
        return x.amax(axis, keepdim=True)

    def maximum(self, x, y):
        return x.clamp(min=y) if isinstance(y, (int, float)) else self.module.maximum(x, y)

    def equal(self, x, y):
        return x == y

    def cast(self, x, dtype):
        return x.to(getattr(self.module, dtype))

    def sort(self, x):
        return self.module.sort(x)[0]

    def roll(self, x, shift, axis):
        return self.module.roll(x, shift, axis)

    def concatenate(self, parts, axis=0):
        return self.module.cat(parts, axis)

    def stack(self, parts, axis=0):
        return self.module.stack(parts, axis)

    def eye(self, n):
        return self.module.eye(n, dtype=self.module.float64)

    def zeros(self, shape):
        return self.module.zeros(shape, dtype=self.module.float64)

    def cumsum(self, x, axis=0):
        return self.module.cumsum(x, axis)

    def tensordot(self, a, b, axes):
        return self.module.tensordot(a, b, axes)

    def top(self, x, count):
        return self.module.topk(x, count)[0]

    def filter_rows(self, x, response):
        return self.module.fft.irfft(self.module.fft.rfft(x) * response)

    def lower_solve(self, a, b):
        column = b if b.ndim == 2 else b[:, None]
        found = self.linalg.solve_triangular(a, column, upper=False)
        return found if b.ndim == 2 else found[:, 0]

    def bincount(self, x, weights=None, minlength=0):
        return self.module.bincount(x, weights, minlength=minlength)

    def put(self, x, part, y):
        x = x.clone()
        x[part] = y
        return x

    def add_rows(self, table, index, rows):
        return table.index_add(0, index, rows)

    def scan(self, step, sequences, starts, backwards=False):
        state, rows = starts, []
        sequences = [s.flip(0) if backwards else s for s in sequences]
        for items in zip(*sequences, strict=True):
            state = step(*items, *state)
            rows.append(state)
        return [self.module.stack(values) for values in zip(*rows, strict=True)]

    repeat = WithNumPy.repeat

    def tensors(self, arrays):
        return [self.module.from_numpy(a.copy()) for a in arrays]

    def function(self, build, arrays):
        f, arrays = self.jit(partial(build, self)), self.tensors(arrays)

        def call():
            with self.module.no_grad():
                return as_list(f(*arrays))

        return call

    def gradient(self, build, arrays, wrt):
        f, arrays = self.jit(partial(build, self)), self.tensors(arrays)
        leaves = [arrays[i].requires_grad_() for i in wrt]

        def call():
            cost = f(*arrays)
            return [cost.detach(), *self.module.autograd.grad(cost, leaves)]

        return call

    def second(self, kind, build, arrays, wrt):
        derive = {"jacobian": self.module.func.jacrev, "hessian": self.module.func.hessian}[kind]
        f, arrays = self.jit(derive(partial(build, self), wrt)), self.tensors(arrays)
        return lambda: [f(*arrays)]

    def train(self, build, arrays, wrt, rate):
        f, arrays = self.jit(partial(build, self)), self.tensors(arrays)
        leaves = [arrays[i].requires_grad_() for i in wrt]

        def call():
            cost = f(*arrays)
            gradients = self.module.autograd.grad(cost, leaves)
            with self.module.no_grad():
                for w, g in zip(leaves, gradients, strict=True):
                    w.sub_(g, alpha=rate)
            return cost.detach()

        return call, lambda: [w.detach() for w in leaves]


FRAMEWORKS = {
    "numpy": WithNumPy,
    "theano": WithTheano,
    "pytensor": WithPyTensor,
    "jax": WithJax,
    "torch": WithTorch,
}

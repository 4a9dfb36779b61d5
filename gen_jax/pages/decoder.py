"""A decoder as a short list of operations on arrays, its weights among them, which a page runs in plain JavaScript.

The decoder is traced by JAX. What does not depend on the latents is computed here. What is left becomes five kinds of
operations: elementwise functions, products of matrices, convolutions, reductions, and moves of elements. So a decoder
of any model is known whose primitives are: no model is known by its name.
"""
from collections.abc import Callable, Iterable
from math import prod
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import lax
from jax.extend.core import ClosedJaxpr, Literal

from gen_jax.embed import as_base64
from gen_jax.layers import conv

INLINED = ("jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call", "remat2", "checkpoint")
ELEMENTWISE = (  # those of decoder.js
    "abs", "add", "and", "ceil", "clamp", "cos", "div", "eq", "erf", "erfc", "exp", "exp2", "expm1", "floor", "ge",
    "gt", "is_finite", "le", "log", "log1p", "logistic", "lt", "max", "min", "mul", "ne", "neg", "not", "or", "pow",
    "rsqrt", "select_n", "sign", "sin", "sqrt", "square", "sub", "tanh")
REDUCTIONS = {"reduce_sum": "sum", "reduce_max": "max", "reduce_min": "min"}
SAME = ("copy", "stop_gradient")
TYPES = (np.float32, np.bool_)  # the page's numbers: it neither rounds to others nor has their bits


class Unknown(Exception):
    """The name of a primitive that the page does not know."""


class Ref(NamedTuple):
    """An array that depends on the latents: one of the page's arrays, in some shape."""

    index: int
    shape: tuple[int, ...]


class Program(NamedTuple):
    """What the page runs: step i computes the array of its index, "out", from those of its indices "in"."""

    arrays: list[str]  # constants: base64 of float16 where that is exact, else of float32, after a letter
    steps: list[dict]
    output: int

    @property
    def size(self) -> int:
        """Characters of all constants, and of the places that elements move to."""
        return sum(map(len, self.arrays)) + sum(len(step.get("index", "")) for step in self.steps)

    def content(self) -> dict:
        """As JSON has it. The page's array 0 is the latents; the constants follow."""
        return self._asdict()


def program(decode: Callable, latent_dim: int) -> Program:
    """The program of decode: z [1,Z] -> x [1,...]. Raises Unknown."""
    with conv.plain():
        traced = jax.make_jaxpr(decode)(jax.ShapeDtypeStruct((1, latent_dim), np.float32))
    writer = Writer()
    (output,) = _walk(traced, [Ref(0, (1, latent_dim))], writer)
    if not isinstance(output, Ref):
        raise Unknown("no latents")
    return writer.program(output)


class Writer:
    """Collects the steps of a program. Constants are numbered below 0 until all are known."""

    def __init__(self):
        self.arrays, self.steps = [], []

    def step(self, op: str, inputs: Iterable[Ref | np.ndarray], shape: tuple[int, ...], **params) -> Ref:
        """A new array of this shape, made by op."""
        out = Ref(1 + len(self.steps), shape)
        self.steps.append({"op": op, "in": [self._index(array) for array in inputs], "out": out.index,
                           "size": prod(shape), **params})
        return out

    def move(self, function: Callable, *inputs: Ref | np.ndarray) -> Ref:
        """What function makes of the inputs, which only moves elements: it is applied to their numbers."""
        ends = np.cumsum([0, *(prod(array.shape) for array in inputs)])
        numbers = function(*(np.arange(start, end).reshape(array.shape)
                             for start, end, array in zip(ends, ends[1:], inputs, strict=False)))
        if isinstance(inputs[0], Ref) and np.array_equal(numbers.ravel(), np.arange(ends[1])):
            return Ref(inputs[0].index, numbers.shape)
        return self.step("gather", inputs, numbers.shape, index=as_base64(numbers, "<i4"))

    def program(self, output: Ref) -> Program:
        """The program that ends with output."""
        constants = len(self.arrays)

        def placed(index: int) -> int:
            return -index if index < 0 else index + constants * (index > 0)
        steps = [step | {"in": [*map(placed, step["in"])], "out": placed(step["out"])} for step in self.steps]
        return Program(self.arrays, steps, placed(output.index))

    def _index(self, array: Ref | np.ndarray) -> int:
        if isinstance(array, Ref):
            return array.index
        self.arrays.append(_constant(array))
        return -len(self.arrays)


def _walk(traced: ClosedJaxpr, inputs: list, writer: Writer) -> list[Ref | np.ndarray]:
    """The outputs of a traced function: an array where it is known, else a Ref to what the page will compute."""
    values = dict(zip(traced.jaxpr.constvars, map(np.asarray, traced.consts), strict=True))
    values |= dict(zip(traced.jaxpr.invars, inputs, strict=True))

    def read(atom: Any) -> Ref | np.ndarray:
        return np.asarray(atom.val) if isinstance(atom, Literal) else values[atom]
    for eqn in traced.jaxpr.eqns:
        arrays = [read(atom) for atom in eqn.invars]
        values |= dict(zip(eqn.outvars, _outputs(eqn, arrays, writer), strict=True))
    return [read(atom) for atom in traced.jaxpr.outvars]


def _outputs(eqn: Any, arrays: list, writer: Writer) -> list[Ref | np.ndarray]:
    name = eqn.primitive.name
    if name in INLINED:
        inner = eqn.params.get("jaxpr") or eqn.params["call_jaxpr"]
        return _walk(inner if isinstance(inner, ClosedJaxpr) else ClosedJaxpr(inner, ()), arrays, writer)
    if any(isinstance(array, Ref) for array in arrays):
        if name == "split":
            return _split(arrays[0], writer, **eqn.params)
        if eqn.primitive.multiple_results:
            raise Unknown(name)
        made = eqn.outvars[0].aval
        if made.dtype not in TYPES:
            raise Unknown(f"{name} in {made.dtype}")
        return [_translated(name, arrays, eqn.params, made.shape, writer)]
    if by_numpy := MOVES.get(name) or KNOWN.get(name):
        return [by_numpy(*arrays, **eqn.params)]
    outputs = eqn.primitive.bind(*arrays, **eqn.params)
    return [np.asarray(output) for output in (outputs if eqn.primitive.multiple_results else [outputs])]


def _translated(name: str, arrays: list, params: dict, shape: tuple[int, ...], writer: Writer) -> Ref:
    """The array of this shape that a primitive makes of arrays, some of which depend on the latents."""
    if name in SAME:
        return arrays[0]
    if name in MOVES:
        return writer.move(lambda *numbers: MOVES[name](*numbers, **params), *arrays)
    if name in REDUCTIONS:
        return _reduced(REDUCTIONS[name], arrays[0], params["axes"], shape, writer)
    if name in OTHERS:
        return OTHERS[name](*arrays, params, shape, writer)
    if name not in ELEMENTWISE or len(arrays) > 3:
        raise Unknown(name)
    return writer.step(name, [_repeatable(array, shape, writer) for array in arrays], shape)


def _repeatable(array: Ref | np.ndarray, shape: tuple[int, ...], writer: Writer) -> Ref | np.ndarray:
    """array as it stands where repeating its elements in their order fills the shape; else broadcast to it."""
    own = array.shape
    while own and own[0] == 1:
        own = own[1:]
    return array if own == shape[len(shape) - len(own):] else _moved(lambda x: np.broadcast_to(x, shape), array, writer)


def _moved(function: Callable, array: Ref | np.ndarray, writer: Writer) -> Ref | np.ndarray:
    """function(array), which only moves elements."""
    return writer.move(function, array) if isinstance(array, Ref) else np.ascontiguousarray(function(array))


def _split(array: Ref, writer: Writer, sizes: tuple[int, ...], axis: int) -> list[Ref]:
    ends = np.cumsum([0, *sizes])
    return [writer.move(lambda x, at=at: x.take(np.arange(*at), axis), array)
            for at in zip(ends, ends[1:], strict=False)]


def _power(array: Ref, params: dict, shape: tuple[int, ...], writer: Writer) -> Ref:
    return writer.step("pow", [array, np.float32(params["y"])], shape)


def _converted(array: Ref, params: dict, shape: tuple[int, ...], writer: Writer) -> Ref:
    """A number is true where it is not 0; the page's booleans are numbers already."""
    return writer.step("ne", [array, np.float32(0)], shape) if params["new_dtype"] == np.bool_ else array


def _reduced(what: str, array: Ref, axes: tuple[int, ...], shape: tuple[int, ...], writer: Writer) -> Ref:
    """The sum, or the largest, over axes, which come to stand last."""
    kept = [axis for axis in range(len(array.shape)) if axis not in axes]
    array = _moved(lambda x: x.transpose(*kept, *axes), array, writer)
    return writer.step("reduce", [array], shape, what=what, inner=prod(array.shape[len(kept):]))


def _taken(array: Ref | np.ndarray, indices: Ref | np.ndarray, params: dict, shape: tuple[int, ...], writer: Writer
           ) -> Ref:
    """A gather, as upsampling by repeated pixels is one, at places that are known."""
    if isinstance(indices, Ref):
        raise Unknown("gather at places that depend on the latents")
    return writer.move(lambda x: np.asarray(lax.gather_p.bind(np.int32(x), indices, **params)), array)


def _matrices(a: Ref | np.ndarray, b: Ref | np.ndarray, params: dict, shape: tuple[int, ...], writer: Writer) -> Ref:
    """dot_general as products of rows: a as [batch, rows, inner], b as [batch, columns, inner]."""
    (inner_a, inner_b), (batch_a, batch_b) = params["dimension_numbers"]

    def in_order(array, batch, inner):
        free = [axis for axis in range(len(array.shape)) if axis not in (*batch, *inner)]
        order = (*batch, *free, *inner)
        return _moved(lambda x: x.transpose(order), array, writer), prod(array.shape[axis] for axis in free)
    (a, rows), (b, columns) = in_order(a, batch_a, inner_a), in_order(b, batch_b, inner_b)
    return writer.step("matmul", [a, b], shape, rows=rows, columns=columns,
                       inner=prod(a.shape) // (rows * prod(a.shape[:len(batch_a)])))


def _convolution(x: Ref | np.ndarray, kernel: Ref | np.ndarray, params: dict, shape: tuple[int, ...],
                 writer: Writer) -> Ref:
    """A convolution of images without groups: x as [B,H,W,C], the kernel as [h,w,C,N]."""
    numbers = params["dimension_numbers"]
    if len(shape) != 4 or params["feature_group_count"] != 1 or params["batch_group_count"] != 1:
        raise Unknown("conv_general_dilated with groups, or of other than two dimensions")
    x = _moved(lambda x: x.transpose(_channels_last(numbers.lhs_spec)), x, writer)
    _, _, *taps = numbers.rhs_spec
    kernel = _moved(lambda k: k.transpose(*taps, numbers.rhs_spec[1], numbers.rhs_spec[0]), kernel, writer)
    order = _channels_last(numbers.out_spec)
    made = writer.step("conv", [x, kernel], tuple(shape[axis] for axis in order),
                       x=x.shape, kernel=kernel.shape, y=[shape[axis] for axis in order],
                       strides=params["window_strides"], pads=[low for low, _ in params["padding"]],
                       spread=params["lhs_dilation"], dilation=params["rhs_dilation"])
    return _moved(lambda y: y.transpose(np.argsort(order)), made, writer)


def _channels_last(spec: tuple[int, ...]) -> tuple[int, ...]:
    """The axes (batch, rows, columns, channels) of a spec (batch, channels, rows, columns)."""
    batch, channels, *space = spec
    return (batch, *space, channels)


def _padded(x: np.ndarray, fill: np.ndarray, padding_config: Iterable[tuple[int, int, int]], **_) -> np.ndarray:
    for axis, (low, high, interior) in enumerate(padding_config):
        at, step = np.arange(-low, (x.shape[axis] - 1) * (interior + 1) + 1 + high), interior + 1
        inside = (at >= 0) & (at % step == 0) & (at // step < x.shape[axis])
        taken = x.take(np.where(inside, at // step, 0), axis)
        x = np.where(np.expand_dims(inside, [i for i in range(x.ndim) if i != axis]), taken, fill)
    return x


def _broadcast(x: np.ndarray, shape: tuple[int, ...], broadcast_dimensions: tuple[int, ...], **_) -> np.ndarray:
    at = iter(x.shape)
    return np.broadcast_to(x.reshape([next(at) if i in broadcast_dimensions else 1 for i in range(len(shape))]), shape)


def _sliced(x: np.ndarray, start_indices, limit_indices, strides, **_) -> np.ndarray:
    strides = strides or (1,) * x.ndim
    return x[tuple(map(slice, start_indices, limit_indices, strides))]


MOVES = {  # primitives that move elements, by numpy
    "broadcast_in_dim": _broadcast, "pad": _padded, "slice": _sliced,
    "concatenate": lambda *arrays, dimension: np.concatenate(arrays, dimension),
    "reshape": lambda x, new_sizes, **_: x.reshape(new_sizes),
    "rev": lambda x, dimensions: np.flip(x, dimensions),
    "squeeze": lambda x, dimensions: x.squeeze(tuple(dimensions)),
    "transpose": lambda x, permutation: x.transpose(permutation),
}
KNOWN = {  # of norms, whose statistics are known: numpy has nothing to compile
    "add": lambda a, b, **_: a + b, "sub": lambda a, b, **_: a - b, "mul": lambda a, b, **_: a * b,
    "rsqrt": lambda x, **_: 1 / np.sqrt(x),
}
OTHERS = {"dot_general": _matrices, "conv_general_dilated": _convolution, "integer_pow": _power, "gather": _taken,
          "convert_element_type": _converted}


def _constant(array: np.ndarray) -> str:
    """base64 of an array, after "e" for float16, which is exact here, or "f" for float32."""
    wide = np.asarray(array, np.float32)
    with np.errstate(over="ignore"):
        short = wide.astype(np.float16)
    is_exact = wide.size > 1 and np.array_equal(short.astype(np.float32), wide)
    return "e" + as_base64(short, "<f2") if is_exact else "f" + as_base64(wide, "<f4")

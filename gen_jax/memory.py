"""Whether what is asked for fits into memory: asked before anything is allocated."""
import math
import os
from typing import Any

import jax
from jax.extend.core import jaxprs_in_params

from gen_jax import cgroup
from gen_jax.errors import UserError

UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def check(num_bytes: float, what: str, advice: str) -> None:
    """UserError that says how large `what` would be, where that is more than this machine's memory."""
    if num_bytes > (there := of_machine()):
        raise UserError(f"{what} would take {size(num_bytes)} of memory, and this machine has {size(there)}; {advice}")


def check_on_device(num_bytes: float, what: str, advice: str) -> None:
    """The same of the device that computes: the machine itself, where that is a CPU."""
    there = (jax.devices()[0].memory_stats() or {}).get("bytes_limit") or of_machine()
    if num_bytes > there:
        raise UserError(f"{what} would take {size(num_bytes)} of memory, and the device has {size(there)}; {advice}")


def of_tree(tree: Any) -> int:
    """Bytes of the arrays of a tree, or of what their shapes say."""
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree)
               if not jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.extended))


def of_largest(jaxpr: Any) -> int:
    """Bytes of the largest array that a traced function makes on its way: what it needs at least."""
    made = [of_tree([out.aval for out in equation.outvars if hasattr(out.aval, "shape")]) for equation in jaxpr.eqns]
    inner = [of_largest(sub) for equation in jaxpr.eqns for sub in jaxprs_in_params(equation.params)]
    return max([*made, *inner], default=0)


def of_machine() -> int:
    """Bytes of memory that this process may have at most."""
    return int(min(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), cgroup.memory()))


def shortage(error: Exception) -> str:
    """The line for an error which says that memory has run out; "" for any other."""
    if not isinstance(error, MemoryError | jax.errors.JaxRuntimeError):
        return ""
    if isinstance(error, jax.errors.JaxRuntimeError) and "RESOURCE_EXHAUSTED" not in str(error):
        return ""
    why = str(error).partition("\n")[0] or type(error).__name__
    return f"out of memory ({why}); make the nets, train.batch_size or evals.batch_size smaller"


def size(num_bytes: float) -> str:
    """A number of bytes in words: "3.2 GB"."""
    power = min(int(math.log10(max(num_bytes, 1)) / 3), len(UNITS) - 1)
    return f"{num_bytes / 1000**power:.3g} {UNITS[power]}"

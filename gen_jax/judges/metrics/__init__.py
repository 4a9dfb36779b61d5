"""How near fake examples are to real ones, in features: each file here is a metric, found by its name.

It defines measure(real, fake) -> {quantity: number}, of two clouds, and may define

METRICS       {quantity: Metric}: what its numbers say
OFFICIAL      {quantity: its name in the features of the original FID}, where it has a name of its own there
PROTOCOL      {name: value}: what else its numbers depend on
LEAST         examples that each cloud must have; 2 where it says nothing
NEEDS_LOGITS  whether it asks for a classifier's logits
refuses       refuses(real, fake) -> why the number would mislead, or "": a person may ask for it all the same

All is computed in float64, a block of rows at a time: neither the order of the examples nor the size of a block changes
more than the rounding of a sum.
"""
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(eq=False)
class Cloud:
    """A set of examples in features."""

    x: np.ndarray  # [N,D]
    logits: np.ndarray | None = None  # [N,K]
    _known: dict[Callable, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.x)

    def once(self, function: Callable[[np.ndarray], Any]) -> Any:
        """function(x), computed when it is first asked for: many clouds are compared with one."""
        if function not in self._known:
            self._known[function] = function(self.x)
        return self._known[function]

    def rows(self, rows: np.ndarray) -> "Cloud":
        """The examples at rows, an index or a mask over N."""
        return Cloud(self.x[rows], None if self.logits is None else self.logits[rows])

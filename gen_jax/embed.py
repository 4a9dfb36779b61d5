"""Content that a page carries for its scripts: JSON, and arrays as base64."""
import base64
import json
from typing import Any

import numpy as np


def as_json(content: Any) -> str:
    """content as JSON that ends no script. Raises ValueError for a number that is not finite."""
    return json.dumps(content, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def as_base64(array: np.ndarray, dtype: str) -> str:
    """The numbers of array as dtype, "<f4" say, in base64."""
    return base64.b64encode(np.ascontiguousarray(array, dtype).tobytes()).decode()

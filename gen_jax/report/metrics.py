"""metrics.jsonl: one record an epoch, appended, never lost or doubled by a resume."""
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gen_jax.errors import UserError
from gen_jax.report.files import finite, write_atomically


class MetricsLog:
    """Records with a "step", one JSON line each."""

    def __init__(self, path: Path):
        self.path = path

    def append(self, record: Mapping[str, Any]) -> None:
        """Adds one record. Raises OSError."""
        with open(self.path, "a") as file:
            file.write(json.dumps(finite(record)) + "\n")

    def records(self) -> list[dict]:
        """All records, in order, but for a last one torn by a kill. A damaged one before it is a UserError."""
        if not self.path.exists():
            return []
        *lines, _ = self.path.read_bytes().split(b"\n")  # what stands after the last line's end is torn
        try:
            return [json.loads(line) for line in lines]
        except ValueError as error:
            raise UserError(f"{self.path}: has a damaged line ({error}); restore or remove the file") from error

    def rewind(self, step: int) -> None:
        """Drops what came after step: the run goes on from there and will write it again."""
        kept = [record for record in self.records() if record["step"] <= step]
        write_atomically(self.path, "".join(json.dumps(record) + "\n" for record in kept).encode())

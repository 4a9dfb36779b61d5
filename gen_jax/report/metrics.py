"""metrics.jsonl: one record an epoch, appended, never lost or doubled by a resume."""
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gen_jax.report.files import write_atomically


class MetricsLog:
    """Records with a "step", one JSON line each. Only what the seed decides is in them, so that two runs compare."""

    def __init__(self, path: Path):
        self.path = path

    def append(self, record: Mapping[str, Any]) -> None:
        """Adds one record. Raises OSError."""
        with open(self.path, "a") as file:
            file.write(json.dumps(record) + "\n")

    def records(self) -> list[dict]:
        """All whole records, in order; a line torn by a kill is left out."""
        if not self.path.exists():
            return []
        records = []
        for line in self.path.read_bytes().splitlines():
            try:
                records.append(json.loads(line))
            except ValueError:
                continue
        return records

    def rewind(self, step: int) -> None:
        """Drops what came after step: the run goes on from there and will write it again."""
        kept = [record for record in self.records() if record["step"] <= step]
        write_atomically(self.path, "".join(json.dumps(record) + "\n" for record in kept).encode())


class TensorBoard:
    """The same records as TensorBoard events, where config.log.tensorboard asks for them."""

    def __init__(self, folder: Path):
        from tensorboardX import SummaryWriter
        self.writer = SummaryWriter(str(folder))

    def append(self, record: Mapping[str, Any]) -> None:
        """Adds one record's numbers at its step."""
        for name, value in record.items():
            if name != "step":
                self.writer.add_scalar(name, value, record["step"])
        self.writer.flush()

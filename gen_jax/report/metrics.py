"""metrics.jsonl: one record an epoch, appended, never lost or doubled by a resume."""
import itertools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gen_jax.errors import UserError
from gen_jax.report.files import finite
from gen_jax.report.terminal import say
from gen_jax.whole import write_atomically


class MetricsLog:
    """Records with a "step", one JSON line each.

    A checkpoint keeps a copy of the log, `content` after `sync`. Given that copy, what has been lost, doubled or edited
    since then is noticed, and the copy counts.
    """

    def __init__(self, path: Path):
        self.path = path
        self.content = bytearray()  # what this process knows the file to be, once it has rewound it

    def append(self, record: Mapping[str, Any]) -> None:
        """Adds one record. Raises OSError."""
        line = (json.dumps(finite(record)) + "\n").encode()
        with open(self.path, "ab") as file:
            file.write(line)
        self.content += line

    def sync(self) -> bytes:
        """The content, once it is on the disk: before the checkpoint that counts on it. Raises OSError."""
        with open(self.path, "ab") as file:
            os.fsync(file.fileno())
        return bytes(self.content)

    def records(self) -> list[dict]:
        """All records, in order, but for a last one torn by a kill. A damaged one before it is a UserError."""
        try:
            return _parsed(self._read())
        except ValueError as error:
            raise UserError(f"{self.path}: has a damaged line ({error}); restore or remove the file") from error

    def history(self, step: int, copy: bytes | None = None) -> list[dict]:
        """The records up to step.

        copy: the log as the checkpoint of this step has it. Where the file does not begin with it, the copy counts. A
        line says so, but where there is no file: a run that was sent to someone needs none.
        """
        if copy is None:
            return [record for record in self.records() if record["step"] <= step]
        if self.path.exists() and not self._continues(copy, step):
            say(f"{self.path}: is not as it was when step {step} was saved; the checkpoint's copy is used, and "
                "launching the training again puts it back")
        return _parsed(copy)

    def rewind(self, step: int, copy: bytes | None = None) -> None:
        """Drops the records after step, which the run will write again. Raises OSError.

        copy: the log as the checkpoint of this step has it. Where the file does not begin with it, the file is set
        aside, the copy takes its place, and a line says so.
        """
        if copy is None:
            copy = "".join(json.dumps(record) + "\n" for record in self.history(step)).encode()
        elif not self._continues(copy, step):
            aside = f"set aside as {self._set_aside()}" if self.path.exists() else "lost"
            say(f"{self.path}: was not as it was when step {step} was saved, and is {aside}; the checkpoint's copy is "
                "put in its place")
        write_atomically(self.path, copy, sync=True)
        self.content = bytearray(copy)

    def _read(self) -> bytes:
        """What is in the file; nothing where there is none."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise UserError(f"{self.path}: cannot be read ({error.strerror})") from error

    def _continues(self, copy: bytes, step: int) -> bool:
        """Whether the file is copy and, after it, records of later steps."""
        content = self._read()
        try:
            return content.startswith(copy) and all(record["step"] > step for record in _parsed(content[len(copy):]))
        except ValueError:
            return False

    def _set_aside(self) -> Path:
        numbers = (i for i in itertools.count(1) if not self.path.with_name(f"{self.path.name}.damaged{i}").exists())
        aside = self.path.with_name(f"{self.path.name}.damaged{next(numbers)}")
        os.replace(self.path, aside)
        return aside


def _parsed(content: bytes) -> list[dict]:
    """The records in content, but for a last one without a line's end. Raises ValueError."""
    *lines, _ = content.split(b"\n")  # what stands after the last line's end is torn
    records = []
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
        except RecursionError:
            record = None
        if not isinstance(record, dict) or type(record.get("step")) is not int:
            raise ValueError(f"line {number} is no record with a step")
        records.append(record)
    return records

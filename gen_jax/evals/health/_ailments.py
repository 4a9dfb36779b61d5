"""What a verdict on training is: ailments that hold to the end of the run, and the sentence that says them.

Which ailments there are, and by what evidence, is in a file for each family of games: _gan_ailments.py,
_vae_ailments.py.
"""
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Ailment(NamedTuple):
    """One thing that can be wrong."""

    name: str
    holds: Callable[[list[dict], int], bool]  # (records, index): whether it does at this record
    evidence: Callable[[list[dict]], str]  # of the last record, and what to try


class Family(NamedTuple):
    """What is known of the health of one family of games."""

    ailments: tuple[Ailment, ...]  # the gravest first
    reads: tuple[str, ...]  # what a record must have, by name
    least: int  # records that a verdict takes
    lacking: str  # what a person reads where there are fewer
    unclear: str  # what a person reads where a number could not be measured
    health: Callable[[dict], str]  # of the last record, where nothing ails it


def whole(history: list[dict], names: tuple[str, ...]) -> list[dict]:
    """The records that have all of names; what is null there, because it was not finite, is not a number."""
    return [{name: np.nan if value is None else value for name, value in record.items()}
            for record in history if all(name in record for name in names)]


def verdict(family: Family, records: list[dict]) -> str:
    """A sentence: the gravest ailment that holds to the last of records, its first step and evidence; or health.

    Others that hold as well are named at its end. records: as whole gives them.
    """
    if len(records) < family.least:
        return (f"unknown: {len(records)} records have all signals, and a verdict takes {family.least}; "
                f"{family.lacking}")
    if found := onsets(family, records):
        (ailment, first), *others = found
        also = ", ".join(f"{other.name} since step {_when(record)}" for other, record in others)
        return (f"{ailment.name} since step {_when(first)}: {ailment.evidence(records)}"
                f"{f'; also {also}' if also else ''}")
    last = records[-1]
    if unclear := [name for name in family.reads if not np.isfinite(last[name])]:
        return f"unknown at step {_when(last)}: {', '.join(unclear)} could not be measured; {family.unclear}"
    return f"healthy at step {_when(last)}: {family.health(last)}"


def onsets(family: Family, records: list[dict]) -> list[tuple[Ailment, dict]]:
    """Each ailment that holds to the last of records, the gravest first, and the record since which it does.

    There is none where a verdict takes more records than these.
    """
    if len(records) < family.least:
        return []
    lasts = [(ailment, _since(ailment, records)) for ailment in family.ailments]
    return [(ailment, records[since]) for ailment, since in lasts if since < len(records)]


def _since(ailment: Ailment, records: list[dict]) -> int:
    """The index of the record since which an ailment holds to the last; how many there are where it does not."""
    since = len(records)
    while since and ailment.holds(records, since - 1):
        since -= 1
    return since


def _when(record: dict) -> str:
    return f"{record['step']} (epoch {record['epoch']})" if "epoch" in record else str(record["step"])

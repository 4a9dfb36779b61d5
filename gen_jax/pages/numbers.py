"""The numbers of result.json as a table: units, directions, and each number's protocol."""
from collections.abc import Mapping

from gen_jax.report.summary import COLUMNS, headlines, rows
from gen_jax.types import Metric


def table(result: Mapping, metrics: Mapping[str, Metric]) -> list[dict]:
    """A row for each quantity: {"name", "unit", "better", "headline", "values": {column: {"value", "protocol"}}}.

    result: result.json. metrics: what is declared of its numbers.
    """
    numbers, protocols = result["metrics"], result.get("protocols") or {}
    known = [row.name for row in headlines(numbers, metrics)]
    found: dict[str, dict] = {}
    for name in numbers:
        for row in rows({name: numbers[name]}, metrics):
            of = found.setdefault(row.name, {"name": row.name, "unit": row.metric.unit, "better": row.metric.better,
                                             "headline": row.name in known, "values": {}})
            of["values"] |= {column: {"value": value, "name": name, "protocol": protocols.get(name)}
                             for column, value in row.values.items()}
    return sorted(found.values(), key=lambda row: known.index(row["name"]) if row["name"] in known else len(known))


def columns(table: list[dict]) -> list[str]:
    """The columns that some row of a table has."""
    return [column for column in COLUMNS if any(column in row["values"] for row in table)]


def sentences(result: Mapping) -> list[dict]:
    """What result.json says in words: {"name", "text"}."""
    return [{"name": name, "text": text} for name, text in result["metrics"].items() if isinstance(text, str)]

"""How training went: the records of metrics.jsonl as charts, one for each quantity."""
from collections.abc import Iterable, Mapping
from math import isfinite

from ml_collections import ConfigDict

from gen_jax.parts import metric_of
from gen_jax.report.summary import rows
from gen_jax.types import Metric

MOST = 1500  # records of a page
NOT_A_CURVE = ("step", "epoch", "images_seen")


def content(records: list[dict], config: ConfigDict, metrics: Mapping[str, Metric]) -> dict:
    """{"unit", "x", "every", "charts"}: what the charts are drawn from, of every how many records one is shown.

    metrics: what is declared of numbers.
    """
    every = -(-len(records) // MOST)
    shown = records[::-1][::max(every, 1)][::-1]  # with the last
    unit = "epoch" if records and all("epoch" in record for record in records) else "step"
    return {"unit": unit, "x": [record[unit] for record in shown], "every": every,
            "charts": charts(shown, [*config.optim], metrics)}


def charts(records: list[dict], players: Iterable[str], metrics: Mapping[str, Metric]) -> list[dict]:
    """{"name", "unit", "better", "rank", "series": [{"name", "values"}]} of each quantity, the first the most telling.

    What two players have of one name, "disc/loss" and "gen/loss", is one chart.
    """
    found: dict[str, dict] = {}
    for name in dict.fromkeys(name for record in records for name in record if name not in NOT_A_CURVE):
        values = [_number(record.get(name)) for record in records]
        if all(value is None for value in values):
            continue
        chart, series, quantity = _place(name, players, metrics)
        metric = metric_of(quantity, metrics)
        found.setdefault(chart, {"name": chart, "unit": metric.unit, "better": metric.better, "rank": metric.rank,
                                 "series": []})["series"].append({"name": series, "values": values})
    return sorted(found.values(), key=_order)


def _place(name: str, players: Iterable[str], metrics: Mapping[str, Metric]) -> tuple[str, str, str]:
    """(chart, series in it, quantity) of a number by its name in a record."""
    first, _, term = name.partition("/")
    if first in players and len([*players]) > 1:
        return f"{term}, by player", first, name
    [row] = rows({name: 0.0}, metrics)
    [column] = row.values
    return row.name, column, row.name


def _order(chart: dict) -> tuple:
    """Quantities of rank first, then losses, then the others; norms last."""
    return chart["rank"] or 99, "loss" not in chart["name"], chart["name"].endswith("_norm"), chart["name"]


def _number(value: float | None) -> float | None:
    """value to six digits; None where it is no finite number."""
    is_number = isinstance(value, (int, float)) and isfinite(value)
    return float(f"{value:.6g}") if is_number else None

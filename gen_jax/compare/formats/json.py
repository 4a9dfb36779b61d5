"""JSON: everything, for programs."""
from gen_jax.compare import words
from gen_jax.compare.comparison import Cell, Comparison, Row, Value
from gen_jax.compare.groups import Group
from gen_jax.grids import evenly
from gen_jax.report.files import json_text

POINTS = 200  # of a curve; of a longer one, so many with its first and last


def files(comparison: Comparison) -> dict[str, str]:
    """comparison.json: groups, numbers, pairs, and each run's values, protocols and curves."""
    content = {
        "groups": list(map(_group, comparison.groups)), "lost": list(map(_group, comparison.lost)),
        "metrics": [_row(row) for row in comparison.rows],
        "refused": comparison.refused, "left_out": comparison.left_out, "beside": comparison.beside,
        "notes": comparison.notes, "methods": words.methods(comparison)}
    return {"comparison.json": json_text(content)}


def _group(group: Group) -> dict:
    return {"name": group.name, "settings": group.settings, "lost_seeds": group.lost,
            "runs": [{"folder": str(run.folder), "seed": run.seed, "step": run.step, "state_sha256": run.state,
                      "data_fingerprint": run.data} for run in group.runs]}


def _row(row: Row) -> dict:
    metric = row.quantity.metric
    return {"name": row.quantity.number, "of": row.quantity.of, "unit": metric.unit, "better": metric.better,
            "rank": metric.rank, "winner": row.winner,
            "groups": [_cell(cell, row.quantity.number) for cell in row.cells.values()],
            "pairs": [pair._asdict() for pair in row.pairs], "sentences": list(words.sentences(row)),
            "notes": row.notes}


def _cell(cell: Cell, number: str) -> dict:
    found = {"name": cell.group.name, "n": len(cell.values), "lost_seeds": cell.lost, "mean": cell.mean,
             "std": cell.std, "ci95": cell.interval, "interval_name": words.interval_name([cell]),
             "best_mean": cell.best_mean, "best_std": cell.best_std}
    return found | {"runs": [_value(value, number) for value in cell.values]}


def _value(value: Value, number: str) -> dict:
    return {"seed": value.run.seed, "folder": str(value.run.folder), "final": value.final, "best": value.best,
            "best_step": value.best_step, "has_fallen": value.has_fallen, "times_best": value.times_best,
            "protocol": value.run.protocols.get(number), "curve": thinned(value.curve)}


def thinned(curve: tuple[tuple[int, float], ...]) -> list[tuple[int, float]]:
    """At most POINTS points of a curve, evenly over its records."""
    kept = evenly(len(curve), POINTS)
    return [curve[i] for i in kept]

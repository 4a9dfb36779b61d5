"""CSV: a row for each group and number, for each two groups, and for each run, with all digits."""
import csv
import io
from collections.abc import Iterable, Iterator

from gen_jax.compare.comparison import Comparison


def files(comparison: Comparison) -> dict[str, str]:
    """comparison.csv (groups), comparison_pairs.csv, comparison_runs.csv: from the last, all can be computed again."""
    return {"comparison.csv": _text(_groups(comparison)), "comparison_pairs.csv": _text(_pairs(comparison)),
            "comparison_runs.csv": _text(_runs(comparison))}


def _groups(comparison: Comparison) -> Iterator[dict]:
    for row in comparison.rows:
        for name, cell in row.cells.items():
            low, high = cell.interval or (None, None)
            bests, steps = cell.bests, [value.best_step for value in cell.values]
            yield {"metric": row.quantity.number, "unit": row.quantity.metric.unit,
                   "better": row.quantity.metric.better, "group": name, "n": len(cell.values),
                   "seeds": " ".join(map(str, cell.seeds)), "mean": cell.mean, "std": cell.std, "ci95_low": low,
                   "ci95_high": high, "best_mean": None if bests is None else float(bests.mean()),
                   "best_std": None if bests is None or len(bests) < 2 else float(bests.std(ddof=1)),
                   "best_steps": " ".join(map(str, steps)) if bests is not None else None,
                   "fallen": sum(value.has_fallen for value in cell.values), "told_apart_best": row.winner == name}


def _pairs(comparison: Comparison) -> Iterator[dict]:
    for row in comparison.rows:
        for pair in row.pairs:
            low, high = pair.interval or (None, None)
            yield {"metric": row.quantity.number, "a": pair.a, "b": pair.b, "difference": pair.difference,
                   "ci95_low": low, "ci95_high": high, "n_a": pair.seeds[0], "n_b": pair.seeds[1],
                   "paired": pair.is_paired, "test": pair.test, "p": pair.p, "least_p": pair.least,
                   "p_holm": pair.adjusted, "verdict": pair.verdict}


def _runs(comparison: Comparison) -> Iterator[dict]:
    for row in comparison.rows:
        for name, cell in row.cells.items():
            for value in cell.values:
                yield {"metric": row.quantity.number, "group": name, "seed": value.run.seed, "step": value.run.step,
                       "final": value.final, "best": value.best, "best_step": value.best_step,
                       "times_best": value.times_best, "folder": value.run.folder, "state_sha256": value.run.state}


def _text(rows: Iterable[dict]) -> str:
    """The rows under a header; nothing of none."""
    rows, buffer = list(rows), io.StringIO()
    writer = csv.DictWriter(buffer, rows[0] if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().lstrip("\n")

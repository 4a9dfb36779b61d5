"""The headline numbers of several runs, side by side."""
import statistics
from collections.abc import Iterator, Mapping

from ml_collections import ConfigDict

from gen_jax import parts
from gen_jax.report.summary import headlines


def group_table(metrics: Mapping[str, Mapping], config: ConfigDict) -> list[str]:
    """A line for each run, and one for the mean and standard deviation over the seeds of each point of a grid.

    metrics: those of result.json, by the run's folder in the group's, "objective.beta=1/seed_0" say; config: of a run.
    """
    declared = parts.metrics(config)
    numbers = {folder: dict(_headlines(of, declared)) for folder, of in metrics.items()}
    columns = list(dict.fromkeys(name for of in numbers.values() for name in of))
    lines = [["run", *columns]]
    for point in dict.fromkeys(map(_point, numbers)):
        runs = {folder: of for folder, of in numbers.items() if _point(folder) == point}
        lines += [[folder, *(_text([of[name]] if name in of else []) for name in columns)]
                  for folder, of in runs.items()]
        if len(runs) > 1:
            lines.append([f"{point or 'all'}: mean ± sd", *(_text([of[name] for of in runs.values() if name in of])
                                                         for name in columns)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(f"{word:{'<' if i == 0 else '>'}{widths[i]}}" for i, word in enumerate(line)).rstrip()
            for line in lines] if columns else []


def _headlines(metrics: Mapping, declared: Mapping) -> Iterator[tuple[str, float]]:
    for row in headlines(metrics, declared):
        for split, value in row.values.items():
            yield f"{row.name}/{split}", value


def _point(folder: str) -> str:
    """The folder of the run's point of the grid; "" where there are seeds alone."""
    above, _, last = folder.rpartition("/")
    return above if last.startswith("seed_") else last


def _text(values: list[float]) -> str:
    """One value as it is; of several, their mean and standard deviation."""
    if len(values) < 2:
        return "".join(f"{value:.4g}" for value in values)
    return f"{statistics.mean(values):.4g} ± {statistics.stdev(values):.2g}"

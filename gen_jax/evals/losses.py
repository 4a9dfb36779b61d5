"""Loss curves: every term of every player, training and test, over the epochs."""
from collections.abc import Iterator

from gen_jax.evals.draw import figure
from gen_jax.evals.trained import Result, Trained

NEEDS = ()


def evaluate(trained: Trained) -> Iterator[Result]:
    """The figure "losses": one panel a term (loss, recon, kl, ...), one line for each player and split."""
    records = [record for record in trained.history if "epoch" in record]
    curves = [name for name in (records[-1] if records else ()) if "/" in name]
    terms = list(dict.fromkeys(name.split("/")[1] for name in curves))
    if not terms:
        return
    fig, axes = figure(3.2 * len(terms), 2.8, columns=len(terms))
    for panel, term in zip(axes[0], terms, strict=True):
        for name in curves:
            if name.split("/")[1] == term:
                points = [(record["epoch"], record[name]) for record in records if name in record]
                panel.plot(*zip(*points, strict=True), label=name.split("/")[0])
        panel.set(title=term, xlabel="epoch")
        panel.legend()
    axes[0][0].set_ylabel("nats per image")
    yield "losses", fig

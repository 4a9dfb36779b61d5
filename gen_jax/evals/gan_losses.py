"""Loss curves of both players: in training, over the test split, and on the few images that gan_signals looks at."""
from collections.abc import Iterator

from gen_jax.evals.draw import figure
from gen_jax.evals.trained import Result, Trained

NEEDS = ("discriminate",)
CURVES = {"training": "{player}/loss", "test split": "test/{player}_loss", "16 images": "few/{player}_loss"}


def evaluate(trained: Trained) -> Iterator[Result]:
    """The figure "gan_losses": a panel a player, nats a logit over the epochs."""
    records = [record for record in trained.history if "epoch" in record]
    fig, axes = figure(9, 3, columns=2)
    for panel, (player, title) in zip(axes[0], (("disc", "discriminator"), ("gen", "generator")), strict=True):
        for label, form in CURVES.items():
            name = form.format(player=player)
            points = [(record["epoch"], record[name]) for record in records if name in record]
            if points:
                panel.plot(*zip(*points, strict=True), label=label, linewidth=1)
        panel.set(title=title, xlabel="epoch", ylabel="nats")
        panel.set_ylim(bottom=min(0, panel.get_ylim()[0]))
        panel.legend()
    yield "gan_losses", fig

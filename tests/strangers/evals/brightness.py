"""How bright the samples are."""
NEEDS = ("sample_prior", "decode")  # what it asks of the objective's predict


def evaluate(trained):
    """brightness: the mean of 16 samples."""
    yield "brightness", float(trained.draw(trained.key("brightness"), 16).mean())

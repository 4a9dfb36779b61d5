"""Models with a generator and a discriminator."""

"""The GAN lab: what a game in the plane looks like, and its exact answers."""

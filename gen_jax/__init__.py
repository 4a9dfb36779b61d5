"""Generative models that learn to sample: variational autoencoders and generative adversarial networks, in JAX."""

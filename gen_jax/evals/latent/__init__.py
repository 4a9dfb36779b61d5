"""What the latent space holds."""

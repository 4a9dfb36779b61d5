"""The pure maths of the objectives."""

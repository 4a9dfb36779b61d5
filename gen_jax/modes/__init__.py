"""Modes of the launcher: one file each, found by its name."""

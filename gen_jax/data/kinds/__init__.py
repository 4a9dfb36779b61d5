"""Kinds of data: one file each, found by its name."""

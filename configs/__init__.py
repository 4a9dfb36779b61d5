"""Experiments: each file's get_config() is a few lines over base.py."""

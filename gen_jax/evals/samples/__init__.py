"""What samples look like, and how good they are."""

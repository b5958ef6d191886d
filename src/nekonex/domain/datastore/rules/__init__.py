"""What may become of an object: pure functions."""

"""What may be done to gatherings, as pure functions; and who may do it."""

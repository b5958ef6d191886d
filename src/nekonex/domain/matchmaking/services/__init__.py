"""What players do with gatherings, applied to stores and told to whoever is concerned."""

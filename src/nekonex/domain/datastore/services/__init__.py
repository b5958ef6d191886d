"""What puts the rules together over the stores."""

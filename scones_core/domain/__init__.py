"""What the product knows without any service: frozen values and pure functions."""

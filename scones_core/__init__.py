"""Scones Unlimited: an image classifier in a closed loop with human review."""

__version__ = "0.1.0"

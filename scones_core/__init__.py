"""Scones Unlimited: a closed loop around an image classifier, with a person inside it."""

__version__ = "0.1.0"

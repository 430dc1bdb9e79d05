"""Drawings of state machines."""

"""The use cases, one module per stage of the loop. Pages and the command line call only these."""

from scones_core.services.app import App

__all__ = ["App"]

"""Figures of a production variant's captured inferences."""

from scones_core.services.monitoring import VariantFigures
from scones_core.ui.shell.widgets import percent


def figures_row(figures: VariantFigures | None) -> dict[str, str]:
    """A variant's captured inferences as table columns; `figures` is None if it has none."""
    return {
        "Captured inferences": f"{figures.inferences:,}" if figures else "0",
        "Low-confidence": percent(figures.low_share if figures else None),
        "Mean confidence": percent(figures.mean_confidence if figures else None),
    }

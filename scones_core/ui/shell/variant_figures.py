"""What the captured inferences of a production variant say."""

from scones_core.services.monitoring import VariantFigures
from scones_core.ui.shell.widgets import percent


def figures_row(figures: VariantFigures | None) -> dict[str, str]:
    """A variant's captured inferences as columns of a table; None where it has none."""
    return {
        "Captured inferences": f"{figures.inferences:,}" if figures else "0",
        "Low-confidence": percent(figures.low_share if figures else None),
        "Mean confidence": percent(figures.mean_confidence if figures else None),
    }

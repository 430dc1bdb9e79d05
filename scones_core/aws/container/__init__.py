"""Programs that run inside SageMaker's scikit-learn container, next to a copy of `scones_core.vision`."""

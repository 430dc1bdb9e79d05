"""Held-out probabilities over several trainings."""

import numpy as np

from scones_core.vision.label_doubt import second_opinions
from tests.conftest import png


def test_a_rare_class_that_is_doubted_most_is_not_left_out_and_all_trainings_count():
    images = [png(n, upright=n < 38) for n in range(40)]
    labels = [0] * 38 + [1] * 2
    first = np.where(np.arange(40)[:, None] < 38, [0.9, 0.1], [0.999, 0.001])  # both of the rare class are doubted
    found, others = second_opinions(images, labels, ("level", "upright"), first, others=[png(50, upright=True)])
    assert found.shape == (40, 2)
    assert others.shape == (1, 2)
    assert np.allclose(found.sum(axis=1), 1)
    assert not np.allclose(found[:38], first[:38])

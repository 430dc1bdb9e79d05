"""Clusters of images that are alike to a classifier."""

from collections.abc import Sequence

import numpy as np

from scones_core.vision.classifier import Classifier

__all__ = ["CLUSTERS", "clusters"]

CLUSTERS = 6
DIRECTIONS = 20  # principal components of the features
FEWEST = 10 * CLUSTERS  # images


def clusters(model: Classifier, images: Sequence[bytes], others: Sequence[bytes]) -> tuple[list[int], list[int]]:
    """The cluster, 0 to 5, of each image, and of others by the same centres; empty for fewer than 60 images.

    k-means on the principal components of the model's own features; the same images always give the same clusters.
    Raises BadImage.
    """
    from sklearn.cluster import KMeans  # a second to import; most pages do not need it
    from sklearn.decomposition import PCA

    if len(images) < FEWEST:
        return [], []
    features = [part for files in (images, others) for part in model.encoder.features(files)]
    every = np.concatenate(features)
    found = PCA(DIRECTIONS, random_state=0).fit(every[: len(images)])
    reduced = found.transform(every)
    centres = KMeans(CLUSTERS, n_init=4, random_state=0).fit(reduced[: len(images)])
    numbers = centres.predict(reduced).tolist()
    return numbers[: len(images)], numbers[len(images) :]

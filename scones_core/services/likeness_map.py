"""A map of images on which like lies near like: t-SNE of their embeddings.

Reference
---------
[MAA08] van der Maaten, Hinton, "Visualizing data using t-SNE", JMLR 9 (2008).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from scones_core.services import embedding_store
from scones_core.services.app import App, Progress, silent
from scones_core.services.likeness import unit

MOST = 5_000  # images on a map
FEWEST = 3
COMPONENTS = 50  # principal components that t-SNE works on [MAA08]
PERPLEXITY = 30


@dataclass(frozen=True)
class Place:
    """Where an image lies on a map; distances mean something among neighbours only, the axes nothing."""

    sha256: str
    x: float
    y: float


def places(app: App, images: Sequence[str], *, progress: Progress = silent) -> list[Place]:
    """Places of those of the images that have an embedding; the same images give the same map. Takes about 20 s."""
    progress(0, None, "embeddings read")
    found = embedding_store.vectors(app, sorted(set(images)))
    if len(found) < FEWEST:
        return []
    progress(len(found), None, "images placed")
    return [
        Place(name, float(x), float(y))
        for name, (x, y) in zip(found, _flat(unit(np.stack(list(found.values())))), strict=True)
    ]


def _flat(
    vectors: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]",
) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    """Shape (n, 2)."""
    from sklearn.decomposition import PCA  # a second to import
    from sklearn.manifold import TSNE

    n = len(vectors)
    components = PCA(min(COMPONENTS, n - 1), random_state=0).fit_transform(vectors)
    perplexity = min(PERPLEXITY, (n - 1) / 3)
    with threadpool_limits(limits=1):  # threads that wait for each other crawl on a busy machine
        return np.asarray(TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(components), np.float32)

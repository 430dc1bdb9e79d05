"""Embedding of captured and dataset images: images per second, and memory at two sizes.

Each size runs in a process of its own, on a home with that many generated pictures, so that its peak of memory is its
own. The peer is the extractor alone, on decoded pictures that lie in memory: what reading, decoding, storing and
recording add is the ratio.
"""

import hashlib
import io
import multiprocessing
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import _home
from scones_core.domain.datasets import TRAIN, LabelledImage
from scones_core.services import embeddings, etl
from scones_core.vision.extractor import SIDE, extractor
from scones_core.vision.images import pixels

SIZES = (10_000, 100_000)
ALONE = 2_000  # pictures that the peer embeds


def run() -> dict[str, Any]:
    """images_per_second, megabytes (peak of the process) and megabytes_before at each size.  Takes about 15 minutes."""
    found: dict[str, Any] = {}
    for size in SIZES:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
            found[f"{size}"] = process.submit(_embed, size).result()
    first, last = (found[f"{size}"] for size in SIZES)
    ratios = {
        "seconds_per_image_of_the_largest_to_the_smallest": first["images_per_second"] / last["images_per_second"],
        "extractor_alone": first["images_per_second"] / first["extractor_alone"],
        "megabytes_of_the_largest_to_the_smallest": last["megabytes"] / first["megabytes"],
    }
    return {"images": found, "ratios": ratios}


def _embed(size: int) -> dict[str, float]:
    with _home.empty() as app:
        images, batch = [], {}
        for number in range(size):
            data = _picture(number)
            key = f"train/{number:06}.png"
            images.append(LabelledImage(TRAIN, key, number % 2, hashlib.sha256(data).hexdigest()))
            batch[key] = data
            if len(batch) == 2_000 or number == size - 1:
                app.backend.objects.put_many(batch.items())
                batch = {}
        etl.record(app, ("level", "upright"), images, source="benchmark", generated=True)
        extractor()
        before = _megabytes()
        begun = time.perf_counter()
        done = embeddings.embed_new(app)
        seconds = time.perf_counter() - begun
        sys.stderr.write(f"{done} images in {seconds:.0f} s\n")
        return {
            "images_per_second": done / seconds,
            "megabytes": _megabytes(),
            "megabytes_before": before,
            "extractor_alone": _alone(),
        }


def _alone() -> float:
    """Images per second of the extractor."""
    pictures = np.stack([pixels(_picture(number), SIDE) for number in range(64)])
    begun = time.perf_counter()
    for _ in range(ALONE // 64):
        for start in range(0, 64, embeddings.BATCH):
            extractor().embed(pictures[start : start + embeddings.BATCH])
    return ALONE // 64 * 64 / (time.perf_counter() - begun)


def _picture(number: int) -> bytes:
    small = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(small).resize((32, 32)).save(buffer, "PNG")
    return buffer.getvalue()


def _megabytes() -> float:
    """Peak of this process's memory; Linux counts in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

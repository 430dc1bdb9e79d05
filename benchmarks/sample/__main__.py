"""Draw the sample that the product ships."""

import io
import random
import zipfile

from benchmarks.sample import picture
from scones_core.sources.model import DEFAULT_CLASSES
from scones_core.sources.sample import PICTURES

COUNTS = {"test": 100, "train": 400}


def main() -> None:
    with zipfile.ZipFile(PICTURES, "w", zipfile.ZIP_STORED) as archive:
        place = 0
        for split, count in COUNTS.items():
            for number in range(count):
                label = DEFAULT_CLASSES[number % len(DEFAULT_CLASSES)]
                written = io.BytesIO()
                picture(label, random.Random(f"0/{split}/{number}")).save(written, "PNG")
                member = zipfile.ZipInfo(f"{split}/{label}/{label}_g_{place:06}.png")
                archive.writestr(member, written.getvalue())
                place += 1


if __name__ == "__main__":
    main()

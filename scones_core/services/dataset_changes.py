"""New dataset versions with images left out."""

from collections.abc import Collection

from scones_core import logs
from scones_core.domain.datasets import TEST, TRAIN, DatasetVersion
from scones_core.errors import BadInput
from scones_core.services import etl
from scones_core.services.app import App

EXCLUDED = ", images excluded"  # end of the source of versions that leave out images of their parent


@logs.use_case
def exclude(app: App, dataset: str, excluded: Collection[str]) -> DatasetVersion:
    """A new dataset version without some images, named by SHA-256; it becomes the current one.

    Test images stay: the test set is sealed. Raises NotFound, BadInput if nothing can be excluded or a class would be
    left without training images.
    """
    version = etl.get(app, dataset)
    listed = etl.images(app, version.id)
    kept = [image for image in listed if image.split == TEST or image.sha256 not in excluded]
    if len(kept) == len(listed):
        raise BadInput("None of the selected images can be excluded: test images stay, as the test set is sealed.")
    left = {image.class_index for image in kept if image.split == TRAIN}
    if gone := [name for index, name in enumerate(version.classes) if index not in left]:
        raise BadInput(f"No training image of {gone[0]} would be left: select fewer images.")
    source = version.source.removesuffix(EXCLUDED) + EXCLUDED
    return etl.record(app, version.classes, kept, source=source, generated=version.generated, parent=version.id)

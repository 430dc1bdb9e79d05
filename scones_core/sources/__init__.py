"""Where images come from: CIFAR-100, archives, folders, and a generated sample. All of it is untrusted input."""

from scones_core.sources.manifest_layout import Bucket
from scones_core.sources.model import Progress, Skipped, Source, SourceImage
from scones_core.sources.opening import open_source

__all__ = ["Bucket", "Progress", "Skipped", "Source", "SourceImage", "open_source"]

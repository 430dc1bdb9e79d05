"""Image source controls, used by Data and by the guided demo."""

from dataclasses import dataclass, replace
from io import BytesIO
from typing import Literal

import streamlit as st

from scones_core.services import App, etl, uploads

Kind = Literal["sample", "cifar100", "upload", "path"]

_KINDS: dict[Kind, tuple[str, str]] = {
    "sample": (
        ":material/auto_awesome: Generated sample",
        "500 drawn pictures of bicycles and motorcycles; ready in seconds, without a network. Not photos: "
        "for a first look, not for judging models.",
    ),
    "cifar100": (
        ":material/cloud_download: CIFAR-100",
        "Photos of 32 × 32 pixels; 500 for training and 100 for testing per class. The archive (169 MB) is downloaded "
        "once from cs.toronto.edu.",
    ),
    "upload": (
        ":material/upload_file: Upload",
        "A zip with `train/`, `test/` and `.lst` files, a zip with one folder per class, the CIFAR-100 archive, or a "
        "label file (augmented manifest, Label Studio, CSV) of images in this bucket.",
    ),
    "path": (
        ":material/folder_open: Path on this machine",
        "A folder or archive on the machine that runs this app: with `train/`, `test/` and `.lst` files, with one "
        "folder per class, or CIFAR-100; or a label file beside its images, such as an augmented manifest, also `s3://…`.",
    ),
}


@dataclass(frozen=True)
class Chosen:
    """The chosen source; `classes` None takes all its classes. `missing` names the input that is still needed."""

    kind: Kind
    path: str = ""
    upload: BytesIO | None = None
    upload_name: str = ""
    classes: tuple[str, ...] | None = None
    missing: str | None = None
    pool_share: float | None = None

    def spec(self, app: App) -> str:
        """What `etl.load` takes; an upload is stored first."""
        if self.upload is not None:
            return uploads.save(app, self.upload_name, self.upload)
        return self.path if self.kind == "path" else self.kind


def source_input(
    *, key: str, kinds: tuple[Kind, ...] = ("sample", "cifar100", "upload", "path"), pool: bool = True
) -> Chosen:
    """The controls; `key` keeps two uses apart. pool : also show the pool share."""
    kind: Kind = st.segmented_control(
        "Source", kinds, default=kinds[0], format_func=lambda kind: _KINDS[kind][0], required=True, key=f"{key}_kind"
    )
    st.caption(_KINDS[kind][1])
    chosen = {"sample": _sample, "cifar100": _cifar100, "upload": _upload, "path": _path}[kind](key)
    return replace(chosen, pool_share=_pool_share(key, kind)) if pool else chosen


def _pool_share(key: str, kind: Kind) -> float:
    """Default 20% for CIFAR-100 and the sample, which stand in for a stream of images; 0 for the user's own labels."""
    percentage = st.slider(
        "Pool: percent of the training images set aside",
        0,
        90,
        20 if kind in ("sample", "cifar100") else 0,
        5,
        key=f"{key}_{kind}_pool",
        help="Pool images are sent through the workflow, and used for training once reviewed. Without a pool, test "
        "images are sent.",
    )
    return percentage / 100


def _sample(_key: str) -> Chosen:
    return Chosen("sample")


def _cifar100(key: str) -> Chosen:
    classes = st.multiselect(
        "Classes",
        etl.cifar100_classes(),
        default=["bicycle", "motorcycle"],
        max_selections=20,
        format_func=lambda name: name.replace("_", " "),
        help="2 to 20 of the 100, in the order of the probabilities.",
        key=f"{key}_classes",
    )
    return Chosen(
        "cifar100", classes=tuple(classes), missing=None if len(classes) > 1 else "Choose at least 2 classes."
    )


def _upload(key: str) -> Chosen:
    file = st.file_uploader(
        "Archive with images", type=["zip", "gz", "tgz", "tar", "manifest", "jsonl", "json", "csv"], key=f"{key}_upload"
    )
    if file is None:
        return Chosen("upload", missing="Choose a file first.")
    return Chosen("upload", upload=file, upload_name=file.name, classes=_names(key))


def _path(key: str) -> Chosen:
    path = st.text_input("Folder, archive or label file", placeholder="/data/bicycles.zip", key=f"{key}_path").strip()
    return Chosen("path", path=path, classes=_names(key), missing=None if path else "Enter a path first.")


def _names(key: str) -> tuple[str, ...] | None:
    text = st.text_input(
        "Classes (optional)",
        placeholder="all, or e.g. bicycle, motorcycle",
        help="Comma-separated; selects classes of the source and sets their order.",
        key=f"{key}_names",
    )
    return tuple(name.strip() for name in text.split(",") if name.strip()) or None

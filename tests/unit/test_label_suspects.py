"""Labels that are probably wrong are found, and corrected in a new dataset version."""

from pathlib import Path

import pytest

from scones_core.errors import BadInput
from scones_core.services import App, dataset_changes, etl, label_suspects, registration, training
from tests.conftest import png


def test_swapped_labels_are_the_first_suspects(app: App, tmp_path: Path):
    folder, swapped = tmp_path / "images", {("train", 3), ("train", 9), ("test", 2)}
    for split, count in (("train", 24), ("test", 10)):
        for kind in ("bicycle", "motorcycle"):
            for i in range(count):
                name = kind if (split, i) not in swapped else {"bicycle": "motorcycle", "motorcycle": "bicycle"}[kind]
                place = folder / split / name
                place.mkdir(parents=True, exist_ok=True)
                seed = i + 100 * (kind == "motorcycle") + 1000 * (split == "test")
                (place / f"{kind}_{i:02}.png").write_bytes(png(seed, upright=kind == "bicycle"))
    version = etl.load(app, str(folder))
    assert label_suspects.trained_on(app, version) is None
    registration.wait(app, training.start(app).name)
    model = label_suspects.trained_on(app, version)
    assert model is not None
    found = label_suspects.suspects(app, version, model, count=10)
    assert found.checked == 68
    wrong = [one.image.key for one in found.suspects[:6] if not one.image.key.rpartition("/")[2].startswith(one.label)]
    assert len(wrong) >= 5
    assert all(one.prediction != one.label for one in found.suspects)
    doubts = [one.self_confidence for one in found.suspects]
    assert doubts == sorted(doubts)

    labels = {one.image.sha256: one.prediction for one in found.suspects[:6]}
    new = dataset_changes.relabel(app, version.id, labels)
    assert new.parent == version.id
    assert etl.current(app) == new
    now = {image.sha256: new.classes[image.class_index] for image in etl.images(app, new.id)}
    assert {image: now[image] for image in labels} == labels
    corrected = [one for one in found.suspects[:6] if one.image.split == "test"]
    assert {row["key"] for row in new.corrections} == {one.image.key for one in corrected}
    assert (new.test_set != version.test_set) == bool(corrected)
    with pytest.raises(BadInput, match="No label would change"):
        dataset_changes.relabel(app, new.id, labels)
    with pytest.raises(BadInput, match="is not a class"):
        dataset_changes.relabel(app, new.id, {next(iter(labels)): "tram"})

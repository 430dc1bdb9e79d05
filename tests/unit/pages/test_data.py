"""The page Data."""

import io
from pathlib import Path

import pytest

from scones_core.errors import BadInput
from scones_core.services import App, etl, training, uploads
from tests.unit.pages.driving import Open, metrics, pressed, settled, texts


def test_loading_the_generated_sample_shows_its_images_and_says_that_they_are_drawn(open_page: Open):
    page = open_page("data")
    assert "No images yet." in texts(page)
    pressed(page, "Load images")
    settled(page, lambda: len(open_page("data").metric) > 0)
    assert metrics(page)["Train images"] == "320"
    assert "Generated sample" in texts(page)
    assert len(page.image) == 30
    assert "No skipped images" in texts(page)


def test_a_folder_is_loaded_and_what_could_not_be_read_is_listed(open_page: Open, images: Path):
    (images / "train" / "bicycle" / "broken.png").write_bytes(b"no picture")
    page = open_page("data")
    page.segmented_control(key="data_kind").set_value("path").run()
    page.text_input(key="data_path").set_value(str(images)).run()
    pressed(page, "Load images")
    settled(page, lambda: len(open_page("data").metric) > 0)
    assert metrics(page)["Train images"] == "32"
    assert "auto_awesome" not in texts(page).split("Source")[-1]
    assert any("broken.png" in table.value.to_string() for table in page.dataframe)


def test_a_source_that_does_not_exist_is_named_in_the_error(open_page: Open):
    page = open_page("data")
    page.segmented_control(key="data_kind").set_value("path").run()
    page.text_input(key="data_path").set_value("/nowhere/pictures.zip").run()
    pressed(page, "Load images")
    settled(page, lambda: bool(open_page("data").error))
    assert "pictures.zip" in page.error[0].value


def test_cifar_100_needs_two_classes(open_page: Open):
    page = open_page("data")
    page.segmented_control(key="data_kind").set_value("cifar100").run()
    page.multiselect(key="data_classes").set_value(["bicycle"]).run()
    button = next(button for button in page.button if button.label == "Load images")
    assert button.disabled
    assert button.help == "Choose at least 2 classes."


def test_the_gallery_shows_the_chosen_class_only(open_page: Open, serving: App):
    page = open_page("data")
    page.selectbox(key="gallery_class").set_value("bicycle").run()
    assert {image.caption for image in page.image if hasattr(image, "caption")} <= {"bicycle"}
    assert "of 40" in texts(page)


def test_an_uploaded_file_is_kept_once_under_a_safe_name(app: App):
    first = uploads.save(app, "../../my pictures.zip", io.BytesIO(b"zip"))
    assert first == uploads.save(app, "../../my pictures.zip", io.BytesIO(b"zip"))
    assert Path(first).name == "my_pictures.zip"
    assert Path(first).is_relative_to(app.settings.home)
    with pytest.raises(BadInput, match="empty"):
        uploads.save(app, "nothing.zip", io.BytesIO())


def test_an_older_dataset_version_is_made_current_again(app: App, images: Path):
    first = etl.load(app, str(images))
    second = etl.load(app, "sample")
    assert etl.current(app) == second
    etl.make_current(app, first.id)
    assert etl.current(app) == first
    assert app.backend.objects.get("train.lst") == app.backend.objects.get(f"datasets/{first.id}/train.lst")
    assert training.start(app).name in training.records(app)
    assert next(iter(training.records(app).values())).dataset == first.id


def test_the_current_dataset_is_what_the_newest_load_made(app: App, images: Path):
    version = etl.load(app, str(images))
    assert etl.current(app) == version

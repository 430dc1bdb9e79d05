"""Slices of labelled images on which a model is wrong more often."""

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance
from scipy.stats import fisher_exact

from scones_core.domain.confidence import accuracy_interval
from scones_core.domain.slices import FEWEST, slices
from scones_core.errors import NotFound
from scones_core.services import App, capture, classification, etl, review, training
from scones_core.services import slices as service
from scones_core.services.slices import CLASS, HOUR
from scones_core.vision.classifier import Classifier
from scones_core.vision.clusters import clusters
from tests.conftest import png


def planted(n: int, seed: int, worst: float = 0.4) -> tuple[np.ndarray, np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    values = rng.random(n)
    wrong = rng.random(n) < np.where(values <= 0.2, worst, 0.04)
    return wrong, values, [str(rng.choice(["a", "b"])) for _ in range(n)]


def test_a_planted_slice_is_found_and_nothing_else():
    wrong, values, classes = planted(600, 0)
    first, *others = slices(wrong, {"brightness": values}, {"class": classes})
    assert (first.attribute, first.part, first.images) == ("brightness", "lowest fifth", 120)
    assert first.found
    assert first.low < first.rate < first.high
    assert first.wrong == wrong[first.members].sum()
    assert first.rest_rate == pytest.approx(wrong[~first.members].mean())
    assert not any(one.found for one in others)
    assert len(others) == 4 + 2


def test_a_slice_holds_its_members_and_no_other_image_also_where_values_are_alike():
    rng = np.random.default_rng(3)
    values, classes = rng.integers(0, 12, 400) / 10, [str(rng.choice(["a", "b"])) for _ in range(400)]
    values[:5] = np.nan
    found = slices(rng.random(400) < 0.2, {"none": np.full(400, np.nan), "edges": values}, {"class": classes})
    assert {one.attribute for one in found} == {"edges", "class"}
    for one in found:
        known = values if one.attribute == "edges" else classes
        assert one.members.tolist() == [one.holds(value) for value in known]
        assert one.images + one.rest == (395 if one.attribute == "edges" else 400)


def test_slices_are_in_the_order_of_their_evidence_and_then_of_their_error_rate():
    wrong, values, classes = planted(600, 1)
    more = {f"s{i}": np.random.default_rng(i).random(600) for i in range(3)}
    found = slices(wrong, {"brightness": values, **more}, {"class": classes})
    assert len({one.p_value for one in found}) < len(found)
    assert found == sorted(found, key=lambda one: (one.p_value, -one.rate))


def test_the_interval_of_a_slice_that_does_not_stand_out_is_the_plain_one():
    wrong, values, classes = planted(600, 0)
    others = [one for one in slices(wrong, {"brightness": values}, {"class": classes}) if not one.found]
    assert others
    for one in others:
        low, high = accuracy_interval(one.images - one.wrong, one.images)
        assert (one.low, one.high) == (1 - high, 1 - low)


def test_the_interval_of_a_slice_that_stands_out_is_the_wider_the_fewer_do():
    wrong, values, classes = planted(600, 0)
    more = np.random.default_rng(5).random(600)
    wrong |= more > 0.85
    every = slices(wrong, {"brightness": values, "edges": more}, {"class": classes})
    found = [one for one in every if one.found]
    assert [one.name for one in found] == ["Sharpest fifth", "Darkest fifth"]
    for one in found:
        low, high = accuracy_interval(one.images - one.wrong, one.images, 1 - 0.05 * 2 / len(every))
        assert (one.low, one.high) == pytest.approx((1 - high, 1 - low))


def test_a_slice_is_called_by_what_its_images_are_like():
    values = np.linspace(0, 1, 50)
    known = dict.fromkeys(["brightness", "contrast", "edges", "colour", "size"], values)
    names = [
        one.name for one in slices(np.zeros(50, bool), known, {"predicted class": ["fire_truck"] * 40 + ["bus"] * 10})
    ]
    ends = {"Darkest", "Brightest", "Flattest", "Starkest", "Smoothest", "Sharpest", "Greyest", "Most colourful"}
    assert {name for name in names if name.endswith(" fifth") and "," not in name} == {f"{end} fifth" for end in ends}
    assert {name for name in names if "rightness" in name or "Size" in name} == {
        *(f"Brightness, {part} fifth" for part in ("second", "middle", "fourth")),
        *(f"Size, {part} fifth" for part in ("lowest", "second", "middle", "fourth", "highest")),
    }
    assert {name for name in names if "class" in name} == {"Predicted class fire truck", "Predicted class bus"}


@pytest.mark.parametrize(("images", "found"), [(9, []), (10, ["rare"])])
def test_ten_images_are_a_slice_and_nine_are_none(images: int, found: list[str]):
    classes = ["rare"] * images + ["common"] * 5
    assert [one.part for one in slices(np.arange(images + 5) % 3 == 0, {}, {"class": classes})] == found


def test_what_all_images_have_is_no_slice():
    assert slices(np.arange(40) % 3 == 0, {}, {"class": ["same"] * 40}) == []


def test_without_a_cause_few_searches_find_anything():
    found = 0
    for seed in range(200):
        wrong, values, classes = planted(300, seed, worst=0.04)
        more = {f"s{i}": np.random.default_rng([seed, i]).random(300) for i in range(3)}
        found += any(one.found for one in slices(wrong, {"brightness": values, **more}, {"class": classes}))
    assert found <= 16  # 10 of 200 are promised


def test_the_interval_of_a_slice_that_stands_out_allows_for_its_having_been_chosen():
    """With few labels only a lucky draw stands out, and its rate is too high: a plain interval misses 3 in 10."""
    missed = found = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        values = rng.normal(size=(300, 4))
        risk = np.where(values[:, 0] <= np.quantile(values[:, 0], 0.2), 0.13, 0.05)
        columns = {f"s{i}": values[:, i] for i in range(4)}
        for one in slices(rng.random(300) < risk, columns, {"class": [str(one) for one in rng.integers(0, 2, 300)]}):
            if one.found:
                found += 1
                missed += not one.low <= risk[one.members].mean() <= one.high
    assert found >= 20
    assert missed / found <= 0.1


def test_the_test_of_a_single_slice_is_fishers():
    wrong, _, classes = planted(100, 1)
    a, b = sorted(slices(wrong, {}, {"class": classes}), key=lambda one: one.part)
    tables = [[[s.wrong, s.images - s.wrong], [o.wrong, o.images - o.wrong]] for s, o in ((a, b), (b, a))]
    ps = sorted(float(fisher_exact(table, alternative="greater").pvalue) for table in tables)
    assert sorted((a.p_value, b.p_value)) == pytest.approx([min(2 * ps[0], ps[1]), ps[1]])


def test_small_slices_and_unknown_values_are_left_out():
    wrong, values = np.zeros(60, bool), np.linspace(0, 1, 60)
    values[:10] = np.nan
    found = slices(wrong, {"brightness": values}, {"class": ["a"] * (FEWEST - 1) + ["b"] * 30 + [None] * 21})
    assert [(one.part, one.images) for one in found if one.attribute == "class"] == [("b", 30)]
    assert all(one.images == 10 for one in found if one.attribute == "brightness")
    assert slices(np.zeros(0, bool), {"brightness": np.zeros(0)}, {"class": []}) == []


def test_a_value_belongs_to_the_slice_whose_bounds_hold_it():
    wrong, values, classes = planted(100, 2)
    found = slices(wrong, {"brightness": values}, {"class": classes})
    for one in found:
        column = values if one.attribute == "brightness" else classes
        assert [one.holds(value) for value in column] == one.members.tolist()


def dark(data: bytes) -> bytes:
    file = io.BytesIO()
    ImageEnhance.Brightness(Image.open(io.BytesIO(data))).enhance(0.2).save(file, "PNG")
    return file.getvalue()


def test_test_images_are_sliced_and_traffic_is_compared_with_them(serving: App):
    found = service.find(serving)
    assert (found.model, found.tests, found.drawn, found.traffic) == ("v1", 24, 0, 0)
    assert {one.slice.attribute for one in found.slices} <= {"brightness", "contrast", "edges", "colour", CLASS}
    assert all(one.share is None for one in found.slices)
    keys = classification.sample_keys(serving, 12, seed=0)
    sent = [classification.upload(serving, f"{i}.png", dark(etl.image(serving, key))) for i, key in enumerate(keys)]
    classification.classify(serving, sent)
    capture.ingest(serving)
    found = service.find(serving)
    assert found.traffic == 12
    assert sum(one.share or 0 for one in found.slices if one.slice.attribute == CLASS) == pytest.approx(1)


def test_only_images_drawn_at_random_count_as_labels(serving: App):
    classification.classify(serving, classification.sample_keys(serving, 12, seed=0))
    capture.ingest(serving)
    for strategy in (review.Strategy.LEAST_CONFIDENCE, review.Strategy.RANDOM):
        for item in review.next_items(serving, "ann", strategy=strategy, count=4):
            review.decide(serving, item.id, "bicycle", "ann")
    assert service.find(serving).drawn == 4


def test_images_that_are_alike_to_the_model_are_a_cluster(serving: App):
    version = training.model(serving)
    model = Classifier.load(serving.backend.objects.get(version.artifact_key), version.artifact_sha256)
    images = [png(seed, upright=seed < 35) for seed in range(70)]
    found, others = clusters(model, images, [*images[30:40], *map(dark, images[:3])])
    assert (found, others) == clusters(model, images, [*images[30:40], *map(dark, images[:3])])
    assert found[30:40] == others[:10]
    upright, level = set(found[:35]), set(found[35:])
    assert len(upright | level) > 1
    assert len(upright & level) < len(upright | level)  # some hold images of one kind alone
    assert clusters(model, images[:59], images) == ([], [])


def test_a_model_that_is_not_there_has_no_slices(serving: App, app: App):
    with pytest.raises(NotFound):
        service.find(serving, "v7")
    assert training.models(serving)
    assert HOUR != CLASS

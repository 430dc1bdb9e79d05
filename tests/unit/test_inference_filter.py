"""Filters of captured inferences, and the names that a predicted class goes by."""

import pytest

from scones_core.domain.cells import Group
from scones_core.domain.inference_filter import InferenceFilter, class_name, named
from scones_core.errors import BadInput


@pytest.mark.parametrize("ends", [(0, 0.001), (0.5, 1), (0.123, 0.124), (1, 1), (None, None)])
def test_confidences_of_three_decimals_from_0_to_1_are_taken(ends: tuple[float | None, float | None]):
    found = InferenceFilter(above=ends[0], up_to=ends[1])
    assert (found.above, found.up_to) == ends


@pytest.mark.parametrize("ends", [{"above": -0.001}, {"above": 1.5}, {"up_to": 0}, {"up_to": 1.001}, {"above": 0.1234}])
def test_other_confidences_are_refused_in_one_sentence(ends: dict[str, float]):
    [value] = ends.values()
    with pytest.raises(BadInput, match=f"The confidence {value} is out of range: use 0 to 1 with three decimals"):
        InferenceFilter(**ends)  # type: ignore[arg-type]


def test_a_class_is_called_by_its_name_or_by_its_index_where_names_are_unknown():
    assert [class_name(["a", "b"], index) for index in (0, 1, 2)] == ["a", "b", "class 2"]


def test_a_class_name_stands_for_its_places_in_all_lists_that_have_it():
    lists = {1: ["bicycle", "motorcycle"], 2: ["motorcycle", "bicycle", "tram"], 3: ["class 1"]}
    assert named("bicycle", lists) == {(1, 0), (2, 1)}
    assert named("boat", lists) == set()
    assert named("class 1", lists) == {(0, 1), (3, 1), (3, 0)}  # nameless in list 3, and the name of its first class
    assert named("class 2", lists) == {(0, 2), (1, 2), (3, 2)}
    assert named("class 0", lists) == {(0, 0)}
    assert named("a class 2", lists) == named("class", lists) == set()


def test_a_filter_of_an_endpoint_leaves_out_the_groups_of_others():
    group = Group("here", "AllTraffic", 1, "model", 1)
    assert InferenceFilter().has(group)
    assert InferenceFilter(endpoint="here").has(group)
    assert not InferenceFilter(endpoint="there").has(group)
    assert not InferenceFilter(endpoint="here", model="v2").has(group)


def test_inferences_without_a_model_are_told_apart_by_what_is_known_of_them():
    names = ["v1", "v2", "unknown", "imported", "undecided"]
    known = [(1, "model"), (2, "model"), (None, "unknown"), (None, "imported"), (None, "undecided")]
    groups = [Group("here", "AllTraffic", model, attribution, None) for model, attribution in known]
    assert [group.maker for group in groups] == names
    assert [group.imported for group in groups] == [name == "imported" for name in names]
    for name in [*names, "model", "v9"]:
        assert [InferenceFilter(model=name).has(group) for group in groups] == [name == other for other in names]

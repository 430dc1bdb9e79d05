"""Answers of endpoints in the forms that containers write, and texts that are none."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scones_core.domain.answers import Answer, NotAnInference, read_answer

NAMES = ("bicycle", "motorcycle")

WITHOUT_LABELS = [
    "[0.9, 0.1]",
    "[[0.9, 0.1]]",
    " [0.9,0.1]\n",
    '["0.9", "0.1"]',
    "0.9,0.1",
    "0.9, 0.1\r\n",
    '"0.9","0.1"\n',
    "0.9\n0.1\n",
    '{"predictions": [[0.9, 0.1]]}',
    '{"predictions": [0.9, 0.1]}',
    '{"predictions": [{"probabilities": [0.9, 0.1], "predicted_label": "bicycle"}]}',
    '{"predictions": [{"score": [0.9, 0.1], "predicted_label": 0}]}',
    '{"prediction": [0.9, 0.1]}\n',
    '{"probabilities": [0.9, 0.1]}',
    '{"scores": [[0.9, 0.1]]}',
    '{"outputs": [{"name": "softmax", "datatype": "FP32", "shape": [1, 2], "data": [0.9, 0.1]}]}',
    '{"labels": [1, 0], "scores": [0.1, 0.9]}',  # indices: each says where its probability belongs
    '[{"label": 1, "score": 0.1}, {"label": 0, "score": 0.9}]',
]

WITH_LABELS = [
    '[{"label": "bicycle", "score": 0.9}, {"label": "motorcycle", "score": 0.1}]',
    '[[{"label": "bicycle", "score": 0.9}, {"label": "motorcycle", "score": 0.1}]]',
    '[{"class": "bicycle", "probability": "0.9"}, {"class": "motorcycle", "probability": "0.1"}]',
    '{"predictions": [{"label": "bicycle", "score": 0.9}, {"label": "motorcycle", "score": 0.1}]}',
    '{"scores": [0.9, 0.1], "labels": ["bicycle", "motorcycle"]}',
    '{"labels": ["bicycle", "motorcycle"], "predictions": [[0.9, 0.1]]}',
    '{"predictions": [{"predicted_label": "bicycle", "probability": 0.9, "probabilities": [0.9, 0.1],'
    ' "labels": ["bicycle", "motorcycle"]}]}',
    '[{"label": ["bicycle", "motorcycle"], "prob": [0.9, 0.1]}]',
    '{"labels": ["bicycle", "motorcycle"], "predictions": {"scores": [0.9, 0.1]}}',
    '{"labels": [["bicycle", "motorcycle"]], "scores": [[0.9, 0.1]]}',
    '{"bicycle": 0.9, "motorcycle": 0.1}',
    '[["bicycle", 0.9], ["motorcycle", 0.1]]',
]


@pytest.mark.parametrize("text", WITHOUT_LABELS)
def test_probabilities_are_read_in_every_usual_form(text: str):
    assert read_answer(text) == Answer((0.9, 0.1))


@pytest.mark.parametrize("text", WITH_LABELS)
def test_labels_come_with_their_probabilities(text: str):
    assert read_answer(text) == Answer((0.9, 0.1), NAMES)


def test_labels_come_sorted_whatever_the_order_of_their_scores():
    found = read_answer('[{"label": "motorcycle", "score": 0.7}, {"label": "bicycle", "score": 0.3}]')
    assert found == Answer((0.3, 0.7), ("bicycle", "motorcycle"))


@pytest.mark.parametrize(
    "text", ["[1.0000001192092896, 3.1e-12]", "[-1e-9, 1]", "[0.33333334, 0.33333334, 0.33333334]"]
)
def test_what_single_precision_rounds_is_a_distribution_with_probabilities_from_0_to_1(text: str):
    assert all(0 <= p <= 1 for p in read_answer(text).probabilities)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[0.9, 0.1009]", None),
        ("[0.9, 0.1011]", "add up to 1.001, not to 1"),
        ("[1.0000009, 0]", None),
        ("[1.0000011, 0]", "1 is not between 0 and 1"),
        ("[0, 1, -0.0000009]", None),
        ("[0, 1, -0.0000011]", "-1.1e-06 is not between 0 and 1"),
        ("[" * 9 + "0.9, 0.1" + "]" * 9, None),
        ("[" * 10 + "0.9, 0.1" + "]" * 10, "not a list of probabilities"),
    ],
)
def test_rounding_and_wrappings_are_allowed_for_up_to_a_limit(text: str, why: str | None):
    if why is None:
        assert sum(read_answer(text).probabilities) == pytest.approx(1, abs=1e-3)
    else:
        with pytest.raises(NotAnInference, match=why):
            read_answer(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[0.9, 0.9]", "add up to 1.8, not to 1"),
        ("[0.01, 0.01]", "add up to 0.02"),
        ("[0, 0]", "add up to 0,"),
        ("[0.9, 0.09]", "add up to 0.99"),
        ('{"cat": 0.5, "dog": 0.2}', "add up to 0.7"),
        ("[4.1, -2.3]", "4.1 is not between 0 and 1"),
        ("[1.2, -0.2]", "1.2 is not between 0 and 1"),
        ("[NaN, 1]", "nan is not between"),
        ("[1e400, 0]", "inf is not between"),
        ("[true, false]", "not a list of probabilities$"),
        ("[0.9, [0.1]]", "not a list of probabilities$"),
        ('[{"label": "a", "score": 0.9}, 0.1]', "not a list of probabilities$"),
        ('[["a", 0.9], ["b", 0.1], ["c"]]', "not a list of probabilities"),
        ('[["a", "b"], ["c", "d"]]', "not a list of probabilities"),
        ("true,false", "not a list of probabilities"),
        ("[null, 1]", "not a list of probabilities"),
        (f"[{'9' * 400}, 1]", "not a list of probabilities"),
        (f"[{'9' * 5000}, 1]", "not a list of probabilities"),
        ("[" * 100_000, "not a list of probabilities"),
        ("[" * 50 + "0.9, 0.1" + "]" * 50, "not a list of probabilities"),
        ("[]", "two or more"),
        ("[1.0]", "two or more"),
        ("0.9", "not a list"),
        ("null", "not a list"),
        ("oops", "not a list"),
        ("", "is empty"),
        ("[[0.9, 0.1], [0.2, 0.8]]", "but several"),
        ('[["0.9", "0.1"], ["0.1", "0.9"]]', "but several"),
        ("0.9,0.1\n0.2,0.8", "several images"),
        ("0.9\n0.1,0.2", "several images"),
        ('{"prediction": [0.9, 0.1]}\n{"prediction": [0.2, 0.8]}', "several images"),
        ('{"label": "bicycle", "score": 0.9}', "only one class"),
        ('[{"label": "bicycle", "score": 0.9}]', "only one class"),
        ('{"predicted_label": 0, "score": 1.0}', "only one class"),
        ('{"predicted_class": 0, "certainty": 1.0}', "no list of probabilities"),
        ("{}", "no list of probabilities"),
        ('{"bicycle": 0.9, "motorcycle": "low"}', "no list of probabilities"),
        ('{"error": "out of memory"}', "no list of probabilities"),
        ('{"labels": ["a", "b", "c"], "scores": [0.9, 0.1]}', "3 labels for 2"),
        ('{"labels": ["a", "a"], "scores": [0.9, 0.1]}', "a label twice"),
        ('{"labels": ["a", null], "scores": [0.9, 0.1]}', "not all texts"),
        ('{"labels": ["a", "\\u0000"], "scores": [0.9, 0.1]}', "not all texts"),
        ('{"labels": [3, 5], "scores": [0.9, 0.1]}', "not all texts"),
        ('{"labels": [0, "a"], "scores": [0.9, 0.1]}', "not all texts"),
        ('{"labels": ["a", " "], "scores": [0.9, 0.1]}', "not all texts"),
    ],
)
def test_what_is_no_distribution_says_why(text: str, why: str):
    with pytest.raises(NotAnInference, match=why):
        read_answer(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([0.9, 0.1, "0.9", "a", "label", 1, 0]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["scores", "labels", "label", "score", "predictions", "a", "b"]), inner)
    ),
)


def outcome(text: str) -> Answer | str:
    """The answer, or why there is none."""
    try:
        return read_answer(text)
    except NotAnInference as reason:
        return str(reason)


def is_sound(found: Answer | str) -> bool:
    """Nothing but a distribution, or a reason, comes out."""
    if isinstance(found, str):
        return found.startswith("the output")
    total, labels = math.fsum(found.probabilities), found.labels
    assert labels is None or len(set(labels)) == len(found.probabilities)
    return all(0 <= p <= 1 for p in found.probabilities) and abs(total - 1) < 2e-3


@settings(max_examples=300)
@given(JSON)
def test_any_json_is_a_distribution_or_refused(value: object):
    assert is_sound(outcome(json.dumps(value)))


@settings(max_examples=300)
@given(st.text(st.sampled_from('[]{}",:0.19eE+-NaInf\n \0é')))
def test_any_text_is_a_distribution_or_refused(text: str):
    assert is_sound(outcome(text))


@given(st.lists(st.floats(0.001, 1), min_size=2, max_size=200))
def test_any_distribution_is_read_in_single_precision(weights: list[float]):
    import numpy as np

    p = np.array(weights, np.float32) / np.float32(sum(weights))
    assert read_answer(json.dumps([float(one) for one in p])).probabilities == pytest.approx(p.tolist(), abs=1e-6)

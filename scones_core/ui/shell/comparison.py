"""Two models on the same images: accuracies, interval of the difference, test, verdict."""

import streamlit as st

from scones_core.domain.comparison import Comparison, Verdict
from scones_core.domain.planning import images_for_difference
from scones_core.ui.shell.model_charts import difference
from scones_core.ui.shell.widgets import percent, signed

_SHOW = {Verdict.BETTER: st.success, Verdict.WORSE: st.error, Verdict.NO_DIFFERENCE: st.info}


def comparison_view(
    comparison: Comparison,
    old: str,
    new: str,
    *,
    key: str,
    roles: tuple[str, str] = ("Champion", "Challenger"),
    test_set: str = "",
) -> None:
    """old, new: ids of the model versions that `comparison` calls champion and challenger; test_set: their images."""
    first, second, test = st.columns(3)
    first.metric(f"{roles[0]} {old}", percent(comparison.champion_accuracy))
    gain = signed(100 * comparison.difference) if comparison.difference else 0
    second.metric(f"{roles[1]} {new}", percent(comparison.challenger_accuracy), gain, delta_description="points")
    test.metric(
        "McNemar p, mid-p",
        f"{comparison.p_value:.3f}",
        help="Two-sided, on the images where exactly one of the two is right.",
    )
    difference(comparison, f"Accuracy of {new} minus {old}, percentage points", key=f"{key}_difference")
    named = f" (test set `{test_set}`)" if test_set else ""
    st.caption(
        f"Both on the same {comparison.images:,} test images{named}. They are sealed: neither model was trained on any "
        "of them, reviewed or not."
    )
    _SHOW[comparison.verdict](f"{_verdict(comparison, old, new)} {_evidence(comparison, old, new)}")
    if comparison.verdict is Verdict.NO_DIFFERENCE:
        _what_more_images_show(comparison)


def _what_more_images_show(comparison: Comparison) -> None:
    discordant = comparison.challenger_only + comparison.champion_only
    found = {"5 points": 0.05, "2 points": 0.02, "1 point": 0.01}
    needed = {points: images_for_difference(share, discordant, comparison.images) for points, share in found.items()}
    more = [f"{round(n, 2 - len(str(n))):,} for {points}" for points, n in needed.items() if n > comparison.images]
    if more:
        told = f"Test images that find a difference in 4 of 5 cases: about {', '.join(more)}."
        st.caption(f"{told} These are {comparison.images:,}.")


def held_out_view(comparison: Comparison, old: str, new: str) -> None:
    """The same of their cross-validations."""
    low, high = (signed(100 * end) for end in comparison.difference_interval)
    st.caption(
        f"Cross-validation, on the {comparison.images:,} training images that both share and nobody chose for review: "
        f"{old} {percent(comparison.champion_accuracy)}, {new} {percent(comparison.challenger_accuracy)}, difference "
        f"{signed(100 * comparison.difference)} points, 95% interval {low} to {high}. The verdict does not use it: it "
        "compares their trainings, each on a part of the images."
    )


def verdict_view(comparison: Comparison | None, old: str, new: str) -> None:
    """The verdict alone; a warning where there is none."""
    if comparison is None:
        st.warning(f"{new} and {old} have not been compared on the same test images.", icon=":material/warning:")
    else:
        _SHOW[comparison.verdict](_verdict(comparison, old, new))


def _verdict(comparison: Comparison, old: str, new: str) -> str:
    if comparison.verdict is Verdict.NO_DIFFERENCE:
        return f"**No significant difference.** These images do not show which of {new} and {old} is better."
    return f"**{new} is {comparison.verdict}.** The difference from {old} is significant at the 5% level."


def _evidence(comparison: Comparison, old: str, new: str) -> str:
    low, high = (signed(100 * end) for end in comparison.difference_interval)
    return (
        f"Of {comparison.images:,} test images only {new} is right on {comparison.challenger_only}, only {old} on "
        f"{comparison.champion_only}. The difference is {signed(100 * comparison.difference)} percentage points, "
        f"95% interval {low} to {high}."
    )

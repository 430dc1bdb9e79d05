"""Charts of datasets, training jobs and model versions."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from scones_core.domain.comparison import Comparison, Verdict
from scones_core.domain.confidence import accuracy_interval
from scones_core.domain.metrics import balanced_accuracy, recalls
from scones_core.ui.shell.chart_theme import LEGEND, alt, drawable

_VERDICT_COLOURS = {Verdict.BETTER: "#5f8f46", Verdict.WORSE: "#c04a3a", Verdict.NO_DIFFERENCE: "#8f8578"}
_SHADES = ["#fbf1e6", "#f0cba6", "#df9c60", "#bf6b2b", "#824013"]


def class_balance(rows: Sequence[Mapping[str, object]]) -> None:
    """rows: `{split, class, images}`."""
    data = pd.DataFrame(rows)
    chart = (
        alt.Chart(data)
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            y=alt.Y("class:N", title=None, sort=None),
            x=alt.X("images:Q", title="Images", axis=alt.Axis(tickMinStep=1)),
            yOffset=alt.YOffset("split:N", sort=["train", "test"]),
            color=alt.Color("split:N", title="Split", sort=["train", "test"], legend=LEGEND),
            tooltip=["class:N", "split:N", alt.Tooltip("images:Q", format=",")],
        )
        .properties(height=alt.Step(18))
    )
    words = "; ".join(f"{row['images']} {row['split']} images of {row['class']}" for row in rows)
    st.altair_chart(drawable(chart), width="stretch", alt=f"Bar chart of images per class and split: {words}.")


def metric_curve(metrics: Sequence[tuple[float, str, float]], *, key: str, height: int = 250) -> None:
    """A training job's metrics, (seconds, name, value), over its iterations.

    One panel per kind (`accuracy` of `train:accuracy`), at most two: those in _KINDS, else the kind logged last.
    A kind with one point has no curve.
    """
    data = pd.DataFrame(metrics, columns=["seconds", "metric", "value"])
    data[["series", "kind"]] = [name.rpartition(":")[::2] for name in data["metric"]]
    data["iteration"] = data.groupby("metric").cumcount() + 1
    curves = data.groupby("metric")["value"].transform("size") > 1
    kinds = list(dict.fromkeys(data.loc[curves, "kind"][::-1]))
    shown = [kind for kind in _KINDS if kind in kinds] or kinds[:1]
    if not shown:
        st.caption("The curve appears once a metric has two values.")
        return
    for place, kind in zip(st.columns(len(shown)), shown, strict=True):
        rows, title = data[(data["kind"] == kind) & curves], kind.replace("_", " ").capitalize()
        last = ", ".join(f"{name} {group['value'].iloc[-1]:.3f}" for name, group in rows.groupby("metric"))
        with place:
            chart = _curve(rows, title).properties(height=height)
            st.altair_chart(
                drawable(chart), width="stretch", key=f"{key}-{kind}", alt=f"{title} over iterations; last: {last}."
            )


_KINDS = ("accuracy", "log_loss")


def _curve(rows: pd.DataFrame, title: str) -> alt.Chart:
    chart: alt.Chart = (
        alt.Chart(rows)
        .mark_line(point=alt.OverlayMarkDef(size=24))
        .encode(
            x=alt.X("iteration:Q", title="Iteration", scale=alt.Scale(zero=False), axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=False)),
            color=alt.Color("series:N", title=None, legend=LEGEND),
            tooltip=[
                alt.Tooltip("metric:N", title="Metric"),
                alt.Tooltip("iteration:Q", title="Iteration"),
                alt.Tooltip("seconds:Q", title="Seconds since the start", format=".1f"),
                alt.Tooltip("value:Q", title="Value", format=".4f"),
            ],
        )
    )
    return chart


Cell = tuple[str, str]  # of a confusion matrix: label, prediction
_CELL = "cell"


def confusion(matrix: Sequence[Sequence[int]], classes: Sequence[str], *, key: str) -> Cell | None:
    """A confusion matrix, row: label, column: prediction, both in class-index order; shaded by the share of the row.

    Returns the cell that was clicked.
    """
    rows = [
        {"label": label, "prediction": prediction, "images": count, "share": count / max(1, sum(line))}
        for label, line in zip(classes, matrix, strict=True)
        for prediction, count in zip(classes, line, strict=True)
    ]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("prediction:N", sort=None, title="Prediction", axis=_slanted(max(map(len, classes)), len(classes))),
        y=alt.Y("label:N", sort=None, title="Label"),
        tooltip=["label:N", "prediction:N", "images:Q", alt.Tooltip("share:Q", format=".1%", title="share of label")],
    )
    scale = alt.Scale(domain=[0, 1], range=_SHADES)
    clicked = alt.selection_point(name=_CELL, fields=["label", "prediction"], on="click", toggle=False)
    cells = base.mark_rect(cornerRadius=4, stroke=None, cursor="pointer").add_params(clicked)
    cells = cells.encode(color=alt.Color("share:Q", scale=scale, legend=None))
    text = base.mark_text(fontSize=15 if len(classes) < 6 else 11, fontWeight="bold").encode(
        text=alt.Text("images:Q"), color=alt.condition("datum.share > 0.5", alt.value("white"), alt.value("#2b2621"))
    )
    right = sum(matrix[i][i] for i in range(len(classes)))
    event = st.altair_chart(
        drawable((cells + text).properties(height=max(190, 34 * len(classes) + 60))),
        width="stretch",
        key=key,
        on_select="rerun",
        selection_mode=_CELL,
        alt=f"Confusion matrix: {right} of {sum(map(sum, matrix))} test images on the diagonal.",
    )
    chosen = event["selection"].get(_CELL) or []
    return (str(chosen[0]["label"]), str(chosen[0]["prediction"])) if chosen else None


def _slanted(longest: int, labels: int) -> alt.Axis:
    """Labels that slant where the chart is too narrow for so many of so many letters, beside as long ones on the left.

    By the container's width: the plot's is known only after room has been made for the labels. `width` is there for
    Vega to evaluate the expression again when the window changes.
    """
    narrow = f"containerSize()[0] + 0 * width < {9 * longest * labels + 7 * longest + 40}"
    return alt.Axis(
        labelAngle=alt.ExprRef(f"{narrow} ? -40 : 0"),
        labelAlign=alt.ExprRef(f"{narrow} ? 'right' : 'center'"),
        labelBaseline=alt.ExprRef(f"{narrow} ? 'middle' : 'top'"),
        labelOverlap=False,
    )


def difference(comparison: Comparison, title: str, *, key: str) -> None:
    """The difference of accuracies in percentage points with its 95% interval, against zero."""
    low, high = (100 * end for end in comparison.difference_interval)
    middle = 100 * comparison.difference
    data = pd.DataFrame([{"low": low, "high": high, "difference": middle}])
    reach = 1.25 * max(abs(low), abs(high), 1.0)
    colour = _VERDICT_COLOURS[comparison.verdict]
    x = alt.X("low:Q", title=title, scale=alt.Scale(domain=[-reach, reach]))
    tips = [alt.Tooltip(f"{name}:Q", format="+.1f") for name in ("difference", "low", "high")]
    base = alt.Chart(data).encode(tooltip=tips)
    zero = alt.Chart(pd.DataFrame({"x": [0]})).mark_rule(strokeDash=[4, 4], opacity=0.7).encode(x=alt.X("x:Q"))
    span = base.mark_rule(strokeWidth=4, strokeCap="round", color=colour).encode(x=x, x2=alt.X2("high:Q"))
    ends = [base.mark_tick(thickness=3, size=18, color=colour).encode(x=f"{end}:Q") for end in ("low", "high")]
    point = base.mark_point(filled=True, size=190, color=colour, opacity=1).encode(x=alt.X("difference:Q"))
    st.altair_chart(
        drawable(alt.layer(zero, span, *ends, point).properties(height=110)),
        width="stretch",
        key=key,
        alt=f"Difference of accuracy {middle:+.1f} percentage points, 95% interval {low:+.1f} to {high:+.1f}.",
    )


def figures(metrics: Mapping[str, Any]) -> None:
    """The figures of an evaluation."""
    grid = st.grid(5, min_column_width=130)
    shown = {**metrics, "balanced_accuracy": balanced_accuracy(metrics["confusion"])}
    for name, title, style, about in _FIGURES:
        floor = metrics.get("ece_floor") if name == "ece" else None
        grid.metric(
            title,
            format(float(shown[name]), style),
            None if floor is None else f"perfect: {floor:.3f}",
            delta_color="off",
            delta_arrow="off",
            help=about,
        )


def recall_table(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> None:
    """Recall of each class on the test images, with its interval."""
    rows = [
        {
            "Class": name,
            "Recall": None if recall is None else 100 * recall,
            "95% interval": "–" if recall is None else _interval(line[i], sum(line)),
            "Test images": sum(line),
        }
        for i, (name, line, recall) in enumerate(zip(classes, confusion, recalls(confusion), strict=True))
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            "Recall": st.column_config.NumberColumn(
                format="%.1f%%", help="Share of the test images with this label that the model predicts as it."
            )
        },
        alt="Recall per class on the test images",
    )


def _interval(right: int, images: int) -> str:
    low, high = accuracy_interval(right, images)
    return f"{100 * low:.1f}% to {100 * high:.1f}%"


_FIGURES = (
    ("accuracy", "Accuracy", ".1%", "Share of the test images whose prediction is the label."),
    (
        "balanced_accuracy",
        "Balanced accuracy",
        ".1%",
        "Mean recall of the classes: a rare class counts as much as a frequent one.",
    ),
    ("log_loss", "Log loss", ".3f", "Mean negative log-probability of the label; 0 is perfect."),
    (
        "ece",
        "Calibration error",
        ".3f",
        "Expected calibration error (ECE): mean gap between confidence and accuracy. Below it: what a perfectly "
        "calibrated model would show on as many images.",
    ),
    ("brier", "Brier score", ".3f", "Mean squared error of the probabilities; 0 is perfect."),
)

"""The page Train & deploy."""

from streamlit.testing.v1 import AppTest

from scones_core.services import App, training
from tests.unit.pages.driving import Open, metrics, pressed, settled, texts


def test_a_trained_model_is_shown_with_its_figures_and_can_be_deployed(open_page: Open, serving: App):
    page = open_page("train")
    assert {"Accuracy", "Log loss", "Calibration error", "Brier score"} <= metrics(page).keys()
    assert metrics(page)["Model in service"] == "v1"
    page.slider(key="capture_percentage").set_value(40).run()
    pressed(page, "Deploy")
    assert metrics(page)["Data capture"] == "40%"


def test_a_job_that_runs_can_be_stopped(open_page: Open, serving: App):
    page = pressed(open_page("train"), "Start training")
    pressed(page, "Stop training")
    settled(page, lambda: training.jobs(serving)[0].status.ended)
    assert len(training.jobs(serving)) == 2
    assert "Stopped" in texts(page)


def _counting() -> None:
    import streamlit as st

    from scones_core.ui.shell.actions import action_button

    def count() -> None:
        st.session_state["pressed"] = st.session_state.get("pressed", 0) + 1

    action_button("Count", count, key="count", icon=":material/add:")
    st.metric("Counted", st.session_state.get("pressed", 0))


def test_a_double_click_counts_once():
    page = AppTest.from_function(_counting).run()
    pressed(pressed(page, "Count"), "Count")
    assert metrics(page)["Counted"] == "1"

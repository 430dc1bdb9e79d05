"""A trial on the pages Models and Monitor."""

import pandas as pd
from streamlit.testing.v1 import AppTest

from scones_core.services import App, classification, deployment, registration, training
from tests.unit.pages.driving import Open, pressed, texts


def trial_table(page: AppTest) -> pd.DataFrame:
    return page.table[0].value.set_index("")


def test_a_challenger_is_tried_on_live_traffic_with_figures_beside_the_champions(open_page: Open, challenged: App):
    page = open_page("models")
    page.slider(key="trial_share").set_value(50).run()
    pressed(page, "Start trial")
    assert deployment.get_endpoint(challenged).trial.share == 0.5
    assert "v2 is on trial" in texts(page)
    assert trial_table(page).loc["Captured inferences"].tolist() == ["0", "0"]
    assert trial_table(page).loc["Mean confidence"].tolist() == ["–", "–"]
    classification.classify(challenged, classification.sample_keys(challenged, 20))
    table = trial_table(open_page("models"))  # opening it reads what was captured
    assert table.columns.tolist() == ["Champion v1", "Challenger v2"]
    assert table.loc["Share"].tolist() == ["50%", "50%"]
    assert sum(map(int, table.loc["Captured inferences"])) == 20
    assert [button.label for button in page.button if button.label.startswith("Promote")] == ["Promote v2"]


def test_the_share_of_a_trial_is_changed_and_the_trial_ended(open_page: Open, challenged: App):
    deployment.start_trial(challenged, "v2", 0.1)
    assert "v2 gets 10% of the traffic, as Challenger" in texts(open_page("train"))
    page = open_page("models")
    assert {button.label: button for button in page.button}["Change share"].disabled
    page.slider(key="trial_share_v2").set_value(30).run()
    pressed(page, "Change share")
    assert trial_table(page).loc["Share"].tolist() == ["70%", "30%"]
    pressed(page, "End trial")
    assert "on trial" not in texts(page)
    assert "Start trial" in [button.label for button in page.button]
    assert "change share (30%)" in page.dataframe[-1].value["Action"].tolist()
    assert "On trial" not in texts(open_page("train"))


def test_a_trial_that_a_newer_challenger_has_overtaken_is_still_shown(open_page: Open, challenged: App):
    deployment.start_trial(challenged, "v2", 0.1)
    registration.wait(challenged, training.start(challenged, seed=2).name)
    page = open_page("models")
    assert "v2 is on trial" in texts(page)
    promotions = [button.label for button in page.button if button.label.startswith("Promote")]
    assert promotions == ["Promote v3", "Promote v2"]


def test_without_a_challenger_the_models_page_says_nothing_of_trials(open_page: Open, serving: App):
    page = open_page("models")
    assert "trial" not in texts(page)
    assert "Start trial" not in [button.label for button in page.button]


def test_the_monitor_tells_the_variants_apart_where_there_are_two(open_page: Open, challenged: App):
    classification.classify(challenged, classification.sample_keys(challenged, 5))
    assert not open_page("monitor").table
    deployment.start_trial(challenged, "v2", 0.5)
    classification.classify(challenged, classification.sample_keys(challenged, 20))
    page = open_page("monitor")
    assert "Production variants" in texts(page)
    assert page.table[0].value["Variant"].tolist() == ["AllTraffic", "Challenger"]

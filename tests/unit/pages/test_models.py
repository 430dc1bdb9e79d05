"""The page Models."""

import re

from streamlit.testing.v1 import AppTest

from scones_core.services import App, deployment, model_answers, retraining, training
from scones_core.ui.models.models_view import service_times
from tests.unit.pages.driving import Open, metrics, pressed, texts


def test_the_first_model_has_no_challenger_and_retraining_waits_for_labels(open_page: Open, serving: App):
    page = open_page("models")
    assert "v1** is in service and has no challenger" in texts(page)
    buttons = {button.label: button for button in page.button}
    assert buttons["Retrain"].disabled
    assert buttons["Retrain"].help == "More reviewed labels needed: 1."
    assert buttons["Roll back"].disabled


def test_a_challenger_is_compared_promoted_and_rolled_back(open_page: Open, challenged: App):
    page = open_page("models")
    assert {"Champion v1", "Challenger v2", "McNemar p, mid-p"} <= metrics(page).keys()
    assert "No significant difference" in texts(page)
    assert re.search(r"in 4 of 5 cases: about [\d,]+ for 5 points, .* for 1 point. These are 24\.", texts(page))
    assert "training images that both share and nobody chose for review: v1 " in texts(page)
    assert "v2** replaces **v1** in service" in texts(pressed(page, "Promote v2"))
    dialog = AppTest.from_function(_promoting, default_timeout=120).run()
    assert "No significant difference" in texts(dialog)
    dialog.text_input(key="promotion_reason").set_value("as good, and newer")
    pressed(dialog, "Yes, promote v2")
    assert metrics(open_page("train"))["Model in service"] == "v2"
    assert deployment.history(challenged)[-1].actor == "test@example.com"
    assert deployment.history(challenged)[-1].reason == "as good, and newer"
    page = pressed(open_page("models"), "Roll back to v1")
    pressed(AppTest.from_function(_rolling_back, default_timeout=120).run(), "Yes, roll back to v1")
    assert metrics(open_page("train"))["Model in service"] == "v1"
    times = service_times(training.model(challenged, "v1"), deployment.history(challenged)).split("; ")
    assert [time.split()[0] for time in times] == ["deploy", "rollback"]
    assert any("Rejected" in table.value.to_string() for table in open_page("models").dataframe)


def test_the_images_behind_a_models_figures_are_shown(open_page: Open, challenged: App):
    old, new = sorted(training.models(challenged), key=lambda model: model.number)
    answers = model_answers.answers(challenged, new, new.dataset)
    wrong = sum(not one.right for one in answers)
    assert wrong == sum(map(sum, new.metrics["confusion"])) - sum(new.metrics["confusion"][i][i] for i in range(2))
    page = open_page("models")
    choice = page.selectbox(key=f"cell-{new.id}-None")
    assert choice.options[0] == f"All errors ({wrong})"
    cell = next(option for option in choice.options if ", right (" in option)
    choice.select_index(choice.options.index(cell)).run()
    assert not page.exception
    gained, lost = model_answers.disagreements(challenged, old, new)
    comparison = retraining.comparison(challenged, old, new)
    assert (len(gained), len(lost)) == (comparison.challenger_only, comparison.champion_only)


def test_a_challenger_is_rejected_with_a_reason_and_leaves_the_contest(open_page: Open, challenged: App):
    dialog = AppTest.from_function(_rejecting, default_timeout=120).run()
    assert {button.label: button for button in dialog.button}["Yes, reject v2"].disabled
    dialog.text_input(key="rejection_reason").set_value("slower").run()
    pressed(dialog, "Yes, reject v2")
    page = open_page("models")
    assert re.search("Rejected by .*: slower", texts(page))
    assert not [button for button in page.button if button.label.startswith("Promote")]


# AppTest runs the whole page where a browser runs the dialog alone, so these hold the dialog open.


def _promoting() -> None:
    from scones_core.services import deployment
    from scones_core.ui.models.decision import confirm_promotion
    from scones_core.ui.shell.session import get_app

    app = get_app()
    champion, challenger = deployment.champion(app), deployment.challenger(app)
    if champion and challenger:
        confirm_promotion(app, challenger, champion)


def _rejecting() -> None:
    from scones_core.services import deployment
    from scones_core.ui.models.decision import confirm_rejection
    from scones_core.ui.shell.session import get_app

    app = get_app()
    champion, challenger = deployment.champion(app), deployment.challenger(app)
    if champion and challenger:
        confirm_rejection(app, challenger, champion)


def _rolling_back() -> None:
    from scones_core.services import deployment
    from scones_core.ui.models.decision import confirm_rollback
    from scones_core.ui.shell.session import get_app

    app = get_app()
    if back_to := deployment.previous(app):
        confirm_rollback(app, back_to)

"""State machines of one's own on the page Workflow."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from scones_core.errors import BadDefinition, BadInput
from scones_core.services import App, machines
from tests.unit.pages.driving import Open, ended, page_until, pressed, shown, texts

RETRIED = {
    "StartAt": "Ask",
    "States": {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "${SerializeImageDataFunctionArn}", "Payload.$": "$"},
            "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxDelaySeconds": 2, "MaxAttempts": 1}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Each"}],
            "End": True,
        },
        "Each": {
            "Type": "Map",
            "ItemsPath": "$$.Execution.Input.numbers",
            "ItemProcessor": {"StartAt": "One", "States": {"One": {"Type": "Pass", "End": True}}},
            "End": True,
        },
    },
}
PASS = {"StartAt": "Hand On", "States": {"Hand On": {"Type": "Pass", "End": True}}}


def saved(page: AppTest, name: str, text: str, machine: str = "classify_image") -> AppTest:
    page.text_input(key=f"machine_name_{machine}").set_value(name)
    page.text_area(key=f"machine_text_{machine}").set_value(text)
    return pressed(page.run(), "Check and save")


def test_a_definition_of_ones_own_is_saved_started_and_listed(trained: App, open_part: Open) -> None:
    page = saved(open_part("machines"), "handed_on", json.dumps(PASS))
    assert page.selectbox(key="machine").value == "handed_on"
    page = pressed(page, "Start execution")
    (execution,) = trained.backend.workflows.list("handed_on")
    assert execution.input["s3_key"].startswith("pool/")
    assert execution.name in texts(page_until(page, lambda page: "Succeeded" in texts(page)))
    table = open_part("images").dataframe[0].value
    assert list(table["State machine"]) == ["handed_on"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"StartAt": "A",\n "States": }', "line 2, column 12"),
        ("", "is empty"),
        ("[1]", "must be a JSON object"),
        ('{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}', "leads to 'B'"),
    ],
)
def test_what_is_wrong_with_a_definition_is_said(text: str, says: str, trained: App, open_part: Open) -> None:
    page = saved(open_part("machines"), "mine", text)
    assert says in page.error[0].value
    assert page.text_area(key="machine_text_classify_image").value == text


@pytest.mark.parametrize("name", ["classify_image", "classify_batch", "", "a b", "../x", "x" * 81])
def test_a_name_that_is_taken_by_the_app_or_is_none_is_refused(name: str, app: App) -> None:
    with pytest.raises(BadInput) as refused:
        machines.put(app, name, json.dumps(PASS))
    assert not isinstance(refused.value, BadDefinition)
    assert list(machines.names(app)) == ["classify_batch", "classify_image"]


def test_names_with_two_underscores_are_shown(trained: App, open_part: Open) -> None:
    machines.put(trained, "my__machine", json.dumps(PASS))
    ended(trained, machines.start(trained, "my__machine", "{}").name)
    assert r"my\_\_machine" in texts(open_part("images"))
    page = open_part("machines")
    shown(page.selectbox[0].select("my__machine").run())


def test_input_that_is_not_json_starts_nothing(trained: App, open_part: Open) -> None:
    page = open_part("machines")
    page.segmented_control(key="machine_given_classify_image").select("json").run()
    page.text_area(key="machine_json_classify_image").set_value('{"a": }')
    assert "The input is not JSON" in pressed(page.run(), "Start execution").error[0].value
    assert not trained.backend.workflows.list()


def test_retries_caught_errors_and_iterations_are_shown(trained: App, open_part: Open) -> None:
    machines.put(trained, "retried", json.dumps(RETRIED))
    ended(trained, machines.start(trained, "retried", '{"numbers": [1, 2, 3]}').name)
    page = open_part("images")
    page.selectbox[0].select("Ask").run()
    assert "**Retries** 1" in texts(page)
    assert "Caught" in texts(page)
    assert page.error
    page.selectbox[0].select("One").run()
    assert len(page.selectbox[1].options) == 3

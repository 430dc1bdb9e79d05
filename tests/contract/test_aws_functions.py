"""State machines and functions beyond their ports, on the stand-in."""

from typing import Any

import pytest

from scones_core.aws.functions import configure, environment, names
from scones_core.aws.session import Aws
from scones_core.aws.workflow import StepFunctions
from scones_core.errors import Conflict
from tests.contract.conftest import REAL
from tests.contract.stand_in.server import STACK

pytestmark = pytest.mark.skipif(REAL, reason="looks into the stand-in")
ENDPOINT = "scones-unlimited"


@pytest.fixture
def services(aws: Aws) -> StepFunctions:
    return StepFunctions(aws)


def test_another_process_finds_an_execution_by_its_name(services: StepFunctions):
    services.put("passes", {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
    started = services.start("passes", "found-by-name", {"n": 1})
    assert StepFunctions(Aws(STACK)).describe(started.name).machine == "passes"


def test_a_change_by_somebody_else_at_the_same_moment_is_noticed(aws: Aws):
    class Stale:
        """Lambda, as somebody saw it before the other's change."""

        def __getattr__(self, name: str) -> Any:
            return getattr(aws.functions, name)

        def get_function_configuration(self, **asked: str) -> dict[str, Any]:
            return {**aws.functions.get_function_configuration(**asked), "RevisionId": "before"}

    slow = Aws(STACK)
    slow.__dict__["functions"] = Stale()
    with pytest.raises(Conflict, match="being changed concurrently"):
        configure(slow, {"THRESHOLD": "0.123"})


def test_each_function_gets_the_variable_that_it_reads(aws: Aws):
    configure(aws, {"THRESHOLD": "0.5", "ENDPOINT_NAME": ENDPOINT, "COLOUR": "blue"})
    found = [aws.functions.get_function_configuration(FunctionName=name) for name in names(aws)]
    variables = {one["FunctionName"].rpartition("-")[2]: one.get("Environment", {}).get("Variables") for one in found}
    assert variables == {
        "filter_low_confidence": {"THRESHOLD": "0.5"},
        "image_classification": {"ENDPOINT_NAME": ENDPOINT},
        "serialize_image_data": None,
        "summarize_batch": None,
    }
    assert environment(aws) == {"THRESHOLD": "0.5", "ENDPOINT_NAME": ENDPOINT}

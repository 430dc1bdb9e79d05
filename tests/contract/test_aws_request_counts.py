"""How often AWS is asked: once for what cannot change."""

from collections import Counter
from typing import Any

import pytest

from scones_core.aws.algorithms import Hardware
from scones_core.aws.object_store import S3ObjectStore
from scones_core.aws.session import Aws
from scones_core.aws.training import SageMakerTraining
from scones_core.aws.workflow import StepFunctions
from scones_core.ports import ExecutionStatus, TrainingJob
from tests.contract.conftest import REAL, until
from tests.contract.stand_in.server import STACK

pytestmark = pytest.mark.skipif(REAL, reason="counts what the stand-in is asked")
PASSES = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **PASSES}
EACH = {"StartAt": "Each", "States": {"Each": {"Type": "Map", "ItemProcessor": DISTRIBUTED, "End": True}}}


class Counted(Aws):
    """Counts its requests by operation."""

    def __init__(self) -> None:
        super().__init__(STACK)
        self.requests: Counter[str] = Counter()
        self.session.events.register("before-call", self._count)

    def _count(self, model: Any, **_: Any) -> None:
        self.requests[model.name] += 1


@pytest.fixture
def counted(aws_stand_in: dict[str, str]) -> Counted:
    return Counted()


def run(services: StepFunctions, machine: str, name: str, given: Any) -> None:
    services.start(machine, name, given)
    until(lambda: services.describe(name).status is not ExecutionStatus.RUNNING)


def test_ended_executions_and_their_histories_are_asked_for_once(counted: Counted, prefix: str):
    services = StepFunctions(counted)
    services.put("counted", PASSES)
    for number in range(5):
        run(services, "counted", f"{prefix.strip('/')}-{number}", {})
    another = StepFunctions(counted)
    machines = len(another.names())
    counted.requests.clear()
    for _ in range(3):
        assert all(another.history(execution.name) for execution in another.list(limit=5))
    assert counted.requests == {"ListExecutions": 3 * machines, "DescribeExecution": 5, "GetExecutionHistory": 5}


def test_ended_map_runs_are_asked_for_once(counted: Counted, prefix: str):
    services, name = StepFunctions(counted), prefix.strip("/")
    services.put("each_counted", EACH)
    run(services, "each_counted", name, [1, 2])
    counted.requests.clear()
    assert services.map_runs(name) == services.map_runs(name)
    assert counted.requests == {"ListMapRuns": 1, "DescribeMapRun": 1}


@pytest.mark.parametrize("backend", ["aws-stand-in"], indirect=True)
def test_ended_jobs_are_described_once(counted: Counted, trained: TrainingJob):
    service = SageMakerTraining(counted, S3ObjectStore(counted), Hardware(), poll=3600)
    assert trained.name in [job.name for job in service.list()]
    counted.requests.clear()
    assert trained.name in [job.name for job in service.list()]
    assert counted.requests == {"ListTrainingJobs": 1}

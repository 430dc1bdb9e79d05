"""Errors of an execution. Names: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html"""

ALL = "States.ALL"
DATA_LIMIT_EXCEEDED = "States.DataLimitExceeded"
EXCEED_TOLERATED_FAILURE_THRESHOLD = "States.ExceedToleratedFailureThreshold"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
INTRINSIC_FAILURE = "States.IntrinsicFailure"
ITEM_READER_FAILED = "States.ItemReaderFailed"
NO_CHOICE_MATCHED = "States.NoChoiceMatched"
QUERY_EVALUATION_ERROR = "States.QueryEvaluationError"
RESULT_PATH_MATCH_FAILURE = "States.ResultPathMatchFailure"
RESULT_WRITER_FAILED = "States.ResultWriterFailed"
RUNTIME = "States.Runtime"
TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"


class StatesError(Exception):
    """A state failed: `error` is the name that Retry and Catch match, `cause` the text for people."""

    def __init__(self, error: str | None, cause: str | None = None) -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause

    def output(self) -> dict[str, str]:
        """Return the Error Output that a Catcher sees; AWS leaves neither field out."""
        return {"Error": self.error or "", "Cause": self.cause or ""}

    def details(self) -> dict[str, str]:
        """Return the error as event details have it: either field may be missing."""
        given = {"error": self.error, "cause": self.cause}
        return {name: text for name, text in given.items() if text is not None}


class StateFailure(StatesError):
    """An error of the state itself and not of what it called; AWS's cause then tells where it happened."""

    is_located = False

    def located(self, state: str, entered: int) -> "StateFailure":
        """Return the same error with AWS's words for the place in front of its cause."""
        where = f"An error occurred while executing the state '{state}' (entered at the event id #{entered}). "
        error = type(self)(self.error, where + (self.cause or ""))
        error.is_located = True
        return error


class RuntimeFailure(StateFailure):
    """States.Runtime: neither Retry nor Catch can handle it; the execution fails."""

    @classmethod
    def because(cls, cause: str) -> "RuntimeFailure":
        return cls(RUNTIME, cause)


class QueryFailure(StateFailure):
    """States.QueryEvaluationError: JSONata failed. `location` names the field, if it is one's, as "Output/total"."""

    location = ""

    @classmethod
    def at(cls, location: str, cause: str) -> "QueryFailure":
        failure = cls(QUERY_EVALUATION_ERROR, cause)
        failure.location = location
        return failure

    def located(self, state: str, entered: int) -> "QueryFailure":
        located = super().located(state, entered)
        assert isinstance(located, QueryFailure)
        located.location = self.location
        return located


class TooLarge(StatesError):
    """States.DataLimitExceeded of a state's own output or arguments; States.ALL does not cover it."""

    def __init__(self, cause: str) -> None:
        super().__init__(DATA_LIMIT_EXCEEDED, cause)


class BranchFailure(StatesError):
    """A branch of a Parallel or an iteration of a Map failed; the state fails with the same error."""

    def __init__(self, failure: StatesError) -> None:
        super().__init__(failure.error, failure.cause)
        self.final: bool = isinstance(failure, RuntimeFailure) or getattr(failure, "final", False)


class DefinitionError(Exception):
    """A definition that Step Functions would refuse; the text names the state and the field."""


def refusal(message: str, service: str, status: int, code: str, request_id: str) -> str:
    """The cause of an error that a service gave, as AWS words it."""
    details = f"Service: {service}; Status Code: {status}; Error Code: {code}; Request ID: {request_id}"
    return f"{message} ({details}; Proxy: null)"

"""What moto's interpreter lacks of the distributed Map: express children, and the results that it writes."""

import json
from typing import Any

from jsonata import Jsonata

from tests.contract.stand_in import roles

FAILED = "failed child"


def jsonata(expression: str) -> Any:
    """moto leaves JSONata to a Java program that it does not bring."""
    return Jsonata(expression).evaluate(None)


def client_for(region: str, service: str, state_credentials: Any = None) -> Any:
    """A client in the role of the state machine."""
    return roles.client(service, state_credentials.role_arn)


def parse(original: Any, definition: str) -> Any:
    """moto's grammar does not have these; but for a limit of items, none changes what a definition does here."""
    value = json.loads(definition)
    _simplify(value)
    return original(json.dumps(value))


def _simplify(value: Any) -> None:
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _simplify(one)
    if isinstance(value, dict):
        if isinstance(value.get("ToleratedFailurePercentage"), int):
            value["ToleratedFailurePercentage"] = float(value["ToleratedFailurePercentage"])
        if value.get("ExecutionType") == "EXPRESS":
            value["ExecutionType"] = "STANDARD"
        if "InputType" not in value.get("ReaderConfig", {"InputType": ""}):  # a listing: moto then reads all of it
            del value["ReaderConfig"]
        value.pop("WriterConfig", None)


def eval_job(original: Any, self: Any, env: Any, job: Any) -> None:
    """moto forgets which children failed."""
    original(self, env, job)
    if job.job_output is None:
        job.job_output = {FAILED: job.job_input["Key"]}


def eval_result_writer(self: Any, env: Any) -> None:
    """Where the results go is said by the state's input; moto looks for it in the results."""
    env.stack.append(env.states.get_input())
    self.parargs.eval(env=env)
    parameters = env.stack.pop()
    env.stack.pop()
    env.stack.append(parameters)
    self.resource_eval.eval_resource(env=env)


def put_object(env: Any, *_: Any) -> None:
    """The results as the documentation shows them, in JSON Lines; moto writes the manifest alone.

    https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
    """
    parameters, outputs = env.stack.pop(), env.stack.pop()
    arn = env.map_run_record_pool_manager.get_all().pop().map_run_arn
    folder = f"{parameters['Prefix'].rstrip('/')}/{arn.rpartition(':')[2]}"
    records: dict[str, list[dict[str, str]]] = {"SUCCEEDED": [], "FAILED": []}
    for output in outputs:
        if FAILED in output:
            given = json.dumps({"s3_key": output[FAILED]})
            records["FAILED"].append({"Status": "FAILED", "Input": given, "Error": "Error", "Cause": "it failed"})
        else:
            records["SUCCEEDED"].append({"Status": "SUCCEEDED", "Output": json.dumps(output)})
    s3 = roles.client("s3", env.aws_execution_details.role_arn)
    files: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    for status, lines in records.items():
        if lines:
            text = "\n".join(json.dumps(line) for line in lines)
            files[status].append({"Key": f"{folder}/{status}_0.jsonl", "Size": len(text)})
            s3.put_object(Bucket=parameters["Bucket"], Key=f"{folder}/{status}_0.jsonl", Body=text.encode())
    manifest = {"DestinationBucket": parameters["Bucket"], "MapRunArn": arn, "ResultFiles": files}
    s3.put_object(Bucket=parameters["Bucket"], Key=f"{folder}/manifest.json", Body=json.dumps(manifest).encode())
    details = {"Bucket": parameters["Bucket"], "Key": f"{folder}/manifest.json"}
    env.stack.append({"MapRunArn": arn, "ResultWriterDetails": details})

"""AWS requests in the source code of `scones_core/aws` and `lambdas/`, as the IAM actions that they ask for."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.session
from botocore import xform_name
from botocore.model import ServiceModel

from scones_core.aws.errors import action

ROOT = Path(__file__).resolve().parents[1]

ELSEWHERE = {"search"}  # of regular expressions; a client of SageMaker has it too


@cache
def model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


@cache
def operations(service: str) -> dict[str, str]:
    """Name of each method of a client → the IAM action that its request asks for."""
    of = model(service)
    return {xform_name(name): action(of, name) for name in of.operation_names}


# What the code requests


@cache
def clients() -> dict[str, str]:
    """Attribute of `Aws` → AWS service."""
    found = {}
    for node in ast.walk(ast.parse((ROOT / "scones_core" / "aws" / "session.py").read_text())):
        if isinstance(node, ast.FunctionDef):
            for call in (inner for inner in ast.walk(node) if isinstance(inner, ast.Call)):
                if isinstance(call.func, ast.Attribute) and call.func.attr == "_client":
                    [name, *_] = call.args
                    found[node.name] = ast.literal_eval(name)
    return found


def requested(path: Path) -> set[str]:
    """IAM actions of all requests that a module of scones_core/aws makes."""
    tree = ast.parse(path.read_text())
    known = dict(_aliases(tree))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            service = _service(node.func.value, known)
            if service and node.func.attr in ("get_paginator", "get_waiter"):
                found.add(operations(service)[_operation(service, node.func.attr, ast.literal_eval(node.args[0]))])
        if isinstance(node, ast.Attribute):
            service = _service(node.value, known)
            if service and node.attr in operations(service):
                found.add(operations(service)[node.attr])
    return found


def _service(node: ast.expr, known: dict[str, str]) -> str | None:
    if isinstance(node, ast.Attribute):
        return clients().get(node.attr)
    return known.get(node.id) if isinstance(node, ast.Name) else None


def _aliases(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Variables that hold a client."""
    for node in ast.walk(tree):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=True))
            for name, value in pairs:
                if isinstance(name, ast.Name) and isinstance(value, ast.Attribute) and value.attr in clients():
                    yield name.id, clients()[value.attr]


def _operation(service: str, by: str, name: str) -> str:
    if by == "get_paginator":
        return name
    waiters = botocore.session.get_session().get_waiter_model(service)
    [camel] = [waiter for waiter in waiters.waiter_names if xform_name(waiter) == name]
    return xform_name(waiters.get_waiter(camel).operation)


def unresolved(path: Path) -> set[str]:
    """Calls that are named as an operation, on something that is not known to be a client."""
    tree = ast.parse(path.read_text())
    known = dict(_aliases(tree))
    named = {name for service in clients().values() for name in operations(service)}
    return {
        f"{path.name}:{node.lineno} {node.func.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in named - ELSEWHERE
        if _service(node.func.value, known) is None
    }


def requested_by(handler: Path) -> set[str]:
    """IAM actions of all requests that a function makes."""
    named = {**operations("s3"), **operations("sagemaker-runtime")}
    attributes = [node.attr for node in ast.walk(ast.parse(handler.read_text())) if isinstance(node, ast.Attribute)]
    return {named[attribute] for attribute in attributes if attribute in named}

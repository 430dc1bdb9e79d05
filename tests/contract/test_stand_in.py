"""The stand-in itself: whether moto still has what it replaces, and whether the whole template is in it."""

import socket

import pytest

from scones_core.aws.checks import OUTPUTS
from tests.contract.conftest import REAL, NoNetwork
from tests.contract.stand_in import patches, roles
from tests.contract.stand_in.deployment import NOT_IN_MOTO, packaged, template, translated
from tests.contract.stand_in.server import STACK

pytestmark = pytest.mark.skipif(REAL, reason="a real account has no stand-in")


@pytest.mark.parametrize("path", sorted({**patches.WRAPPED, **patches.REPLACED}))
def test_moto_still_has_what_is_replaced(path: str):
    owner, name = patches.owner_of(path)
    assert callable(getattr(owner, name, None)), f"moto has no {path} any more: adapt tests/contract/stand_in"


@pytest.mark.parametrize("path", sorted(patches.MODULES))
def test_moto_still_has_the_modules_names_that_are_replaced(path: str):
    module, name = patches.module_of(path)
    assert hasattr(module, name), f"moto has no {path} any more: adapt tests/contract/stand_in"


def test_moto_still_lacks_what_is_added():
    with_own = [path for path in patches.ADDED if path not in added_by_us()]
    assert with_own == [], "moto has this itself now: take the stand-in away"


def added_by_us() -> set[str]:
    """Those that the class does not have, or has from us."""
    found = set()
    for path, function in patches.ADDED.items():
        owner, name = patches.owner_of(path)
        if owner.__dict__.get(name) in (None, function):
            found.add(path)
    return found


@pytest.mark.usefixtures("aws_stand_in")
def test_every_resource_of_the_template_is_deployed_but_for_those_moto_lacks():
    wanted = [r["Type"] for r in translated(packaged(template()))["Resources"].values()]
    pages = roles.administrator("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK)
    deployed = [resource["ResourceType"] for page in pages for resource in page["StackResourceSummaries"]]
    assert sorted(deployed) == sorted(kind for kind in wanted if kind not in NOT_IN_MOTO)


@pytest.mark.usefixtures("aws_stand_in")
def test_the_stack_tells_all_that_the_app_reads():
    [stack] = roles.administrator("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    told = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert set(OUTPUTS) <= set(told)
    assert all(told[name] and told[name] != "None" for name in OUTPUTS)


def test_a_test_cannot_leave_this_machine():
    with pytest.raises(NoNetwork):
        socket.create_connection(("192.0.2.1", 80), timeout=1)

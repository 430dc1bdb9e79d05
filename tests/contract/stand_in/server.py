"""The stand-in as a whole."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from moto.core.authorization import enable_iam_authentication
from moto.core.config import default_user_config
from moto.server import ThreadedMotoServer

from tests.contract.stand_in import deployment, patches, prices, roles
from tests.contract.stand_in.containers import install_worker

STACK = "scones-test"
REGION = roles.REGION


def environment(port: int, price_list: str) -> dict[str, str]:
    """Variables under which everything that speaks to AWS speaks to the stand-in, and to nothing else."""
    return {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ENDPOINT_URL_PRICING": price_list,
        "MOTO_PORT": str(port),
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "false",
        "SAGEMAKER_VALIDATE_ROLE": "false",
    }


@contextmanager
def running(port: int = 0, stack: str = STACK) -> Iterator[Mapping[str, str]]:
    """AWS with the stack deployed; gives the variables with which the app asks it, set in this process too."""
    before = dict(os.environ)
    configured = default_user_config["stepfunctions"]
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    install_worker()
    for noisy in ("werkzeug", "moto"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    with patches.applied(), prices.served() as price_list:
        server.start()
        given = environment(server.get_host_and_port()[1], price_list)
        os.environ.pop("AWS_PROFILE", None)
        os.environ.update(given)
        try:
            deployment.deploy(stack)
            roles.create_administrator()
            given |= roles.create_app_role(stack)
            roles.allow_other_endpoints(stack)
            os.environ.update(given)
            with enable_iam_authentication():
                yield {**given, "SCONES_BACKEND": "aws", "SCONES_STACK": stack}
        finally:
            server.stop()
            default_user_config["stepfunctions"] = configured
            os.environ.clear()
            os.environ.update(before)

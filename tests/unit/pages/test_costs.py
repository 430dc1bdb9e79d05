"""What the pages say of costs, and how an endpoint is deleted."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from scones_core.domain.costs import Price
from scones_core.errors import Unavailable
from scones_core.ports import Endpoint, EndpointService, Instances, Use
from scones_core.services import App, capture, classification, deployment, monitoring
from scones_core.ui.shell.navigation import PageName
from scones_core.ui.shell.session import main_app
from scones_core.ui.shell.text import plain
from tests.unit.pages.driving import Open, metrics, pressed, texts

pytestmark = pytest.mark.usefixtures("trained")
CENTS = Price(0.1, "USD")


@dataclass
class PaidFor:
    """Costs as a paying backend has them."""

    known: Price | None = CENTS
    quiet: timedelta | None = timedelta(0)  # None: nobody ever asked
    measured: bool = True
    spot: bool = False
    most: int = 1

    def training(self) -> Instances:
        return Instances("ml.g4dn.xlarge", Use.TRAINING, spot=self.spot)

    def hosting(self) -> Instances:
        return Instances("ml.m5.large", Use.HOSTING, most=self.most)

    def running(self, endpoint: str) -> Instances | None:
        return Instances("ml.m5.large", Use.HOSTING, count=2)

    def price(self, instances: Instances) -> Price:
        if self.known is None:
            raise Unavailable("AWS denied pricing:GetProducts: request this permission.")
        return self.known if instances.use is Use.HOSTING else Price(0.736, "USD")

    def last_asked(self, endpoint: str) -> datetime | None:
        if not self.measured:
            raise Unavailable("No AWS credentials: sign in.")
        return None if self.quiet is None else datetime.now(UTC) - self.quiet


class TwoDaysOld:
    """Endpoints that were created 50 hours ago."""

    def __init__(self, endpoints: EndpointService) -> None:
        self._endpoints = endpoints
        self.__dict__.update({n: getattr(endpoints, n) for n in ("capture_prefix", "invoke", "transform", "delete")})

    def describe(self, name: str) -> Endpoint | None:
        found = self._endpoints.describe(name)
        return replace(found, created=datetime.now(UTC) - timedelta(hours=50)) if found else None


def paying(costs: PaidFor) -> App:
    """The app of this process, as if its endpoint, two days old, were paid for."""
    app = main_app()
    backend = replace(app.backend, costs=costs, endpoints=TwoDaysOld(app.backend.endpoints))
    object.__setattr__(app, "backend", backend)
    return app


def warnings(page: AppTest) -> str:
    return "\n".join(warning.value for warning in page.warning)


def test_before_training_the_page_says_what_it_will_cost_and_from_what_it_knows(open_page: Open):
    paying(PaidFor())
    said = texts(open_page("train"))
    assert "**ml.g4dn.xlarge**, 0.736 USD per hour: **" in said
    assert "based on the training of v1" in said
    assert "Spot" not in said


def test_spare_capacity_is_said_to_cost_less(open_page: Open):
    paying(PaidFor(spot=True))
    assert "Spot capacity usually costs less; check your bill." in texts(open_page("train"))


def test_before_deploying_the_page_says_what_a_day_costs(open_page: Open):
    paying(PaidFor(most=3))
    said = texts(open_page("train"))
    assert "**ml.m5.large**, 0.10 USD per hour: **2.40 USD** per day, 72.00 USD in 30 days" in said
    assert "up to 3 instances" in said


def test_a_running_endpoint_shows_what_it_has_cost_so_far(open_page: Open):
    paying(PaidFor())
    page = open_page("train")
    assert (metrics(page)["Cost so far, about"], metrics(page)["Cost per day"]) == ("10.00 USD", "4.80 USD")
    assert "2 × ml.m5.large, 0.10 USD per hour each, for 2 days" in texts(page)
    assert not page.warning


def test_an_unknown_price_is_said_with_its_reason_and_the_page_works(open_page: Open):
    paying(PaidFor(known=None))
    page = open_page("train")
    for instance in ("ml.g4dn.xlarge", "ml.m5.large"):
        why = f"Price of {instance} unknown: AWS denied pricing:GetProducts"
        assert plain(why) in texts(page)
    assert "Cost per day" not in metrics(page)
    assert "Start training" in [button.label for button in page.button]


@pytest.mark.parametrize("name", ["train", "overview"])
def test_an_endpoint_that_nobody_asks_is_pointed_out(open_page: Open, name: str):
    paying(PaidFor(quiet=timedelta(hours=30.5)))
    assert warnings(open_page(name)).startswith(
        "The endpoint has had no requests for 30 hours and costs 4.80 USD per day. Delete it "
    )


def test_an_endpoint_that_was_asked_within_a_day_is_not_idle(open_page: Open):
    paying(PaidFor(quiet=timedelta(hours=23.5)))
    assert not open_page("overview").warning


def test_an_idle_endpoint_is_pointed_out_without_a_price_too(open_page: Open):
    paying(PaidFor(known=None, quiet=None))
    assert "for 2 days and is still billed." in warnings(open_page("overview"))


def test_when_nobody_knows_whether_it_is_idle_the_page_says_so(open_page: Open):
    paying(PaidFor(measured=False))
    page = open_page("train")
    assert plain("unknown: no AWS credentials: sign in.") in texts(page)
    assert not page.warning


def test_on_this_machine_nothing_is_said_of_costs(open_page: Open):
    page = open_page("train")
    assert "per hour" not in texts(page)
    assert "Cost per day" not in metrics(page)


def _deleting() -> None:
    from scones_core.services import deployment
    from scones_core.ui.shell.session import main_app
    from scones_core.ui.train.endpoint_view import confirm_deletion

    app = main_app()
    if endpoint := deployment.endpoint(app):
        confirm_deletion(app, endpoint)


def test_an_endpoint_is_deleted_after_a_confirmation(open_page: Open):
    page = pressed(open_page("train"), "Delete endpoint")
    assert "Captured inferences, labels and model versions are kept." in texts(page)
    assert deployment.endpoint(main_app()) is not None
    # AppTest runs the whole page where a browser runs the dialog alone, so this holds the dialog open.
    pressed(AppTest.from_function(_deleting, default_timeout=120).run(), "Yes, delete scones-unlimited")
    assert deployment.endpoint(main_app()) is None
    page = open_page("train")
    assert "No endpoint yet." in texts(page)
    assert "Delete endpoint" not in [button.label for button in page.button]


@pytest.mark.parametrize("name", list(PageName))
def test_every_page_works_without_the_endpoint(open_page: Open, name: PageName):
    app = main_app()
    monitoring.set_threshold(app, 0.99)
    classification.classify(app, classification.sample_keys(app, 4, seed=0))
    capture.ingest(app)
    deployment.delete(app)
    assert not open_page(name).error

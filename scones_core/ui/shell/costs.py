"""Cost of training and hosting, estimated and so far. Backends without prices show nothing."""

from datetime import timedelta

import streamlit as st

from scones_core.domain.costs import DAY, HOUR, LOOK_BACK, MONTH, Price
from scones_core.services import App, costs
from scones_core.services.costs import EndpointCost, Priced
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.widgets import duration

_ON_DEMAND = "On-demand price from the AWS price list, without taxes and discounts."


def training_cost(app: App) -> None:
    """Instance, hourly price, and estimated cost of the next training job."""
    cost = costs.of_training(app)
    if cost is None or (price := _price(cost)) is None:
        return
    took = f"based on the training of {cost.like}" if cost.like else "based on the reference run on a GPU"
    spot = " Spot capacity usually costs less; check your bill." if cost.instances.spot else ""
    st.caption(
        f":material/payments: **{cost.instances.type}**, {_an_hour(price)}: "
        f"**{_about(price, cost.seconds)}** for {duration(cost.seconds)}, {took}.{spot}",
        help=f"{_ON_DEMAND} The transform job that evaluates the model afterwards is billed separately.",
    )


def hosting_cost(app: App) -> None:
    """Instance, hourly price, and cost of an endpoint per day and month."""
    cost = costs.of_hosting(app)
    if cost is None or (price := _price(cost)) is None:
        return
    most = cost.instances.most
    scaled = f" Scales up to {most} instances under load." if most > 1 else ""
    st.caption(
        f":material/payments: **{cost.instances.type}**, {_an_hour(price)}: **{money(price, price.of(DAY))}** per day, "
        f"{money(price, price.of(MONTH))} in 30 days, even when idle.{scaled}",
        help=_ON_DEMAND,
    )


def endpoint_cost(cost: EndpointCost | None) -> None:
    """Cost of the running endpoint so far, and per day."""
    if cost is None:
        return
    count = cost.instances.count
    if price := _price(cost):
        grid = st.grid(2, min_column_width=120)
        grid.metric(
            "Cost so far, about",
            money(price, price.of(cost.age.total_seconds(), count)),
            help="Assumes the current number of instances throughout. " + _ON_DEMAND,
        )
        grid.metric("Cost per day", money(price, price.of(DAY, count)))
        each = " each" if count > 1 else ""
        st.caption(f"{count} × {cost.instances.type}, {_an_hour(price)}{each}, for {span(cost.age)}")
    if cost.quiet_unknown:
        _unknown(cost.quiet_unknown)


def idle_warning(cost: EndpointCost | None, where: str) -> None:
    """Warn about an endpoint without requests for a day; `where` says where to delete it."""
    if cost is None or not cost.idle or cost.quiet is None:
        return
    longer = " or longer" if cost.quiet >= LOOK_BACK else ""
    st.warning(
        f"The endpoint has had no requests for {span(cost.quiet)}{longer} and {_daily(cost)}. Delete it {where} "
        "if you do not need it; redeploying a model takes minutes.",
        icon=":material/bedtime:",
    )


def money(price: Price, amount: float) -> str:
    """An amount in the price's currency, as `82.80 USD`."""
    return f"{amount:,.2f} {price.currency}" if amount >= 0.005 else f"< 0.01 {price.currency}"


def span(time: timedelta) -> str:
    """A time in the unit that fits: 40 minutes, 5 hours, 3 days."""
    seconds = time.total_seconds()
    number, unit = next((seconds // size, unit) for size, unit in _UNITS if seconds >= 2 * size or size == 60)
    return f"{number:.0f} {unit}{'' if number == 1 else 's'}"


_UNITS = ((DAY, "day"), (HOUR, "hour"), (60.0, "minute"))


def _an_hour(price: Price) -> str:
    """Hourly prices have up to four significant decimals."""
    whole, _, decimals = f"{price.per_hour:.4f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')} {price.currency} per hour"


def _about(price: Price, seconds: float) -> str:
    amount = money(price, price.of(seconds))
    return amount if amount.startswith("<") else f"about {amount}"


def _daily(cost: EndpointCost) -> str:
    if cost.price is None:
        return "is still billed"
    return f"costs {money(cost.price, cost.price.of(DAY, cost.instances.count))} per day"


def _price(cost: Priced) -> Price | None:
    """The price; if there is none, show why."""
    if cost.price is None:
        _unknown(cost.unknown)
    return cost.price


def _unknown(why: str) -> None:
    st.caption(f":material/help: {plain(why)}")

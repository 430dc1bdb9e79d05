"""Overview: the state of the loop, the next step, and the guided demo."""

from scones_core.services import costs, overview
from scones_core.ui.overview.demo_view import demo_section, running_demo
from scones_core.ui.overview.loop_strip import loop_stages, loop_strip
from scones_core.ui.overview.overview_view import key_figures, next_step_card
from scones_core.ui.shell.costs import idle_warning
from scones_core.ui.shell.session import get_app
from scones_core.ui.shell.widgets import page_header

page_header(
    "Scones Unlimited",
    "An image classifier that learns from its reviewers: train, deploy, classify, monitor, review, retrain.",
)
app = get_app()
seen = overview.overview(app)

loop_strip(loop_stages(app, seen))
running_demo(app)
idle_warning(costs.of_endpoint(app), "on **Train & deploy**")
next_step_card(seen.status)
key_figures(seen)
demo_section(app)

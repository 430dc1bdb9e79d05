"""Overview: the state of the loop, the next step, and the guided demo."""

from scones_core.services import costs, overview
from scones_core.ui.overview.demo_view import demo_is_running, demo_section, ended_demo, running_demo
from scones_core.ui.overview.first_steps import first_steps
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

is_first_visit = seen.is_empty and not demo_is_running()
if is_first_visit:
    first_steps(app)
loop_strip(loop_stages(app, seen))
running_demo(app)
idle_warning(costs.of_endpoint(app), "on **Train & deploy**")
if not is_first_visit:
    next_step_card(seen.status)
    key_figures(seen)
    demo_section(app)
ended_demo(app)

"""Overview: the state of the loop, the next step, and the guided demo."""

from scones_core.services import costs, overview
from scones_core.ui.overview.demo_view import demo_in_view, demo_is_running, demo_section, ended_demo, running_demo
from scones_core.ui.overview.first_steps import first_steps
from scones_core.ui.overview.loop_strip import loop_stages, loop_strip
from scones_core.ui.overview.overview_view import key_figures, next_step_card
from scones_core.ui.shell.costs import idle_warning
from scones_core.ui.shell.session import get_app, in_demo
from scones_core.ui.shell.widgets import page_header

page_header(
    "Scones Unlimited",
    "An image classifier that learns from its reviewers: train, deploy, classify, monitor, review, retrain.",
)
app = get_app()
demo_shown, demo_runs = demo_in_view(), demo_is_running()  # before the figures, which are then not older
seen = overview.overview(app)

if seen.is_empty and not demo_shown:
    first_steps(app)
loop_strip(loop_stages(app, seen))
if demo_shown:
    if demo_runs:
        running_demo()
    else:
        ended_demo()
else:
    idle_warning(costs.of_endpoint(app), "on **Train & deploy**")
    if not seen.is_empty:
        next_step_card(seen.status)
        key_figures(seen)
        if not in_demo():
            demo_section()

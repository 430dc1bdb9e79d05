"""How tests use a page under Streamlit's AppTest: press, wait, and read what it says."""

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from scones_core.ports import Execution, ExecutionStatus
from scones_core.services import App, classification
from scones_core.ui.shell.navigation import PageName
from scones_core.ui.shell.server import SCRIPT
from tests.waiting import until

Open = Callable[[str], AppTest]


def page_of(name: str, **query: str) -> AppTest:
    """The page as a browser opens it by its address."""
    page = AppTest.from_file(SCRIPT, default_timeout=120)
    page.user = {}
    if name != "overview":
        page.switch_page(PageName(name).path)
    for key, value in query.items():
        page.query_params[key] = value
    return shown(page.run())


def shown(page: AppTest) -> AppTest:
    """The page, without an unexpected error on it."""
    assert not page.exception
    return page


def pressed(page: AppTest, label: str) -> AppTest:
    """The page after a press on the first button whose label begins so."""
    next(button for button in page.button if button.label.startswith(label)).click()
    return shown(page.run())


def page_until(page: AppTest, holds: Callable[[AppTest], bool]) -> AppTest:
    """The page once this holds, run again as its fragments do in a browser."""
    until(lambda: holds(page) or holds(shown(page.run())))
    return page


def settled(page: AppTest, done: Callable[[], object]) -> AppTest:
    """The page, run again as its fragments do in a browser, once this is done."""
    until(done)
    return shown(page.run())


def ended(app: App, name: str) -> Execution:
    """The execution, once it has ended."""
    until(lambda: classification.describe(app, name).status is not ExecutionStatus.RUNNING)
    return classification.describe(app, name)


def reviewing(page: AppTest) -> AppTest:
    """The page after its reader has said who they are."""
    page.text_input(key="reviewer_name").set_value("Ada")
    return pressed(page, "Start reviewing")


def texts(page: AppTest) -> str:
    """What is written on the page, without widgets."""
    told = (*page.markdown, *page.caption, *page.info, *page.success, *page.warning, *page.error, *page.header)
    return "\n".join(str(part.value) for part in told)


def links(page: AppTest) -> list[str]:
    return [link.label for link in page.main.page_link]


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}

"""State machines: definitions, an editor for custom ones, and a form to start an execution."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from scones_core.domain.datasets import DatasetVersion, LabelledImage
from scones_core.errors import BadInput
from scones_core.services import App, etl, machines
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.images import tile_image
from scones_core.ui.workflow.execution_view import definition_text
from scones_core.ui.workflow.graph.component import state_graph
from scones_core.ui.workflow.images_input import alternating

Given = Literal["image", "json"]

_CHOSEN, _NEXT = "machine", "machine_next"
_STARTED = "machine_started"  # machine → the last execution this session started
_GIVEN: dict[Given, str] = {"image": ":material/image: A test image", "json": ":material/data_object: JSON"}
_MOST_IMAGES = 400
_LARGEST = 1  # MB: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html


def machine_input(app: App) -> str:
    """The selected state machine; one that was just saved is selected automatically."""
    names = machines.names(app)
    if (wanted := st.session_state.pop(_NEXT, None)) in names:
        st.session_state[_CHOSEN] = wanted
    st.session_state.setdefault(_CHOSEN, machines.FIRST if machines.FIRST in names else names[0])
    chosen: str = st.selectbox("State machine", names, format_func=_label, key=_CHOSEN, width=420)
    return chosen


def _label(name: str) -> str:
    return f"{name} (built in)" if name in machines.BUILT_IN else name


def machine_view(app: App, machine: str, dataset: DatasetVersion | None) -> None:
    """A machine's graph, definition, start form and editor. Raises NotFound."""
    definition = machines.definition(app, machine)
    left, right = st.columns([5, 6], gap="large")
    with left:
        state_graph(definition, [], selected=None, key=f"machine-graph-{machine}", choice="machine_state")
    with right:
        shown, started, edited = st.tabs(
            [":material/data_object: Definition", ":material/play_arrow: Start", ":material/edit: Edit a copy"],
            key="machine_tabs",
            on_change="rerun",  # keeps the selected tab when a message appears above
        )
        with shown:
            definition_text(definition, machine, key=machine)
        with started:
            _start(app, machine, dataset)
        with edited:
            _editor(app, machine)


def started_execution(machine: str) -> str | None:
    """The last execution of the machine that this session started."""
    started: dict[str, str] = st.session_state.setdefault(_STARTED, {})
    return started.get(machine)


def _start(app: App, machine: str, dataset: DatasetVersion | None) -> None:
    images = _images(app, str(app.settings.home), dataset.id, dataset.sent_split) if dataset else []
    given: Given = st.segmented_control(
        "Input",
        tuple(_GIVEN) if images else ("json",),
        default="image" if images and machine != machines.BATCH else "json",
        format_func=_GIVEN.__getitem__,
        required=True,
        key=f"machine_given_{machine}",
    )
    text = _image_input(app, images, dataset) if given == "image" and dataset else _json_input(app, machine, images)
    action_button(
        "Start execution",
        lambda: _begin(app, machine, text),
        key="start_machine",
        icon=":material/play_arrow:",
        primary=True,
    )
    st.caption("The execution appears below, and in the table under **Images**.")


def _begin(app: App, machine: str, text: str) -> str:
    name = machines.start(app, machine, text).name
    st.session_state.setdefault(_STARTED, {})[machine] = name
    return f"Execution {name} started"


@st.cache_data(show_spinner=False, max_entries=4)
def _images(_app: App, home: str, dataset: str, split: str) -> list[LabelledImage]:
    return alternating(etl.images(_app, dataset, split))[:_MOST_IMAGES]


def _image_input(app: App, images: Sequence[LabelledImage], dataset: DatasetVersion) -> str:
    by_key = {image.key: image for image in images}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        key: str = st.selectbox(
            f"{dataset.sent_split.capitalize()} image",
            list(by_key),
            format_func=lambda key: f"{key.rsplit('/', 1)[-1]} ({_class(dataset, by_key[key])})",
            key="machine_image",
            width=340,
        )
        name = _class(dataset, by_key[key])
        st.image(tile_image(app, key, by_key[key].sha256), width=72, alt=f"{name}, {dataset.sent_split} image {key}")
    return machines.example_input(app, key=key)


def _class(dataset: DatasetVersion, image: LabelledImage) -> str:
    return dataset.classes[image.class_index].replace("_", " ")


def _json_input(app: App, machine: str, images: Sequence[LabelledImage]) -> str:
    example = machines.example_input(app, machine, key=images[0].key if images else "")
    return st.text_area("Input as JSON", example, height=180, key=f"machine_json_{machine}") or ""


def _editor(app: App, machine: str) -> None:
    """A custom definition, typed or uploaded; errors appear at the top of the page."""
    own = machine not in machines.BUILT_IN
    name = st.text_input(
        "Name",
        machine if own else f"my_{machine}",
        max_chars=machines.LONGEST_NAME,
        key=f"machine_name_{machine}",
        help="1 to 80 letters, digits, - and _. Saving under an existing custom name overwrites it.",
    )
    text = st.text_area(
        "Definition in the Amazon States Language",
        machines.definition_text(app, machine),
        height=320,
        key=f"machine_text_{machine}",
        help="Refer to functions as the built-in definitions do.",
    )
    file = st.file_uploader(
        "Or upload a definition", type=["json"], max_upload_size=_LARGEST, key=f"machine_file_{machine}"
    )
    action_button(
        "Check and save",
        lambda: _save(app, name, _decoded(file.getvalue()) if file else text or ""),
        key="save_machine",
        icon=":material/save:",
        primary=True,
    )


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("The file is not UTF-8 text: choose a definition as JSON.") from None


def _save(app: App, name: str, text: str) -> str:
    st.session_state[_NEXT] = machines.put(app, name, text)
    return f"State machine {st.session_state[_NEXT]} saved"

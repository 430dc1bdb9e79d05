"""Descriptions of endpoints on the embedded backend."""

import json

from scones_core.services import App, deployment


def test_a_description_from_before_trials_is_still_read(serving: App):
    file = serving.settings.home / "endpoints" / f"{serving.settings.endpoint}.json"
    description = json.loads(file.read_bytes())
    del description["trial"]
    file.write_text(json.dumps(description))
    found = deployment.get_endpoint(serving)
    assert (found.config.model, found.trial) == ("v1", None)

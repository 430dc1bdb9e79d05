"""Attribution of captured inferences to model versions and class names."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from scones_core.db import inferences as table
from scones_core.db import models as models_table
from scones_core.db import settings
from scones_core.domain.attribution import Attribution, Serving, attributed
from scones_core.domain.models import CHAMPION_VARIANT, Deployment, ModelVersion, number_of
from scones_core.services.app import App

# Longest assumed duration of deployments recorded by older app versions, which did not record their end.
UNSEEN = {"embedded": timedelta(seconds=5), "aws": timedelta(hours=1)}
UPGRADE = "attribute_inferences"  # a setting left by the migration if there are inferences to attribute
AT_ONCE = 10_000

Made = Mapping[str, Any]  # attribution, model (number or None), classes (names or None)


class Makers:
    """Attributes inferences from the current deployments and model versions."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._unseen = UNSEEN[app.backend.name]
        self._captures_say = app.backend.name == "embedded"  # on AWS, callers of the endpoint can set it
        with app.db.read() as connection:
            self._models: dict[int, ModelVersion] = {m.number: m for m in models_table.model_list(connection)}
        self._serving: dict[tuple[str, str], Serving] = {}
        self._known: dict[Any, Made] = {}

    def of(
        self,
        endpoint: str,
        variant: str,
        time: datetime,
        said: str | None,
        classes: int,
        labels: Sequence[str] | None = None,
    ) -> Made:
        """The model version that made an inference.

        said : model id in the capture itself.  classes : number of probabilities.  labels : class names returned with
        the probabilities, in their order.  A model version with another number of classes, or with other names than
        `labels`, is ruled out.
        """
        number = number_of(said) if self._captures_say and said else None
        candidates = frozenset([number]) if number else self._served(endpoint, variant).at(time)
        key = (candidates, classes, labels and tuple(labels))
        if key not in self._known:
            self._known[key] = self._made(candidates, classes, labels)
        return self._known[key]

    def _made(self, candidates: frozenset[int], classes: int, labels: Sequence[str] | None) -> Made:
        fitting = {n for n in candidates if n in self._models and len(self._models[n].classes) == classes}
        if labels is not None:
            fitting = {n for n in fitting if set(self._models[n].classes) == set(labels)}
        attribution, model = attributed(fitting)
        if labels is not None:
            return {"attribution": str(attribution), "model": model, "classes": tuple(labels)}
        lists = {self._models[n].classes for n in fitting}
        return {"attribution": str(attribution), "model": model, "classes": lists.pop() if len(lists) == 1 else None}

    def class_names(self, endpoint: str, since: datetime, until: datetime, classes: int) -> tuple[str, ...] | None:
        """Class names of the model that served throughout; a trial's model has the same."""
        serving = self._served(endpoint, CHAMPION_VARIANT)
        numbers = serving.at(since) | serving.at(until)
        lists = {self._models[n].classes for n in numbers if n in self._models}
        [names] = lists if len(lists) == 1 else [()]
        return names if len(names) == classes else None

    def _served(self, endpoint: str, variant: str) -> Serving:
        if (endpoint, variant) not in self._serving:
            with self._app.db.read() as connection:
                history: Sequence[Deployment] = models_table.deployment_list(connection, endpoint, done=False)
            self._serving[endpoint, variant] = Serving(history, variant, self._unseen)
        return self._serving[endpoint, variant]


def imported(classes: Sequence[str] | None) -> Made:
    """Attribution of an imported inference."""
    return {
        "attribution": str(Attribution.IMPORTED),
        "model": None,
        "classes": tuple(classes) if classes else None,
    }


def attribute_older(app: App) -> None:
    """Attribute inferences captured before attribution was recorded; runs once."""
    with app.db.read() as connection:
        if not settings.get(connection, UPGRADE):
            return
    makers = Makers(app)
    while True:
        with app.db.write() as connection:
            rows = table.unattributed(connection, AT_ONCE)
            found = [(row, _older(makers, row)) for row in rows]
            ids = table.class_list_ids(connection, {made["classes"] for _, made in found if made["classes"]})
            if not rows:
                settings.put(connection, UPGRADE, False)
                return
            table.attribute(connection, [_update(row, made, ids) for row, made in found])


def _older(makers: Makers, row: Mapping[str, Any]) -> Made:
    if row["endpoint"] == "imported":
        return imported(None)
    return makers.of(row["endpoint"], row["variant"], row["time"], None, len(row["probabilities"]))


def _update(row: Mapping[str, Any], made: Made, ids: Mapping[tuple[str, ...], int]) -> dict[str, Any]:
    names = ids[made["classes"]] if made["classes"] else None
    return {"id": row["event_id"], "maker": made["model"], "names": names, "how": made["attribution"]}

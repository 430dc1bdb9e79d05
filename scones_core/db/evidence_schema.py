"""Tables of drift watches and audits."""

import sqlalchemy as sa

from scones_core.db.schema import UtcTime, metadata

__all__ = ["audit_extensions", "audit_items", "audits", "drift_watches", "image_statistics", "metadata"]

drift_watches = sa.Table(  # of a model at an endpoint, the newest is in force; acknowledging an alarm begins another
    "drift_watches",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("endpoint", sa.String(63), nullable=False),
    sa.Column("model", sa.Integer, sa.ForeignKey("model_versions.number"), nullable=False),
    sa.Column("started", UtcTime, nullable=False),
    sa.Column("reference", sa.Integer, nullable=False),  # test images it compares with
    sa.Column("observed", sa.Integer, nullable=False),  # inferences
    sa.Column("state", sa.LargeBinary, nullable=False),  # a domain.martingale.DriftWatch
    sa.Column("alarm", sa.JSON),  # what changed, and since when; null while there is none
    sa.Column("alarm_time", UtcTime),  # of the inference that raised it
    sa.Column("acknowledged", UtcTime),
    sa.Column("acknowledged_by", sa.Text),
)
sa.Index("drift_watches_model", drift_watches.c.endpoint, drift_watches.c.model)

image_statistics = sa.Table(  # of the first inference of each image that a drift watch has seen
    "image_statistics",
    metadata,
    sa.Column("watch", sa.Integer, sa.ForeignKey("drift_watches.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # of the observation, from 0
    sa.Column("model", sa.Integer, nullable=False),
    sa.Column("event_id", sa.String(64), sa.ForeignKey("inferences.event_id"), nullable=False),
    sa.Column("image_sha256", sa.String(64), nullable=False),
    sa.Column("time", UtcTime, nullable=False),
    sa.Column("brightness", sa.Float, nullable=False),
    sa.Column("contrast", sa.Float, nullable=False),
    sa.Column("edges", sa.Float, nullable=False),
    sa.Column("colour", sa.Float, nullable=False),
)
sa.Index("image_statistics_image", image_statistics.c.model, image_statistics.c.image_sha256)
sa.Index("image_statistics_time", image_statistics.c.model, image_statistics.c.time)

audits = sa.Table(
    "audits",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("created", UtcTime, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # a domain.audit.AuditKind
    sa.Column("model", sa.Integer, sa.ForeignKey("model_versions.number"), nullable=False),
    sa.Column("queue", sa.Integer, sa.ForeignKey("review_queues.id"), nullable=False),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("since", UtcTime),  # the period; null: since the model came into service
    sa.Column("until", UtcTime, nullable=False),
    sa.Column("cut", sa.Float, nullable=False),  # nothing at or below was drawn
    sa.Column("labels", sa.Integer, nullable=False),  # drawn
    sa.Column("inferences", sa.Integer, nullable=False),  # of the period
    sa.Column("population", sa.LargeBinary, nullable=False),  # their confidences and predictions, as they were then
)

audit_items = sa.Table(
    "audit_items",
    metadata,
    sa.Column("audit", sa.Integer, sa.ForeignKey("audits.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),  # from 1, in the order of the queue
    sa.Column("event_id", sa.String(64), sa.ForeignKey("inferences.event_id"), nullable=False),
    sa.Column("row", sa.Integer, nullable=False),  # of the population
    sa.Column("probability", sa.Float, nullable=False),  # with which it was drawn
)

audit_extensions = sa.Table(  # later draws of an audit, in order
    "audit_extensions",
    metadata,
    sa.Column("audit", sa.Integer, sa.ForeignKey("audits.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # from 1
    sa.Column("created", UtcTime, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("target", sa.Integer, nullable=False),  # labels in all that the probabilities of this draw add up to
    sa.Column("labels", sa.Integer, nullable=False),  # drawn by it
)

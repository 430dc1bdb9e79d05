"""Tables. Times are integers: microseconds since 1970-01-01 UTC."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC datetime, stored as microseconds since 1970."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:
        return None if value is None else (value - EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else EPOCH + timedelta(microseconds=value)


metadata = sa.MetaData()

dataset_versions = sa.Table(
    "dataset_versions",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("created", UtcTime, nullable=False),
    sa.Column("parent", sa.String(64)),
    sa.Column("classes", sa.JSON, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("generated", sa.Boolean, nullable=False),
    sa.Column("train", sa.Integer, nullable=False),
    sa.Column("test", sa.Integer, nullable=False),
    sa.Column("pool", sa.Integer, nullable=False, server_default="0"),
    sa.Column("test_set", sa.String(64), nullable=False, server_default=""),  # domain.datasets.test_set_id
    sa.Column("corrections", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("new_labels", sa.Integer, nullable=False),
    sa.Column("skipped", sa.JSON, nullable=False),
)

dataset_images = sa.Table(
    "dataset_images",
    metadata,
    sa.Column("dataset", sa.String(64), sa.ForeignKey("dataset_versions.id"), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("split", sa.String(8), nullable=False),
    sa.Column("class_index", sa.Integer, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
)
sa.Index("dataset_images_sha256", dataset_images.c.sha256)

training_jobs = sa.Table(
    "training_jobs",
    metadata,
    sa.Column("name", sa.String(63), primary_key=True),
    sa.Column("dataset", sa.String(64), sa.ForeignKey("dataset_versions.id"), nullable=False),
    sa.Column("created", UtcTime, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, server_default="open"),  # a domain.models.JobState
    sa.Column("failure", sa.Text),  # why no model version came of it
    sa.Column("claimed_by", sa.String(64)),  # the process that registers its model, which renews its claim
    sa.Column("claimed_until", UtcTime),
)

model_versions = sa.Table(
    "model_versions",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("created", UtcTime, nullable=False),
    sa.Column("training_job", sa.String(63), sa.ForeignKey("training_jobs.name"), nullable=False, unique=True),
    sa.Column("dataset", sa.String(64), sa.ForeignKey("dataset_versions.id"), nullable=False),
    sa.Column("hyperparameters", sa.JSON, nullable=False),
    sa.Column("metrics", sa.JSON, nullable=False),
    sa.Column("artifact_key", sa.Text, nullable=False),
    sa.Column("artifact_sha256", sa.String(64), nullable=False),
    sa.Column("seconds", sa.Float),
    sa.Column("approval", sa.String(32), nullable=False),
    sa.Column("rejected_by", sa.Text),
    sa.Column("rejection", sa.Text),  # the reason
)

evaluations = sa.Table(
    "evaluations",
    metadata,
    sa.Column("model", sa.Integer, sa.ForeignKey("model_versions.number"), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("probabilities", sa.JSON, nullable=False),
)

deployments = sa.Table(
    "deployments",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("time", UtcTime, nullable=False),
    sa.Column("endpoint", sa.String(63), nullable=False),
    sa.Column("model", sa.Integer, sa.ForeignKey("model_versions.number"), nullable=False),
    sa.Column("action", sa.String(16), nullable=False),  # a domain.models.Action
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("done", sa.Boolean, nullable=False),  # the endpoint has confirmed it
    sa.Column("ended", UtcTime),  # when that was seen, or that it failed; null while it is under way
    sa.Column("share", sa.Float),  # of the traffic, that a trial gets from then on
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
)

capture_files = sa.Table(
    "capture_files",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, nullable=False),  # the object's ETag when it was read
    sa.Column("read_at", UtcTime, nullable=False),
)

class_lists = sa.Table(
    "class_lists",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("names", sa.Text, nullable=False, unique=True),  # JSON list of class names, in class-index order
)

inferences = sa.Table(
    "inferences",
    metadata,
    sa.Column("event_id", sa.String(64), primary_key=True),
    sa.Column("time", UtcTime, nullable=False),
    sa.Column("endpoint", sa.String(63), nullable=False),
    sa.Column("variant", sa.String(63), nullable=False),
    sa.Column("inference_id", sa.Text),
    sa.Column("image_key", sa.Text),
    sa.Column("image_sha256", sa.String(64), nullable=False),
    sa.Column("content_type", sa.Text, nullable=False),
    sa.Column("probabilities", sa.JSON, nullable=False),
    sa.Column("prediction", sa.Integer, nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("margin", sa.Float, nullable=False),
    sa.Column("entropy", sa.Float, nullable=False),
    sa.Column("capture_key", sa.Text, nullable=False),
    sa.Column("capture_line", sa.Integer, nullable=False),
    sa.Column("capture_start", sa.BigInteger),  # bytes; null where it was read before these were kept
    sa.Column("capture_end", sa.BigInteger),
    sa.Column("model", sa.Integer),  # number of the model version that made it; null where that is not known
    sa.Column("class_list", sa.Integer),  # its class names; null where they are not known
    sa.Column("attribution", sa.String(16)),  # a domain.attribution.Attribution; null until it has been attributed
)
sa.Index("inferences_time", inferences.c.time)
sa.Index("inferences_confidence", inferences.c.confidence, inferences.c.model)
sa.Index("inferences_image", inferences.c.image_sha256, inferences.c.confidence)

inference_groups = sa.Table(  # domain.cells.Group
    "inference_groups",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("endpoint", sa.String(63), nullable=False),
    sa.Column("variant", sa.String(63), nullable=False),
    sa.Column("model", sa.Integer),
    sa.Column("attribution", sa.String(16)),
    sa.Column("class_list", sa.Integer),
)

inference_counts = sa.Table(  # kept by db.counts whenever inferences are added or changed
    "inference_counts",
    metadata,
    sa.Column("width", sa.Integer, primary_key=True, autoincrement=False),  # of the period, in seconds
    sa.Column("start", UtcTime, primary_key=True, autoincrement=False),
    sa.Column("group", sa.Integer, sa.ForeignKey("inference_groups.id"), primary_key=True, autoincrement=False),
    sa.Column("inferences", sa.Integer, nullable=False),
    sa.Column("cells", sa.LargeBinary, nullable=False),  # domain.cells.packed
)

unreadable_images = sa.Table(  # undecodable captured images, excluded from review
    "unreadable_images",
    metadata,
    sa.Column("image_sha256", sa.String(64), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("capture_key", sa.Text, primary_key=True),
    sa.Column("capture_line", sa.Integer, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
)

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("event_id", sa.String(64), nullable=False),  # of an inference or a label check
    sa.Column("image_sha256", sa.String(64), nullable=False),
    sa.Column("action", sa.String(8), nullable=False),  # label, skip, undo
    sa.Column("label", sa.Text),
    sa.Column("undoes", sa.Integer, sa.ForeignKey("decisions.id"), unique=True),
    sa.Column("reviewer", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("idempotency_key", sa.Text, unique=True),
    sa.Column("time", UtcTime, nullable=False),
    sa.Column("strategy", sa.String(32)),  # why the image was shown; null where it was not drawn from the queue
    sa.Column("probability", sa.Float),  # with which it was drawn
    sa.Column("model", sa.Integer),  # of the inference that was looked at
    sa.Column("classes", sa.JSON),  # the class names that could be chosen
    sa.Column("stored_key", sa.Text),  # the copy of the image, under train/reviewed/
    sa.Column("queue", sa.Integer),  # of the review queue in which it was made; null outside of any
)
sa.Index("decisions_image", decisions.c.image_sha256)
sa.Index("decisions_queue", decisions.c.queue)

review_queues = sa.Table(
    "review_queues",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("strategy", sa.String(32), nullable=False),  # a domain.review.Strategy: how its items were chosen
    sa.Column("created", UtcTime, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("filter", sa.JSON, nullable=False),  # from which inferences: name of the condition → value
    sa.Column("reviewers", sa.Integer, nullable=False, server_default="1"),  # who decide on each image
    sa.Column("again", sa.Boolean, nullable=False, server_default=sa.false()),  # also images that have a label
)

review_queue_items = sa.Table(
    "review_queue_items",
    metadata,
    sa.Column("queue", sa.Integer, sa.ForeignKey("review_queues.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),  # from 1, in the order of review
    sa.Column("event_id", sa.String(64), nullable=False),  # of an inference or a label check
    sa.Column("why", sa.Text, nullable=False),  # the reason why it is in the queue, as shown
    sa.Column("probability", sa.Float),  # with which it was drawn; null for a ranking or a choice by hand
)
sa.Index("review_queue_items_event", review_queue_items.c.event_id)

reviewed_images = sa.Table(  # the decision in force per image, kept in step with `decisions`
    "reviewed_images",
    metadata,
    sa.Column("image_sha256", sa.String(64), primary_key=True),
    sa.Column("event_id", sa.String(64), nullable=False),
    sa.Column("decision", sa.Integer, sa.ForeignKey("decisions.id"), nullable=False),
    sa.Column("label", sa.Text),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("reviewer", sa.Text, nullable=False),
    sa.Column("time", UtcTime, nullable=False),
    sa.Column("copy_of", sa.Text),  # key of the test image that it was found to be a copy of
)

class_proposals = sa.Table(
    "class_proposals",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("decision", sa.Integer, sa.ForeignKey("decisions.id"), nullable=False),  # which labels the image "other"
    sa.Column("state", sa.String(16), nullable=False),  # a domain.review.ProposalState
    sa.Column("settled_by", sa.Text),
    sa.Column("settled", UtcTime),
)

gold_images = sa.Table(  # whose label is known; they measure reviewers
    "gold_images",
    metadata,
    sa.Column("image_sha256", sa.String(64), primary_key=True),
    sa.Column("event_id", sa.String(64), sa.ForeignKey("inferences.event_id"), nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("set_by", sa.Text, nullable=False),
    sa.Column("time", UtcTime, nullable=False),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("image_sha256", sa.String(64), primary_key=True),
    sa.Column("reviewer", sa.Text, nullable=False),
    sa.Column("expires", UtcTime, nullable=False),
    sa.Column("strategy", sa.String(32)),
    sa.Column("probability", sa.Float),
    sa.Column("queue", sa.Integer),
)

notifications = sa.Table(
    "notifications",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("time", UtcTime, nullable=False),
    sa.Column("up_to", UtcTime, nullable=False),  # executions that stopped until then have been told of
    sa.Column("executions", sa.Integer, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("failure", sa.Text),  # None when it was sent
)

app_settings = sa.Table(
    "app_settings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("value", sa.JSON, nullable=False),
    sa.Column("time", UtcTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
)

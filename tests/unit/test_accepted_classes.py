"""A class that reviewers proposed and an operator accepted is exported, trained on and served."""

from scones_core.services import App, class_proposals, deployment, etl, label_export, retraining, review
from scones_core.services.label_export import ExportFormat
from scones_core.ui.review.keys import choices


def test_an_accepted_class_is_a_key_an_export_a_class_of_the_next_version_and_of_its_model(captured: App):
    items = review.next_items(captured, "Ann", count=8)
    class_proposals.propose(captured, items[0].id, "scooter", "Ann")
    class_proposals.accept(captured, "scooter", "Olga")
    assert retraining.new_labels(captured) == 1
    for item in items[1:5]:
        review.decide(captured, item.id, "scooter", "Ann")
    for item in items[5:]:
        review.decide(captured, item.id, item.prediction, "Ann")
    [waiting, *_] = review.next_items(captured, "Ann")
    assert [(one.label, one.key) for one in choices(waiting.classes)][2] == ("scooter", "3")
    assert label_export.export(captured, ExportFormat.MANIFEST)[0].count('"class-name": "scooter"') == 5

    found = retraining.retrain(captured)
    assert found.dataset.classes == found.challenger.classes == ("bicycle", "motorcycle", "scooter")
    trained = [i for i in etl.images(captured, found.dataset.id, "train") if i.class_index == 2]
    assert len(trained) == 5
    assert found.comparison.images == found.dataset.test  # the champion knows two of the three classes
    assert retraining.new_labels(captured) == 0
    deployment.promote(captured, found.challenger.id)
    assert review.next_items(captured, "Ann")[0].classes == ("bicycle", "motorcycle", "scooter")


def test_an_accepted_class_without_a_training_image_waits(captured: App):
    items = review.next_items(captured, "Ann", count=3)
    class_proposals.propose(captured, items[0].id, "scooter", "Ann")
    class_proposals.accept(captured, "scooter", "Olga")
    for item in items:
        review.decide(captured, item.id, item.prediction, "Ann")
    assert retraining.new_dataset(captured).classes == ("bicycle", "motorcycle")

import math

import numpy as np
import pytest

from scones_core.domain.comparison import Comparison, Verdict, compare, difference_interval, mcnemar_p_value


def compared(gained: int, lost: int, images: int = 200) -> Comparison:
    """Only the challenger is right on `gained` images, only the champion on `lost`, and both on the rest."""
    same = images - gained - lost
    champion, challenger = [1] * gained + [0] * (lost + same), [0] * gained + [1] * lost + [0] * same
    return compare([0] * images, champion, challenger)


def test_mcnemars_mid_p_is_the_binomial_test_that_counts_what_was_seen_by_half():
    for b, c in [(5, 0), (3, 9), (40, 20), (900, 1000)]:
        as_uneven = [math.comb(b + c, i) for i in range(min(b, c) + 1)]
        expected = (2 * sum(as_uneven) - as_uneven[-1]) / 2 ** (b + c)
        assert mcnemar_p_value(b, c) == mcnemar_p_value(c, b) == pytest.approx(expected)
    assert mcnemar_p_value(0, 0) == mcnemar_p_value(10, 10) == 1.0


def test_test_and_interval_give_the_figures_of_the_literature():
    # Airway hyper-responsiveness before and after transplantation, of 21 patients: Fagerland, Lydersen & Laake 2014.
    assert mcnemar_p_value(1, 7) == pytest.approx(0.0391, abs=5e-5)
    assert difference_interval(1, 7, 21) == pytest.approx((-0.517, -0.026), abs=5e-4)


@pytest.mark.parametrize(
    ("gained", "lost", "verdict"),
    [
        (18, 32, Verdict.WORSE),  # p = 0.0489
        (7, 1, Verdict.BETTER),  # p = 0.0391
        (21, 10, Verdict.NO_DIFFERENCE),  # p = 0.0501
        (6, 15, Verdict.NO_DIFFERENCE),  # p = 0.0525
        (4, 0, Verdict.NO_DIFFERENCE),  # p = 0.0625
    ],
)
def test_models_are_called_different_at_the_five_percent_level(gained: int, lost: int, verdict: Verdict):
    assert compared(gained, lost).verdict is verdict


def test_two_equally_good_models_are_called_different_in_five_of_a_hundred_cases_at_most():
    random, runs = np.random.default_rng(0), 4000
    counts = random.multinomial(200, [0.06, 0.06, 0.88], size=runs)
    found = [compared(int(gained), int(lost)).verdict for gained, lost, _ in counts]
    different = sum(verdict is not Verdict.NO_DIFFERENCE for verdict in found) / runs
    assert 0.035 < different < 0.05 + 2 * 0.0035  # the exact test, too cautious, calls 2.6% different


@pytest.mark.parametrize("images", [40, 200, 1000])
def test_the_interval_holds_zero_just_where_the_verdict_is_no_difference(images: int):
    for discordant in range(min(images, 60) + 1):
        for gained in range(discordant + 1):
            found = compared(gained, discordant - gained, images)
            low, high = found.difference_interval
            assert (low <= 0 <= high) == (found.verdict is Verdict.NO_DIFFERENCE)
            assert -1 <= low <= found.difference <= high <= 1


def test_a_challenger_that_only_gains_is_better():
    labels = [0] * 20
    found = compare(labels, champion=[1] * 10 + [0] * 10, challenger=[0] * 20)
    assert found.verdict is Verdict.BETTER
    assert (found.champion_accuracy, found.challenger_accuracy) == (0.5, 1.0)
    assert found.difference_interval[0] > 0


def test_a_challenger_that_only_loses_is_worse():
    found = compare([0] * 20, champion=[0] * 20, challenger=[1] * 10 + [0] * 10)
    assert found.verdict is Verdict.WORSE
    assert found.difference == -0.5


def test_two_equal_models_show_no_difference_and_an_interval_around_zero():
    found = compare([0, 1, 0, 1], champion=[0, 1, 1, 1], challenger=[0, 1, 1, 1])
    assert found.verdict is Verdict.NO_DIFFERENCE
    low, high = found.difference_interval
    assert low < 0 < high


@pytest.mark.parametrize("rates", [(0.12, 0.06), (0.3, 0.05), (0.02, 0.0)])
def test_the_interval_covers_the_true_difference_about_as_often_as_it_says(rates: tuple[float, float]):
    random, runs, n = np.random.default_rng(0), 2000, 150
    counts = random.multinomial(n, [*rates, 1 - sum(rates)], size=runs)
    intervals = [difference_interval(int(gained), int(lost), n) for gained, lost, _ in counts]
    covered = sum(low <= rates[0] - rates[1] <= high for low, high in intervals)
    assert covered / runs > 0.94


def test_the_intervals_width_tells_how_few_images_there_are():
    (few_low, few_high), (_, high) = difference_interval(0, 0, 10), difference_interval(0, 0, 1000)
    assert few_low == pytest.approx(-few_high)
    assert few_high == pytest.approx(1.96**2 / (10 + 1.96**2), abs=1e-4)  # as the score interval of a rate of 0
    assert high < 0.004


def test_images_that_both_get_right_or_both_get_wrong_tell_nothing_of_the_difference():
    labels, champion, challenger = [0, 0, 0, 0, 1, 1], [0, 1, 1, 1, 0, 0], [0, 1, 0, 0, 0, 1]
    found = compare(labels, champion, challenger)
    assert (found.images, found.challenger_only, found.champion_only) == (6, 3, 0)
    found = compare(labels, challenger, champion)
    assert (found.images, found.challenger_only, found.champion_only) == (6, 0, 3)


@pytest.mark.parametrize(("gained", "lost"), [(10, 12), (12, 10), (0, 0)])
def test_an_interval_that_holds_zero_by_itself_is_left_as_it_is(gained: int, lost: int):
    assert compared(gained, lost).difference_interval == difference_interval(gained, lost, 200)


def test_nothing_to_compare_on_is_refused():
    with pytest.raises(ValueError, match="no image"):
        compare([], [], [])


@pytest.mark.parametrize(("champion", "challenger"), [([0], [0, 0]), ([0, 0], [0])])
def test_predictions_for_other_images_are_refused(champion: list[int], challenger: list[int]):
    with pytest.raises(ValueError, match="argument"):
        compare([0, 0], champion, challenger)

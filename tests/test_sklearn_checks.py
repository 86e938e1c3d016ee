"""scikit-learn's own checks of an estimator, for each of ours."""

import pytest

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks

from minigrad.sklearn import (
    LinearRegressionGD,
    LogisticRegressionGD,
    MLPClassifier,
    MLPRegressor,
    Perceptron,
)

# The data of the checks is small and not scaled: some runs do not settle, and say so.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# scikit-learn's own Perceptron is excused from this check, and ours has its very coefficients:
# the order of the samples depends on their number, so that a sample that comes twice is not one
# that weighs two.
EXPECTED_TO_FAIL = {
    "Perceptron": {
        "check_sample_weight_equivalence_on_dense_data": "the coefficients are scikit-learn's"
    }
}


@parametrize_with_checks(
    [Perceptron(), LinearRegressionGD(), LogisticRegressionGD(), MLPClassifier(), MLPRegressor()],
    expected_failed_checks=lambda estimator: EXPECTED_TO_FAIL.get(type(estimator).__name__, {}),
)
def test_scikit_learn_finds_nothing_wrong(estimator, check):
    check(estimator)

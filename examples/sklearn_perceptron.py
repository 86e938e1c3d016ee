"""scikit-learn's perceptron listing with one import changed: the same accuracy and coefficients."""

import matplotlib.pyplot as plt
import numpy as np
from settings import out
from sklearn.datasets import make_classification
from sklearn.linear_model import Perceptron as ScikitPerceptron
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

from minigrad import plot
from minigrad.sklearn import Perceptron

X, y = make_classification(n_samples=1000, n_features=10, n_classes=2, random_state=42)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=42)

clf = Perceptron(max_iter=1000, eta0=0.1, random_state=42, tol=1e-3)
clf.fit(X_train, y_train)
y_pred = clf.predict(X_test)
print(f"accuracy {accuracy_score(y_test, y_pred):.3f} after {clf.n_iter_} epochs")

peer = ScikitPerceptron(max_iter=1000, eta0=0.1, random_state=42, tol=1e-3).fit(X_train, y_train)
print(f"scikit-learn's own: {peer.score(X_test, y_test):.3f} after {peer.n_iter_} epochs")
difference = max(abs(clf.coef_ - peer.coef_).max(), abs(clf.intercept_ - peer.intercept_).max())
print(f"the coefficients differ by {difference:.1e}")
assert difference < 1e-12

figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
plot.confusion_matrix(y_test, y_pred, ax=axes[0])
places = np.arange(10)
axes[1].bar(places - 0.2, clf.coef_[0], 0.4, label="minigrad")
axes[1].bar(places + 0.2, peer.coef_[0], 0.4, label="scikit-learn")
axes[1].set(xlabel="feature", ylabel="coefficient", xticks=places, title="Coefficients")
axes[1].legend()
figure.savefig(out / "sklearn_perceptron.png")

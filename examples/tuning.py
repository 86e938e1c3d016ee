"""Hyperparameters tuned: with Optuna, which prunes hopeless runs, and with GridSearchCV."""

import matplotlib.pyplot as plt
import numpy as np
import optuna
from settings import out, quick
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from minigrad import keras
from minigrad.datasets import Digits
from minigrad.sklearn import MLPClassifier

trials, epochs = (4, 3) if quick else (30, 10)
digits = Digits(train=True)
x, y = digits.data.numpy().reshape(len(digits), 64) / 16, digits.targets.numpy()


class Prune(keras.callbacks.Callback):
    """Tells Optuna how it goes after each epoch, and stops when others went better."""

    def __init__(self, trial):
        self.trial = trial

    def on_epoch_end(self, epoch, logs):
        self.trial.report(logs["val_accuracy"], epoch)
        if self.trial.should_prune():
            raise optuna.TrialPruned


def objective(trial):
    rate = trial.suggest_float("learning_rate", 1e-5, 1e-1, log=True)
    hidden = trial.suggest_int("hidden", 8, 128, log=True)
    dropout = trial.suggest_float("dropout", 0.0, 0.5)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([
        keras.Input(shape=(64,)),
        keras.layers.Dense(hidden, activation="relu"),
        keras.layers.Dropout(dropout),
        keras.layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    run = model.fit(x, y, validation_split=0.2, epochs=epochs, callbacks=[Prune(trial)], verbose=0)
    return run.history["val_accuracy"][-1]


optuna.logging.set_verbosity(optuna.logging.WARNING)
sampler, pruner = optuna.samplers.TPESampler(seed=0), optuna.pruners.MedianPruner(5, 2)
study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
study.optimize(objective, n_trials=trials)
pruned = sum(trial.state == optuna.trial.TrialState.PRUNED for trial in study.trials)
best = {name: round(value, 4) for name, value in study.best_params.items()}
print(f"Optuna: {trials} trials, {pruned} pruned; best {study.best_value:.3f} with {best}")

network = MLPClassifier(max_epochs=epochs, random_state=0)
pipeline = make_pipeline(StandardScaler(), network)
grid = {"mlpclassifier__learning_rate": [1e-4, 1e-3, 1e-2],
        "mlpclassifier__hidden_layer_sizes": [(16,), (64,)]}  # fmt: skip
search = GridSearchCV(pipeline, grid, cv=3).fit(x, y)
print(f"GridSearchCV: best {search.best_score_:.3f} with {search.best_params_}")

figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
done = [trial for trial in study.trials if trial.value is not None]
rates, values = [t.params["learning_rate"] for t in done], [t.value for t in done]
dots = axes[0].scatter(rates, values, c=[t.params["hidden"] for t in done], edgecolors="grey")
axes[0].set(xscale="log", xlabel="learning rate", ylabel="validation accuracy", title="Optuna")
figure.colorbar(dots, label="hidden neurons")
scores = search.cv_results_["mean_test_score"].reshape(2, 3)
axes[1].imshow(scores, cmap="Blues", vmin=0, vmax=2, aspect="auto")
for (row, column), score in np.ndenumerate(scores):
    axes[1].text(column, row, f"{score:.3f}", ha="center", va="center", color="black")
axes[1].set(xticks=range(3), xticklabels=[1e-4, 1e-3, 1e-2], yticks=range(2), yticklabels=[16, 64])
axes[1].set(xlabel="learning rate", ylabel="hidden neurons", title="GridSearchCV: mean of 3 folds")
figure.savefig(out / "tuning.png")

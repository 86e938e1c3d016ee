"""The Trainer: validation, early stopping, the best weights, a table of the run, and no loop."""

import csv

from settings import out, quick

import minigrad
from minigrad import nn, optim, plot
from minigrad.datasets import Digits
from minigrad.training import CSVLogger, EarlyStopping, ReduceLROnPlateau, Trainer
from minigrad.utils.data import DataLoader, random_split

minigrad.manual_seed(0)
training, validation = random_split(Digits(train=True), [0.8, 0.2])
test = DataLoader(Digits(train=False), batch_size=500)

model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
    nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Dropout(0.3), nn.Linear(256, 10),
)  # fmt: skip
trainer = Trainer(
    model,
    optim.AdamW(model.parameters(), lr=3e-3),
    nn.CrossEntropyLoss(label_smoothing=0.05),
    metrics=["accuracy"],
    clip_norm=1.0,
)
table = out / "trainer.csv"
history = trainer.fit(
    DataLoader(training, batch_size=32, shuffle=True),
    validation=DataLoader(validation, batch_size=500),
    epochs=3 if quick else 60,
    callbacks=[
        ReduceLROnPlateau("val_loss", factor=0.3, patience=2, verbose=1),
        EarlyStopping("val_loss", patience=6, restore_best_weights=True, verbose=1),
        CSVLogger(table),
    ],
)

with open(table, newline="") as file:
    rows = list(csv.DictReader(file))
best = min(rows, key=lambda row: float(row["val_loss"]))
print(f"{len(rows)} epochs; the best was epoch {int(best['epoch']) + 1},", end=" ")
print(f"validation accuracy {float(best['val_accuracy']):.1%}")
print(f"test accuracy {trainer.evaluate(test)['accuracy']:.1%}")

axes = plot.history(history, metrics=["loss", "accuracy"])
axes[0].figure.savefig(out / "trainer.png")

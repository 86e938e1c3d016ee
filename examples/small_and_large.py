"""Binary classification: one sigmoid neuron learns to tell 1, 2, 3 from 6, 7, 8."""

import matplotlib.pyplot as plt
import numpy as np
from settings import out

from minigrad import keras, plot

x = np.array([[1.0], [2.0], [3.0], [6.0], [7.0], [8.0]])
y = np.array([0, 0, 0, 1, 1, 1])

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [keras.layers.Input(shape=(1,)), keras.layers.Dense(1, activation="sigmoid")]
)
model.compile(optimizer=keras.optimizers.SGD(0.1), loss="binary_crossentropy", metrics=["accuracy"])
history = model.fit(x, y, epochs=100, verbose=0)

losses, accuracies = history.history["loss"], history.history["accuracy"]
for epoch in (0, 24, 49, 99):
    print(f"epoch {epoch + 1:3}  loss {losses[epoch]:.4f}  accuracy {accuracies[epoch]:.2f}")
numbers = np.array([[0.0], [2.5], [4.0], [5.0], [6.5], [100.0]])
for number, chance in zip(numbers[:, 0], model.predict(numbers, verbose=0)[:, 0], strict=True):
    print(f"{number:5g} is {'large' if chance > 0.5 else 'small'} (probability {chance:.3f})")
(weight,), (bias,) = model.get_weights()
print(f"the border lies at {-bias / weight[0]:.2f}")

figure, axes = plt.subplots(1, 3, figsize=(13, 3.6), layout="constrained")
plot.history(history, ax=axes[:2])
plot.function_fit(lambda x: model.predict(x, verbose=0), x, y, ax=axes[2])
axes[2].set(xlabel="number", ylabel="probability of being large")
figure.savefig(out / "small_and_large.png")

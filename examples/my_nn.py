"""myNN: logistic regression by hand in NumPy, beside one neuron of Keras and scikit-learn's."""

import matplotlib.pyplot as plt
import numpy as np
from settings import out, quick
from sklearn.linear_model import LogisticRegression

from minigrad import keras, plot
from minigrad.datasets import Insurance

epochs = 500 if quick else 5000
data = Insurance(affordability=True)
x = data.values[:, :2].copy()
x[:, 0] /= 100
y = data.values[:, 2]


class myNN:
    """One sigmoid neuron that descends the gradient of the log loss, written out."""

    def __init__(self):
        self.w1 = self.w2 = 1.0
        self.bias = 0.0
        self.losses = []

    def predict(self, x):
        return 1 / (1 + np.exp(-(self.w1 * x[:, 0] + self.w2 * x[:, 1] + self.bias)))

    def fit(self, x, y, epochs, rate):
        for _ in range(epochs):
            p = self.predict(x)
            self.losses.append(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))
            self.w1 -= rate * np.mean(x[:, 0] * (p - y))
            self.w2 -= rate * np.mean(x[:, 1] * (p - y))
            self.bias -= rate * np.mean(p - y)
        return self


by_hand = myNN().fit(x, y, epochs, rate=0.5)

keras.utils.set_random_seed(0)
model = keras.Sequential([
    keras.layers.Dense(1, input_shape=(2,), activation="sigmoid",
                       kernel_initializer="ones", bias_initializer="zeros"),
])  # fmt: skip
model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy", metrics=["accuracy"])
history = model.fit(x, y, batch_size=len(x), epochs=epochs, verbose=0)
kernel, bias = model.get_weights()

exact = LogisticRegression(C=np.inf, tol=1e-10).fit(x, y)

rows = {
    "myNN": (by_hand.w1, by_hand.w2, by_hand.bias),
    "minigrad.keras": (*kernel[:, 0], bias[0]),
    "scikit-learn": (*exact.coef_[0], exact.intercept_[0]),
}
print(f"{'':15} {'w1 (age)':>10} {'w2 (can afford)':>16} {'bias':>9}")
for name, (w1, w2, b) in rows.items():
    print(f"{name:15} {w1:10.4f} {w2:16.4f} {b:9.4f}")
right = np.mean((by_hand.predict(x) > 0.5) == y), history.history["accuracy"][-1], exact.score(x, y)
print("accuracy: " + ", ".join(f"{value:.3f}" for value in right))
assert np.allclose(rows["myNN"], rows["minigrad.keras"], rtol=1e-3)  # float64 beside float32

figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
plot.cost({"myNN": by_hand.losses, "minigrad.keras": history.history["loss"]}, ax=axes[0])
plot.decision_boundary(model, x, y, ax=axes[1]).set(xlabel="age / 100", ylabel="can afford it")
figure.savefig(out / "my_nn.png")

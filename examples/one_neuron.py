"""y = 2x by one neuron, in Keras style and in PyTorch style, with the same weights."""

import matplotlib.pyplot as plt
import numpy as np
from settings import out, quick

import minigrad
from minigrad import keras, nn, optim, plot

epochs = 50 if quick else 200
x = np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]], dtype="float32")
y = 2 * x

# Keras style: say what is wanted.
keras.utils.set_random_seed(1)
model = keras.Sequential([keras.Input(shape=(1,)), keras.layers.Dense(units=1)])
model.compile(optimizer="sgd", loss="mean_squared_error")
history = model.fit(x, y, epochs=epochs, shuffle=False, verbose=0)
by_keras = model.predict(np.array([[10.0]]), verbose=0)

# PyTorch style: write the loop. The start is Keras's: Glorot's distribution and no bias.
minigrad.manual_seed(1)
neuron = nn.Linear(1, 1)
nn.init.xavier_uniform_(neuron.weight)
nn.init.zeros_(neuron.bias)
optimizer = optim.SGD(neuron.parameters(), lr=0.01)
inputs, targets = minigrad.tensor(x), minigrad.tensor(y)
for _ in range(epochs):
    loss = nn.functional.mse_loss(neuron(inputs), targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

kernel, bias = model.get_weights()
print(f"Keras style:   y = {kernel[0, 0]:.4f} x + {bias[0]:.4f}; f(10) = {by_keras[0, 0]:.3f}")
by_torch = neuron(minigrad.tensor([[10.0]])).item()
weight, constant = neuron.weight.item(), neuron.bias.item()
print(f"PyTorch style: y = {weight:.4f} x + {constant:.4f}; f(10) = {by_torch:.3f}")
print("the same weights, to the last bit:", (weight, constant) == (kernel[0, 0], bias[0]))
assert (weight, constant) == (kernel[0, 0], bias[0])

figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
plot.function_fit(neuron, x, y, ax=axes[0])
plot.cost({"mean squared error": history.history["loss"]}, ax=axes[1], log=True)
figure.savefig(out / "one_neuron.png")

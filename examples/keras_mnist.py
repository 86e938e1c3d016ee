"""The Keras MNIST listing with only its imports changed: a dense network, five epochs."""

import matplotlib.pyplot as plt
from settings import out, quick

from minigrad import plot
from minigrad.keras.datasets import mnist
from minigrad.keras.layers import Dense, Flatten, Input
from minigrad.keras.models import Sequential
from minigrad.keras.utils import set_random_seed, to_categorical

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = x_train / 255.0, x_test / 255.0
y_train, y_test = to_categorical(y_train), to_categorical(y_test)
if quick:
    x_train, y_train = x_train[:2000], y_train[:2000]


def train(hidden, epochs):
    """The listing, with the size of the hidden layer as an argument."""
    set_random_seed(0)
    model = Sequential()
    model.add(Input(shape=(28, 28)))
    model.add(Flatten())
    model.add(Dense(hidden, activation="relu"))
    model.add(Dense(10, activation="softmax"))
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(
        x_train, y_train, epochs=epochs, batch_size=32, validation_data=(x_test, y_test), verbose=2
    )
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"{hidden} hidden neurons: test loss {loss:.4f}, test accuracy {accuracy:.4f}")
    return model, history


model, history = train(hidden=128, epochs=1 if quick else 5)
model.summary()
if not quick:
    train(hidden=32, epochs=5)

predicted = model.predict(x_test[:1000], verbose=0).argmax(axis=1)
figure = plt.figure(figsize=(11, 6.4), layout="constrained")
axes = figure.subplots(2, 2)
plot.history(history, ax=axes[0])
plot.digits(x_test[:20], y_test[:20].argmax(axis=1), predicted[:20], ax=axes[1, 0])
plot.confusion_matrix(y_test[:1000].argmax(axis=1), predicted, ax=axes[1, 1])
figure.savefig(out / "keras_mnist.png")

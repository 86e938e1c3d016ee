"""minigrad.keras: Keras's names over minigrad's nn, optim and data."""

"""Keras's older place for what prepares data."""

from minigrad.keras.preprocessing import sequence as sequence

"""Sequences brought to one length; the function itself is in keras.utils."""

from minigrad.keras.utils.splitting import pad_sequences as pad_sequences

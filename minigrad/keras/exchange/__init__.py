"""Files exchanged with Keras 3 itself: its layout of weights in HDF5, and its configurations."""

"""Models: graphs of layers, layers in a row, subclasses; training, saving and loading them."""

from minigrad.keras.models.model import Model as Model
from minigrad.keras.models.saving import clone_model as clone_model
from minigrad.keras.models.saving import load_model as load_model
from minigrad.keras.models.saving import model_from_json as model_from_json
from minigrad.keras.models.saving import save_model as save_model
from minigrad.keras.models.sequential import Sequential as Sequential

Functional = Model

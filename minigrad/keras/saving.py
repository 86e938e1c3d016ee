"""keras.saving: models in files, and how a user's own classes are found again."""

from minigrad.keras.lookup import custom_object_scope as custom_object_scope
from minigrad.keras.lookup import register_keras_serializable as register_keras_serializable
from minigrad.keras.models.saving import load_model as load_model
from minigrad.keras.models.saving import save_model as save_model

"""Layer: the nn.Module that every Keras layer and model is, built when it first sees a shape."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Self

import numpy

from minigrad import dtypes
from minigrad.errors import ArgumentError
from minigrad.graph import Traced
from minigrad.keras import constraints, initializers, regularizers
from minigrad.keras.config import floatx
from minigrad.keras.layers.config import constructor_config, from_constructor_config, takes
from minigrad.keras.layers.spec import InputSpec, check_specs
from minigrad.keras.layers.weight import Variable, Weight
from minigrad.keras.naming import check_name, snake_case, unique_name
from minigrad.keras.symbolic import (
    KerasTensor,
    Node,
    flatten,
    infer,
    map_shapes,
    map_structure,
    shape_of,
)
from minigrad.nn import Module
from minigrad.ops.creation import empty
from minigrad.ops.data import from_numpy

__all__ = ["InputSpec", "Layer", "Weight"]


class Layer(Module):
    """A part of a Keras model: `build(input_shape)` makes its weights, `call(inputs)` computes.

    A subclass writes `call`, and `build` where its weights depend on the shape of the input.
    Constructor arguments kept as attributes of the same name are found by `get_config`.

    >>> import minigrad
    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones")
    ...     def call(self, inputs):
    ...         return inputs * self.factor
    >>> Scale()(minigrad.ones(2, 3)).shape
    minigrad.Size([2, 3])
    """

    # Layers compute as for prediction; fit() switches training on for its batches.
    training = False
    built = False
    input_spec: Any = None
    activity_regularizer: Any = None
    # Whether integers given to the layer stay integers, as an Embedding wants them.
    takes_integers = False
    # Whether what comes out has the dtype of what went in, as a Flatten's has.
    keeps_dtype = False
    # Whether any layer of the program ever added a loss: models forget such losses at each call.
    any_added_losses = False
    _ready = False
    _trainable = True
    _given: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        layer = super().__new__(cls)
        vars(layer)["_given"] = (args, kwargs)
        return layer

    def __init__(
        self,
        *,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
        activity_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        own = type(self).__name__
        self._weights: list[Weight] = []
        self._nodes: list[Node] = []
        self._added_losses: list[Any] = []
        self._input_shape: Any = None
        self._output_shape: Any = None
        self.name = unique_name(snake_case(own)) if name is None else check_name(name, own)
        self.dtype: str = dtypes.as_dtype(floatx() if dtype is None else dtype, own).name
        self.batch_input_shape = _first_shape(own, kwargs)
        self._trainable = bool(trainable)
        if activity_regularizer is not None:
            self.activity_regularizer = activity_regularizer
        if kwargs:
            raise TypeError(
                f"{own}(): unexpected argument{'s' if len(kwargs) > 1 else ''} "
                f"{', '.join(map(repr, kwargs))}; every layer takes name, dtype and trainable, and "
                "the first layer of a Sequential input_shape"
            )

    # What a subclass writes.

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape, whose first entry, None, is the batch."""

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; written by the subclass."""
        own = type(self).__name__
        raise ArgumentError(f"{own} has no call(); write `def call(self, inputs): ...` in it")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of this shape, None standing for any length."""
        self._build_once(input_shape)
        return shape_of(infer(self.call, (_symbols(input_shape, self.dtype),), {}))

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The KerasTensors that come out for KerasTensors: their shapes and dtypes.

        A layer with its own `compute_output_shape` is asked; any other is run on zeros.
        """
        if type(self).compute_output_shape is not Layer.compute_output_shape and args:
            shape = self.compute_output_shape(shape_of(args[0]))
            return _symbols(shape, flatten(args)[0].dtype if self.keeps_dtype else self.dtype)
        return infer(self.call, args, kwargs)

    # Calling it.

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._ready and not kwargs and len(args) == 1 and isinstance(args[0], Traced):
            if self._hooks is None:
                try:
                    return self.call(args[0])
                except (ArgumentError, IndexError, TypeError):
                    return self._explain(args[0])
        elif any(isinstance(leaf, KerasTensor) for leaf in flatten((args, kwargs))):
            return self._call_symbolic(args, kwargs)
        return super().__call__(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Convert the inputs, build the layer if it is new, set the mode asked for, and call."""
        self._check_usable()
        training = kwargs.pop("training", None)
        args, kwargs = self._as_tensors(_without_lists(args)), self._as_tensors(kwargs)
        self._build_for(args, kwargs)
        if training is None or bool(training) == self.training:
            return self._call_in_mode(args, kwargs)
        self.train(bool(training))
        try:
            return self._call_in_mode(args, kwargs)
        finally:
            self.train(not training)

    def _call_in_mode(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if takes(type(self), "training"):
            kwargs = {**kwargs, "training": self.training}
        output = self.call(*args, **kwargs)
        if self.activity_regularizer is not None:
            for leaf in flatten(output):
                self.add_loss(self.activity_regularizer(leaf) / leaf.shape[0])
        return output

    def _explain(self, inputs: Any) -> Any:
        """After a plain call failed: once more with floats, or the error that names the layer."""
        self._check_input(shape_of(inputs))
        return self.call(*self._as_tensors((inputs,)))

    def _call_symbolic(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._check_usable()
        self._build_for(args, kwargs)
        outputs = self.compute_output_spec(*args, **_without_training(kwargs))
        node = Node(self, args, kwargs, outputs)
        self._nodes.append(node)
        self._output_shape = shape_of(outputs)
        return outputs

    def _check_usable(self) -> None:
        own = type(self).__name__
        if "_weights" not in vars(self):
            raise ArgumentError(
                f"{own}: super().__init__() was not called; write it as the first line of "
                f"{own}.__init__()"
            )
        if type(self).call is Layer.call:
            self.call()

    def _build_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        inputs = args[0] if args else next(iter(kwargs.values()), None)
        for leaf in flatten(inputs):
            if not hasattr(leaf, "shape"):
                raise ArgumentError(
                    f"layer '{self.name}' ({type(self).__name__}) is called on tensors, arrays or "
                    f"what keras.Input gives, got {leaf!r}"
                )
        shape = shape_of(inputs)
        self._check_input(shape)
        self._build_once(shape)

    def _check_input(self, shape: Any) -> None:
        if self.input_spec is not None:
            check_specs(self.input_spec, shape, self.name, type(self).__name__)

    def _build_once(self, shape: Any) -> None:
        if self.built:
            return
        shape = map_shapes(lambda lengths: (None, *lengths[1:]), shape)
        self.build(shape)
        self._input_shape = shape
        self._check_input(shape)
        self._finish_build()

    def _finish_build(self) -> None:
        self.built = True
        self.train(self.training)
        if not self._trainable:
            self.trainable = False
        self._ready = not takes(type(self), "training") and self.activity_regularizer is None

    def _as_tensors(self, structure: Any) -> Any:
        """NumPy arrays, lists and numbers as tensors; numbers in the layer's dtype."""
        return map_structure(self._convert_leaf, structure)

    def _convert_leaf(self, leaf: Any) -> Any:
        if isinstance(leaf, Traced):
            array = leaf._array
            if array.dtype.kind in "iub" and not (self.takes_integers or self.keeps_dtype):
                return leaf.to(self.dtype)  # type: ignore[attr-defined]
            return leaf
        if isinstance(leaf, numpy.ndarray):
            return from_numpy(self._convert_array(leaf))
        return leaf

    def _convert_array(self, array: numpy.ndarray[Any, Any]) -> numpy.ndarray[Any, Any]:
        if array.dtype.kind in "OSUmM":
            raise ArgumentError(
                f"layer '{self.name}' ({type(self).__name__}) was given an array of dtype "
                f"{array.dtype}; convert it to numbers first: x.astype('float32')"
            )
        if array.dtype.kind in "iub" and (self.takes_integers or self.keeps_dtype):
            return array
        return numpy.asarray(array, "float32" if self.dtype == "bfloat16" else self.dtype)

    # Weights.

    def track(self, owner: Any, attribute: str | None, name: str, **options: Any) -> Weight:
        """Say that `owner.attribute` is this layer's weight `name`, and initialize it.

        Called in `build`, in Keras's order of weights. Options are those of `Weight`: axes and
        view (the way from torch's layout to Keras's), initializer, regularizer, constraint.
        """
        weight = Weight(owner, attribute, name, path=f"{self.name}/{name}", **options)
        weight.initialize()
        self._weights.append(weight)
        return weight

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Any:
        """A new parameter of this shape, which the layer trains unless `trainable` is False.

        The initializer is glorot_uniform unless given, zeros for integers.
        """
        if "_weights" not in vars(self):
            self._check_usable()
        shape = () if shape is None else tuple(shape) if hasattr(shape, "__iter__") else (shape,)
        if any(length is None for length in shape):
            raise ArgumentError(
                f"add_weight(): layer '{self.name}' asked for a weight of shape {shape}; every "
                "length must be known, so use input_shape[-1] and not input_shape[0], the batch"
            )
        kind = dtypes.as_dtype(self.dtype if dtype is None else dtype, "add_weight")
        if initializer is None:
            initializer = "glorot_uniform" if kind.kind in "fc" else "zeros"
        variable = Variable(empty(*shape, dtype=kind), requires_grad=False)
        variable.name = f"variable_{len(self._weights)}" if name is None else name
        self.track(
            variable,
            None,
            variable.name,
            trainable=trainable,
            initializer=initializers.get(initializer),
            regularizer=regularizers.get(regularizer),
            constraint=constraints.get(constraint),
        )
        variable.requires_grad_(trainable and kind.kind in "fc")
        return variable

    def _find(self, kind: type[Any]) -> Iterator[tuple[str, Any]]:
        """As Module finds them, and also in lists and dicts, and among the added weights."""
        found: set[int] = set()
        for name, value in vars(self).items():
            if isinstance(value, kind):
                found.add(id(value))
                yield name, value
            elif isinstance(value, (list, tuple, dict)) and not name.startswith("_"):
                pairs = value.items() if isinstance(value, dict) else enumerate(value)
                for key, member in pairs:
                    if isinstance(member, kind):
                        yield f"{name}.{key}", member
        for weight in vars(self).get("_weights", ()):
            own = weight.owner
            if isinstance(own, kind) and isinstance(own, Variable) and id(own) not in found:
                yield weight.name, own

    def _sublayers(self) -> list[Layer]:
        """This layer and the layers below it, each once, in the order in which they were set."""
        return [module for module in self.modules() if isinstance(module, Layer)]

    @property
    def weights(self) -> list[Weight]:
        """All weights in Keras's order: layer by layer, each layer's as it made them."""
        return [weight for layer in self._sublayers() for weight in layer._weights]

    @property
    def trainable_weights(self) -> list[Weight]:
        """The weights that training changes."""
        return [weight for weight in self.weights if weight.trainable]

    @property
    def non_trainable_weights(self) -> list[Weight]:
        """The weights that training leaves alone: frozen ones, and statistics."""
        return [weight for weight in self.weights if not weight.trainable]

    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    @property
    def trainable(self) -> bool:
        """Whether the weights are trained; setting it freezes or thaws the layers below too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._sublayers():
            layer._trainable = bool(value)
            for weight in layer._weights:
                weight.trainable = bool(value)

    def count_params(self) -> int:
        """How many numbers the weights hold. Raises ArgumentError before the layer is built."""
        if not self.built:
            raise ArgumentError(
                f"count_params(): layer '{self.name}' has no weights yet; call it on data, or "
                "build(input_shape), first"
            )
        return sum(math.prod(weight.shape) for weight in self.weights)

    def get_weights(self) -> list[numpy.ndarray[Any, Any]]:
        """Copies of the weights as NumPy arrays in Keras's layout."""
        return [weight.numpy() for weight in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Replace all weights by arrays in Keras's layout and order, as `get_weights` gives them.

        Raises ArgumentError, and changes nothing, where their number or a shape differs.
        """
        own = self.weights
        given = [value.numpy() if isinstance(value, Weight) else value for value in weights]
        given = [numpy.asarray(value) for value in given]
        shapes = [weight.shape for weight in own]
        if len(given) != len(own):
            hint = "" if self.built else "; it is not built yet: call it on data first"
            raise ArgumentError(
                f"set_weights(): layer '{self.name}' has {len(own)} weights, of shapes {shapes}, "
                f"got {len(given)}{hint}"
            )
        for weight, value in zip(own, given):
            if value.shape != weight.shape:
                raise ArgumentError(
                    f"set_weights(): weight '{weight.path}' of layer '{self.name}' has shape "
                    f"{weight.shape}, got values of shape {value.shape}; nothing was changed"
                )
        for weight, value in zip(own, given):
            weight.assign(value)

    # Losses of its own.

    def add_loss(self, loss: Any) -> None:
        """Add a scalar computed in `call` to what training minimizes."""
        Layer.any_added_losses = True
        self._added_losses.append(loss)

    @property
    def losses(self) -> list[Any]:
        """The penalties of the regularizers, and what was added in the last call."""
        found = []
        for layer in self._sublayers():
            found += layer._added_losses
            found += [
                weight.regularizer(weight.value)
                for weight in layer._weights
                if weight.regularizer is not None and weight.trainable
            ]
        return found

    # Where it stands in a graph of layers.

    def _first_node(self, what: str) -> Node:
        if not self._nodes:
            raise ArgumentError(
                f"layer '{self.name}' has no {what} yet; it was never called on keras.Input(...)"
            )
        return self._nodes[0]

    @property
    def input(self) -> Any:
        """The KerasTensor, or list of them, that the layer was first called on."""
        inputs = self._first_node("input").inputs
        return inputs[0] if len(inputs) == 1 else inputs

    @property
    def output(self) -> Any:
        """The KerasTensor, or structure of them, that its first call gave."""
        return self._first_node("output").outputs

    @property
    def input_shape(self) -> Any:
        """The shape of the input that the layer was built for, None for the batch."""
        return shape_of(self.input) if self._nodes else self._input_shape

    @property
    def output_shape(self) -> Any:
        """The shape of the output, None for the batch."""
        if self._nodes:
            return shape_of(self.output)
        if self._output_shape is None and self._input_shape is not None:
            self._output_shape = self.compute_output_shape(self._input_shape)
        return self._output_shape

    # Configurations.

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, ready for JSON; `from_config` makes an equal layer."""
        return constructor_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The layer of a configuration, with weights of its own."""
        return from_constructor_config(cls, config)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        """The name, and whether the layer is built."""
        return f"name={self.name}, built={self.built}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.extra_repr()}>"


def _first_shape(own: str, options: dict[str, Any]) -> Any:
    """The shape that the first layer of a Sequential was told, with the batch, or None."""
    batch = options.pop("batch_size", None)
    given = [name for name in ("batch_input_shape", "batch_shape") if name in options]
    if given:
        return tuple(options.pop(given[0]))
    if "input_dim" in options:
        return (batch, options.pop("input_dim"))
    if "input_shape" not in options:
        return None
    shape = options.pop("input_shape")
    if not isinstance(shape, (list, tuple)):
        raise ArgumentError(
            f"{own}(): input_shape must be a tuple without the batch, such as (784,), got {shape!r}"
        )
    return (batch, *shape)


def _symbols(shape: Any, dtype: Any) -> Any:
    return map_shapes(lambda lengths: KerasTensor(lengths, dtype), shape)


def _without_lists(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments, a first one of nested numbers as an array."""
    if args and isinstance(args[0], (list, tuple)):
        if all(isinstance(leaf, (int, float)) for leaf in flatten(args[0])):
            return (numpy.array(args[0]), *args[1:])
    return args


def _without_training(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "training"}

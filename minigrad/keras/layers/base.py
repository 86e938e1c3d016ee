"""Layer: the nn.Module that every Keras layer and model is, built when it first sees a shape."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Self

import numpy

from minigrad import dtypes
from minigrad.errors import ArgumentError
from minigrad.graph import Traced
from minigrad.keras.config import floatx
from minigrad.keras.layers.config import constructor_config, from_constructor_config, takes
from minigrad.keras.layers.spec import InputSpec, check_specs
from minigrad.keras.layers.weight import Weight
from minigrad.keras.layers.weighted import Weighted
from minigrad.keras.naming import check_name, snake_case, unique_name
from minigrad.keras.symbolic import (
    KerasTensor,
    Node,
    flatten,
    infer,
    map_shapes,
    map_structure,
    shape_of,
    symbols,
)
from minigrad.ops.data import from_numpy

__all__ = ["InputSpec", "Layer", "Weight"]


class Layer(Weighted):
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
    _ready = False
    _building = False
    _given: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "build" in vars(cls):
            cls.build = _marked(cls.build)  # type: ignore[method-assign]

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
        self._start_weights()
        self._nodes: list[Node] = []
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
        return shape_of(infer(self.call, (symbols(input_shape, self.dtype),), {}))

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The KerasTensors that come out for KerasTensors: their shapes and dtypes.

        A layer with its own `compute_output_shape` is asked; any other is run on zeros.
        """
        if type(self).compute_output_shape is not Layer.compute_output_shape and args:
            shape = self.compute_output_shape(shape_of(args[0]))
            return symbols(shape, flatten(args)[0].dtype if self.keeps_dtype else self.dtype)
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
        self._check_started()
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
        self._check_input(shape)
        if not self.built:
            self._finish_build(shape)

    def _finish_build(self, shape: Any = None) -> None:
        self.built = True
        if self._input_shape is None:
            self._input_shape = shape
        self.train(self.training)
        if not self._trainable:
            self.trainable = False
        self._ready = not takes(type(self), "training") and self.activity_regularizer is None

    def _as_tensors(self, structure: Any) -> Any:
        """NumPy arrays, lists and numbers as tensors; numbers in the layer's dtype."""
        return map_structure(self._convert_leaf, structure)

    def _convert_leaf(self, leaf: Any) -> Any:
        if isinstance(leaf, Traced):
            kind: str = leaf._array.dtype.kind
            if kind in "iub" and not (self.takes_integers or self.keeps_dtype):
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


def _marked(build: Callable[..., None]) -> Callable[..., None]:
    """A `build` after which the layer knows that it is built, whoever called it."""

    @functools.wraps(build)
    def marked(self: Layer, input_shape: Any = None) -> None:
        if self._building:  # a build that calls that of its base class
            build(self, input_shape)
            return
        self._building = True
        try:
            build(self, input_shape)
        finally:
            self._building = False
        self._finish_build(input_shape)

    return marked


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


def _without_lists(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments, a first one of nested numbers as an array."""
    given = args[0] if args else None
    listed = isinstance(given, (list, tuple)) and len(given) > 0
    if listed and all(isinstance(leaf, (int, float)) for leaf in flatten(given)):
        return (numpy.array(given), *args[1:])
    return args


def _without_training(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "training"}

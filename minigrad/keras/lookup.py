"""Names of objects turned into the objects, and back: what every `get(identifier)` rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from minigrad.errors import ArgumentError

_Named = TypeVar("_Named", bound=Callable[..., Any])

CUSTOM: dict[str, Any] = {}
"""A user's own classes and functions by the name that configurations know them by."""


def plain(name: str) -> str:
    """The letters and digits of a name in lower case: what snake_case and CamelCase share.

    >>> plain("MeanSquaredError") == plain("mean_squared_error")
    True
    """
    return "".join(letter for letter in name if letter.isalnum()).lower()


def nearest(name: str, known: Mapping[str, Any] | list[str], most: int = 3) -> list[str]:
    """The known names that a misspelt one most likely means, the likeliest first.

    Of a name in snake_case and in CamelCase, the one that begins as the misspelt one does.
    """
    import difflib

    by_plain: dict[str, str] = {}
    for candidate in known:
        other = by_plain.get(plain(candidate))
        if other is None or other[:1].isupper() != name[:1].isupper():
            by_plain[plain(candidate)] = candidate
    close = difflib.get_close_matches(plain(name), list(by_plain), n=most, cutoff=0.6)
    return [by_plain[match] for match in close]


def unknown(where: str, kind: str, name: str, known: Mapping[str, Any] | list[str]) -> str:
    """The message for a name that is not known: the nearest ones, or all of them."""
    close = nearest(name, known)
    if close:
        options = " or ".join(repr(option) for option in close)
        return f"{where}: unknown {kind} {name!r}; did you mean {options}?"
    return f"{where}: unknown {kind} {name!r}; known are {', '.join(sorted(known))}"


def no_attribute(where: str, name: str, known: list[str]) -> AttributeError:
    """The error for a name that a module lacks, with the nearest ones that it has.

    >>> str(no_attribute("keras.layers", "Dence", ["Dense", "Dot"]))
    "keras.layers has no 'Dence'; did you mean 'Dense'?"
    """
    close = [] if name.startswith("_") else nearest(name, [one for one in known if one[0] != "_"])
    hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
    return AttributeError(f"{where} has no {name!r}{hint}")


class Lookup:
    """The objects of one kind by name: classes, which are made with their defaults, and functions.

    `where` is the module as users write it and `kind` the noun, for messages; `known` holds the
    objects by each of their names. `base` is the class that a user's own instances derive from.

    >>> Lookup("keras.activations", "activation", {"sign": abs}).get("sgin")
    Traceback (most recent call last):
        ...
    minigrad.errors.ArgumentError: keras.activations.get(): unknown activation 'sgin'; did you \
mean 'sign'?
    """

    def __init__(
        self, where: str, kind: str, known: Mapping[str, Any], base: type | None = None
    ) -> None:
        self.where = where
        self.kind = kind
        self.known = dict(known)
        self.base = base
        self._plain: dict[str, Any] = {}
        for name, found in self.known.items():
            self._plain.setdefault(plain(name), found)

    def find(self, name: str) -> Any:
        """The class or function of this name, a user's own first; raises ArgumentError."""
        if name in CUSTOM:
            return CUSTOM[name]
        _, _, last = name.rpartition(">")
        if last in CUSTOM:
            return CUSTOM[last]
        if name in self.known:
            return self.known[name]
        found = self._plain.get(plain(name))
        if found is None:
            raise ArgumentError(unknown(f"{self.where}.get()", self.kind, name, self.known))
        return found

    def get(self, identifier: Any) -> Any:
        """The object that a name, class, instance, function or configuration stands for.

        A class is made with its defaults, None stays None. Raises ArgumentError for an unknown
        name, or for something that can be none of these.
        """
        if identifier is None:
            return None
        if isinstance(identifier, str):
            return _made(self.find(identifier))
        if isinstance(identifier, Mapping):
            return self.from_config(identifier)
        if isinstance(identifier, type):
            return identifier()
        if callable(identifier) or (self.base and isinstance(identifier, self.base)):
            return identifier
        raise ArgumentError(
            f"{self.where}.get(): a {self.kind} is given by its name, its class, an instance, a "
            f"function or a configuration, got {identifier!r} of type {type(identifier).__name__}"
        )

    def from_config(self, config: Mapping[str, Any]) -> Any:
        """The object of a configuration {"class_name": ..., "config": {...}}.

        A function's is {"class_name": "function", "config": name}. Raises ArgumentError.
        """
        if "class_name" not in config:
            raise ArgumentError(
                f"{self.where}.get(): a configuration has the entries 'class_name' and 'config', "
                f"got {sorted(map(str, config))}"
            )
        name, settings = config["class_name"], config.get("config")
        if name == "function":
            return self.find(str(settings))
        found = self.find(config.get("registered_name") or name)
        if not isinstance(found, type):
            return found
        settings = dict(settings or {})
        from_config = getattr(found, "from_config", None)
        return found(**settings) if from_config is None else from_config(settings)

    def to_config(self, value: Any) -> Any:
        """What `get` turns back into the object: a function's name, or a configuration.

        Raises ArgumentError for a function that no name leads back to.
        """
        if value is None or isinstance(value, (str, Mapping)):
            return value
        if hasattr(value, "get_config"):
            return {"class_name": registered_name(type(value)), "config": value.get_config()}
        for name, found in (*CUSTOM.items(), *self.known.items()):
            if found is value:
                return name
        own: str = getattr(value, "__name__", "<lambda>")
        if own == "<lambda>":
            raise ArgumentError(
                f"{self.where}.serialize(): {value!r} has no name to be found again by; define it "
                f"with def and decorate it with @keras.saving.register_keras_serializable()"
            )
        return own


def _made(found: Any) -> Any:
    """An instance of a class; anything else itself."""
    return found() if isinstance(found, type) else found


def registered_name(found: Any) -> str:
    """The name that a class or function was registered under, else its own."""
    for name, custom in CUSTOM.items():
        if custom is found:
            return name
    own: str = found.__name__
    return own


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[_Named], _Named]:
    """Decorate a class or function so that saved configurations find it as 'package>name'."""

    def register(found: _Named) -> _Named:
        CUSTOM[f"{package}>{name or found.__name__}"] = found
        return found

    return register


@contextmanager
def custom_object_scope(objects: Mapping[str, Any] | None) -> Iterator[None]:
    """Within it, names stand for the user's own classes and functions.

    >>> with custom_object_scope({"swap": reversed}):
    ...     Lookup("keras.losses", "loss", {}).find("swap").__name__
    'reversed'
    """
    before = dict(CUSTOM)
    CUSTOM.update(objects or {})
    try:
        yield
    finally:
        CUSTOM.clear()
        CUSTOM.update(before)

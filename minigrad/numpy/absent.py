"""Names of NumPy that this face does not have: why, and what to write instead."""

from __future__ import annotations

import difflib

_TEXT = "it is about text, records, dates or files, which carry no gradient: use NumPy's own"
_MEMORY = "it is about how NumPy lays out or iterates over memory: use NumPy's own on x.detach()"
_SETTINGS = "it is a setting or a tool of NumPy itself: use NumPy's own"
_MATRIX = "NumPy's matrix class is deprecated: use two-dimensional arrays"
_PLANNED = "it is planned"

ABSENT: dict[str, str] = {
    **dict.fromkeys(
        [
            "array2string",
            "array_repr",
            "array_str",
            "base_repr",
            "binary_repr",
            "busday_count",
            "busday_offset",
            "busdaycalendar",
            "bytes_",
            "char",
            "character",
            "core",
            "datetime64",
            "datetime_as_string",
            "datetime_data",
            "format_float_positional",
            "format_float_scientific",
            "fromfile",
            "fromregex",
            "fromstring",
            "genfromtxt",
            "is_busday",
            "isnat",
            "load",
            "loadtxt",
            "memmap",
            "rec",
            "recarray",
            "record",
            "save",
            "savetxt",
            "savez",
            "savez_compressed",
            "str_",
            "strings",
            "timedelta64",
            "void",
            "flexible",
            "object_",
            "typecodes",
        ],
        _TEXT,
    ),
    **dict.fromkeys(
        [
            "asfortranarray",
            "broadcast",
            "flatiter",
            "isfortran",
            "ndenumerate",
            "ndindex",
            "nditer",
            "nested_iters",
            "require",
            "lib",
            "ctypeslib",
            "iterable",
            "may_iterate",
        ],
        _MEMORY,
    ),
    **dict.fromkeys(
        [
            "errstate",
            "exceptions",
            "f2py",
            "get_include",
            "get_printoptions",
            "getbufsize",
            "geterr",
            "geterrcall",
            "info",
            "little_endian",
            "printoptions",
            "set_printoptions",
            "setbufsize",
            "seterr",
            "seterrcall",
            "show_config",
            "show_runtime",
            "test",
            "testing",
            "typing",
            "typename",
            "mintypecode",
            "sctypeDict",
            "ScalarType",
            "dtypes",
            "emath",
            "einsum_path",
            "ma",
            "frompyfunc",
            "vectorize",
            "polynomial",
        ],
        _SETTINGS,
    ),
    **dict.fromkeys(["asmatrix", "bmat", "matrix"], _MATRIX),
    **dict.fromkeys(
        [
            "longdouble",
            "clongdouble",
            "float128",
            "complex256",
            "byte",
            "short",
            "intc",
            "long",
            "longlong",
            "ubyte",
            "ushort",
            "uintc",
            "uintp",
            "ulong",
            "ulonglong",
        ],
        "minigrad names dtypes by their bits: int8 to int64, uint8 to uint64, float16 to float64, "
        "complex64, complex128",
    ),
    **dict.fromkeys(
        ["poly", "poly1d", "polydiv", "polyfit", "roots", "histogram2d", "histogramdd"],
        _PLANNED + ", and needs least squares or eigenvalues: use NumPy's own on x.detach()",
    ),
    "in1d": "use isin(element, test_elements)",
    "row_stack": "use vstack(arrays)",
    "trapz": "use trapezoid(y, x)",
    "product": "use prod(a)",
    "cumproduct": "use cumprod(a)",
    "sometrue": "use any(a)",
    "alltrue": "use all(a)",
    "msort": "use sort(a, axis=0)",
    "asfarray": "use asarray(a, dtype=float64)",
    "float_": "use float64",
    "complex_": "use complex128",
    "Inf": "use inf",
    "NaN": "use nan",
    "packbits": "it is about bytes: use NumPy's own",
    "unpackbits": "it is about bytes: use NumPy's own",
    "i0": _PLANNED,
}


def no_attribute(where: str, name: str, known: list[str]) -> AttributeError:
    """The error for a name that a module lacks: why it is not there, or what is like it."""
    reason = ABSENT.get(name)
    if reason is None:
        close = difflib.get_close_matches(name, [one for one in known if one[0] != "_"], 2, 0.7)
        reason = (
            f"did you mean {' or '.join(map(repr, close))}?" if close else "it is no NumPy name"
        )
    return AttributeError(f"{where} has no {name!r}: {reason}")

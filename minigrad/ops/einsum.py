"""Contractions: einsum and what it expresses, as products of two tensors at a time."""

from __future__ import annotations

import functools
from collections import Counter
from math import prod
from typing import Any

from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Traced, primitive
from minigrad.ops import reduce
from minigrad.ops.diagonal import diagonal
from minigrad.ops.dims import wrap_dims
from minigrad.ops.elementwise import mul
from minigrad.ops.index import select
from minigrad.ops.shape import permute, reshape

__all__ = ["einsum", "kron", "tensordot"]

# A letter, or a number for a dimension that an ellipsis covers, counted from the last.
Labels = tuple[Any, ...]


@primitive(
    input=lambda g, other, left, right, result: contract(
        g, other, left=result, right=right, result=left
    ),
    other=lambda g, input, left, right, result: contract(
        g, input, left=result, right=left, result=right
    ),
)
def contract(
    xp: Any, input: Any, other: Any, *, left: Labels, right: Labels, result: Labels
) -> Any:
    """The product of two tensors with labelled dimensions, summed over labels not in `result`.

    Every label is in two at least of `left`, `right` and `result`, so that a derivative is again a
    contraction.
    """
    plan = _plan(left, right, result)
    a = input.transpose(plan.first)
    b = other.transpose(plan.second)
    shared = a.shape[: plan.batch]
    rows = a.shape[plan.batch : plan.batch + plan.rows]
    columns = b.shape[b.ndim - plan.columns :] if plan.columns else ()
    if plan.summed:
        inner = prod(a.shape[plan.batch + plan.rows :])
        out = xp.matmul(
            a.reshape(*shared, prod(rows), inner), b.reshape(*shared, inner, prod(columns))
        )
    else:
        out = a.reshape(*shared, prod(rows), 1) * b.reshape(*shared, 1, prod(columns))
    return out.reshape((*shared, *rows, *columns)).transpose(plan.order)


class _Plan:
    """How two tensors become batches of matrices, and their product the result."""

    def __init__(self, left: Labels, right: Labels, result: Labels) -> None:
        batch = [label for label in left if label in right and label in result]
        summed = [label for label in left if label in right and label not in result]
        rows = [label for label in left if label not in right]
        columns = [label for label in right if label not in left]
        self.first = tuple(left.index(label) for label in (*batch, *rows, *summed))
        self.second = tuple(right.index(label) for label in (*batch, *summed, *columns))
        made = (*batch, *rows, *columns)
        self.order = tuple(made.index(label) for label in result)
        self.batch, self.rows, self.columns = len(batch), len(rows), len(columns)
        self.summed = bool(summed)


_plan = functools.lru_cache(maxsize=1024)(_Plan)


def einsum(equation: Any, *operands: Any) -> Any:
    """Sums of products by Einstein's convention: "ij,jk->ik" is the product of two matrices.

    A label that is not in the output is summed over; a repeated one takes the diagonal; "..."
    stands for any dimensions, which are broadcast. Without "->" the labels that occur once, in
    alphabetical order, make the output. Also `einsum(a, [0, 1], b, [1, 2], [0, 2])`. Raises
    ArgumentError for an equation that is wrong or does not fit the operands.

    >>> import minigrad
    >>> minigrad.einsum("i,i->", minigrad.ones(3), minigrad.ones(3))
    tensor(3.)
    """
    if not isinstance(equation, str):
        equation, operands = _from_sublists((equation, *operands))
    elif len(operands) == 1 and isinstance(operands[0], (tuple, list)):
        operands = tuple(operands[0])
    terms, output = _parse(equation, tuple(operand.ndim for operand in operands))
    _check_one_dtype(operands)
    factors = _prepared(equation, list(operands), [list(term) for term in terms], output)
    value, labels = factors[0]
    for position, (other, term) in enumerate(factors[1:], 2):
        later = {label for _, rest in factors[position:] for label in rest}.union(output)
        last = position == len(factors)
        union = dict.fromkeys((*labels, *term))
        result = output if last else tuple(label for label in union if label in later)
        value = contract(value, other, left=labels, right=term, result=result)
        labels = result
    if labels != output:
        value = permute(value, tuple(labels.index(label) for label in output))
    return value


def _check_one_dtype(operands: tuple[Any, ...]) -> None:
    for place, operand in enumerate(operands):
        if operand.dtype != operands[0].dtype:
            raise DtypeError(
                f"einsum(): operand 0 has dtype {operands[0].dtype} and operand {place} "
                f"{operand.dtype}; give operands of one dtype"
            )


def _prepared(
    equation: str,
    operands: list[Any],
    terms: list[list[Any]],
    output: Labels,
    keeps_dtype: bool = False,
) -> list[tuple[Any, Labels]]:
    """The operands with each label once, of one size, and none that only they have and sum."""
    for place, term in enumerate(terms):
        for label in [label for label, count in Counter(term).items() if count > 1]:
            while term.count(label) > 1:
                first = term.index(label)
                second = term.index(label, first + 1)
                if operands[place].shape[first] != operands[place].shape[second]:
                    raise ArgumentError(
                        f"einsum(): in {equation!r} the label {label!r} stands twice in operand "
                        f"{place}, for sizes {operands[place].shape[first]} and "
                        f"{operands[place].shape[second]}"
                    )
                operands[place] = diagonal(operands[place], 0, first, second)
                del term[second], term[first]
                term.append(label)
    _drop_ones(equation, operands, terms)
    counts = Counter(label for term in terms for label in term)
    counts.update(output)
    factors = []
    for operand, term in zip(operands, terms):
        alone = [place for place, label in enumerate(term) if counts[label] == 1]
        if alone:
            dtype = operand.dtype if keeps_dtype else None
            operand = reduce.sum(operand, dim=tuple(alone), dtype=dtype)
        factors.append((operand, tuple(label for label in term if counts[label] != 1)))
    return factors


def _drop_ones(equation: str, operands: list[Any], terms: list[list[Any]]) -> None:
    """Take out dimensions of size 1 whose label has another size elsewhere."""
    sizes: dict[Any, int] = {}
    for operand, term in zip(operands, terms):
        for label, size in zip(term, operand.shape):
            known = sizes.setdefault(label, size)
            if known != size and 1 not in (known, size):
                raise ArgumentError(
                    f"einsum(): in {equation!r} the label {label!r} stands for sizes {known} and "
                    f"{size}; the operands have shapes {[list(o.shape) for o in operands]}"
                )
            sizes[label] = size if known == 1 else known
    for place, term in enumerate(terms):
        for position in reversed(range(len(term))):
            if operands[place].shape[position] == 1 != sizes[term[position]]:
                operands[place] = select(operands[place], position, 0)
                del term[position]


@functools.lru_cache(maxsize=1024)
def _parse(equation: str, ndims: tuple[int, ...]) -> tuple[tuple[Labels, ...], Labels]:
    """The labels of every operand and of the output."""
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    written = inputs.split(",")
    if len(written) != len(ndims):
        raise ArgumentError(
            f"einsum(): the equation {equation!r} has {len(written)} terms, but {len(ndims)} "
            f"operands are given"
        )
    terms = tuple(_term(equation, term, ndim) for term, ndim in zip(written, ndims))
    counts = Counter(label for term in terms for label in term)
    covered = tuple(range(max((sum(map(_is_dot, term)) for term in terms), default=0)))[::-1]
    if arrow:
        before, dots, after = output.partition("...")
        result: Labels = (*before, *(covered if dots else ()), *after)
    else:
        letters = sorted(label for label in counts if not _is_dot(label) and counts[label] == 1)
        result = (*covered, *letters)
    for label in result:
        if label not in counts or result.count(label) > 1:
            why = "stands twice in" if label in counts else "is in no term but in"
            raise ArgumentError(
                f"einsum(): in the equation {equation!r} the label {label!r} {why} the output"
            )
    return terms, result


def _is_dot(label: Any) -> bool:
    return isinstance(label, int)


def _term(equation: str, term: str, ndim: int) -> Labels:
    """The labels of one operand."""
    before, dots, after = term.partition("...")
    letters = (*before, *after)
    for letter in letters:
        if not (letter.isascii() and letter.isalpha()):
            raise ArgumentError(
                f"einsum(): the equation {equation!r} holds {letter!r}; labels are letters"
            )
    covered = ndim - len(letters)
    if covered < 0 or (covered and not dots):
        raise ArgumentError(
            f"einsum(): in the equation {equation!r} the term {term!r} has {len(letters)} labels, "
            f"but its operand has {ndim} dimensions"
        )
    return (*before, *range(covered)[::-1], *after)


def _from_sublists(arguments: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """The equation and operands of a call such as `einsum(a, [0, 1], b, [1, 2], [0, 2])`."""
    operands = arguments[0 : len(arguments) - len(arguments) % 2 : 2]
    sublists = arguments[1::2]
    if not operands or not all(isinstance(part, (tuple, list)) for part in sublists):
        raise ArgumentError(
            'einsum(): give an equation such as "ij,jk->ik" and operands, or operands each '
            "followed by a list of its labels"
        )
    equation = ",".join(_letters(sublist) for sublist in sublists)
    if len(arguments) % 2:
        equation += "->" + _letters(arguments[-1])
    return equation, operands


def _letters(sublist: Any) -> str:
    letters = []
    for label in sublist:
        if label is Ellipsis:
            letters.append("...")
        elif isinstance(label, int) and 0 <= label < 52:
            letters.append(chr(ord("A") + label if label < 26 else ord("a") + label - 26))
        else:
            raise ArgumentError(
                f"einsum(): the label {label!r} must be an integer from 0 to 51 or Ellipsis"
            )
    return "".join(letters)


def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """The sum of products over dimensions of both: so many last of `a` and first of `b`, or lists.

    Raises ArgumentError where the sizes differ.
    """
    if isinstance(dims, Traced):
        dims = dims._array.tolist()
    if isinstance(dims, int):
        if not 0 <= dims <= min(a.ndim, b.ndim):
            raise ArgumentError(
                f"tensordot(): argument 'dims' is {dims}, but 'a' has {a.ndim} dimensions and 'b' "
                f"{b.ndim}"
            )
        first, second = tuple(range(a.ndim - dims, a.ndim)), tuple(range(dims))
    else:
        first = wrap_dims("tensordot", dims[0], a.ndim, "dims")
        second = wrap_dims("tensordot", dims[1], b.ndim, "dims")
    sizes = [a.shape[dim] for dim in first], [b.shape[dim] for dim in second]
    if len(first) != len(second) or any(m != n and 1 not in (m, n) for m, n in zip(*sizes)):
        raise ArgumentError(
            f"tensordot(): the dimensions {list(first)} of 'a' have sizes {sizes[0]}, the "
            f"dimensions {list(second)} of 'b' {sizes[1]}; they must be equal in pairs"
        )
    left: list[Any] = [("a", dim) for dim in range(a.ndim)]
    right: list[Any] = [("b", dim) for dim in range(b.ndim)]
    for place, (m, n) in enumerate(zip(first, second)):
        left[m] = right[n] = ("both", place)
    result = tuple(label for label in (*left, *right) if label[0] != "both")
    _check_one_dtype((a, b))
    (a, labels), (b, others) = _prepared("tensordot", [a, b], [left, right], result, True)
    return contract(a, b, left=labels, right=others, result=result)


def kron(input: Any, other: Any) -> Any:
    """Kronecker's product: every element of `input` times the whole of `other`."""
    count = max(input.ndim, other.ndim)
    first = (1,) * (count - input.ndim) + tuple(input.shape)
    second = (1,) * (count - other.ndim) + tuple(other.shape)
    apart = reshape(input, tuple(n for length in first for n in (length, 1)))
    spread = reshape(other, tuple(n for length in second for n in (1, length)))
    return reshape(mul(apart, spread), tuple(m * n for m, n in zip(first, second)))

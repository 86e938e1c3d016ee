"""The chi-squared distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from minigrad.distributions import constraints
from minigrad.distributions.gamma import Gamma
from minigrad.distributions.parameters import broadcast_all


class Chi2(Gamma):
    """Sums of the squares of `df` standard normal numbers; `df` need not be an integer."""

    arg_constraints: ClassVar[Any] = {"df": constraints.positive}
    _parameters: ClassVar[Any] = Gamma._parameters

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        (df,) = broadcast_all(df)
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    @property
    def df(self) -> Any:
        """The degrees of freedom."""
        return self.concentration * 2

"""The elementwise operations as methods and operators of Tensor."""

from __future__ import annotations

from typing import Any

from minigrad.inplace import in_place
from minigrad.ops import (
    bessel,
    compare,
    complex_parts,
    elementwise,
    error_function,
    functions,
    gamma,
    parts,
    piecewise,
    power,
    select,
    special,
)
from minigrad.ops.operands import check_tensor


class ElementwiseMethods:
    """Methods from the elementwise families of operations."""

    __slots__ = ()

    # Operators. Those that Python calls most are bound to the primitives themselves.

    __add__ = elementwise._add
    __sub__ = elementwise._sub
    __mul__ = elementwise.mul
    __truediv__ = elementwise._div
    __floordiv__ = elementwise.floor_divide
    __mod__ = elementwise.remainder
    __pow__ = power._pow
    __neg__ = elementwise.neg
    __pos__ = elementwise.positive
    __abs__ = elementwise.abs
    __invert__ = compare.bitwise_not
    __and__ = __rand__ = compare.bitwise_and
    __or__ = __ror__ = compare.bitwise_or
    __xor__ = __rxor__ = compare.bitwise_xor
    __lshift__ = compare.bitwise_left_shift
    __rshift__ = compare.bitwise_right_shift
    __lt__ = compare.lt
    __le__ = compare.le
    __gt__ = compare.gt
    __ge__ = compare.ge

    # Called through the class on a number, the first three would take it for an operand.

    def __radd__(self: Any, other: Any) -> Any:
        if not isinstance(self, ElementwiseMethods):
            check_tensor("__radd__", "self", self)
        return elementwise._add(self, other)

    def __rmul__(self: Any, other: Any) -> Any:
        if not isinstance(self, ElementwiseMethods):
            check_tensor("__rmul__", "self", self)
        return elementwise.mul(self, other)

    def __rdiv__(self, other: Any) -> Any:
        check_tensor("__rdiv__", "self", self)
        return elementwise._div(other, self)

    def __rsub__(self, other: Any) -> Any:
        return elementwise._sub(other, self)

    def __rtruediv__(self, other: Any) -> Any:
        return elementwise._div(other, self)

    def __rfloordiv__(self, other: Any) -> Any:
        return elementwise.floor_divide(other, self)

    def __rmod__(self, other: Any) -> Any:
        return elementwise.remainder(other, self)

    def __rpow__(self, other: Any) -> Any:
        return power._pow(other, self)

    def __rlshift__(self, other: Any) -> Any:
        return compare.bitwise_left_shift(other, self)

    def __rrshift__(self, other: Any) -> Any:
        return compare.bitwise_right_shift(other, self)

    def __eq__(self, other: Any) -> Any:
        # A tensor may be compared with None or a string: Python then says that they differ.
        try:
            return compare.eq(self, other)
        except TypeError:
            return NotImplemented

    def __ne__(self, other: Any) -> Any:
        try:
            return compare.ne(self, other)
        except TypeError:
            return NotImplemented

    __hash__ = object.__hash__

    __iadd__ = in_place(elementwise._add)
    __isub__ = in_place(elementwise._sub)
    __imul__ = in_place(elementwise.mul)
    __itruediv__ = in_place(elementwise._div)
    __ifloordiv__ = in_place(elementwise.floor_divide)
    __imod__ = in_place(elementwise.remainder)
    __ipow__ = in_place(power._pow)
    __iand__ = in_place(compare.bitwise_and)
    __ior__ = in_place(compare.bitwise_or)
    __ixor__ = in_place(compare.bitwise_xor)
    __ilshift__ = in_place(compare.bitwise_left_shift)
    __irshift__ = in_place(compare.bitwise_right_shift)

    # Arithmetic.

    add = elementwise.add
    sub = subtract = elementwise.sub
    mul = multiply = elementwise.mul
    div = divide = elementwise.div
    true_divide = elementwise.true_divide
    floor_divide = elementwise.floor_divide
    remainder = elementwise.remainder
    fmod = elementwise.fmod
    neg = negative = elementwise.neg
    positive = elementwise.positive
    abs = absolute = elementwise.abs
    sign = elementwise.sign
    sgn = elementwise.sgn
    conj = conj_physical = elementwise.conj
    resolve_conj = elementwise.resolve_conj
    resolve_neg = complex_parts.resolve_neg
    angle = elementwise.angle
    lerp = elementwise.lerp
    addcmul = elementwise.addcmul
    addcdiv = elementwise.addcdiv
    pow = power.pow
    float_power = power.float_power
    square = power.square

    @property
    def real(self) -> Any:
        """The real part of a complex tensor, as a view; a real tensor itself."""
        return elementwise.real(self)

    @property
    def imag(self) -> Any:
        """The imaginary part of a complex tensor, as a view."""
        return elementwise.imag(self)

    # Functions.

    exp = functions.exp
    exp2 = functions.exp2
    expm1 = functions.expm1
    log = functions.log
    log2 = functions.log2
    log10 = functions.log10
    log1p = functions.log1p
    sqrt = functions.sqrt
    rsqrt = functions.rsqrt
    reciprocal = functions.reciprocal
    sin = functions.sin
    cos = functions.cos
    tan = functions.tan
    asin = arcsin = functions.asin
    acos = arccos = functions.acos
    atan = arctan = functions.atan
    atan2 = arctan2 = functions.atan2
    sinh = functions.sinh
    cosh = functions.cosh
    tanh = functions.tanh
    asinh = arcsinh = functions.asinh
    acosh = arccosh = functions.acosh
    atanh = arctanh = functions.atanh
    hypot = functions.hypot
    copysign = functions.copysign
    deg2rad = functions.deg2rad
    rad2deg = functions.rad2deg
    floor = functions.floor
    ceil = functions.ceil
    round = functions.round
    trunc = fix = functions.trunc
    frac = functions.frac
    sigmoid = special.sigmoid
    logit = special.logit
    logaddexp = special.logaddexp
    logaddexp2 = special.logaddexp2
    xlogy = special.xlogy
    sinc = special.sinc
    erf = error_function.erf
    erfc = error_function.erfc
    erfinv = error_function.erfinv
    lgamma = gamma.lgamma
    digamma = gamma.digamma
    polygamma = gamma.polygamma_of
    mvlgamma = gamma.mvlgamma
    igamma = gamma.igamma
    igammac = gamma.igammac
    i0 = bessel.i0
    frexp = parts.frexp
    ldexp = parts.ldexp
    nextafter = parts.nextafter
    gcd = parts.gcd
    lcm = parts.lcm
    relu = piecewise.relu
    prelu = piecewise.prelu

    # Choosing.

    clamp = clip = select.clamp
    clamp_min = select.clamp_min
    clamp_max = select.clamp_max
    maximum = select.maximum
    minimum = select.minimum
    fmax = select.fmax
    fmin = select.fmin
    heaviside = select.heaviside
    nan_to_num = select.nan_to_num

    def where(self, condition: Any, other: Any) -> Any:
        """This tensor where the condition holds, `other` elsewhere."""
        return select.where(condition, self, other)

    # Comparison, logic, bits.

    eq = compare.eq
    ne = not_equal = compare.ne
    lt = less = compare.lt
    le = less_equal = compare.le
    gt = greater = compare.gt
    ge = greater_equal = compare.ge
    isclose = compare.isclose
    allclose = compare.allclose
    equal = compare.equal
    isnan = compare.isnan
    isinf = compare.isinf
    isfinite = compare.isfinite
    isposinf = compare.isposinf
    isneginf = compare.isneginf
    isreal = compare.isreal
    signbit = compare.signbit
    logical_not = compare.logical_not
    logical_and = compare.logical_and
    logical_or = compare.logical_or
    logical_xor = compare.logical_xor
    bitwise_not = compare.bitwise_not
    bitwise_and = compare.bitwise_and
    bitwise_or = compare.bitwise_or
    bitwise_xor = compare.bitwise_xor
    bitwise_left_shift = compare.bitwise_left_shift
    bitwise_right_shift = compare.bitwise_right_shift

    # In place.

    add_ = in_place(elementwise.add)
    sub_ = subtract_ = in_place(elementwise.sub)
    mul_ = multiply_ = in_place(elementwise.mul)
    div_ = divide_ = in_place(elementwise.div)
    true_divide_ = in_place(elementwise.true_divide)
    floor_divide_ = in_place(elementwise.floor_divide)
    remainder_ = in_place(elementwise.remainder)
    fmod_ = in_place(elementwise.fmod)
    neg_ = negative_ = in_place(elementwise.neg)
    abs_ = absolute_ = in_place(elementwise._real_abs)
    sign_ = in_place(elementwise.sign)
    sgn_ = in_place(elementwise.sgn)
    conj_physical_ = in_place(elementwise.conj)
    lerp_ = in_place(elementwise.lerp)
    addcmul_ = in_place(elementwise.addcmul)
    addcdiv_ = in_place(elementwise.addcdiv)
    pow_ = in_place(power.pow)
    float_power_ = in_place(power._float_power_in_place)
    square_ = in_place(power.square)
    exp_ = in_place(functions.exp)
    exp2_ = in_place(functions.exp2)
    expm1_ = in_place(functions.expm1)
    log_ = in_place(functions.log)
    log2_ = in_place(functions.log2)
    log10_ = in_place(functions.log10)
    log1p_ = in_place(functions.log1p)
    sqrt_ = in_place(functions.sqrt)
    rsqrt_ = in_place(functions.rsqrt)
    reciprocal_ = in_place(functions.reciprocal)
    sin_ = in_place(functions.sin)
    cos_ = in_place(functions.cos)
    tan_ = in_place(functions.tan)
    asin_ = arcsin_ = in_place(functions.asin)
    acos_ = arccos_ = in_place(functions.acos)
    atan_ = arctan_ = in_place(functions.atan)
    atan2_ = arctan2_ = in_place(functions.atan2)
    sinh_ = in_place(functions.sinh)
    cosh_ = in_place(functions.cosh)
    tanh_ = in_place(functions.tanh)
    asinh_ = arcsinh_ = in_place(functions.asinh)
    acosh_ = arccosh_ = in_place(functions.acosh)
    atanh_ = arctanh_ = in_place(functions.atanh)
    hypot_ = in_place(functions.hypot)
    copysign_ = in_place(functions.copysign)
    deg2rad_ = in_place(functions.deg2rad)
    rad2deg_ = in_place(functions.rad2deg)
    floor_ = in_place(functions.floor)
    ceil_ = in_place(functions.ceil)
    round_ = in_place(functions.round)
    trunc_ = fix_ = in_place(functions.trunc)
    frac_ = in_place(functions.frac)
    sigmoid_ = in_place(special.sigmoid)
    logit_ = in_place(special.logit)
    xlogy_ = in_place(special.xlogy)
    sinc_ = in_place(special.sinc)
    erf_ = in_place(error_function.erf)
    erfc_ = in_place(error_function.erfc)
    erfinv_ = in_place(error_function.erfinv)
    lgamma_ = in_place(gamma.lgamma)
    digamma_ = in_place(gamma.digamma)
    polygamma_ = in_place(gamma.polygamma_of)
    mvlgamma_ = in_place(gamma.mvlgamma)
    igamma_ = in_place(gamma.igamma)
    igammac_ = in_place(gamma.igammac)
    i0_ = in_place(bessel.i0)
    ldexp_ = in_place(parts.ldexp)
    nextafter_ = in_place(parts.nextafter)
    gcd_ = in_place(parts.gcd)
    lcm_ = in_place(parts.lcm)
    relu_ = in_place(piecewise.relu)
    clamp_ = clip_ = in_place(select.clamp)
    clamp_min_ = in_place(select.clamp_min)
    clamp_max_ = in_place(select.clamp_max)
    heaviside_ = in_place(select.heaviside)
    nan_to_num_ = in_place(select.nan_to_num)
    eq_ = in_place(compare.eq)
    ne_ = not_equal_ = in_place(compare.ne)
    lt_ = less_ = in_place(compare.lt)
    le_ = less_equal_ = in_place(compare.le)
    gt_ = greater_ = in_place(compare.gt)
    ge_ = greater_equal_ = in_place(compare.ge)
    logical_not_ = in_place(compare.logical_not)
    logical_and_ = in_place(compare.logical_and)
    logical_or_ = in_place(compare.logical_or)
    logical_xor_ = in_place(compare.logical_xor)
    bitwise_not_ = in_place(compare.bitwise_not)
    bitwise_and_ = in_place(compare.bitwise_and)
    bitwise_or_ = in_place(compare.bitwise_or)
    bitwise_xor_ = in_place(compare.bitwise_xor)
    bitwise_left_shift_ = in_place(compare.bitwise_left_shift)
    bitwise_right_shift_ = in_place(compare.bitwise_right_shift)

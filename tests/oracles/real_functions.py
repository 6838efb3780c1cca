"""Elementary functions in decimal arithmetic, by their plainest series: slow, obvious, and right to `digits` digits."""

import decimal
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

GUARD = 25  # digits that rounding may take while a series is summed


def _digits_of(x: Decimal) -> int:
    return max(0, x.adjusted())


def _with(digits: int) -> decimal.Context:
    return decimal.Context(prec=digits, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)


def _sum(first: Decimal, following: Callable[[int, Decimal], Decimal]) -> Decimal:
    """`first`, and term n from term n - 1, until they no longer change the sum."""
    total, term, n = first, first, 0
    while True:
        n += 1
        term = following(n, term)
        if total + term == total:
            return total
        total += term


def pi(digits: int) -> Decimal:
    """Machin, 1706: pi/4 = 4 atan(1/5) - atan(1/239), in integers."""
    one = 10 ** (digits + GUARD)

    def atan_of_inverse(n: int) -> int:
        power = total = one // n
        k = 1
        while power:
            power //= -n * n
            k += 2
            total += power // k
        return total

    return Decimal(4 * (4 * atan_of_inverse(5) - atan_of_inverse(239))).scaleb(-digits - GUARD, _with(2 * digits + 99))


def exp(x: Decimal, digits: int) -> Decimal:
    return _with(digits + GUARD).exp(x)


def ln(x: Decimal, digits: int) -> Decimal:
    return _with(digits + GUARD).ln(x)


def _extra(x: Decimal) -> int:
    """Digits that cancel where a function of a small x begins with x itself."""
    return max(0, -x.adjusted()) if x else 0


def expm1(x: Decimal, digits: int) -> Decimal:
    with decimal.localcontext(_with(digits + GUARD)):
        if abs(x) < Decimal("0.1"):
            return _sum(x, lambda n, term: term * x / (n + 1)) if x else x
        return x.exp() - 1


def log1p(x: Decimal, digits: int) -> Decimal:
    with decimal.localcontext(_with(digits + GUARD + 2 * _extra(x) + _digits_of(x))) as context:
        if x.adjusted() < -100:
            context.prec = digits + GUARD
            return x - x * x / 2 + x * x * x / 3
        return (1 + x).ln()


def sinh(x: Decimal, digits: int) -> Decimal:
    if x < 0:
        return -sinh(-x, digits)
    grown = expm1(x, digits)
    with decimal.localcontext(_with(digits + GUARD)):
        return (grown + grown / (grown + 1)) / 2


def cosh(x: Decimal, digits: int) -> Decimal:
    with decimal.localcontext(_with(digits + GUARD)):
        return (x.exp() + (-x).exp()) / 2


def tanh(x: Decimal, digits: int) -> Decimal:
    if x < 0:
        return -tanh(-x, digits)
    shrunk = expm1(-2 * x, digits)
    with decimal.localcontext(_with(digits + GUARD)):
        return -shrunk / (shrunk + 2)


def power(x: Decimal, y: Decimal, digits: int) -> Decimal:
    with decimal.localcontext(_with(digits + 2 * GUARD)):
        return (y * x.ln()).exp()


def _sine_series(r: Decimal) -> Decimal:
    return _sum(r, lambda n, term: -term * r * r / (2 * n * (2 * n + 1))) if r else r


def sin(x: Decimal, digits: int, turns: int = 0) -> Decimal:
    """The sine of x + `turns` quarters of a turn."""
    prec = 2 * digits + GUARD + _digits_of(x)
    with decimal.localcontext(_with(prec)) as context:
        half_pi = pi(prec) / 2
        n = (x / half_pi).to_integral_value()
        r = x - n * half_pi
        quadrant = int(n + turns) % 4
        context.prec = digits + GUARD
        r = +r
        value = _sine_series(r) if quadrant % 2 == 0 else (1 - _sine_series(r) ** 2).sqrt()
        return -value if quadrant >= 2 else value


def cos(x: Decimal, digits: int) -> Decimal:
    return sin(x, digits, 1)


def tan(x: Decimal, digits: int) -> Decimal:
    with decimal.localcontext(_with(digits + GUARD)):
        return sin(x, digits) / cos(x, digits)


def atan(x: Decimal, digits: int) -> Decimal:
    """By halving the angle, tan(a/2) = t / (1 + sqrt(1 + t^2)), until the series is short."""
    with decimal.localcontext(_with(digits + GUARD)):
        if x < 0:
            return -atan(-x, digits)
        if x > 1:
            return pi(digits + GUARD) / 2 - atan(1 / x, digits)
        halvings = 0
        while x > Decimal("0.05"):
            x = x / (1 + (1 + x * x).sqrt())
            halvings += 1
        if not x:
            return x
        total, power_of, k = Decimal(0), x, 1
        while total + power_of / k != total:
            total += power_of / k
            power_of *= -x * x
            k += 2
        return total * 2**halvings


def atan2(y: Decimal, x: Decimal, digits: int) -> Decimal:
    with decimal.localcontext(_with(digits + GUARD)):
        half_pi = pi(digits + GUARD) / 2
        if abs(y) > abs(x):
            return (half_pi if y > 0 else -half_pi) - atan(x / y, digits)
        turned = Decimal(0) if x > 0 else 2 * half_pi if y >= 0 else -2 * half_pi
        return turned + atan(y / x, digits)


def _leg(x: Decimal) -> Decimal:
    return ((1 - x) * (1 + x)).sqrt()


def asin(x: Decimal, digits: int) -> Decimal:
    with decimal.localcontext(_with(digits + GUARD)):
        return atan2(x, _leg(x), digits) if x else x


def acos(x: Decimal, digits: int) -> Decimal:
    with decimal.localcontext(_with(digits + GUARD)):
        return atan2(_leg(x), x, digits) if x != 1 else Decimal(0)


def erf(x: Decimal, digits: int) -> Decimal:
    """2/sqrt(pi) e^-x^2 (x + 2 x^3 / 3 + 4 x^5 / 15 + ...): every term positive. Abramowitz and Stegun, 7.1.6."""
    if x < 0:
        return -erf(-x, digits)
    with decimal.localcontext(_with(digits + GUARD)):
        series = _sum(x, lambda n, term: term * 2 * x * x / (2 * n + 1)) if x else x
        return 2 / pi(digits + GUARD).sqrt() * (-x * x).exp() * series


def erfc(x: Decimal, digits: int) -> Decimal:
    """1 - erf(x), with as many digits more as cancel."""
    cancelled = int(x * x / 2) + 5 if x > 0 else 0
    with decimal.localcontext(_with(digits + GUARD + cancelled)):
        return 1 - erf(x, digits + cancelled)


def normal_cdf(x: Decimal, digits: int) -> Decimal:
    with decimal.localcontext(_with(2 * digits + GUARD)):
        at = -x / Decimal(2).sqrt()
        return erfc(at, digits) / 2


def normal_pdf(x: Decimal, digits: int) -> Decimal:
    with decimal.localcontext(_with(digits + 2 * GUARD)):
        return (-x * x / 2).exp() / (2 * pi(digits + GUARD)).sqrt()


def hypot(x: Decimal, y: Decimal, digits: int) -> Decimal:
    with decimal.localcontext(_with(digits + GUARD)):
        return (x * x + y * y).sqrt()


def fmod(x: float, y: float) -> Fraction:
    """x - y times the whole part of x / y: exact."""
    exact_x, exact_y = Fraction(x), Fraction(y)
    return exact_x - int(exact_x / exact_y) * exact_y

"""A hedge ratio that drifts: y = intercept + slope x, both following random walks.

The linear filter of R. Kalman, A new approach to linear filtering and prediction problems, Journal of Basic Engineering
82 (1960); for pairs: R. Elliott, J. van der Hoek, W. Malcolm, Pairs trading, Quantitative Finance 5 (2005), and
E. Chan, Algorithmic Trading (2013), chapter 3.

The estimate is five numbers: intercept and slope, and their covariances, `p_ii` of the intercept, `p_is` of both and
`p_ss` of the slope. `drift` is the variance that intercept and slope each gain between two observations, `noise` that
of y, in units of y squared.
"""


def innovation(
    intercept: float,
    slope: float,
    p_ii: float,
    p_is: float,
    p_ss: float,
    x: float,
    y: float,
    drift: float,
    noise: float,
) -> tuple[float, float]:
    """(y less what was expected of it, the variance of that) before y is seen. *Callback.*

    The first divided by the root of the second is the score that a pair is traded on.
    """
    variance = (p_ii + drift) + 2.0 * x * p_is + x * x * (p_ss + drift) + noise
    return y - intercept - slope * x, variance


def updated(
    intercept: float,
    slope: float,
    p_ii: float,
    p_is: float,
    p_ss: float,
    x: float,
    y: float,
    drift: float,
    noise: float,
) -> tuple[float, float, float, float, float]:
    """(intercept, slope, p_ii, p_is, p_ss) after one more pair (x, y). *Callback.*

    The covariance is updated in Joseph's form, (I - K H) P (I - K H)' + K K' noise, which stays symmetric and positive
    over any number of updates.

    Raises:
        ZeroDivisionError: noise, drift and covariances are all 0.
    """
    error, variance = innovation(intercept, slope, p_ii, p_is, p_ss, x, y, drift, noise)
    p_ii += drift
    p_ss += drift
    k_i = (p_ii + x * p_is) / variance
    k_s = (p_is + x * p_ss) / variance
    # A = I - K H = [[1 - k_i, -k_i x], [-k_s, 1 - k_s x]]; rows of A P, then A P A'
    a_ii, a_is = 1.0 - k_i, -k_i * x
    a_si, a_ss = -k_s, 1.0 - k_s * x
    b_ii, b_is = a_ii * p_ii + a_is * p_is, a_ii * p_is + a_is * p_ss
    b_si, b_ss = a_si * p_ii + a_ss * p_is, a_si * p_is + a_ss * p_ss
    return (
        intercept + k_i * error,
        slope + k_s * error,
        b_ii * a_ii + b_is * a_is + k_i * k_i * noise,
        b_ii * a_si + b_is * a_ss + k_i * k_s * noise,
        b_si * a_si + b_ss * a_ss + k_s * k_s * noise,
    )

"""openbell: a production trading system, written, run and understood in Python."""

from openbell.strategy import Strategy, param

__all__ = ["Strategy", "__version__", "param"]
__version__ = "0.1.0"

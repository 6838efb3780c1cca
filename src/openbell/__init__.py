"""openbell: a production trading system, written, run and understood in Python."""

__version__ = "0.1.0"

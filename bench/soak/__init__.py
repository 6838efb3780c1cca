"""A day of the exchange at full size: `python -m bench.soak`, see __main__.py."""

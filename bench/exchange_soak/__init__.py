"""A day of the exchange at full size: `python -m bench.exchange_soak`, see __main__.py."""

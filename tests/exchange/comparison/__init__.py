"""Random sequences of orders, on the oracle and on the engine: `make compare`, and test_engine_random.py."""

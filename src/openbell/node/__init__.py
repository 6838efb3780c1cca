"""The node: configuration, wiring, recovery and supervision around the engine."""

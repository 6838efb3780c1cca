"""Real kills of a real node over loopback, and what was on the wire around each."""

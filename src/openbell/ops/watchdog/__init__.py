"""The watchdog: a process of its own that stops a node which no longer answers, or lies."""

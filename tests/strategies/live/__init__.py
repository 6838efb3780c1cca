"""Every reference at once, live on a real exchange."""

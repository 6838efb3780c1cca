"""One file per figure; `python -m bench` runs them. See README.md."""

"""The language of the scenario files: read, played on a backend, written. What may stand in a file: ../README.md."""

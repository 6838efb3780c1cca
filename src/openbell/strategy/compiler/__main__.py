"""`python -m openbell.strategy.compiler`: a lowered program on standard input, one JSON answer on standard output."""

import base64
import json
import sys
from typing import Any

from openbell.strategy.compiler.program import Foreign, Program


def answer(said: dict[str, Any]) -> dict[str, str]:
    """The object code of a program, or why there is none."""
    from openbell.strategy.compiler.build import build

    said["foreign"] = tuple(Foreign(**one) for one in said["foreign"])
    try:
        body = build(Program(**said))
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"object": base64.b64encode(body).decode()}


if __name__ == "__main__":
    json.dump(answer(json.load(sys.stdin)), sys.stdout)

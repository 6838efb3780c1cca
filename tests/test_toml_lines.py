"""A key's line is found through tables, arrays of tables, dotted keys and multi-line strings."""

import pytest

from openbell.toml_lines import line_of

TEXT = '''\
title = "t"          # 1
a.b.c = 1            # 2
[server]             # 3
note = """
port = 1             # 5, inside a string
"""
port = 2             # 7
[server.tls]
cert = "x"           # 9
[[rows]]
id = 1               # 11
[[rows]]             # 12
"quoted key" = { x = 1, y = 2 }
[rows.sub]
z = 3                # 15
[[rows.parts]]
w = 4                # 17
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 1),
        (("a", "b", "c"), 2),
        (("server",), 3),
        (("server", "port"), 7),
        (("server", "tls", "cert"), 9),
        (("rows", 0, "id"), 11),
        (("rows", 1), 12),
        (("rows", 1, "missing"), 12),
        (("rows", 1, "quoted key", "y"), 13),
        (("rows", 1, "sub", "z"), 15),
        (("rows", 1, "parts", 0, "w"), 17),
        (("nowhere",), 1),
    ],
)
def test_the_deepest_known_part_gives_the_line(path: tuple[str | int, ...], line: int):
    assert line_of(TEXT, path) == line

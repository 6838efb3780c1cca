"""Any ITCH 5.0 message, for property tests."""

import struct

from hypothesis import strategies as st

from oracles import itch

LOCATES = st.integers(0, 0xFFFF)

TEXT = st.characters(min_codepoint=33, max_codepoint=126)


def field(code: str, width: int) -> st.SearchStrategy[str | int]:
    if code == "c":
        return st.characters(max_codepoint=255)
    if code == "s":
        return st.text(TEXT, max_size=width)
    return st.integers(0, 2 ** (8 * struct.calcsize(">" + code)) - 1)


@st.composite
def messages(draw: st.DrawFn, locates: st.SearchStrategy[int] = LOCATES, kinds: str = "") -> itch.Fields:
    """Any message of any type, or of one of `kinds`, as the dict of `oracles.itch`."""
    kind = draw(st.sampled_from(sorted(kinds or itch.FORMATS)))
    form, names = itch.layout(kind)
    codes = [c for c in form.format[1:] if not c.isdigit()]
    fields: itch.Fields = {
        "type": kind,
        "locate": draw(locates),
        "tracking": draw(st.integers(0, 0xFFFF)),
        "ts": draw(st.integers(0, 2**48 - 1)),
    }
    for name, code, width in zip(names, codes, itch.text_widths(form), strict=True):
        fields[name] = draw(field(code, width))
    return fields

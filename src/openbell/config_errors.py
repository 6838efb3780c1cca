"""What pydantic found wrong, said as a person would: expected, found, and the key that was probably meant."""

import difflib
import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from openbell.toml_lines import Path

UNITS = {
    "ns": "nanoseconds",
    "us": "microseconds",
    "ms": "milliseconds",
    "s": "seconds",
    "min": "minutes",
    "lots": "lots",
    "shares": "shares",
    "ticks": "ticks",
    "bps": "basis points",
    "pct": "percent",
    "bytes": "bytes",
    "kib": "KiB",
    "mib": "MiB",
    "gib": "GiB",
}
_SECRET_WORDS = ("password", "secret", "token", "credential")
_FOUND_CHARS_MAX = 60
_EXPECTED = {
    "int_type": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a string",
    "tuple_type": "an array",
    "list_type": "an array",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "date_type": "a date, YYYY-MM-DD",
    "date_from_datetime_parsing": "a date, YYYY-MM-DD",
    "date_parsing": "a date, YYYY-MM-DD",
    "path_type": "a path",
}


def describe(error: ValidationError, model: type[BaseModel]) -> Iterator[tuple[Path, str]]:
    """Yield (path of the key, message) for every error of `error`."""
    for detail in error.errors(include_url=False):
        path, holder = _spelled(detail["loc"], model)
        yield path, _message(detail, path, holder)


def _message(detail: ErrorDetails, path: Path, holder: type[BaseModel] | None) -> str:
    fields = _keys(holder)
    if detail["type"] == "extra_forbidden":
        return _unknown(str(path[-1]), list(fields))
    if detail["type"] == "missing":
        described = fields[str(path[-1])].description if str(path[-1]) in fields else None
        return f"expected this key, found none{f' ({described})' if described else ''}"
    return f"expected {_expected(detail)}, found {_found(detail['input'], path)}"


def _unknown(key: str, known: list[str]) -> str:
    for candidate in known:
        if _stem(candidate) == _stem(key) and candidate != key:
            return f"unknown key; the unit is part of the key: write {candidate!r}, in {_unit_name(candidate)}"
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    if close:
        return f"unknown key; did you mean {close[0]!r}?"
    return f"unknown key; known here: {', '.join(sorted(known)) or 'none'}"


def _expected(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    match detail["type"]:
        case "greater_than_equal":
            return f"at least {context['ge']}"
        case "greater_than":
            return f"more than {context['gt']}"
        case "less_than_equal":
            return f"at most {context['le']}"
        case "less_than":
            return f"less than {context['lt']}"
        case "literal_error" | "enum":
            return f"one of {context['expected']}"
        case "union_tag_invalid":
            return f"{_bare(context['discriminator'])} to be one of {_bare(context['expected_tags'])}"
        case "union_tag_not_found":
            return f"the key {_bare(context['discriminator'])}"
        case "value_error":
            return str(context["error"])
        case "too_short":
            return f"at least {context['min_length']} items"
        case "too_long":
            return f"at most {context['max_length']} items"
        case "string_pattern_mismatch":
            return f"text like {context['pattern']}"
        case other:
            spoken = detail["msg"].removeprefix("Input should be ")
            return _EXPECTED.get(other, spoken[:1].lower() + spoken[1:])


def _bare(quoted: str) -> str:
    return quoted.replace("'", "")


def _found(value: object, path: Path) -> str:
    """Return `value` as TOML spells it with its type, cut to a line; never a credential."""
    if any(word in str(part) for part in path for word in _SECRET_WORDS):
        return "a value that is not shown here"
    match value:
        case bool():
            return f"{str(value).lower()} (a boolean)"
        case int():
            return f"{value} (an integer)"
        case float():
            return f"{value} (a float)"
        case str():
            return f"{_cut(repr(value))} (a string)"
        case list():
            return f"an array of {len(value)}"
        case dict():
            return f"a table of {len(value)} keys"
    return _cut(repr(value))


def _cut(text: str) -> str:
    return text if len(text) <= _FOUND_CHARS_MAX else f"{text[:_FOUND_CHARS_MAX]}..."


def _stem(key: str) -> tuple[str, ...]:
    """Return the words of `key` without its unit: `stale_after_ms` and `stale_after_s` are one thing."""
    return tuple(word for word in key.split("_") if word not in UNITS)


def _unit_name(key: str) -> str:
    units = [UNITS[word] for word in key.split("_") if word in UNITS]
    return units[-1] if units else "no unit"


def _spelled(loc: Path, model: type[BaseModel]) -> tuple[Path, type[BaseModel] | None]:
    """Return `loc` as the file spells it, without pydantic's names of union branches, and the model of its last key."""
    path: list[str | int] = []
    here: Any = model
    holder: type[BaseModel] | None = None
    for part in loc:
        if part in ("int", "float", "str", "bool") and not (_models_in(here) or get_origin(here) is dict):
            continue  # the branch of a union, and no key of that name
        if branch := _branch(here, part):
            here = branch
            continue
        path.append(part)
        holder = _model_in(here)
        here = _inside(here, part)
    return tuple(path), holder


def _branch(annotation: Any, tag: str | int) -> type[BaseModel] | None:
    """Return the model that `tag` names among several, by a literal that only it has."""
    models = _models_in(annotation)
    if len(models) < 2:
        return None
    return next((m for m in models for f in _keys(m).values() if tag in get_args(f.annotation)), None)


def _inside(annotation: Any, part: str | int) -> Any:
    """Return what stands at `part` of a value with `annotation`; None where the file is free."""
    if get_origin(annotation) is Annotated:
        return _inside(get_args(annotation)[0], part)
    if get_origin(annotation) is dict:
        return get_args(annotation)[1]
    if isinstance(part, int):
        return next((arg for arg in get_args(annotation) if _models_in(arg)), None)
    field = _keys(_model_in(annotation)).get(part)
    return field.annotation if field else None


def _keys(model: type[BaseModel] | None) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()} if model else {}


def _model_in(annotation: Any) -> type[BaseModel] | None:
    return next(iter(_models_in(annotation)), None)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and not get_origin(annotation) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (tuple, list, Union, types.UnionType, Annotated):
        return [model for arg in get_args(annotation) for model in _models_in(arg)]
    return []

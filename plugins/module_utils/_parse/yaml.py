# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The part of YAML that kubeadm, kubelet and k3s write, without a library (a node need not have PyYAML).

Block mappings and sequences, plain and quoted scalars of one line, flow collections of one line, and JSON. What is
read gives the same value as PyYAML's ``safe_load``; anything else - anchors, tags, block scalars, folded lines,
dates, numbers that YAML 1.1 and 1.2 read differently - raises :class:`ParseError`, never a guess.
"""

from __future__ import annotations

import json
import re
import typing as t

from .errors import NotThatFormat, ParseError

LIMIT: t.Final = 256 * 1024
DEPTH: t.Final = 32
FLOW: t.Final = 16 * 1024  # of one flow collection: reading one is quadratic in its length
Value = t.Any
Line = tuple[int, int, str]  # number, indentation, text without indentation and trailing blanks

_NULL: t.Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE: t.Final = frozenset({"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})
_FALSE: t.Final = frozenset({"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})
_INT: t.Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT: t.Final = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
# What a YAML 1.1 reader may take for a number, a date or a special value, and a YAML 1.2 reader may not.
_AMBIGUOUS: t.Final = re.compile(
    r"[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|[-+]?\.[0-9_]+(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?0[box][0-9a-fA-F_]+|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.{0,40}"
    r"|[-+]?\.(?:inf|Inf|INF|nan|NaN|NAN)|=|<<|[yYnN]"
)
_KEY_PLAIN: t.Final = re.compile(r"([A-Za-z0-9_/][^:#\"'\[\]{},]*?):(?: +|$)")
_ESCAPES: t.Final = {'"': '"', "\\": "\\", "/": "/", "n": "\n", "t": "\t", "r": "\r", "0": "\0"}
_FORBIDDEN: t.Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def load(text: str) -> Value:
    """The one document in *text*; None when there is none. Raises :class:`ParseError`, naming the line."""
    if len(text) > LIMIT:
        raise ParseError(f"longer than {LIMIT} characters")
    if _FORBIDDEN.search(text):
        raise NotThatFormat("control characters: this is no text")
    if text.lstrip()[:1] == "{":
        return _json(text)
    lines = _lines(text)
    if not lines:
        return None
    reader = _Reader(lines)
    value = reader.block(lines[0][1], 0)
    if reader.at < len(lines):
        raise ParseError(f"line {lines[reader.at][0]}: does not fit its surroundings")
    return value


def _json(text: str) -> Value:
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except ParseError:
        raise
    except (ValueError, RecursionError) as error:
        raise ParseError("begins like JSON, and is none that this reader knows") from error


def _no_constant(name: str) -> t.NoReturn:
    raise ParseError(f"{name} is no JSON")


def _unique(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ParseError("a key is there twice")
    return result


def _lines(text: str) -> list[Line]:
    """The lines that mean something. ``---`` may stand at the beginning, ``...`` at the end."""
    found: list[Line] = []
    started = ended = False
    for number, raw in enumerate(re.split(r"\r\n|\n", text), 1):
        body = raw.rstrip(" ")
        stripped = body.lstrip(" ")
        if not stripped or stripped[0] == "#":
            continue
        if "\t" in raw or "\r" in raw or "\x85" in raw or "\u2028" in raw or "\u2029" in raw or "\ufeff" in raw:
            raise ParseError(f"line {number}: a tab or an unusual line break")
        if body == "---" and not found and not started:
            started = True
        elif body == "...":
            ended = True
        elif ended or body.startswith(("---", "%")):
            raise ParseError(f"line {number}: more than one document, or a directive")
        else:
            found.append((number, len(body) - len(stripped), stripped))
    return found


class _Reader:
    """A cursor over lines."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self.at = 0

    def block(self, indent: int, depth: int) -> Value:
        """The node that begins at the cursor, at exactly *indent*."""
        number, dummy, text = self.lines[self.at]
        if depth > DEPTH:
            raise ParseError(f"line {number}: nested too deeply")
        if _is_item(text):
            return self.sequence(indent, depth)
        if _split_key(text, number) is not None:
            return self.mapping(indent, depth)
        self.at += 1
        return scalar(text, number)

    def sequence(self, indent: int, depth: int) -> list[Value]:
        """Lines that begin with a dash, all at *indent*."""
        items: list[Value] = []
        while self.at < len(self.lines):
            number, here, text = self.lines[self.at]
            if here != indent or not _is_item(text):
                break
            rest = text[1:].lstrip(" ")
            if not rest or rest[0] == "#":
                self.at += 1
                items.append(self.below(indent + 1, depth))
                continue
            if _is_item(rest) or _split_key(rest, number) is not None:
                inner = here + len(text) - len(rest)
                self.lines[self.at] = (number, inner, rest)
                items.append(self.block(inner, depth + 1))
            else:
                self.at += 1
                items.append(scalar(rest, number))
        return items

    def mapping(self, indent: int, depth: int) -> dict[str, Value]:
        """Lines ``key: value``, all at *indent*."""
        result: dict[str, Value] = {}
        while self.at < len(self.lines):
            number, here, text = self.lines[self.at]
            pair = _split_key(text, number) if here == indent else None
            if pair is None or _is_item(text):
                break
            key, rest = pair
            if key in result:
                raise ParseError(f"line {number}: a key is there twice")
            self.at += 1
            empty = not rest or rest[0] == "#"
            result[key] = self.value_below(indent, depth) if empty else scalar(rest, number)
        return result

    def value_below(self, indent: int, depth: int) -> Value:
        """After ``key:`` a sequence may stand at the key's own indentation."""
        if self.at < len(self.lines):
            dummy, here, text = self.lines[self.at]
            if here == indent and _is_item(text):
                return self.sequence(indent, depth + 1)
        return self.below(indent + 1, depth)

    def below(self, least: int, depth: int) -> Value:
        """The node that is indented by *least* or more; None when there is none."""
        if self.at < len(self.lines) and self.lines[self.at][1] >= least:
            return self.block(self.lines[self.at][1], depth + 1)
        return None


def _is_item(text: str) -> bool:
    return text == "-" or text.startswith("- ")


def _split_key(text: str, number: int) -> tuple[str, str] | None:
    """``key: rest`` of a line, or None when the line is a scalar or a flow collection."""
    if text[0] in "\"'":
        key, rest = _quoted(text, number)
        if not rest.startswith(":") or rest[1:2] not in ("", " "):
            return None
        return key, rest[1:].lstrip(" ")
    match = _KEY_PLAIN.match(text)
    if not match:
        return None
    key = match.group(1).rstrip(" ")
    if not isinstance(_plain(key, number), str):
        raise ParseError(f"line {number}: a key that is no string")
    return key, text[match.end() :]


def scalar(text: str, number: int) -> Value:
    """A value that stands on one line, with a comment perhaps."""
    if text[0] in "\"'":
        value, rest = _quoted(text, number)
    elif text[0] in "[{":
        value, rest = _flow(text, number, 0)
    else:
        return _plain(_without_comment(text), number)
    if rest and not re.match(r" +#|$", rest):
        raise ParseError(f"line {number}: something follows the value")
    return value


def _without_comment(text: str) -> str:
    at = text.find(" #")
    return (text if at < 0 else text[:at]).rstrip(" ")


def _plain(text: str, number: int) -> Value:
    """A scalar without quotes, by YAML's core schema where 1.1 and 1.2 agree."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INT.fullmatch(text) and len(text) <= 18 and text != "-0":
        return int(text)
    if _FLOAT.fullmatch(text) and len(text) <= 18:
        return float(text)
    if _AMBIGUOUS.fullmatch(text):
        raise ParseError(f"line {number}: a scalar that can be read in several ways")
    if text[0] in "!&*|>@`%,[]{}#\"'" or (text[0] in "-?:" and text[1:2] in ("", " ")):
        raise ParseError(f"line {number}: a part of YAML that this reader does not know")
    if ": " in text or " #" in text or text.endswith(":"):
        raise ParseError(f"line {number}: a mapping where a value should be")
    return text


def _quoted(text: str, number: int) -> tuple[str, str]:
    """A quoted scalar at the start of *text*, and what follows it."""
    if text[0] == "'":
        match = re.match(r"'((?:[^']|'')*)'", text)
        if not match:
            raise ParseError(f"line {number}: the quotes do not end on this line")
        return match.group(1).replace("''", "'"), text[match.end() :]
    match = re.match(r'"((?:[^"\\]|\\.)*)"', text)
    if not match:
        raise ParseError(f"line {number}: the quotes do not end on this line")
    return _unescape(match.group(1), number), text[match.end() :]


def _unescape(text: str, number: int) -> str:
    if not set(re.findall(r"\\(.)", text)) <= set(_ESCAPES):
        raise ParseError(f"line {number}: an escape that this reader does not know")
    return re.sub(r"\\(.)", lambda match: _ESCAPES[match.group(1)], text)


def _flow(text: str, number: int, depth: int) -> tuple[Value, str]:
    """``[...]`` or ``{...}`` at the start of *text*, and what follows it."""
    if depth > DEPTH or len(text) > FLOW:
        raise ParseError(f"line {number}: nested too deeply, or too long")
    closing = "]" if text[0] == "[" else "}"
    items: list[Value] = []
    pairs: list[tuple[str, Value]] = []
    rest = text[1:].lstrip(" ")
    while not rest.startswith(closing):
        if closing == "}":
            pair, rest = _flow_pair(rest, number, depth)
            pairs.append(pair)
        else:
            value, rest = _flow_value(rest, number, depth)
            items.append(value)
        rest = rest.lstrip(" ")
        if rest.startswith(","):
            rest = rest[1:].lstrip(" ")
        elif not rest.startswith(closing):
            raise ParseError(f"line {number}: the brackets do not end on this line")
    return (items if closing == "]" else _unique(pairs)), rest[1:]


def _flow_pair(text: str, number: int, depth: int) -> tuple[tuple[str, Value], str]:
    if text[:1] in ('"', "'"):
        key, rest = _quoted(text, number)
    else:
        match = re.match(r"[A-Za-z0-9_./-]+", text)
        if not match or not isinstance(_plain(match.group(), number), str):
            raise ParseError(f"line {number}: a key that this reader does not know")
        key, rest = match.group(), text[match.end() :]
    if not re.match(r": ", rest):
        raise ParseError(f"line {number}: a key without a value")
    value, rest = _flow_value(rest[1:].lstrip(" "), number, depth)
    return (key, value), rest


def _flow_value(text: str, number: int, depth: int) -> tuple[Value, str]:
    if text[:1] in ('"', "'"):
        return _quoted(text, number)
    if text[:1] in ("[", "{"):
        return _flow(text, number, depth + 1)
    match = re.match(r"[^,\[\]{}]+", text)
    if not match:
        raise ParseError(f"line {number}: a value is missing")
    word = match.group().rstrip(" ")
    if re.search(r"[:#\"'?]", word):
        raise ParseError(f"line {number}: a value that this reader does not know")
    return _plain(word, number), text[match.end() :]

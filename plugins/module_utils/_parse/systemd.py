# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""`systemctl show`, unit files and environment files (systemd.unit(5), systemd.exec(5)) -> units and flags."""

from __future__ import annotations

import re
import shlex
import typing as t

from .._diagnosis.node import Setting, Unit
from .errors import ParseError

PROPERTIES: t.Final = (
    "Id",
    "LoadState",
    "UnitFileState",
    "ActiveState",
    "SubState",
    "Result",
    "NRestarts",
    "ExecMainCode",
    "ExecMainStatus",
    "MainPID",
    "InvocationID",
    "ExecMainStartTimestampMonotonic",
    "InactiveEnterTimestampMonotonic",
)


def show(text: str) -> list[dict[str, str]]:
    """`systemctl show A B ...`: the properties of each unit, in the order in which they were asked for."""
    blocks: list[dict[str, str]] = []
    for block in text.strip("\n").split("\n\n"):
        pairs = (line.partition("=") for line in block.splitlines())
        blocks.append({name: value for name, equals, value in pairs if equals})
    return blocks


def unit(properties: t.Mapping[str, str], name: str, process_state: str | None) -> Unit:
    """One block of :func:`show`; raises :class:`ParseError` naming the property that cannot be read."""
    return Unit(
        name=name,
        load_state=_word(properties, "LoadState"),
        unit_file_state=properties.get("UnitFileState", ""),
        active_state=_word(properties, "ActiveState"),
        sub_state=_word(properties, "SubState"),
        result=properties.get("Result", ""),
        restarts=_number(properties, "NRestarts"),
        exit_code=_number(properties, "ExecMainCode"),
        exit_status=_number(properties, "ExecMainStatus"),
        main_pid=_number(properties, "MainPID"),
        process_state=process_state,
        invocation_id=properties.get("InvocationID", ""),
        started=_seconds(properties, "ExecMainStartTimestampMonotonic"),
        inactive_since=_seconds(properties, "InactiveEnterTimestampMonotonic"),
    )


def _word(properties: t.Mapping[str, str], name: str) -> str:
    if not properties.get(name):
        raise ParseError(f"systemctl did not say {name}")
    return properties[name]


def _number(properties: t.Mapping[str, str], name: str) -> int:
    """systemd says nothing about the processes of a unit that it never loaded: 0."""
    text = properties.get(name, "")
    if text in ("", "[not set]"):
        return 0
    if not re.fullmatch(r"[0-9]{1,20}", text):
        raise ParseError(f"{name} is no number")
    return int(text)


def _seconds(properties: t.Mapping[str, str], name: str) -> float | None:
    microseconds = _number(properties, name)
    return microseconds / 1_000_000 if microseconds else None


LONGEST: t.Final = 16 * 1024  # shlex is quadratic in the length of a word
MOST_FLAGS: t.Final = 1000


class Directive(t.NamedTuple):
    """One line `key=value` of the [Service] section."""

    key: str
    value: str
    file: str


def directives(text: str, file: str) -> list[Directive]:
    """The [Service] lines of a unit file or drop-in."""
    found: list[Directive] = []
    section = ""
    for raw in re.sub(r"\\\n", " ", text).splitlines():
        line = raw.strip()
        if line.startswith("["):
            section = line
        elif section == "[Service]" and "=" in line and line[0] not in "#;":
            key, dummy, value = line.partition("=")
            found.append(Directive(key.strip(), value.strip(), file))
    return found


def environment_files(lines: t.Sequence[Directive]) -> list[str]:
    """The EnvironmentFile= paths in force, without the dash that forgives their absence."""
    paths: list[str] = []
    for line in lines:
        if line.key == "EnvironmentFile":
            paths = [*paths, line.value.lstrip("-")] if line.value else []
    return paths


def command_flags(lines: t.Sequence[Directive], environments: t.Mapping[str, str]) -> tuple[Setting, ...]:
    """The flags of the last ExecStart= with its variables expanded, each with the file that holds it.

    *environments*: path -> text of the environment files that exist; they win over Environment= lines.
    """
    variables = {name: Directive(name, value, line.file) for line in lines for name, value in _assignments(line)}
    for path, text in environments.items():
        for name, value in _environment_file(text):
            variables[name] = Directive(name, value, path)
    start = [line for line in lines if line.key == "ExecStart" and line.value]
    if not start:
        return ()
    found: list[Setting] = []
    for word in _split(start[-1].value)[1:]:
        if len(found) > MOST_FLAGS:
            raise ParseError(f"more than {MOST_FLAGS} flags")
        match = re.fullmatch(r"\$\{?([A-Za-z0-9_]+)\}?", word)
        if match is None:
            _add(found, [word], start[-1].file)
        elif match.group(1) in variables:
            variable = variables[match.group(1)]
            _add(found, _split(variable.value), variable.file)
    return tuple(found)


def _assignments(line: Directive) -> list[tuple[str, str]]:
    if line.key != "Environment":
        return []
    return [(name, value) for name, equals, value in (word.partition("=") for word in _split(line.value)) if equals]


def _environment_file(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for line in re.sub(r"\\\n", "", text).splitlines():
        match = re.match(r"\s{0,80}([A-Za-z_][A-Za-z0-9_]*)=(.*)$", line)
        if match:
            value = match.group(2).strip()
            quoted = value[:1] in ("'", '"')
            found.append((match.group(1), "".join(_split(value)[:1]) if quoted else value))
    return found


def _add(found: list[Setting], words: t.Iterable[str], file: str) -> None:
    """`--flag value` becomes `--flag=value`."""
    for word in words:
        if word.startswith("-"):
            found.append(Setting(word, file))
        elif found and found[-1].file == file and "=" not in found[-1].flag:
            found[-1] = Setting(f"{found[-1].flag}={word}", file)


def _split(text: str) -> list[str]:
    if len(text) > LONGEST:
        raise ParseError(f"a line longer than {LONGEST} characters")
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ParseError("quotes that do not end") from error

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The kubelet's files: how it is started, and what it is configured to do."""

from __future__ import annotations

import os
import typing as t

from ..._diagnosis.evidence import unknown
from ..._diagnosis.node import File, Profile, Setting
from ..._parse import kubelet, systemd
from ..._parse.errors import ParseError
from ..._parse.redact import redact
from ..command import run
from ..errors import ProbeError, words
from ..files import attempt, describe, names, read, read_or_none
from ..profile import UNIT_DIRS

Fields = dict[str, t.Any]
_SETTINGS: t.Final = kubelet.Settings._fields
INHIBITORS: t.Final = "/run/systemd/inhibit"
_LOGIND: t.Final = (
    "busctl",
    "get-property",
    "org.freedesktop.login1",
    "/org/freedesktop/login1",
    "org.freedesktop.login1.Manager",
    "PreparingForShutdown",
)
_SECONDS: t.Final = 2.0


def ask(profile: Profile) -> tuple[File, Fields, bool | None]:
    """The binary, the fields of KubeletConfig but `unknown_flags`, and whether this machine shuts down."""
    lines = unit_lines(profile.unit)
    fields = config(profile, lines)
    return describe(binary_path(profile, lines)), fields, attempt(shutting_down, fields["graceful_shutdown"])


def shutting_down(watched: t.Any) -> bool | None:
    """What logind says; None when the kubelet watches no shutdown, or has its lock (it gives it up in one)."""
    if not isinstance(watched, bool):
        return t.cast("bool | None", watched)  # unknown, and why
    locks = [name for name in names(INHIBITORS) if not name.endswith(".ref")]
    if not watched or any("WHO=kubelet" in (read_or_none(f"{INHIBITORS}/{name}") or "") for name in locks):
        return None
    answer = run(_LOGIND, _SECONDS)
    if answer.status != 0:
        raise ProbeError(f"busctl: {words(ProbeError(answer.err))}")
    return answer.out.split() == ["b", "true"]


def unit_lines(unit: str) -> list[systemd.Directive]:
    """The unit file that wins, and its drop-ins in the order of their names (systemd.unit(5))."""
    main = next((f"{place}/{unit}" for place in UNIT_DIRS if os.path.lexists(f"{place}/{unit}")), None)
    drop_ins = {
        name: f"{place}/{unit}.d/{name}" for place in reversed(UNIT_DIRS) for name in names(f"{place}/{unit}.d")
    }
    paths = [main, *(drop_ins[name] for name in sorted(drop_ins) if name.endswith(".conf"))]
    lines: list[systemd.Directive] = []
    for path in paths:
        # A masked unit is a link to /dev/null, which is no regular file.
        if path is not None and os.path.isfile(path):
            lines += systemd.directives(read(path), path)
    return lines


def binary_path(profile: Profile, lines: t.Sequence[systemd.Directive]) -> str:
    """The first word of ExecStart= without systemd's prefixes."""
    starts = [line.value.split()[0].lstrip("@-:+!") for line in lines if line.key == "ExecStart" and line.value]
    return starts[-1] if starts and starts[-1].startswith("/") else profile.binary


def flags(lines: t.Sequence[systemd.Directive]) -> tuple[Setting, ...]:
    """The command line flags, each with the file that holds it."""
    environments = {path: read_or_none(path) for path in systemd.environment_files(lines)}
    return systemd.command_flags(lines, {path: text for path, text in environments.items() if text is not None})


def showable(setting: Setting) -> Setting:
    """As it may leave the node: `k3s agent` takes its token as a flag."""
    return Setting(redact(setting.flag), setting.file)


def config(profile: Profile, lines: t.Sequence[systemd.Directive]) -> Fields:
    """Every field of KubeletConfig that the files can tell; what they cannot tell is unknown."""
    given = attempt(flags, lines)
    values = kubelet.flag_values(given) if isinstance(given, tuple) else {}
    path = values.get("--config", profile.config)
    shown = tuple(map(showable, given)) if isinstance(given, tuple) else given
    fields: Fields = {"file": attempt(describe, path), "problem": None, "flags": shown}
    try:
        base = _document(path)
        extra = [drop_in for drop_in in map(_document, _drop_ins(values, profile)) if drop_in is not None]
        if base is None:
            raise ParseError("does not exist")
        settings = kubelet.settings(base, extra, given if isinstance(given, tuple) else ())
        return {**fields, **settings._asdict(), **_looked_up(settings)}
    except kubelet.Unusable as error:
        return {**fields, **_all_unknown(f"{path}: {error}"), "problem": str(error)}
    except (OSError, ParseError) as error:
        absent = isinstance(error, ParseError) and not os.path.exists(path)
        return {**fields, **_all_unknown(f"{path}: {words(error)}"), "problem": None if absent else _doubt(path, error)}


def _doubt(path: str, error: Exception) -> t.Any:
    return unknown(f"{path} cannot be judged: {words(error)}")


def _all_unknown(reason: str) -> Fields:
    return {name: unknown(reason) for name in (*_SETTINGS, "cri_socket_exists")}


def _looked_up(settings: kubelet.Settings) -> Fields:
    """What the settings lead to."""
    path = settings.resolv_conf
    return {
        "cri_socket_exists": os.path.exists(settings.cri_socket),
        "resolv_conf": attempt(describe, path) if path else None,
    }


def _document(path: str) -> kubelet.Document | None:
    text = read_or_none(path)
    return None if text is None else kubelet.document(text)


def _drop_ins(values: t.Mapping[str, str], profile: Profile) -> list[str]:
    directory = values.get("--config-dir") or profile.config_dir
    if not directory:
        return []
    paths = [f"{directory}/{name}" for name in names(directory) if name.endswith(".conf")]
    return [path for path in paths if path != profile.config]

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`python3 -m tests.lab`: the lab's commands."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.lab import _network, _process, _reset, _up, _vm
from tests.lab._guest import Guest
from tests.lab._lab import open_lab
from tests.lab._model import DEFAULT_WORKERS, NETNS, LabError, Paths, default_paths, parse_host
from tests.lab._shell import in_netns, locked, say


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m tests.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="have the lab running; builds what is missing")
    up.add_argument("--workers", type=int, default=DEFAULT_WORKERS, help="at least so many")
    down = commands.add_parser("down", help="end everything that runs")
    down.add_argument("--purge", action="store_true", help="and forget the cluster")
    commands.add_parser("status", help="what runs, and how the nodes are")
    reset = commands.add_parser("reset", help="return nodes to the baseline")
    reset.add_argument("host", nargs="*", help="only these; without, all and the whole API")
    for name, text in (("ssh", "a command or a shell on a host"), ("console", "a host's console")):
        commands.add_parser(name, help=text).add_argument("host")
    apiserver = commands.add_parser("apiserver", help="end or start the API server")
    apiserver.add_argument("action", choices=("stop", "start"))
    for name, text in (
        ("kubectl", "kubectl with every right"),
        ("exec", "a command in the lab's network"),
    ):
        commands.add_parser(name, help=text, add_help=False)
    commands.add_parser("paths", help="where things are, as KEY=VALUE")
    return parser


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our own words, and those that belong to the command that is run."""
    own = {"kubectl": 1, "exec": 1, "ssh": 2}
    count = own.get(arguments[0], len(arguments)) if arguments else 0
    rest = list(arguments[count:])
    return list(arguments[:count]), rest[1:] if rest[:1] == ["--"] else rest


def _become(paths: Paths, command: Sequence[str]) -> None:
    """Go on as another program inside the lab's network."""
    if not _network.exists():
        raise LabError("the lab is not up: make lab-up")
    environ = {**os.environ, "KUBECONFIG": str(paths.kubeconfig)}
    whole = in_netns(command)
    os.execvpe(whole[0], whole, environ)


def _print_paths(paths: Paths) -> None:
    values = {
        "INVENTORY": paths.inventory,
        "SSH_CONFIG": paths.ssh_config,
        "KUBECONFIG": paths.kubeconfig,
        "STATE": paths.state,
        "CACHE": paths.cache,
        "NETNS": NETNS,
    }
    print("\n".join(f"{key}={value}" for key, value in values.items()))


def _print_status(paths: Paths) -> int:
    running = _process.table(paths)
    for process in sorted(running.values(), key=lambda process: process.name):
        print(f"{process.name:25} {process.pid}")
    if "kube-apiserver" not in running:
        print("the lab is down")
        return 1
    kubectl = open_lab(paths).kubectl
    print(kubectl("get", "nodes", "-o", "wide", check=False) or "the API server does not answer")
    print(kubectl("get", "pods", "-A", "-o", "wide", check=False), end="")
    return 0


def _reset_hosts(paths: Paths, names: Sequence[str]) -> None:
    hosts = [parse_host(name) for name in names] or _vm.existing(paths)
    _reset.reset(open_lab(paths), hosts, everything=not names)


def _apiserver(paths: Paths, action: str) -> None:
    control_plane = open_lab(paths).control_plane
    if action == "stop":
        control_plane.stop_apiserver()
    else:
        control_plane.start_apiserver()


def _change(paths: Paths, options: argparse.Namespace) -> None:
    """The commands of which only one may run at a time; hosts that are named are reset side by side."""
    hosts = sorted(options.host) if options.command == "reset" else []
    with contextlib.ExitStack() as stack:
        stack.enter_context(locked(paths.state / "lock", shared=bool(hosts)))
        for host in hosts:
            stack.enter_context(locked(paths.state / f"lock-{host}"))
        if options.command == "up":
            _up.up(paths, options.workers)
        elif options.command == "down":
            (_up.purge if options.purge else _up.down)(paths)
        else:
            _reset_hosts(paths, hosts)


def main(arguments: Sequence[str], paths: Paths) -> int:
    """Run one command; the exit status is the answer."""
    words, rest = _split(arguments)
    options = _parser().parse_args(words)
    match options.command:
        case "paths":
            _print_paths(paths)
        case "status":
            return _print_status(paths)
        case "kubectl":
            _become(paths, [str(open_lab(paths).kubectl.program), *rest])
        case "exec":
            _become(paths, rest)
        case "ssh":
            guest = Guest(paths, parse_host(options.host))
            _become(paths, ["ssh", "-F", str(paths.ssh_config), guest.host.name, *rest])
        case "console":
            os.execvp("tail", ["tail", "-n", "+1", "-F", str(paths.console(parse_host(options.host)))])
        case "apiserver":
            _apiserver(paths, options.action)
        case _:
            _change(paths, options)
    return 0


if __name__ == "__main__":
    # Not everybody's root has the places where ip and mke2fs are.
    os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"
    try:
        sys.exit(main(sys.argv[1:], default_paths(os.environ, Path.home())))
    except LabError as error:
        say(f"lab: {error}")
        sys.exit(1)

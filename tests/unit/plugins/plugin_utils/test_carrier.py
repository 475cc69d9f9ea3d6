# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent to a node is complete, runs on any Python 3.9 without this checkout, and what comes back is understood."""

from __future__ import annotations

import ast
import json
import marshal
import os
import shlex
import subprocess
import sys
import typing as t
import zlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible.template import is_trusted_as_template

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import from_json
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._host.arrival import MARK
from ansible_collections.outward.kubelet.plugins.plugin_utils import _carrier as carrier
from ansible_collections.outward.kubelet.plugins.plugin_utils import _shipment as shipment
from ansible_collections.outward.kubelet.plugins.plugin_utils._remote import Answer, ask
from tests.unit.plugins.plugin_utils.test_remote import Connection

MODULES: t.Final = ("node_facts", "kubelet_restart", "containerd_start", "client_certificate", "node_repair")
ALL: t.Final = {"gather_subset": ["all"], "profile": "kubeadm"}
STEP: t.Final = {"cause": "kubelet-stopped", "fingerprint": "ab12cd34", "profile": "k3s"}

REPAIR: t.Final = {**STEP, "step": "switch-off-swap", "cause": "kubelet-swap-on"}
GIVEN: t.Final[dict[str, dict[str, t.Any]]] = {"node_facts": {"profile": "k3s"}, "node_repair": REPAIR}


class Piped:
    """An action plugin whose connection is a shell on this machine; *before* is printed by its login."""

    def __init__(self, interpreter: str | None = sys.executable, before: str = "", check: bool = False) -> None:
        self._connection = Connection()
        self._task = SimpleNamespace(environment=None, check_mode=check, delegate_to=None)
        self._templar = SimpleNamespace(template=lambda value: value)
        self.before, self.commands = before, t.cast("list[str]", [])
        self.variables = {"ansible_python_interpreter": interpreter} if interpreter else {}

    def _is_pipelining_enabled(self, style: str) -> bool:
        return style == "new"

    def _compute_environment_string(self) -> str:
        return " ".join(f"{name}={value}" for each in self._task.environment for name, value in each.items())

    def _low_level_execute_command(self, command: str, in_data: bytes) -> dict[str, t.Any]:
        self.commands.append(command)
        shell = ["/bin/sh", "-c", f"{self.before}{command}"]
        done = subprocess.run(
            shell, input=in_data, capture_output=True, check=False, cwd="/", env={"PATH": "/usr/bin:/bin"}
        )
        return {"rc": done.returncode, "stdout": done.stdout.decode(), "stderr": done.stderr.decode()}

    def ask(self, module: str, arguments: dict[str, t.Any]) -> Answer:
        return ask(t.cast(t.Any, self), f"outward.kubelet.{module}", arguments, self.variables)


def python(program: str, **names: t.Any) -> str:
    """What *program* prints in an interpreter that has nothing but its standard library."""
    sent = zlib.compress(marshal.dumps((program, names), 2))
    boot = carrier.BOOT.format(old=carrier.TOO_OLD, size=len(sent))
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", boot], input=sent, capture_output=True, check=False, cwd="/"
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.parametrize("module", MODULES)
def test_everything_that_is_imported_anywhere_is_sent(module: str) -> None:
    """Every module can be imported where there is nothing else, also what only a rare branch asks for."""
    sources = shipment.sources(module)
    load = (
        "\nsys.meta_path.insert(0, Shipped(SOURCES))\nfor n in SOURCES: __import__(f'outward.{n}')\nprint(len(SOURCES))"
    )
    assert python(shipment.lean(shipment.FIRST) + load, SOURCES=sources) == f"{len(sources)}\n"
    assert {"_host.errors", shipment.UNTYPED, f"_host.modules.{module}"} <= set(sources)


def test_what_imports_only_when_it_is_asked_is_sent_too() -> None:
    assert {"_host.probes.sandbox", "_host.probes.api", "_parse.hpack"} <= set(shipment.sources("node_facts"))
    assert "_host.restart" not in shipment.sources("node_facts")


ONE: t.Final = {"one": "VALUE = 1"}


def value(sources: dict[str, str], kept: Path, before: str = "") -> str:
    """What is imported when *kept* is where compiled code lies."""
    load = f"\n{before}\nsys.meta_path.insert(0, Shipped(SOURCES, KEPT))\nimport outward.one\nprint(outward.one.VALUE)"
    return python(shipment.lean(shipment.FIRST) + load, SOURCES=sources, KEPT=str(kept)).strip()


def test_what_was_compiled_is_used_again(tmp_path: Path) -> None:
    """Of the same source only: a compiler that is gone is not missed, one for something new is."""
    kept = tmp_path / "code"
    assert value(ONE, kept) == "1"
    only_packages = "compile = lambda source, *more, **how: exec('raise OSError') if source else (lambda: 0).__code__"
    assert value(ONE, kept, only_packages) == "1"
    assert value({"one": "VALUE = 2"}, kept) == "2"
    assert value({"one": "VALUE = 2"}, kept, only_packages) == "2"
    assert (kept.stat().st_mode & 0o777, [file.name for file in kept.iterdir()]) == (0o700, ["one"])


def test_code_that_somebody_else_could_have_written_is_not_run(tmp_path: Path) -> None:
    kept = tmp_path / "code"
    value({"one": "VALUE = 'theirs'"}, kept)
    forged = marshal.dumps((sys.version, ONE["one"], compile("VALUE = 'theirs'", "one", "exec")))
    (kept / "one").write_bytes(forged)
    assert value(ONE, kept) == "theirs"
    kept.chmod(0o770)
    assert value(ONE, kept) == "1"
    kept.chmod(0o700)
    (tmp_path / "link").symlink_to(kept)
    assert value(ONE, tmp_path / "link") == "1"
    assert (kept / "one").read_bytes() == forged


@pytest.mark.parametrize("torn", [b"", b"(", marshal.dumps(3), marshal.dumps(("another Python", "VALUE = 1", 3))])
def test_code_that_is_torn_or_of_another_python_is_made_anew(tmp_path: Path, torn: bytes) -> None:
    value(ONE, tmp_path / "code")
    (tmp_path / "code" / "one").write_bytes(torn)
    assert value(ONE, tmp_path / "code") == "1"
    assert len((tmp_path / "code" / "one").read_bytes()) > len(torn) + 50


def test_a_place_that_takes_nothing_costs_nothing_but_time(tmp_path: Path) -> None:
    """Also when an earlier writer was killed in the middle."""
    assert value(ONE, tmp_path / "no" / "such") == "1"
    value(ONE, tmp_path / "code")
    (tmp_path / "code" / "one.part").write_bytes(b"half")
    assert value({"one": "VALUE = 2"}, tmp_path / "code") == "2"


@pytest.mark.parametrize("module", MODULES)
def test_what_is_sent_is_python_3_9_without_annotations(module: str) -> None:
    for name, source in shipment.sources(module).items():
        tree = ast.parse(source, feature_version=(3, 9))
        annotated = [
            node for node in ast.walk(tree) if isinstance(node, ast.AnnAssign) or getattr(node, "annotation", None)
        ]
        assert not annotated, name
        assert "import typing" not in source, name


def test_the_node_is_observed_as_by_the_module() -> None:
    """This machine: the same questions, and answers that the controller reads."""
    here = from_json(NodeEvidence, observed()["evidence"])
    assert here.identity.hostname == os.uname().nodename
    assert not [probe.problem for probe in here.probes if "mistake" in (probe.problem or "")]
    assert len(here.probes) > 20


def observed() -> dict[str, t.Any]:
    """node_facts as it is sent."""
    return run_here("node_facts", ALL)


def run_here(
    module: str, parameters: dict[str, t.Any], before: str = "", first: tuple[str, ...] = ()
) -> dict[str, t.Any]:
    """A module as it is sent, in check mode, on a machine that need not be a node."""
    sources = dict(shipment.sources(module))
    sources["_host.profile"] += "\nresolve = lambda name: PROFILES['kubeadm']\n"
    out = python(
        shipment.lean(shipment.FIRST) + f"\n{before}\nmain(SOURCES, {module!r}, PARAMETERS, True, {first!r})",
        SOURCES=sources,
        PARAMETERS=parameters,
    )
    told = carrier.understood({"rc": 0, "stdout": out, "stderr": ""})
    assert told.begun
    return t.cast("dict[str, t.Any]", told.answer)


COMPLETE: t.Final = {
    **REPAIR,
    "server": "",
    "profile": "auto",
    "timeout": 5,
    "reason": "",
    "holder": "",
    "budget": 3,
    "period": 60,
}
ONLY_ITS_RULE: t.Final = """
def once(text, say=say):
    loaded = [name for name in sys.modules if name.startswith("outward._diagnosis.causes.")]
    say(text) if text == BEGUN or loaded == ["outward._diagnosis.causes.kubelet"] else sys.exit("too many rules")
say = once
"""


@pytest.mark.parametrize(("first", "before"), [((), ""), (("_diagnosis.causes.kubelet",), ONLY_ITS_RULE)])
def test_a_repair_asks_its_cause_s_rule_as_it_is_sent(tmp_path: Path, first: tuple[str, ...], before: str) -> None:
    """Without annotations, and with stand-ins for typing: the rule does not hold here. It alone is loaded if it came first."""
    answer = run_here("node_repair", {**COMPLETE, "ledger": str(tmp_path / "ledger.jsonl")}, before, first)
    assert (answer["result"], answer["action"]["step"]) == ("refused", "switch-off-swap")
    assert answer["refusals"][0].startswith(("kubelet-swap-on is not there any more", "cannot tell: "))
    assert list(tmp_path.iterdir()) == []


def test_the_rule_that_is_asked_comes_first() -> None:
    """Of a module that asks rules; one that does not know the cause says so itself."""
    assert b"('_diagnosis.causes.kubelet',)" in zlib.decompress(shipment.packed("node_repair", dict(COMPLETE), True))
    for module, cause in (("node_repair", "no-such-cause"), ("kubelet_restart", "kubelet-swap-on")):
        assert b"True, ())" in zlib.decompress(shipment.packed(module, {"cause": cause}, True))


@pytest.mark.parametrize("before", ["", "echo Welcome to pi-04; printf 'no newline'; "])
@pytest.mark.parametrize("module", MODULES)
def test_a_host_that_is_no_node_says_so(module: str, before: str) -> None:
    action = Piped(before=before)
    got = action.ask(module, GIVEN.get(module, STEP))
    assert (got.failed or "").startswith("this does not look like a k3s node")
    assert (got.cut_off, got.unreachable, got.result["failed"]) == (False, None, True)
    assert got.result["invocation"]["module_args"]["profile"] == "k3s"
    assert action.commands[0].startswith("TMPDIR=/dev/shm ")


def test_a_secret_goes_through_the_pipe_and_nowhere_else() -> None:
    """Not into the command line, and not into the result, which -vvv shows; also when the module says no."""
    action = Piped()
    secret = "abc123.0123456789abcdef"
    got = action.ask("client_certificate", {**STEP, "token": secret})
    assert (got.failed or "").startswith("this does not look like a k3s node")
    assert got.result["invocation"]["module_args"]["token"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert secret not in f"{got} {action.commands}"
    wrong = action.ask("client_certificate", {**STEP, "token": secret, "timeout": "soon"})
    assert (wrong.failed is not None, secret in str(wrong)) == (True, False)


def test_bad_arguments_never_reach_the_node() -> None:
    action = Piped()
    got = action.ask("node_facts", {"gather_subset": ["kubelets"]})
    assert "value of gather_subset must be one or more of" in (got.failed or "")
    assert (action.commands, got.cut_off) == ([], False)


@pytest.mark.parametrize(
    ("interpreter", "words"),
    [
        ("/no/such/python", "no usable Python on the node (no Python 3.9 or newer was found (status 127: "),
        ("/bin/sh -c 'exit 97' --", "no usable Python on the node"),
        (
            "/bin/sh -c 'echo sudo: a password is required >&2; exit 1' --",
            "it did not begin (status 1: sudo: a password is required)",
        ),
    ],
)
def test_what_never_began_is_not_cut_off(interpreter: str, words: str) -> None:
    got = Piped(interpreter).ask("kubelet_restart", dict(STEP))
    assert words in (got.failed or "")
    assert got.cut_off is False


def test_an_interpreter_is_looked_for() -> None:
    action = Piped(None)
    assert "does not look like a k3s node" in (action.ask("node_facts", {"profile": "k3s"}).failed or "")
    assert "for python in /usr/bin/python3 " in action.commands[0]


def test_an_old_python_is_passed_over(tmp_path: Path) -> None:
    for name, text in (("old", "exit 97"), ("new", f'exec {sys.executable} "$@"')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    boot = shlex.quote(carrier.BOOT.format(old=97, size=0).partition("import marshal")[0] + "print('here')")
    look = carrier.LOOK.format(known=f"/no {tmp_path}/old {tmp_path}/new", boot=boot, old=97, none=127)
    done = subprocess.run(["/bin/sh", "-c", look], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "here\n")


@pytest.mark.parametrize(
    ("result", "begun", "answer", "said"),
    [
        (
            {"rc": 0, "stdout": '\n@outward.kubelet begun\n\n@outward.kubelet {"answer": {"a": 1}}\nbye', "stderr": ""},
            True,
            {"a": 1},
            "",
        ),
        ({"rc": 137, "stdout": "\n@outward.kubelet begun\n", "stderr": "motd\nKilled\n"}, True, None, "Killed"),
        (
            {"rc": 1, "stdout": '\n@outward.kubelet begun\n\n@outward.kubelet {"answer": {"a', "stderr": ""},
            True,
            None,
            "",
        ),
        (
            {"rc": 1, "stdout": "This account is not available\n", "stderr": ""},
            False,
            None,
            "This account is not available",
        ),
    ],
)
def test_what_was_printed_is_understood(result: dict[str, t.Any], begun: bool, answer: t.Any, said: str) -> None:
    got = carrier.understood(result)
    assert (got.begun, got.answer, got.said, got.status) == (begun, answer, said, result["rc"])


def answering(monkeypatch: pytest.MonkeyPatch, told: dict[str, t.Any] | Exception, status: int = 0) -> Answer:
    """The answer when the node prints *told* after it began."""

    def execute(command: str, in_data: bytes) -> dict[str, t.Any]:
        if isinstance(told, Exception):
            raise told
        line = f"\n{MARK}{json.dumps(told)}\n" if told else ""
        return {"rc": status, "stdout": f"\n{MARK}begun\n{line}", "stderr": "Traceback\nMemoryError"}

    action = Piped()
    monkeypatch.setattr(action, "_low_level_execute_command", execute)
    return action.ask("kubelet_restart", dict(STEP))


def test_a_node_that_is_lost_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    got = answering(monkeypatch, AnsibleConnectionFailure("Connection\n reset"))
    assert (got.unreachable, got.failed) == ("Connection reset", None)


def test_what_began_and_did_not_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    got = answering(monkeypatch, {}, 137)
    assert (got.cut_off, got.failed) == (True, "it ended with status 137: MemoryError")


def test_a_node_gives_no_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    """No fact, host or internal key of its is taken over, and no template in its words is trusted."""
    orders = {
        "ansible_facts": {"a": 1},
        "add_host": {},
        "_ansible_no_log": False,
        "unreachable": True,
        "ansible_stats": {},
    }
    got = answering(monkeypatch, {"answer": {**orders, "result": "{{ 1 + 1 }}", "changed": True}})
    assert set(got.result) == {"result", "changed", "invocation"}
    assert not is_trusted_as_template(got.result["result"])


def test_the_stand_in_for_typing_makes_the_same_records() -> None:
    one = "class One(t.NamedTuple):\n  'doc'\n  a: int\n  b: int = 2\n  def sum(self): return self.a + self.b\n"
    lean = ast.unparse(ast.fix_missing_locations(shipment._Lean().visit(ast.parse(f"import typing as t\n{one}"))))
    shown = "\no = One(1)\nprint(o, One._fields, o.sum(), o._replace(b=5).b, One.__doc__, t.cast('int', 3))"
    load = f"{shipment.lean(shipment.FIRST)}\nsys.meta_path.insert(0, Shipped(SOURCES))\n"
    sources = {shipment.UNTYPED: shipment.lean(shipment.UNTYPED)}
    assert python(f"{load}{lean}{shown}", SOURCES=sources) == "One(a=1, b=2) ('a', 'b') 3 5 doc 3\n"


RECORDS: t.Final = """
from dataclasses import asdict, dataclass, field, replace
@dataclass(frozen=True)
class One:
    a: int
    b: list = field(default_factory=list)
    def sum(self): return self.a + len(self.b)
@dataclass(frozen=True)
class Two(One):
    c: str = "c"
one, two = One(1), Two(2, [1], c="x")
one.b.append(5)
print(asdict(two), two.sum(), One(3).b, replace(two, a=4) == Two(4, [1], "x"), one == two, one != One(1), One(1, []) == One(1))
print(hash(One(1, ())) == hash(One(1, ())), isinstance(two, One), list(Two.__dataclass_fields__))
for wrong in (lambda: One(), lambda: One(1, d=2), lambda: One(1, [], 3)):
    try: print(wrong())
    except TypeError: print("refused")
"""


def test_the_stand_in_for_dataclasses_makes_the_same_records() -> None:
    lean = ast.unparse(ast.fix_missing_locations(shipment._Lean().visit(ast.parse(RECORDS))))
    load = f"{shipment.lean(shipment.FIRST)}\nsys.meta_path.insert(0, Shipped(SOURCES))\n"
    sources = {shipment.UNTYPED: shipment.lean(shipment.UNTYPED)}
    stand_in = python(f"{load}{lean}\nprint('dataclasses' in sys.modules)", SOURCES=sources)
    assert stand_in == python(f"import sys\n{RECORDS}\nprint(False)")
    assert stand_in.count("refused") == 3

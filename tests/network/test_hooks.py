# SPDX-License-Identifier: ISC
"""Hooks: their order, what they are told, their end; and that nothing waits for them."""

import json
import os

import pytest

from lan import stays, wait_until
from node import ADDRESS, SHARED, is_alive, start, wait_holder

RECORDER = """#!/usr/bin/python3
import json, os, sys
record = {"hook": sys.argv[1], "arguments": sys.argv[2:], "environment": dict(os.environ),
          "user": os.geteuid()}
descriptor = os.open(sys.argv[1] + ".log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
os.write(descriptor, json.dumps(record).encode() + b"\\n")
"""


def whole_lines(path):
    """Of JSON; somebody may be writing the last one."""
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.rpartition("\n")[0].splitlines()]


class Hooks:
    """Programs that record how they were called, in one file each."""

    def __init__(self, folder):
        self.folder = folder / "hooks"
        self.folder.mkdir()
        self.folder.chmod(0o777)  # hooks run as the engine's user
        self.recorder = self.script("record", RECORDER)

    def script(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def recording(self, name, *arguments):
        """A command line that records its calls under a name."""
        return " ".join([str(self.recorder), str(self.folder / name), *arguments])

    def calls(self, name):
        path = self.folder / f"{name}.log"
        return whole_lines(path)

    def states(self, name):
        return [call["environment"]["HA_STATE"] for call in self.calls(name)]

    def wait_calls(self, name, count):
        wait_until(lambda: len(self.calls(name)) >= count, lambda: f"{name}: {self.calls(name)}")
        return self.calls(name)


@pytest.fixture
def hooks(folder):
    return Hooks(folder)


def test_environment(cluster, hooks):
    alpha, beta = cluster.nodes_on(1, 2, on_change=hooks.recording("change", "--verbose", "x"))
    alpha.start()
    alpha.wait_state("ACTIVE")
    (call,) = hooks.wait_calls("change", 1)
    environment = call["environment"]
    assert call["arguments"] == ["--verbose", "x"]
    assert call["user"] != 0, "not as root"
    expected = {"HA_GROUP": "main", "HA_STATE": "ACTIVE", "HA_PREVIOUS": "STANDBY",
                "HA_EPOCH": str(alpha.group()["epoch"]), "HA_NODE": "alpha", "HA_HOLDER": "alpha",
                "HA_ADDRESSES": " ".join(SHARED), "HA_INTERFACE": "eth0"}
    assert expected.items() <= environment.items()
    assert environment["HA_REASON"] and environment["PATH"]
    assert not [name for name in environment if name.startswith("PYTEST")], "nothing is inherited"


def test_order_of_states_and_kinds(cluster, hooks):
    (alpha,) = cluster.nodes_on(1)
    alpha.change(on_change=hooks.recording("change"), on_active=hooks.recording("active"),
                 on_standby=hooks.recording("standby"))
    alpha.start()
    hooks.wait_calls("change", 1)
    alpha.host.ip("link set eth0 down")
    hooks.wait_calls("change", 2)
    alpha.host.ip("link set eth0 up")
    hooks.wait_calls("change", 3)
    assert alpha.stop() == 0
    hooks.wait_calls("change", 4)
    assert hooks.states("change") == ["ACTIVE", "STANDBY", "ACTIVE", "SHUTDOWN"]
    assert hooks.states("active") == ["ACTIVE", "ACTIVE"]
    assert hooks.states("standby") == ["STANDBY"]
    previous = [c["environment"]["HA_PREVIOUS"] for c in hooks.calls("change")]
    assert previous == ["STANDBY", "ACTIVE", "STANDBY", "ACTIVE"]
    epochs = [int(c["environment"]["HA_EPOCH"]) for c in hooks.calls("change")]
    assert epochs == sorted(epochs) and epochs[2] > epochs[0]


def test_hooks_on_both_nodes(cluster, hooks):
    alpha, beta = cluster.nodes_on(1, 2)
    for node in (alpha, beta):
        node.change(on_change=hooks.recording(node.name))
    alpha.start()
    alpha.wait_state("ACTIVE")
    beta.start()
    wait_holder(alpha, beta)
    assert alpha.stop() == 0
    beta.wait_state("ACTIVE")
    hooks.wait_calls("alpha", 2)
    taken = hooks.wait_calls("beta", 1)[0]["environment"]
    left = hooks.calls("alpha")[1]["environment"]
    assert (left["HA_STATE"], left["HA_PREVIOUS"]) == ("SHUTDOWN", "ACTIVE")
    assert (taken["HA_STATE"], taken["HA_HOLDER"]) == ("ACTIVE", "beta")
    assert int(taken["HA_EPOCH"]) > int(hooks.calls("alpha")[0]["environment"]["HA_EPOCH"])


def test_several_commands_one_after_the_other(cluster, hooks):
    slow = hooks.script("slow", f"#!/bin/sh\necho begin >>{hooks.folder}/order\nsleep 0.5\n"
                                f"echo end >>{hooks.folder}/order\n")
    last = hooks.script("last", f"#!/bin/sh\necho last >>{hooks.folder}/order\n")
    (alpha,) = cluster.nodes_on(1, on_change=[slow, last])
    alpha.start()
    order = hooks.folder / "order"
    wait_until(lambda: order.exists() and "last" in order.read_text(), "all have run")
    assert order.read_text().split() == ["begin", "end", "last"]


def test_two_groups_do_not_wait_for_each_other(cluster, hooks):
    hang = hooks.script("hang", "#!/bin/sh\nsleep 100\n")
    (alpha,) = cluster.nodes_on(1, hook_timeout="20s", groups={
        "one": {"address": "10.77.0.101/24", "on_change": hang},
        "two": {"address": "10.77.0.102/24", "on_change": hooks.recording("two")}})
    alpha.start()
    hooks.wait_calls("two", 1)


def test_hanging_hook_delays_nothing_and_is_killed_with_its_children(cluster, hooks):
    pids = hooks.folder / "pids"
    hang = hooks.script("hang", f"#!/bin/sh\ntrap '' TERM\nsleep 1000 &\n"
                                f"echo $$ $! >>{pids}\nsleep 1000\n")
    alpha, beta = cluster.nodes_on(1, 2)
    alpha.change(on_change=[hang, hooks.recording("after")], hook_timeout="1500ms")
    alpha.start()
    alpha.wait_state("ACTIVE")
    beta.start()
    wait_holder(alpha, beta)
    wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2, "the hook runs")
    parent, child = map(int, pids.read_text().split())
    sent = alpha.status()["counters"]["sent"]
    stays(lambda: alpha.is_active() and beta.peer("alpha")["live"], "heartbeats come", 0.8)
    assert alpha.status()["counters"]["sent"] > sent + 4
    assert os.path.exists(f"/proc/{parent}") and not hooks.calls("after")
    wait_until(lambda: not is_alive(parent) and not is_alive(child), "both are killed")
    hooks.wait_calls("after", 1)
    alpha.wait_log("took longer than hook-timeout")
    assert alpha.is_active() and beta.group()["transitions"] == 0


def test_failing_hooks_are_logged(cluster, hooks):
    bad = hooks.script("bad", "#!/bin/sh\necho it went wrong >&2\nexit 7\n")
    suicide = hooks.script("suicide", "#!/bin/sh\nkill -9 $$\n")
    (alpha,) = cluster.nodes_on(1, on_change=[bad, hooks.folder / "missing", suicide,
                                              hooks.recording("last")])
    alpha.start()
    hooks.wait_calls("last", 1)
    assert "exited with status 7" in alpha.log()
    assert "it went wrong" in alpha.log(), "what it says reaches the log"
    assert "killed by signal 9" in alpha.log()
    assert "missing" in alpha.log() and "cannot be run" in alpha.log()
    assert alpha.is_active()


def test_stop_does_not_wait_for_ever_for_a_hook(cluster, hooks):
    pids = hooks.folder / "pids"
    hang = hooks.script("hang", f"#!/bin/sh\nsleep 1000 &\necho $$ $! >>{pids}\nsleep 1000\n")
    alpha, beta = cluster.nodes_on(1, 2)
    alpha.change(on_change=[hang, hang], hook_timeout="60s")
    alpha.start()
    alpha.wait_state("ACTIVE")
    beta.start()
    wait_holder(alpha, beta)
    wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2, "the hook runs")
    alpha.ask_to_stop()
    beta.wait_state("ACTIVE")
    status, seconds = alpha.wait_usage()
    assert status == 0
    assert seconds < 0.5, "it waits for the hook, and does not look all the time"
    assert not alpha.host.has(ADDRESS)
    started = [int(pid) for pid in pids.read_text().split()]
    wait_until(lambda: not any(is_alive(pid) for pid in started), "nothing stays behind")
    assert len(started) == 2, "no more hooks are started"


def test_quick_changes_end_with_the_present_state(cluster, hooks, lan):
    """A group whose hooks cannot keep up loses old changes, never the last one."""
    slow = hooks.script("slow", "#!/bin/sh\nsleep 0.3\n")
    (alpha,) = cluster.nodes_on(1, on_change=[slow, hooks.recording("change")])
    alpha.start()
    alpha.wait_state("ACTIVE")
    for _ in range(8):
        lan.cable_out(alpha.host)
        alpha.wait_state("STANDBY")
        lan.cable_in(alpha.host)
        alpha.wait_state("ACTIVE")
    epoch = str(alpha.group()["epoch"])
    wait_until(lambda: [c for c in hooks.calls("change") if c["environment"]["HA_EPOCH"] == epoch
                        and c["environment"]["HA_STATE"] == "ACTIVE"], hooks.states("change"))
    assert hooks.states("change")[-1] == "ACTIVE"


def test_before_active_delays_the_claim(cluster, hooks, client):
    """The holder goes on serving meanwhile; nothing is lost."""
    alpha, beta = cluster.nodes_on(1, 2)
    gate = hooks.folder / "gate"
    wait = hooks.script("wait", f"#!/bin/sh\nuntil test -e {gate}; do sleep 0.02; done\n")
    alpha.change(worth=200, before_active=[hooks.recording("before"), wait],
                 on_change=hooks.recording("change"))
    beta.start()
    beta.wait_state("ACTIVE")
    with client.probe(ADDRESS, every=0.002) as probe:
        probe.wait_for("beta")
        alpha.start()
        (call,) = hooks.wait_calls("before", 1)
        environment = call["environment"]
        assert (environment["HA_STATE"], environment["HA_HOLDER"]) == ("TAKING", "beta")
        alpha.wait_reason("before-active runs")
        stays(lambda: beta.is_active() and not alpha.is_active(), "it waits", 1.0)
        gate.touch()
        wait_holder(alpha, beta)
        probe.wait_for("alpha")
    assert set(probe.hosts()) == {"alpha", "beta"}  # for a moment both answer
    assert not probe.outages(longer_than=0.1)
    taken = hooks.wait_calls("change", 1)[0]["environment"]
    assert taken["HA_STATE"] == "ACTIVE" and int(taken["HA_EPOCH"]) >= int(environment["HA_EPOCH"])
    assert len(hooks.calls("before")) == 1, "once for a claim, however often it was granted"


def test_before_active_says_no(cluster, hooks, client):
    alpha, beta = cluster.nodes_on(1, 2)
    no = hooks.script("no", "#!/bin/sh\nexit 3\n")
    alpha.change(worth=200, before_active=[no, hooks.recording("second")])
    start(alpha, beta)
    wait_holder(beta, alpha)
    alpha.wait_reason("before-active said no (exit status 3); tries again in")
    assert not alpha.group()["eligible"] and not hooks.calls("second")
    assert client.ask(ADDRESS) == "beta"


def test_before_active_is_bounded(cluster, hooks):
    pids = hooks.folder / "pids"
    hang = hooks.script("hang", f"#!/bin/sh\nsleep 1000 &\necho $$ $! >>{pids}\nsleep 1000\n")
    alpha, beta = cluster.nodes_on(1, 2)
    alpha.change(worth=200, before_active=hang, before_active_timeout="700ms")
    start(alpha, beta)
    wait_holder(beta, alpha)
    alpha.wait_reason("before-active took longer than before-active-timeout")
    started = [int(pid) for pid in pids.read_text().split()]
    wait_until(lambda: not any(is_alive(pid) for pid in started), "it is killed with its children")


def test_stream_reads_changes_as_json(cluster, hooks):
    """One program for all groups, which is started again when it dies."""
    follower = hooks.script("follow", f"#!/bin/sh\necho $$ >>{hooks.folder}/pids\n"
                                      f"while read -r line; do echo \"$line\" >>{hooks.folder}/lines; done\n")
    (alpha,) = cluster.nodes_on(1, on_change_stream=follower, groups={
        "one": {"address": "10.77.0.101/24"}, "two": {"address": "10.77.0.102/24"}})
    alpha.start()
    alpha.wait_state("ACTIVE", "one")
    path, pids = hooks.folder / "lines", hooks.folder / "pids"

    def lines():
        return whole_lines(path)
    wait_until(lambda: len(lines()) == 4, lines)
    assert [(line["group"], line["previous"], line["state"]) for line in lines()[:2]] == [
        ("one", "STANDBY", "STANDBY"), ("two", "STANDBY", "STANDBY")]
    taken = {line["group"]: line for line in lines()[2:]}
    assert set(taken) == {"one", "two"}
    assert taken["one"]["state"] == "ACTIVE" and taken["one"]["addresses"] == ["10.77.0.101/24"]
    assert taken["one"]["epoch"] == alpha.group("one")["epoch"] and taken["one"]["node"] == "alpha"
    os.kill(int(pids.read_text().split()[0]), 9)
    wait_until(lambda: len(lines()) == 6, lines)
    assert [line["state"] for line in lines()[4:]] == ["ACTIVE", "ACTIVE"], "how things are"
    assert "on-change-stream has ended (signal 9)" in alpha.log()
    alpha.host.ip("link set eth0 down")
    wait_until(lambda: len(lines()) == 8, lines)
    assert [line["state"] for line in lines()[6:]] == ["STANDBY", "STANDBY"]

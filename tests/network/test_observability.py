# SPDX-License-Identifier: ISC
"""What a person and a machine can learn about a cluster: the log, counters, timings, history, views."""

import os
import pty
import re
import subprocess

from lan import wait_until
from node import start, wait_holder

LINE = re.compile(r'^(had|ha-keeper): (error|warning|notice|info): ((?:[a-z_]+=[^\s"]+ )*)msg="((?:[^"\\]|\\.)*)"$')


def log_lines(node):
    """(program, level, fields, sentence) of each line; each must have that form."""
    lines = []
    for line in node.log().splitlines():
        match = LINE.match(line)
        assert match, line
        program, level, fields, sentence = match.groups()
        lines.append((program, level, dict(f.split("=", 1) for f in fields.split()), sentence))
    return lines


def metrics(node):
    return node.status()["metrics"]


def test_the_log_is_key_value_and_names_the_cause_of_each_transition(cluster):
    alpha, beta = cluster.nodes_on(1, 2)
    alpha.start()
    alpha.wait_state("ACTIVE")
    beta.start()
    beta.wait_peer("alpha")
    alpha.kill_engine()
    beta.wait_state("ACTIVE")
    fields = [f for _, _, f, _ in log_lines(alpha) if f.get("event") == "state"]
    assert fields and fields[0]["group"] == "main" and fields[0]["to"] == "ACTIVE"
    assert fields[0]["cause"] == "vacant" and fields[0]["epoch"] == "1"
    taken = [f for _, _, f, _ in log_lines(beta) if f.get("to") == "ACTIVE"]
    assert [f["cause"] for f in taken] == ["holder-resigned"]
    assert float(taken[0]["lasted_ms"]) > 0 and float(taken[0]["took_ms"]) > 0


def test_the_log_is_for_people_on_a_terminal(cluster):
    (alpha,) = cluster.nodes_on(1)
    master, slave = pty.openpty()
    alpha.process = subprocess.Popen(alpha.host.command(*alpha.arguments()), stdin=subprocess.DEVNULL,
                                     stderr=slave, start_new_session=True)
    os.close(slave)
    alpha.wait_state("ACTIVE")
    assert alpha.stop() == 0
    text = b""
    try:
        while chunk := os.read(master, 65536):
            text += chunk
    except OSError:
        pass  # the end of a terminal
    os.close(master)
    text = text.decode()
    assert re.search(r"\d\d:\d\d:\d\d\.\d{3} had\x1b\[0m \S*ACTIVE: nobody held it", text), text
    assert 'msg="' not in text


def test_counters_and_timings(cluster, client):
    alpha, beta = cluster.nodes_on(1, 2)
    start(alpha, beta)
    wait_holder(alpha, beta)
    wait_until(lambda: metrics(alpha)["counters"]["acknowledgements"] > 0, "an acknowledgement")
    assert client.ask("10.77.0.2") == "beta", "beta knows a neighbour"
    was = metrics(beta)
    assert was["counters"]["claims"] == 0 and was["timings"]["takeover_up"]["count"] == 0
    alpha.kill9()
    beta.wait_state("ACTIVE")
    wait_until(lambda: metrics(beta)["timings"]["takeover_acknowledged"]["count"] == 1, "timed")
    now = metrics(beta)
    assert now["counters"]["claims"] == 1 and now["counters"]["peers_lost"] == 1
    assert now["counters"]["heartbeats_sent"] > was["counters"]["heartbeats_sent"]
    assert now["transitions"]["holder-silent"] == 1
    steps = now["timings"]
    assert steps["takeover_silence"]["max_us"] >= 350_000 - 100_000
    assert 0 < steps["takeover_up"]["max_us"] <= steps["takeover_told"]["max_us"]
    assert steps["takeover_up"]["max_us"] <= steps["takeover_acknowledged"]["max_us"]
    lateness = steps["heartbeat_lateness"]
    assert sum(lateness["buckets"]) == lateness["count"] > 0
    assert len(lateness["buckets"]) == len(now["bounds_us"]) + 1
    jitter = {p["name"]: p["jitter"] for p in now["peers"]}
    assert jitter["alpha"]["count"] > 0
    shown = beta.cli("status", "-v")
    assert shown.returncode == 0 and "holder-silent 1" in shown.stdout
    assert "takeover up" in shown.stdout and "jitter of alpha" in shown.stdout


def test_hooks_are_counted(cluster):
    alpha = cluster.node(cluster.lan.host("alpha", 1), on_active="/bin/false")
    alpha.start()
    alpha.wait_state("ACTIVE")
    wait_until(lambda: metrics(alpha)["counters"]["hooks_failed"] == 1, "counted")
    assert metrics(alpha)["counters"]["hooks_started"] == 1
    hook = [f for _, _, f, _ in log_lines(alpha) if f.get("event") == "hook"]
    assert hook == [{"event": "hook", "group": "main"}]

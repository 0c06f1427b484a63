# SPDX-License-Identifier: ISC
"""What a person and a machine can learn about a cluster: the log, counters, timings, history, views."""

import json
import os
import pathlib
import pty
import re
import signal
import socket
import subprocess
import time

from lan import wait_until
from node import ADDRESS, start, wait_holder

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
    assert steps["takeover_announced"]["count"] == 1
    assert 0 < steps["takeover_announced"]["max_us"] <= steps["takeover_up"]["max_us"] + 10
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


def history(node, *arguments):
    done = node.cli("history", "--json", *arguments)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_engine_outlives_its_history(cluster):
    """Whoever writes it may be killed: what is said to nobody ends nobody."""
    (alpha,) = cluster.nodes_on(1)
    alpha.start()
    alpha.wait_state("ACTIVE")
    engine = alpha.engine_pid()
    children = pathlib.Path(f"/proc/{engine}/task/{engine}/children").read_text().split()
    (writer,) = [int(pid) for pid in children if "history" in pathlib.Path(f"/proc/{pid}/comm").read_text()]
    os.kill(writer, signal.SIGKILL)
    alpha.cli("drain", "--force")
    alpha.wait_state("STANDBY")
    alpha.cli("resume")
    alpha.wait_state("ACTIVE")
    assert alpha.engine_pid() == engine, alpha.log()


def test_history_outlives_the_daemon(cluster):
    alpha, beta = cluster.nodes_on(1, 2)
    alpha.start()
    alpha.wait_state("ACTIVE")
    assert alpha.stop() == 0
    assert [(e["from"], e["to"], e["cause"]) for e in history(alpha)] == [
        ("STANDBY", "ACTIVE", "vacant"), ("ACTIVE", "SHUTDOWN", "stopping")]
    first = history(alpha)[0]
    assert (first["node"], first["group"], first["epoch"]) == ("alpha", "main", 1)
    assert first["lasted_us"] > 0 and first["took_us"] > 0
    alpha.start()
    alpha.wait_state("ACTIVE")
    alpha.crash_engine()
    wait_until(lambda: len(history(alpha)) >= 4, "the fresh engine's history follows")
    assert [e["to"] for e in history(alpha)][:4] == ["ACTIVE", "SHUTDOWN", "ACTIVE", "ACTIVE"]
    assert len(history(alpha, "-n", "1")) == 1 and history(alpha, "nothing") == []
    shown = alpha.cli("history", "main").stdout
    assert "nobody held it" in shown and "was STANDBY for" in shown
    assert beta.cli("history").returncode == 1


def test_history_is_bounded_and_survives_a_torn_line(cluster):
    (alpha,) = cluster.nodes_on(1)
    alpha.start()
    alpha.wait_state("ACTIVE")
    assert alpha.stop() == 0
    file = alpha.runtime_dir / "state" / "history.jsonl"
    line = file.read_text().splitlines()[0]
    file.write_text((line + "\n") * 1000 + line[:100])
    alpha.start()
    alpha.wait_state("ACTIVE")
    assert alpha.stop() == 0
    assert len(history(alpha)) == 1000
    assert [e["to"] for e in history(alpha, "-n", "2")] == ["ACTIVE", "SHUTDOWN"]
    before = file.with_name("history.1.jsonl").read_text().splitlines()
    assert len(before) == 1001 and len(file.read_text().splitlines()) == 2


def test_a_state_folder_that_cannot_be_used_stops_nothing(cluster):
    (alpha,) = cluster.nodes_on(1)
    alpha.runtime_dir.mkdir()
    (alpha.runtime_dir / "state").write_text("a file")
    alpha.start()
    alpha.wait_state("ACTIVE")
    alpha.wait_log("there is no history")


def test_a_stuck_history_stalls_nothing(cluster, client):
    """The writer hangs, as it would on a bad disk: the node goes on and stops politely."""
    (alpha,) = cluster.nodes_on(1)
    alpha.start()
    alpha.wait_state("ACTIVE")
    (writer,) = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
                 if name_of(pid) == "ha-history"
                 and os.stat(f"/proc/{pid}/ns/net").st_ino == os.stat(alpha.host.path).st_ino]
    os.kill(writer, signal.SIGSTOP)
    assert client.ask(ADDRESS) == "alpha"
    assert alpha.stop() == 0
    try:
        os.kill(writer, signal.SIGKILL)
    except ProcessLookupError:
        pass  # the kernel hangs up on stopped orphans


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def views(node):
    done = node.cli("status", "--all", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["views"]


def hearing(node):
    """{who: the names that it hears}, as a node knows it."""
    return {n["name"]: {heard["name"] for heard in n["hears"]} for n in views(node)["nodes"]}


def test_the_whole_cluster_from_any_node(cluster):
    nodes = cluster.nodes_on(1, 2, 3)
    start(*nodes)
    wait_holder(*nodes)
    names = {node.name for node in nodes}
    for node in nodes:
        wait_until(lambda n=node: hearing(n) == {name: names - {name} for name in names},
                   lambda n=node: f"everybody hears everybody: {views(n)}")
        wait_until(lambda n=node: views(n)["differences"] == [], lambda n=node: views(n)["differences"])
        states = {n["name"]: n["groups"][0]["state"] for n in views(node)["nodes"]}
        assert states == {"alpha": "ACTIVE", "beta": "STANDBY", "gamma": "STANDBY"}
    shown = nodes[1].cli("status", "--all")
    assert shown.returncode == 0 and "all views agree" in shown.stdout
    assert "the cluster as beta knows it" in shown.stdout


def test_where_views_differ(cluster, lan):
    """gamma does not see a link between alpha and beta; it learns of it from what they say."""
    nodes = alpha, beta, gamma = cluster.nodes_on(1, 2, 3)
    start(*nodes)
    wait_holder(*nodes)
    lan.cut(alpha.host, beta.host)
    expected = "beta does not hear alpha, which hears it"
    wait_until(lambda: expected in views(gamma)["differences"], lambda: views(gamma)["differences"])
    assert f"VIEWS DIFFER: {expected}" in gamma.cli("status", "--all").stdout
    lan.heal()
    wait_until(lambda: views(gamma)["differences"] == [], lambda: views(gamma)["differences"])


def test_what_comes_next(cluster):
    alpha, beta, gamma = cluster.nodes_on(1, 2, 3, tolerance="1s")
    alpha.start()
    assert re.match(r"listens for \d+ ms more", alpha.group()["next"]), alpha.group()
    alpha.wait_state("ACTIVE")
    assert alpha.group()["next"] == "nobody would take over if this node fails"
    start(beta, gamma)

    def says(node, text):
        wait_until(lambda: node.group().get("next") == text, lambda: node.group())

    says(alpha, "beta would take over if this node fails")
    says(beta, "would take over if alpha fails")
    says(gamma, "beta would take over if alpha fails")
    assert "  next: would take over if alpha fails" in beta.cli("status").stdout
    beta.host.run("ip", "link", "set", "eth0", "down")
    says(beta, "listens as soon as the device is up")


def test_a_client_that_asks_too_much(cluster):
    """Several requests at once on one connection, and connections that end before their answer."""
    alpha = cluster.node(cluster.lan.host("alpha", 1), groups={
        f"g{i}": {"address": f"10.77.1.{i}/32"} for i in range(1, 100)})
    alpha.start()
    engine = alpha.engine_pid()
    for request in [b'{"command": "cluster"}\n', b'{"command": "status"}\n', b'{"command": "watch"}\n']:
        for _ in range(20):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(alpha.runtime_dir / "ha.sock"))
                for _ in range(3):
                    connection.sendall(request)
    alpha.wait_state("ACTIVE", "g99")
    assert len(json.loads(alpha.cli("status", "--all", "--json").stdout)["views"]["nodes"][0]["groups"]) == 99
    assert alpha.engine_pid() == engine, alpha.log()


def test_a_watcher_is_told_all_of_many_changes_at_once(cluster):
    nodes = alpha, beta = [cluster.node(cluster.lan.host(name, number), groups={
        f"g{i}": {"address": f"10.77.1.{i}/32"} for i in range(1, 200)})
        for name, number in [("alpha", 1), ("beta", 2)]]
    start(*nodes)
    wait_holder(*nodes, group="g199")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(beta.runtime_dir / "ha.sock"))
        connection.sendall(b'{"command": "watch"}\n')
        time.sleep(0.1)
        alpha.kill_engine()
        taken = set()
        with connection.makefile() as lines:
            for line in lines:
                event = json.loads(line)
                if event.get("to") == "ACTIVE":
                    taken.add(event["group"])
                if len(taken) == 199:
                    break
    assert len(taken) == 199

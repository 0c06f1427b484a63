# SPDX-License-Identifier: ISC
"""Health checks: what each kind sees, what its effect does, and that a move costs a client nothing."""

import os
import subprocess

import pytest

from lan import stays, wait_until
from node import ADDRESS, is_alive, let_pass, start, wait_holder

FAST = "interval=50ms timeout=500ms rise=1 fall=1 damping=0s"

SERVER = """#!/usr/bin/python3
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = open(sys.argv[2]).read().encode()
        self.send_response(int(body[:3]))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def checks(node, group=None):
    return {check["name"]: check for check in node.group(group).get("checks", [])}


def state(node, name, group=None):
    return checks(node, group).get(name, {}).get("state")


def wait_check(node, name, expected, timeout=10):
    wait_until(lambda: state(node, name) == expected,
               lambda: f"check {name} of {node.name} is {expected}: {checks(node)}\n{node.log()}", timeout)


@pytest.fixture
def script(folder):
    def write(name, text):
        path = folder / name
        path.write_text(text)
        path.chmod(0o755)
        return path
    return write


@pytest.fixture
def background():
    """Programs on hosts, which end with the test."""
    running = []

    def run(host, *command, **options):
        process = subprocess.Popen(host.command(*map(str, command)), stdin=subprocess.DEVNULL,
                                   start_new_session=True, **options)
        running.append(process)
        return process
    yield run
    for process in running:
        process.kill()
        process.wait()


def end(process):
    process.kill()
    process.wait()


@pytest.fixture
def pair(cluster, folder):
    """Two nodes whose health is a file each: `well(node)`, `ill(node)`. Alpha is the worthier."""
    alpha, beta = cluster.nodes_on(1, 2)
    alpha.change(worth=200)
    for node in (alpha, beta):
        node.health = folder / f"{node.name}-well"
        node.health.touch()
        node.change(check=f"file {node.health} name=well damping=0s")
    return alpha, beta


@pytest.fixture
def watched(alpha, folder):
    """One node, ACTIVE, whose health is a file."""
    alpha.health = folder / "well"
    alpha.health.touch()
    alpha.change(check=f"file {alpha.health} name=well {FAST}")
    alpha.start()
    wait_check(alpha, "well", "passing")
    alpha.wait_state("ACTIVE")
    return alpha


def ill(node):
    node.health.unlink()


def well(node):
    node.health.touch()


def test_failing_check_hands_over_without_loss(pair, client):
    alpha, beta = pair
    start(alpha, beta)
    wait_holder(alpha, beta)
    with client.probe(ADDRESS, every=0.002) as probe:
        probe.wait_for("alpha")
        ill(alpha)
        wait_holder(beta, alpha)
        probe.wait_for("beta")
        assert "impaired: check well fails: No such file" in alpha.group()["reason"]
        well(alpha)
        wait_holder(alpha, beta)
        probe.wait_for("alpha")
    assert set(probe.hosts()) == {"alpha", "beta"}  # for a moment both answer
    assert not probe.outages(longer_than=0.1)
    assert "passes" in alpha.log() and "check=well" in alpha.log() or "check well" in alpha.log()


def test_all_failing_the_least_bad_keeps_serving(pair, client):
    alpha, beta = pair
    start(alpha, beta)
    wait_holder(alpha, beta)
    ill(beta)
    wait_check(beta, "well", "failing")
    ill(alpha)
    wait_check(alpha, "well", "failing")
    transitions = alpha.group()["transitions"]
    stays(lambda: alpha.is_active() and client.ask(ADDRESS) == "alpha", "alpha goes on", 0.7)
    assert alpha.group()["transitions"] == transitions
    assert alpha.group()["impaired"] and alpha.group()["eligible"]
    well(beta)
    wait_holder(beta, alpha)


def test_all_failing_released(pair, client):
    alpha, beta = pair
    for node in pair:
        node.change(when_all_fail="release")
    start(alpha, beta)
    wait_holder(alpha, beta)
    ill(alpha)
    wait_holder(beta, alpha)
    ill(beta)
    beta.wait_state("STANDBY")
    alpha.wait_state("STANDBY")
    assert not alpha.host.has(ADDRESS) and not beta.host.has(ADDRESS)
    well(alpha)
    alpha.wait_state("ACTIVE")


def test_lowered_worth(cluster, folder):
    alpha, beta = cluster.nodes_on(1, 2)
    small, large = folder / "small", folder / "large"
    small.touch()
    large.touch()
    alpha.change(worth=200, check=[f"file {small} lower=50 name=small damping=0s",
                                   f"file {large} lower=100 name=large damping=0s"])
    beta.change(worth=100)
    start(alpha, beta)
    wait_holder(alpha, beta)
    small.unlink()
    wait_check(alpha, "small", "failing")
    alpha.wait_reason("worth 200, lowered by 50: check small fails")
    assert (alpha.group()["worth"], alpha.group()["configured_worth"]) == (150, 200)
    assert alpha.is_active() and not alpha.group()["impaired"]
    large.unlink()
    wait_holder(beta, alpha)
    assert alpha.group()["worth"] == 50


def test_file_holds_the_worth(cluster, folder):
    alpha, beta = cluster.nodes_on(1, 2)
    path = folder / "worth"
    path.write_text("300\n")
    alpha.change(worth=1, check=f"file {path} worth damping=0s")
    beta.change(worth=200)
    start(alpha, beta)
    wait_holder(alpha, beta)
    assert alpha.group()["worth"] == 300
    replacement = folder / "worth.new"
    replacement.write_text("100")
    replacement.rename(path)
    wait_holder(beta, alpha)
    path.write_text("many")
    alpha.wait_reason("it holds no number from 0 to 65535")
    path.write_text("0")
    wait_until(lambda: alpha.group()["worth"] == 0 and not alpha.group()["eligible"], alpha.describe)


def test_tcp_and_process(alpha, folder, script, background):
    server = script("ha-test-server", SERVER)
    body, pidfile = folder / "body", folder / "server.pid"
    body.write_text("200 all is well")
    alpha.change(check=[f"tcp 127.0.0.1:8080 {FAST}", f"tcp localhost:8080 name=by-name {FAST}",
                        f"process {pidfile} name=pid {FAST}", f"process ha-test-server name=name {FAST}",
                        f"http http://127.0.0.1:8080/ 200 all is well name=text {FAST}",
                        f"http http://127.0.0.1:8080/ 200-299 name=status {FAST}"])
    alpha.start()
    names = ["tcp 127.0.0.1:8080", "by-name", "pid", "name", "text", "status"]
    for name in names:
        wait_check(alpha, name, "failing")
    assert "onnection refused" in checks(alpha)["tcp 127.0.0.1:8080"]["reason"]
    assert "names no process" in checks(alpha)["pid"]["reason"]
    alpha.wait_state("ACTIVE")
    process = background(alpha.host, server, 8080, body)
    pidfile.write_text(f"{process.pid}\n")
    for name in names:
        wait_check(alpha, name, "passing")
    assert not alpha.group()["impaired"]
    body.write_text("200 something else")
    wait_check(alpha, "text", "failing")
    assert 'does not contain "all is well"' in checks(alpha)["text"]["reason"]
    body.write_text("503 all is well")
    wait_check(alpha, "status", "failing")
    assert checks(alpha)["status"]["reason"] == "status 503"
    end(process)
    for name in names:
        wait_check(alpha, name, "failing")
    assert "is gone" in checks(alpha)["pid"]["reason"]


def test_exec(alpha, folder, script):
    verdict, record = folder / "verdict", folder / "record"
    verdict.write_text("0")
    record.touch()
    record.chmod(0o666)
    check = script("check", f"#!/bin/sh\ntest -s {record} || env > {record}\necho disk is full >&2\necho more\n"
                            f"exit $(cat {verdict})\n")
    alpha.change(check=[f"exec {check} --deep name=disk {FAST}", f"exec /missing name=missing {FAST}"])
    alpha.start()
    wait_check(alpha, "disk", "passing")
    wait_check(alpha, "missing", "failing")
    assert "/missing cannot be run" in checks(alpha)["missing"]["reason"]
    verdict.write_text("7")
    wait_check(alpha, "disk", "failing")
    assert checks(alpha)["disk"]["reason"] == "exit status 7: disk is full"
    wait_until(lambda: "HA_GROUP" in record.read_text(), "it was run")
    environment = dict(line.split("=", 1) for line in record.read_text().splitlines() if "=" in line)
    assert environment["HA_GROUP"] == "main" and environment["HA_CHECK"] == "disk"
    assert not [name for name in environment if name.startswith("PYTEST")]


def command_of(pid):
    """Its words; "" if it is gone or a zombie."""
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read().replace("\0", " ")
    except OSError:
        return ""


def test_hanging_command_is_killed_with_all_its_children(alpha, folder, script):
    """Also with those that have left its session and its process group."""
    pids = folder / "pids"
    pids.touch()
    pids.chmod(0o666)
    hang = script("hang", f"#!/bin/sh\ntrap '' TERM\nsetsid sh -c 'echo $$ >> {pids}; sleep 7000' &\n"
                          f"(setsid setsid sleep 7001 & echo $! >> {pids}) &\n"
                          f"echo $$ >> {pids}\nsleep 7002\n")
    alpha.change(check=f"exec {hang} name=hang interval=60s timeout=300ms")
    alpha.start()
    alpha.wait_state("ACTIVE")
    wait_check(alpha, "hang", "failing")
    assert checks(alpha)["hang"]["reason"] == "no answer within 300 ms"
    started = [int(pid) for pid in pids.read_text().split()]
    assert len(started) >= 3
    wait_until(lambda: not any(is_alive(pid) for pid in started), "nothing stays behind")
    # Hooks of tests that run beside this one sleep for other times.
    assert not [pid for pid in os.listdir("/proc") if pid.isdigit() and "sleep 700" in command_of(pid)]
    assert alpha.is_active()


def test_interface_and_route(alpha, lan):
    alpha.host.ip("link add dummy0 type veth peer name dummy1", "link set dummy1 up", "link set dummy0 up")
    alpha.change(check=[f"interface dummy0 name=dummy {FAST}", f"route 10.9.0.0/16 name=net {FAST}",
                        f"route default name=default {FAST}", f"route fd99::/64 name=six {FAST}"])
    alpha.start()
    wait_check(alpha, "dummy", "passing")
    for name in ("net", "default", "six"):
        wait_check(alpha, name, "failing")
    alpha.host.ip("route add 10.9.0.0/16 dev dummy0", "route add default dev dummy0",
                  "route add fd99::/64 dev dummy0")
    for name in ("net", "default", "six"):
        wait_check(alpha, name, "passing")
    alpha.host.ip("link set dummy0 down")
    for name in ("dummy", "net", "default", "six"):
        wait_check(alpha, name, "failing")
    assert checks(alpha)["dummy"]["reason"] == "it is down"


def test_group_follows_another(cluster, folder, client):
    """Groups that must move together: the second one is where the first one is."""
    alpha, beta = cluster.nodes_on(1, 2)
    path = folder / "well"
    path.touch()
    for node, worth in ((alpha, 200), (beta, 100)):
        node.groups = {
            "web": {"address": "10.77.0.101/24", "worth": worth,
                    "check": f"file {path} damping=0s" if node is alpha else None},
            "mail": {"address": "10.77.0.102/24", "worth": 300 - worth, "check": "group web"}}
    start(alpha, beta)
    wait_holder(alpha, beta, group="web")
    wait_holder(alpha, beta, group="mail")
    assert state(alpha, "group web", "mail") == "passing"
    path.unlink()
    wait_holder(beta, alpha, group="web")
    wait_holder(beta, alpha, group="mail")
    path.touch()
    wait_holder(alpha, beta, group="mail")


def test_flapping_is_damped(cluster, folder):
    alpha, beta = cluster.nodes_on(1, 2)
    path = folder / "well"
    path.touch()
    alpha.change(worth=200, check=f"file {path} name=well")
    start(alpha, beta)
    wait_holder(alpha, beta)
    before = alpha.group()["transitions"]
    for _ in range(40):
        path.unlink()
        let_pass(0.01)
        path.touch()
        let_pass(0.01)
    wait_check(alpha, "well", "failing")
    wait_until(lambda: checks(alpha)["well"]["hold_ms"] > 0, "it says for how long it is damped")
    assert alpha.group()["transitions"] - before <= 6
    wait_holder(alpha, beta, timeout=15)  # good again for long enough


def checkers(node):
    starter = node.child("ha-starter")
    with open(f"/proc/{starter}/task/{starter}/children", encoding="ascii") as file:
        return [int(pid) for pid in file.read().split()]


def test_checker_is_started_again(watched):
    (first,) = checkers(watched)
    os.kill(first, 9)
    wait_until(lambda: checkers(watched) not in ([], [first]), "a new one")
    assert "ha-checker has ended (signal 9)" in watched.log()
    ill(watched)
    wait_check(watched, "well", "failing")
    assert watched.is_active()


def test_hanging_checker_is_noticed(watched):
    (pid,) = checkers(watched)
    os.kill(pid, 19)
    wait_check(watched, "well", "failing")
    assert "does not answer" in checks(watched)["well"]["reason"]
    os.kill(pid, 18)
    wait_check(watched, "well", "passing")
    assert watched.is_active()


def test_gateway_and_neighbours(cluster, lan, client):
    """Whoever cannot reach its gateway, while another one can, does not hold the addresses."""
    alpha, beta = cluster.nodes_on(1, 2)
    fast = "interval=50ms timeout=40ms rise=1 fall=2 damping=0s"
    for node, worth in ((alpha, 200), (beta, 100)):
        node.host.ip("route add default via 10.77.0.250")
        node.change(worth=worth, check=[f"gateway {fast}", f"arp 10.77.0.250 {fast} name=four lower=1",
                                        f"arp fd77::250 {fast} name=six lower=1",
                                        f"arp 10.77.0.99 {fast} name=nobody lower=1"])
    start(alpha, beta)
    wait_holder(alpha, beta)
    for node in (alpha, beta):
        for name in ("gateway", "four", "six"):
            wait_check(node, name, "passing")
        assert state(node, "nobody") == "failing"
        assert checks(node)["nobody"]["reason"] == "no answer within 40 ms"
    lan.cut(alpha.host, client)
    wait_holder(beta, alpha)
    assert "check gateway fails" in alpha.group()["reason"]
    lan.cut(beta.host, client)
    wait_check(beta, "gateway", "failing")
    for name in ("four", "six"):
        wait_check(beta, name, "failing")
    wait_holder(alpha, beta)  # nobody can reach it: that is no reason not to serve
    assert alpha.group()["impaired"] and beta.group()["impaired"]
    lan.heal()
    wait_until(lambda: not alpha.group()["impaired"], "all is well")
    assert alpha.is_active()


def test_reload_does_not_move_what_is_healthy(pair, client):
    """The fresh engine has no verdicts yet: what its predecessor held is presumed to be well."""
    alpha, beta = pair
    start(alpha, beta)
    wait_holder(alpha, beta)
    before = beta.group()["transitions"]
    with client.probe(ADDRESS) as probe:
        probe.wait_for("alpha")
        done = alpha.cli("reload")
        assert done.returncode == 0, done.stderr
        wait_check(alpha, "well", "passing")
        stays(lambda: beta.state() == "STANDBY", "nothing moves", 1.0)
    assert set(probe.hosts()) == {"alpha"} and beta.group()["transitions"] == before
    ill(alpha)
    wait_holder(beta, alpha)

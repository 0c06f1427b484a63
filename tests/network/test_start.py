# SPDX-License-Identifier: ISC
"""Starting `ha run`: wrong configurations, missing privileges, two instances, what status tells."""

import json
import os
import pathlib
import signal
import socket

import pytest

from lan import wait_until
from node import ADDRESS, HA, let_pass, start, wait_holder


def run(host, *arguments, **options):
    """A start that is to fail; (exit status, standard error)."""
    done = host.run(HA, "run", *arguments, check=False, timeout=20, **options)
    return done.returncode, done.stderr


def test_every_mistake_with_its_line(lan, folder):
    path = folder / "bad.conf"
    path.write_text("[node]\ninterface = eth0\nintervall = 100ms\ntolerance = 5 parsecs\n"
                    "\n[group web]\naddress = 10.77.0.300/24\nworth = 70000\n")
    status, error = run(lan.host("alpha", 1), "-c", path, "--runtime-dir", folder / "run")
    assert status == 2
    lines = error.splitlines()
    assert [line.split(":")[1] for line in lines] == ["3", "4", "7", "8"], error
    assert all(line.startswith(f"{path}:") for line in lines)
    assert "interval" in lines[0]
    assert not (folder / "run").exists()


def test_file_that_is_missing(lan, folder):
    status, error = run(lan.host("alpha", 1), "-c", folder / "none.conf")
    assert status == 2 and "none.conf" in error and "No such file" in error


def test_mistakes_in_options(lan, folder):
    host = lan.host("alpha", 1)
    status, error = run(host, "--interface", "eth0", "--address", "10.77.0/24",
                        "--runtime-dir", folder / "run")
    assert status == 2 and "--address" in error
    status, error = run(host, "--interface", "eth0")
    assert status == 2 and "--address is missing" in error


def test_missing_privilege(lan, folder):
    """Names it, and how to give it."""
    host = lan.host("alpha", 1)
    path = folder / "good.conf"
    path.write_text(f"[node]\ninterface = eth0\n[group main]\naddress = {ADDRESS}/24\n")
    done = host.run("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", HA, "run",
                    "-c", path, "--runtime-dir", folder / "run", check=False)
    assert done.returncode == 1
    assert "CAP_NET_ADMIN" in done.stderr and "AmbientCapabilities" in done.stderr
    done = host.run("capsh", "--drop=cap_net_raw", "--", "-c",
                    f"exec {HA} run -c {path} --runtime-dir {folder}/run", check=False)
    assert done.returncode == 1 and "CAP_NET_RAW" in done.stderr


def test_engine_has_no_privileges(cluster):
    (alpha,) = cluster.nodes_on(1)
    alpha.start()
    engine = process_status(alpha.engine_pid())
    assert engine["Uid"].split()[0] != "0" and engine["NoNewPrivs"] == "1"
    assert {engine[name] for name in ("CapPrm", "CapEff", "CapInh", "CapAmb")} == {"0" * 16}
    keeper = process_status(alpha.process.pid)
    admin_and_raw = 1 << 12 | 1 << 13
    assert int(keeper["CapPrm"], 16) == int(keeper["CapEff"], 16) == admin_and_raw


def process_status(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return {name: value.strip() for name, value in
            (line.split(":", 1) for line in text.splitlines())}


def test_interrupt_and_repeated_signals(cluster):
    (alpha,) = cluster.nodes_on(1)
    alpha.start()
    alpha.wait_state("ACTIVE")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGTERM):
        alpha.signal(number)
    assert alpha.wait_exit() == 0
    assert not alpha.host.has(ADDRESS)


def test_stop_in_the_middle_of_the_start(cluster):
    """Whenever it comes, nothing stays: no address and no engine."""
    (alpha,) = cluster.nodes_on(1)
    for milliseconds in [0, 3, 6, 9, 12, 15, 20, 50, 345, 350, 355]:
        alpha.start(wait=False)
        let_pass(milliseconds / 1000)
        alpha.ask_to_stop()
        assert alpha.wait_exit() in (0, -signal.SIGTERM)
        wait_until(lambda: not engines_in(alpha.host), "no engine stays")
        assert not alpha.host.has(ADDRESS)


def engines_in(host):
    """The process ids of the engines that run on a host."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if (path / "comm").read_text(encoding="ascii").strip() == "had" \
                    and (path / "ns/net").stat().st_ino == os.stat(host.path).st_ino:
                found.append(int(path.name))
        except OSError:
            continue  # it has just ended
    return found


def test_two_instances_on_one_host(cluster, lan, client):
    """With their own runtime folders and ports they do not know each other."""
    hosts = [lan.host("alpha", 1), lan.host("beta", 2)]
    first = [cluster.node(host, name=f"{host.name}-1") for host in hosts]
    second = [cluster.node(host, name=f"{host.name}-2", port=5556, cluster="other",
                           address=["10.77.0.101/24", "fd77::101/64"]) for host in hosts]
    second[1].change(worth=200)
    start(*first, *second)
    wait_holder(first[0], first[1])
    wait_holder(second[1], second[0])
    assert client.ask(ADDRESS) == client.ask("fd77::100") == "alpha"
    assert client.ask("10.77.0.101") == client.ask("fd77::101") == "beta"
    assert [p["name"] for p in first[0].status()["peers"]] == ["beta-1"]
    first[0].kill_engine()
    wait_until(first[1].is_active, "its own partner takes over")
    assert second[1].is_active() and second[0].state() == "STANDBY"
    assert client.ask(ADDRESS) == "beta"


def test_second_instance_with_the_same_runtime_folder(cluster, folder):
    (alpha,) = cluster.nodes_on(1)
    alpha.start()
    alpha.wait_state("ACTIVE")
    status, error = run(alpha.host, *map(str, alpha.arguments()[2:]))
    assert status == 1 and "another ha runs" in error and str(alpha.process.pid) in error
    assert alpha.is_active() and alpha.host.has(ADDRESS)
    done = alpha.cli("release")
    assert done.returncode != 0 and "running" in done.stderr and alpha.host.has(ADDRESS)


def test_two_nodes_of_one_name(cluster, lan):
    """Legal, as their ids differ by machine; status tells them apart by address."""
    nodes = [cluster.node(lan.host(f"host{n}", n), name="same") for n in (1, 2)]
    nodes[1].runtime_dir = nodes[1].runtime_dir.with_name("same-2")
    start(*nodes)
    wait_until(lambda: [n.state() for n in nodes] == ["ACTIVE", "STANDBY"], nodes[1].describe)
    assert nodes[0].status()["node"]["id"] != nodes[1].status()["node"]["id"]


def lasting(status):
    """What of a status does not change from one question to the next."""
    for peer in status["peers"]:
        del peer["last_heard_ms"], peer["received"]
        for path in peer["paths"]:
            del path["last_heard_ms"]
    del status["counters"], status["metrics"], status["groups"][0]["since"]
    return status


def test_status_of_the_command_line(cluster):
    alpha, beta = cluster.nodes_on(1, 2)
    start(alpha, beta)
    wait_holder(alpha, beta)
    done = alpha.cli("status", "--json")
    assert done.returncode == 0
    told, known = json.loads(done.stdout), alpha.status()
    assert told["groups"][0].keys() == known["groups"][0].keys()
    since = told["groups"][0]["since"]
    assert since.endswith("Z") and since[:16] == known["groups"][0]["since"][:16]
    # Acknowledgements still arrive, between the two questions as well.
    wait_until(lambda: lasting(json.loads(alpha.cli("status", "--json").stdout)) == lasting(alpha.status()),
               "the command line tells what the socket tells")
    assert {"name", "id", "address", "interval_ms", "tolerance_ms", "authenticated"} <= set(told["node"])
    assert {"name", "state", "reason", "worth", "eligible", "policy", "epoch", "holder",
            "addresses"} <= set(told["groups"][0])
    text = alpha.cli("status").stdout
    assert "ACTIVE" in text and "beta" in text and ADDRESS in text


def test_status_without_a_daemon(cluster, folder):
    (alpha,) = cluster.nodes_on(1)
    alpha.runtime_dir.mkdir()
    assert alpha.cli("status").returncode == 3


@pytest.mark.parametrize("name", ["", "garbage", '{"command": "dance"}', "[" * 5000])
def test_control_socket_survives_bad_requests(cluster, name):
    (alpha,) = cluster.nodes_on(1)
    alpha.start()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.settimeout(5)
        s.connect(str(alpha.runtime_dir / "ha.sock"))
        s.sendall(name.encode() + b"\n")
        try:
            answer = s.recv(4096).decode()
        except ConnectionResetError:
            answer = ""
    assert answer == "" or "error" in json.loads(answer)
    assert alpha.status()

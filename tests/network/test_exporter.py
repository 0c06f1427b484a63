# SPDX-License-Identifier: ISC
"""`ha exporter`: what it tells over HTTP, and that nobody who asks can hurt it or the daemon."""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess

import pytest

from exporter import Exporter, parse_metrics
from lan import stays, wait_until
from node import start, wait_holder


@pytest.fixture
def exporter():
    running = []

    def make(node, **options):
        running.append(Exporter(node, **options))
        return running[-1]
    yield make
    for each in running:
        if each.process.poll() is None:
            assert each.stop() == 0, each.log()


def test_metrics_and_status(cluster, exporter):
    alpha, beta = cluster.nodes_on(1, 2)
    start(alpha, beta)
    wait_holder(alpha, beta)
    web = exporter(beta)
    status, headers, text = web.get("/metrics")
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4")
    metrics = parse_metrics(text)
    assert metrics["ha_up"] == {None: 1}
    assert metrics["ha_group_state"] == {'group="main",state="ACTIVE"': 0, 'group="main",state="STANDBY"': 1,
                                         'group="main",state="SHUTDOWN"': 0}
    assert metrics["ha_group_holder_info"] == {'group="main",holder="alpha"': 1}
    assert metrics["ha_peer_live"] == {'peer="alpha"': 1}
    assert metrics["ha_path_up"] == {'interface="eth0"': 1}
    assert list(metrics["ha_peer_path_last_heard_seconds"]) == ['peer="alpha",interface="eth0"']
    assert 0 <= metrics["ha_peer_path_last_heard_seconds"]['peer="alpha",interface="eth0"'] < 10
    assert metrics["ha_node_interval_seconds"] == {None: 0.1}
    assert metrics["ha_heartbeats_received_total"][None] > 0
    buckets = list(metrics["ha_heartbeat_lateness_seconds_bucket"].values())
    assert buckets == sorted(buckets) and buckets[-1] == metrics["ha_heartbeat_lateness_seconds_count"][None] > 0
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False)
        assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
    status, headers, text = web.get("/status.json")
    assert status == 200 and headers["content-type"] == "application/json"
    told = json.loads(text)
    assert told["node"]["name"] == "beta" and told["groups"][0]["holder"] == "alpha"
    assert {node["name"] for node in told["views"]["nodes"]} == {"alpha", "beta"}
    assert web.get("/healthz")[::2] == (200, "ok\n")


def test_pages_need_nothing_from_elsewhere(cluster, exporter):
    (alpha,) = cluster.nodes_on(1)
    alpha.start()
    web = exporter(alpha)
    for path, kind in [("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript")]:
        status, headers, text = web.get(path)
        assert status == 200 and headers["content-type"].startswith(kind)
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "http://" not in text.replace("http://www.w3.org/2000/svg", "") and "https://" not in text
    assert web.get("/nothing")[0] == 404
    assert web.get("/", method="POST", Content_Length=0)[0] == 405
    assert web.get("/", method="HEAD")[::2] == (200, "")
    assert web.get("/status.json", host="evil.example")[0] == 403, "another name that was led here"
    assert web.get("/status.json", host="localhost")[0] == 200


def test_events_as_they_happen(cluster, exporter):
    alpha, beta = cluster.nodes_on(1, 2)
    start(alpha, beta)
    wait_holder(alpha, beta)
    web = exporter(beta)

    def state_of(lines):
        for line in lines:
            if line.startswith("data: "):
                event = json.loads(line[6:])
                if event["event"] == "state":
                    return event
        return None

    with web.events() as lines:
        assert lines.readline() == "HTTP/1.1 200 OK\r\n"
        wait_until(lambda: "still here" in lines.readline(), "the stream begins at once")
        alpha.kill_engine()
        event = state_of(lines)
        assert (event["from"], event["to"], event["cause"]) == ("STANDBY", "ACTIVE", "holder-resigned")
    with web.events() as lines:
        assert state_of(lines) == event, "who comes later is told what was"


def test_without_a_daemon(cluster, exporter):
    (alpha,) = cluster.nodes_on(1)
    alpha.start()
    web = exporter(alpha)
    alpha.wait_state("ACTIVE")
    assert web.get("/healthz")[0] == 200
    assert alpha.stop() == 0
    wait_until(lambda: web.get("/healthz")[0] == 503, "it notices")
    assert web.get("/status.json")[0] == 503 and web.get("/")[0] == 200
    assert parse_metrics(web.get("/metrics")[2])["ha_up"] == {None: 0}
    alpha.start()
    wait_until(lambda: web.get("/healthz")[0] == 200, "it finds the next one")


def test_a_hanging_daemon_stalls_no_page(cluster, exporter):
    (alpha,) = cluster.nodes_on(1)
    alpha.start()
    web = exporter(alpha)
    engine = alpha.engine_pid()
    os.kill(alpha.process.pid, 19)
    os.kill(engine, 19)
    try:
        with web.connect() as waits:
            waits.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert web.get("/")[0] == 200, "answered while another waits for the daemon"
            assert b"ha_up 0" in b"".join(iter(lambda: waits.recv(65536), b""))
    finally:
        os.kill(engine, 18)
        os.kill(alpha.process.pid, 18)


def test_many_slow_clients_are_bounded_and_stall_nobody(cluster, exporter, client):
    (alpha,) = cluster.nodes_on(1)
    alpha.start()
    alpha.wait_state("ACTIVE")
    web = exporter(alpha)
    with web.events() as first:
        first.readline()
        streams = []
        for _ in range(40):
            connection = web.connect()
            connection.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            streams.append(connection)
        refused = sum(b" 503 " in connection.recv(64) for connection in streams)
        assert refused == 40 - 15, "there are 16 streams"
        assert web.get("/metrics")[0] == 200
        for connection in streams:
            connection.close()
    # requests that are never finished: connections beyond the limit are closed, and those in use time out
    hanging = [web.connect() for _ in range(80)]
    for connection in hanging:
        connection.sendall(b"GET /metrics HT")
    stays(lambda: alpha.is_active() and web.process.poll() is None, "all goes on", 0.5)
    for connection in hanging:
        connection.close()
    wait_until(lambda: asked(web), "it answers again")
    memory = pathlib.Path(f"/proc/{web.process.pid}/status").read_text()
    resident = int(memory.split("VmRSS:")[1].split()[0])
    sanitized = "libasan" in pathlib.Path(f"/proc/{web.process.pid}/maps").read_text()
    assert resident < 64 * 1024 or sanitized, f"{resident} kB"


def asked(web):
    try:
        return web.get("/metrics")[0] == 200
    except (OSError, IndexError):
        return False


def test_it_has_no_privileges(cluster, exporter):
    (alpha,) = cluster.nodes_on(1)
    alpha.start()
    web = exporter(alpha)
    text = pathlib.Path(f"/proc/{web.process.pid}/status").read_text()
    status = dict(line.split(":\t", 1) for line in text.splitlines())
    assert status["Uid"].split() == ["65534"] * 4 and status["CapEff"] == status["CapPrm"] == "0" * 16
    assert status["NoNewPrivs"] == "1"
    assert web.get("/metrics")[0] == 200
    with pytest.raises(OSError):
        alpha.host.call(socket.create_connection, (alpha.host.address, 9955), 5)


def test_what_is_no_address(cluster):
    (alpha,) = cluster.nodes_on(1)
    for wrong in ["nonsense", "127.0.0.1", "localhost:80"]:
        done = alpha.cli("exporter", "--listen", wrong)
        assert done.returncode == 2 and "is no address and port" in done.stderr
    done = alpha.cli("exporter", "--listen", "203.0.113.9:80")
    assert done.returncode == 1 and "cannot listen" in done.stderr


def test_alerts_and_dashboard_ask_for_metrics_that_are_there(cluster, exporter):
    alpha, beta = cluster.nodes_on(1, 2)
    start(alpha, beta)
    wait_holder(alpha, beta)
    metrics = parse_metrics(exporter(alpha).get("/metrics")[2])
    folder = pathlib.Path(__file__).resolve().parents[2] / "packaging/monitoring"
    dashboard = json.loads((folder / "grafana-dashboard.json").read_text())
    asked = " ".join([(folder / "ha.rules.yml").read_text(),
                      *(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])])
    names = set(re.findall(r"\bha_[a-z_]+", asked))
    assert len(names) > 10 and not names - set(metrics), names - set(metrics)


def test_health_checks_are_shown(cluster, exporter):
    alpha = cluster.node(cluster.lan.host("alpha", 1), check="tcp 127.0.0.1:1 name=closed interval=50ms")
    alpha.start()
    web = exporter(alpha)
    wait_until(lambda: json.loads(web.get("/status.json")[2])["groups"][0]["checks"][0]["state"] == "failing",
               lambda: f"it fails; {alpha.describe()}")
    metrics = parse_metrics(web.get("/metrics")[2])
    assert metrics["ha_check_passing"] == {'group="main",check="closed",kind="tcp"': 0}
    assert metrics["ha_checks_failed_total"][None] >= 0

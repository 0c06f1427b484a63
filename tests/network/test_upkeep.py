# SPDX-License-Identifier: ISC
"""Nothing moves on upkeep (rule R8): the daemon is restarted, upgraded, reloaded while it serves. A client
that asks 500 times a second loses nothing, and the other nodes see no change of state."""

import contextlib
import os
import random
import select
import signal
import subprocess
import threading

import pytest

from lan import stays, wait_until
from node import ADDRESS, ADDRESS6, ROOT, SHARED, configuration, let_pass, start, wait_holder

pytestmark = pytest.mark.alone

FAST = {"interval": "10ms", "tolerance": "60ms"}
NORMAL = {"interval": "100ms", "tolerance": "350ms"}
EVERY = 0.002
FOREVER = 2**32 - 1


def restart(node):
    """As `systemctl restart` does: the old daemon leaves, a new one comes."""
    node.signal(signal.SIGUSR2)
    assert node.wait_exit() == 0
    node.start()


def history(*nodes):
    """What must not change: who holds what, since when, by which claim; and who is known to whom."""
    def of(node):
        status = node.status()
        return ([(g["name"], g["state"], g["epoch"], g["transitions"]) for g in status["groups"]],
                [(p["name"], p["live"]) for p in status["peers"]])
    return [of(node) for node in nodes]


def lost(probe):
    """Requests without an answer; all that were asked have had their time."""
    wait_until(lambda: len(probe.answers) > 0, "an answer")
    asked = len(probe.asked)
    try:
        wait_until(lambda: len(probe.answers) >= asked, "all answers", 1)
    except AssertionError:
        pass
    return asked - len([a for a in probe.answers if a.asked <= probe.asked[asked - 1]])


def local_routes(node):
    """Addresses that the node holds in this form."""
    return {r["dst"] for r in node.host.ip_json("route", "show", "table", "local", "proto", "143")}


@contextlib.contextmanager
def notices(host, *objects):
    """What the kernel of a host tells meanwhile, a list of lines that is complete afterwards."""
    lines, end = [], "10.254.254.254"
    with subprocess.Popen(host.command("ip", "-o", "monitor", *objects), stdout=subprocess.PIPE, text=True) as monitor:
        host.ip(f"addr add {end}/32 dev lo")  # until it listens
        wait_until(lambda: select.select([monitor.stdout], [], [], 0.02)[0] or
                   host.ip(f"addr change {end}/32 dev lo"), "the monitor listens")
        yield lines
        host.ip(f"addr del {end}/32 dev lo")
        for line in monitor.stdout:
            if end not in line:
                lines.append(line)
            elif line.startswith("Deleted"):
                break
        monitor.kill()


def counted(node):
    """Every counter of a node, by its name; they must not go back."""
    status = node.status()
    timings = status["metrics"]["timings"].items()
    return {**status["metrics"]["counters"], **status["metrics"]["transitions"], **status["counters"]["dropped"],
            "sent": status["counters"]["sent"], "received": status["counters"]["received"],
            **{name: timing["count"] for name, timing in timings},
            **{f"jitter of {peer['name']}": peer["jitter"]["count"] for peer in status["metrics"]["peers"]}}


@pytest.fixture
def serving(cluster, lan, client):
    def begin(**keys):
        alpha, beta = cluster.nodes_on(1, 2, **keys)
        alpha.change(worth=200)
        beta.change(worth=100)
        start(alpha, beta)
        wait_holder(alpha, beta)
        beta.wait_peer("alpha", hears_me=True)
        return alpha, beta
    return begin


@pytest.mark.parametrize("times", [NORMAL, FAST], ids=["100ms", "10ms"])
def test_restart_of_the_daemon(serving, lan, client, times):
    alpha, beta = serving(**times)
    with client.probe(ADDRESS, EVERY) as v4, client.probe(ADDRESS6, EVERY) as v6:
        v4.wait_for("alpha"), v6.wait_for("alpha")
        before, started = history(alpha, beta), alpha.process.pid
        restart(alpha)
        v4.wait_for("alpha"), v6.wait_for("alpha")
        assert alpha.process.pid != started
        wait_until(lambda: history(alpha, beta) == before, lambda: (before, history(alpha, beta), alpha.log()), 2)
        restart(beta)
        v4.wait_for("alpha"), v6.wait_for("alpha")
        wait_until(lambda: history(alpha, beta) == before, lambda: (before, history(alpha, beta), beta.log()), 2)
        assert v4.hosts() == v6.hosts() == ["alpha"]
        assert (lost(v4), lost(v6)) == (0, 0)


def test_counters_do_not_go_back(serving):
    """Neither with a reload nor with a restart of the daemon: Prometheus takes that for a crash."""
    alpha, beta = serving()
    for again in (reload, restart):
        before = counted(alpha)
        assert before["heartbeats_sent"] > 0 and before["jitter of beta"] > 0 and before["takeover_up"] > 0
        again(alpha)
        after = counted(alpha)
        assert not {name: (was, after.get(name)) for name, was in before.items() if after.get(name, -1) < was}


@pytest.mark.parametrize("fence", ["nftables", "lifetime", "watchdog"])
def test_restart_with_other_fences(serving, client, fence):
    alpha, beta = serving(fence=fence)
    with client.probe(ADDRESS, EVERY) as v4, client.probe(ADDRESS6, EVERY) as v6:
        v4.wait_for("alpha"), v6.wait_for("alpha")
        before = history(alpha, beta)
        restart(alpha)
        assert alpha.status()["node"]["fence"] == fence
        v4.wait_for("alpha"), v6.wait_for("alpha")
        wait_until(lambda: history(alpha, beta) == before, lambda: (before, history(alpha, beta), alpha.log()), 2)
        assert (lost(v4), lost(v6)) == (0, 0)


@pytest.mark.parametrize("fence, form", [("bpf", "address"), ("watchdog", "address"), ("watchdog", "route")])
def test_a_successor_that_never_comes(serving, lan, client, fence, form):
    """The address is not served past the lease that was announced, and another node takes it. Without a fence
    the kernel ends the address itself; local routes have become addresses for that."""
    alpha, beta = serving(fence=fence, ipv4_as=form)
    with client.probe(ADDRESS) as probe:
        probe.wait_for("alpha")
        assert (form == "route") == (ADDRESS in local_routes(alpha)) != alpha.host.has(ADDRESS)
        alpha.signal(signal.SIGUSR2)
        assert alpha.wait_exit() == 0
        assert alpha.host.has(ADDRESS) and beta.state() == "STANDBY"
        assert local_routes(alpha) == set()
        probe.wait_for("beta")
        assert probe.hosts() == ["alpha", "beta"]
        assert stays(lambda: probe.answers[-1].host == "beta", "beta alone", 0.5) is None
        alpha.start()  # too late: it cleans up, and begins anew
        wait_holder(alpha, beta)
    assert "comes too late" in alpha.log()


def test_restart_with_local_routes_and_no_fence(serving, client):
    alpha, beta = serving(fence="watchdog", ipv4_as="route")
    with client.probe(ADDRESS, EVERY) as probe:
        probe.wait_for("alpha")
        before = history(alpha, beta)
        for _ in range(2):
            restart(alpha)
            probe.wait_for("alpha")
            wait_until(lambda: history(alpha, beta) == before, lambda: (before, history(alpha, beta), alpha.log()), 2)
        assert "valid_life_time" not in alpha.host.addresses()[ADDRESS] or \
            alpha.host.addresses()[ADDRESS]["valid_life_time"] == FOREVER, "its end is called off"
        assert lost(probe) == 0 and probe.hosts() == ["alpha"]


def test_release_of_what_was_left(serving, lan, client):
    alpha, beta = serving()
    alpha.signal(signal.SIGUSR2)
    assert alpha.wait_exit() == 0
    done = alpha.cli("release")
    assert done.returncode == 0 and ADDRESS in done.stdout
    assert not alpha.host.has(ADDRESS) and not (alpha.runtime_dir / "restart").exists()


def test_restart_while_a_file_has_changed(serving, lan, client):
    """What is still configured stays; what is new comes; what is not any more goes."""
    alpha, beta = serving(groups={"main": {"address": SHARED}, "old": {"address": "10.77.0.101"}})
    with client.probe(ADDRESS, EVERY) as probe:
        probe.wait_for("alpha")
        epoch = alpha.group("main")["epoch"]
        alpha.groups = {"new": {"address": "10.77.0.102"}, "main": {"address": [*SHARED, "10.77.0.103"], "worth": 200}}
        restart(alpha)
        wait_holder(alpha, beta, group="main")
        alpha.wait_state("ACTIVE", "new")
        beta.wait_state("ACTIVE", "old")
        assert alpha.group("main")["epoch"] == epoch
        assert alpha.host.has("10.77.0.103") and not alpha.host.has("10.77.0.101")
        assert lost(probe) == 0 and probe.hosts() == ["alpha"]


def test_release_after_each_stop_spares_what_waits_for_a_successor(serving, lan, client):
    """As the unit's ExecStopPost= does it."""
    alpha, beta = serving()
    with client.probe(ADDRESS, EVERY) as probe:
        probe.wait_for("alpha")
        alpha.signal(signal.SIGUSR2)
        assert alpha.wait_exit() == 0
        done = alpha.cli("release", "--unless-restarting")
        assert done.returncode == 0 and "another daemon may still take over" in done.stdout
        alpha.start()
        probe.wait_for("alpha")
        assert lost(probe) == 0 and probe.hosts() == ["alpha"]
    alpha.kill9()
    assert ADDRESS in alpha.cli("release", "--unless-restarting").stdout


@pytest.mark.parametrize("job, signal_name", [
    ("7 ha.service restart running", "USR2"), ("7 ha.service try-restart running", "USR2"),
    ("7 ha.service stop running", "TERM"), ("8 other.service restart running", "TERM"), ("", "TERM")])
def test_the_unit_tells_a_restart_from_a_stop(tmp_path, job, signal_name):
    (tmp_path / "systemctl").write_text(f"#!/bin/sh\necho '{job}'\n")
    (tmp_path / "systemctl").chmod(0o755)
    with subprocess.Popen(["sh", "-c", "trap 'echo TERM; exit' TERM; trap 'echo USR2; exit' USR2; echo ready; "
                           "while :; do sleep 0.01; done"], stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout.readline() == "ready\n"
        threading.Thread(target=daemon.wait).start()  # a zombie still answers to kill(1)
        subprocess.run([ROOT / "packaging/ha-stop", "ha.service", str(daemon.pid)], check=True, timeout=10,
                       env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
        assert daemon.stdout.read().strip() == signal_name


# --- reload


def write(node):
    """The configuration as the node's settings are now, without a start."""
    path = node.runtime_dir.parent / f"{node.name}.conf"
    path.write_text(configuration(node.node_keys, node.groups))


def reload(node):
    write(node)
    done = node.cli("reload")
    assert done.returncode == 0 and "is in force" in done.stdout, (done, node.log())


@pytest.mark.parametrize("times", [NORMAL, FAST], ids=["100ms", "10ms"])
def test_reload(serving, lan, client, times):
    """Without any change, with another group's change, with an address more and one less, with another
    worth: only what changed moves, by policy."""
    alpha, beta = serving(**times)
    with client.probe(ADDRESS, EVERY) as probe:
        probe.wait_for("alpha")
        before = history(alpha, beta)
        reload(alpha)
        reload(beta)
        wait_until(lambda: history(alpha, beta) == before, lambda: (before, history(alpha, beta), alpha.log()), 2)
        for node in (alpha, beta):
            node.groups = {"mail": {"address": "10.77.0.101"}, "main": dict(node.groups["main"])}
            reload(node)
        wait_until(lambda: alpha.is_active("mail") or beta.is_active("mail"), "mail is held")
        wait_until(lambda: [history(n)[0][0][-1] for n in (alpha, beta)] == [before[0][0][0], before[1][0][0]],
                   lambda: (before, history(alpha, beta)))
        for node in (alpha, beta):
            node.groups["main"]["address"] = [SHARED[0], "10.77.0.103"]
            reload(node)
        assert alpha.host.has("10.77.0.103") and not alpha.host.has(ADDRESS6)
        assert probe.hosts() == ["alpha"]
        alpha.groups["main"]["worth"] = 50
        reload(alpha)
        wait_holder(beta, alpha, group="main")
        probe.wait_for("beta")
        for node in (alpha, beta):
            node.groups = {"main": node.groups["main"]}
            reload(node)
        assert not alpha.host.has("10.77.0.101") and not beta.host.has("10.77.0.101")
        assert lost(probe) == 0 and probe.hosts() == ["alpha", "beta"]


def acknowledged(node):
    """How many neighbours have answered, by address."""
    return [a["acknowledged"] for g in node.status()["groups"] for a in g["addresses"]
            if a["address"].split("/")[0] in ("10.77.0.104", "fd77::104")]


def place(lines, deleted, address):
    """Where the kernel's notice of an address is; -1: nowhere."""
    return next((n for n, line in enumerate(lines)
                 if line.startswith("Deleted") == deleted and f" {address}/" in line), -1)


@pytest.mark.parametrize("fence", ["bpf", "watchdog"])
def test_reload_of_a_list_adds_before_it_removes(serving, client, fence):
    """What stays is not touched, what is new comes, then what is old goes, with the route of its subnet."""
    alpha, beta = serving(groups={"main": {"address": [*SHARED, "10.77.0.103", "10.88.0.5/24"]}}, fence=fence)
    with client.probe(ADDRESS, EVERY) as v4, client.probe(ADDRESS6, EVERY) as v6:
        v4.wait_for("alpha"), v6.wait_for("alpha")
        before = history(alpha, beta)
        with notices(alpha.host, "address") as told:
            for node in (alpha, beta):
                node.groups["main"]["address"] = [*SHARED, "10.77.0.104", "fd77::104", "10.99.0.5/24"]
                reload(node)
        assert place(told, False, "fd77::104") >= 0  # the kernel tells of it when it has joined its group
        for new in ("10.77.0.104", "10.99.0.5"):
            for old in ("10.77.0.103", "10.88.0.5"):
                assert 0 <= place(told, False, new) < place(told, True, old), "".join(told)
        for kept in (ADDRESS, ADDRESS6):
            assert place(told, True, kept) == -1, "".join(told)
            if fence == "bpf":  # else its lifetime changes
                assert place(told, False, kept) == -1, "".join(told)
        assert client.ask("10.77.0.104") == client.ask("fd77::104") == "alpha"
        wait_until(lambda: all(n > 0 for n in acknowledged(alpha)), lambda: f"the neighbours answer: {acknowledged(alpha)}")
        assert {r["dst"] for r in alpha.host.ip_json("route", "show", "proto", "143")} == {"10.99.0.0/24"}
        wait_until(lambda: history(alpha, beta) == before, lambda: (before, history(alpha, beta), alpha.log()), 2)
        assert v4.hosts() == v6.hosts() == ["alpha"] and (lost(v4), lost(v6)) == (0, 0)


def test_reload_into_local_routes_and_back(serving, client):
    """What stays keeps its form, what is new has the other one; nothing is left in the end."""
    alpha, beta = serving()
    with client.probe(ADDRESS, EVERY) as probe:
        probe.wait_for("alpha")
        before = history(alpha, beta)
        for form, more in (("route", "10.77.0.103"), ("address", "10.77.0.104")):
            for node in (alpha, beta):
                node.change(ipv4_as=form, address=[*node.groups["main"]["address"], more])
                reload(node)
        assert alpha.host.has(ADDRESS) and alpha.host.has("10.77.0.104") and local_routes(alpha) == {"10.77.0.103"}
        assert client.ask("10.77.0.103") == client.ask("10.77.0.104") == "alpha"
        wait_until(lambda: history(alpha, beta) == before, lambda: (before, history(alpha, beta), alpha.log()), 2)
        assert lost(probe) == 0 and probe.hosts() == ["alpha"]
    assert alpha.stop() == 0
    assert local_routes(alpha) == set() and not alpha.host.has("10.77.0.104")


def test_reload_moves_an_address_to_another_device(serving, client):
    """As long as the new one is not there, the old one answers."""
    alpha, beta = serving(groups={"main": {"address": [*SHARED, "10.99.0.5"]}})
    alpha.host.ip("link add name extra type veth peer name other", "link set extra up", "link set other up")
    alpha.groups["main"]["address"] = [*SHARED, "10.99.0.5 dev extra"]
    with notices(alpha.host, "address") as told:
        reload(alpha)
    assert place(told, False, "10.99.0.5") < place(told, True, "10.99.0.5"), "".join(told)
    assert alpha.host.addresses("extra").keys() >= {"10.99.0.5"} and "10.99.0.5" not in alpha.host.addresses("eth0")
    assert alpha.is_active()


def test_a_wrong_file_changes_nothing(serving, client):
    alpha, beta = serving()
    before, pid = history(alpha, beta), alpha.engine_pid()
    path = alpha.runtime_dir.parent / "alpha.conf"
    good = path.read_text()
    path.write_text(good.replace("interval = 100ms", "intervall = 100ms").replace("worth = 200", "worth = much"))
    done = alpha.cli("reload")
    assert done.returncode == 2 and "intervall" in done.stderr and "much" in done.stderr
    alpha.signal(signal.SIGHUP)
    alpha.wait_log("nothing was changed")
    assert "intervall" in alpha.log() and "much" in alpha.log()
    path.write_text(good.replace("[node]", "[node]\nkey-file = /nonexistent"))
    done = alpha.cli("reload")
    assert done.returncode == 1 and "key file" in done.stderr
    path.write_text(good)
    path.chmod(0o666)
    assert alpha.cli("reload").returncode == 1
    path.chmod(0o644)
    assert history(alpha, beta) == before and alpha.engine_pid() == pid
    reload(alpha)


def test_a_removed_group_is_handed_over(serving, client):
    alpha, beta = serving()
    with client.probe(ADDRESS, EVERY) as probe:
        probe.wait_for("alpha")
        alpha.groups = {"other": {"address": "10.77.0.105"}}
        reload(alpha)
        wait_until(lambda: beta.is_active("main"), "beta holds it")
        probe.wait_for("beta")
        assert lost(probe) == 0 and probe.hosts() == ["alpha", "beta"]
    assert "it is no longer configured here" in alpha.log()


def test_signals_after_a_reload(serving, client):
    """Whoever waits for the daemon waits for the same process."""
    alpha, beta = serving()
    reload(alpha)
    alpha.signal(signal.SIGHUP)
    lock = alpha.runtime_dir / "ha.lock"
    before = lock.read_text()
    wait_until(lambda: lock.read_text().strip() and lock.read_text() != before and alpha.status(), "reloaded")
    with client.probe(ADDRESS, EVERY) as probe:
        probe.wait_for("alpha")
        alpha.signal(signal.SIGUSR2)
        assert alpha.wait_exit() == 0
        alpha.start()
        probe.wait_for("alpha")
        reload(alpha)
        assert alpha.stop() == 0
        probe.wait_for("beta")
        assert lost(probe) == 0


def test_a_stop_at_any_moment_of_a_reload(serving, client):
    """It is heeded by whichever keeper serves then, and hands over."""
    chance = random.Random(os.getpid())
    alpha, beta = serving()
    with client.probe(ADDRESS, EVERY) as probe:
        for _ in range(4):
            probe.wait_for("alpha")
            alpha.signal(signal.SIGHUP)
            let_pass(chance.uniform(0, 0.1))
            assert alpha.stop() == 0
            probe.wait_for("beta")
            alpha.start()
        probe.wait_for("alpha")
        assert lost(probe) == 0


@pytest.mark.parametrize("crashes", [1, 2], ids=["once", "again"])
def test_a_restart_when_the_engine_has_just_died(serving, crashes):
    """Or is to be replaced in a second, since it died again and again: there is nothing to leave, so it ends at once."""
    alpha, beta = serving()
    crash(alpha, crashes)
    alpha.signal(signal.SIGUSR2)
    assert alpha.wait_exit(4) == 0
    assert not alpha.host.has(ADDRESS)
    alpha.start()
    wait_holder(alpha, beta)


def test_a_reload_when_there_is_no_engine(serving):
    """It is refused, and everything goes on."""
    alpha, beta = serving()
    crash(alpha, 2)
    assert "the engine has just died; try again" in alpha.cli("reload").stderr
    wait_holder(alpha, beta)
    reload(alpha)
    assert alpha.is_active() and alpha.stop() == 0


def crash(node, times):
    for n in range(times):
        wait_until(node.engine_pid, "an engine runs")
        node.crash_engine()
        wait_until(lambda n=n: node.log().count("killed by signal 9") > n, "the keeper has seen it")


def test_keys_are_changed_while_it_serves(serving, folder, client):
    """From key A to key B, node by node, with no heartbeat refused."""
    for name, secret in (("a", "aa" * 32), ("b", "bb" * 32)):
        (folder / name).write_text(secret)
        (folder / name).chmod(0o600)
    alpha, beta = serving(key_file=folder / "a")
    before = history(alpha, beta)
    with client.probe(ADDRESS, EVERY) as probe:
        probe.wait_for("alpha")
        for signs, accepts in (("a", "b"), ("b", "a"), ("b", None)):
            for node in (alpha, beta):
                node.change(key_file=folder / signs, accept_key_file=accepts and folder / accepts)
                reload(node)
                let_pass(0.3)
                assert [n.dropped("unknown-key") for n in (alpha, beta)] == [0, 0]
                wait_until(lambda: history(alpha, beta) == before, lambda: (before, history(alpha, beta)), 2)
        assert lost(probe) == 0 and probe.hosts() == ["alpha"]
        assert alpha.status()["node"]["authenticated"]

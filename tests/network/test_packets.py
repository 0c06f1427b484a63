# SPDX-License-Identifier: ISC
"""Packets that must have no effect: each is counted under its reason, and moves nothing."""

import dataclasses
import os
import struct
import time

import pytest

from heartbeat import ACTIVE, SHUTDOWN, Ear, Entry, Heard, Heartbeat, decode, sign
from lan import stays, wait_until
from node import ADDRESS, let_pass, start, wait_holder

KEY = bytes(range(32))
OTHER_KEY = bytes(32)


@pytest.fixture
def key_file(folder):
    path = folder / "key"
    path.write_text(KEY.hex() + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def keyed(cluster, key_file):
    """Two nodes with a key; alpha holds the address."""
    alpha, beta = cluster.nodes_on(1, 2, key_file=key_file)
    alpha.start()
    alpha.wait_state("ACTIVE")
    beta.start()
    wait_holder(alpha, beta)
    return alpha, beta


@pytest.fixture
def ear(lan, keyed):
    with Ear(lan.host("mallory", 66)) as ear:
        wait_until(lambda: ear.latest("alpha") and ear.latest("beta"), "mallory hears both")
        yield ear


def takeover(ear):
    """The worst that a heartbeat can say: all is mine, and I have heard you just now."""
    heard = [ear.latest("alpha"), ear.latest("beta")]
    return Heartbeat(groups=[Entry(worth=65535, state=ACTIVE, epoch=1 << 40)],
                     heard=[Heard(h.id, h.nonce, h.sequence) for h in heard])


def resignation(ear):
    """What alpha would say when it goes."""
    alpha = ear.latest("alpha")
    return dataclasses.replace(alpha, sequence=alpha.sequence + 1000, leaving=True,
                               groups=[Entry(state=SHUTDOWN)])


def malformed(data, key=KEY):
    """Changed content under a right tag: only somebody with the key could send it."""
    return data + sign(data, key)


def with_length(data):
    return data[:4] + struct.pack("!H", len(data) + 16) + data[6:]


CASES = {
    "forged": lambda ear: takeover(ear).encode(KEY, tag=b"x" * 16),
    "unauthenticated": lambda ear: takeover(ear).encode(),
    "unknown-key": lambda ear: takeover(ear).encode(OTHER_KEY),
    "foreign": lambda ear: dataclasses.replace(takeover(ear), cluster="other").encode(KEY),
    "version": lambda ear: dataclasses.replace(takeover(ear), major=2).encode(KEY),
    "not-ours": lambda ear: b"something else on this port",
    "oversized": lambda ear: takeover(ear).encode(KEY) + bytes(3000),
    "malformed": lambda ear: takeover(ear).encode(KEY)[:-1],
    "duplicate-id": lambda ear: dataclasses.replace(ear.latest("alpha"), nonce=7, heard=[]).encode(KEY),
}


def test_refused_and_counted(keyed, ear):
    alpha, beta = keyed
    for reason, make in CASES.items():
        before = alpha.dropped(reason)
        for _ in range(5):
            ear.say(make(ear))
        wait_until(lambda r=reason, b=before: alpha.dropped(r) >= b + 5,
                   lambda r=reason: f"{r}: {alpha.status()['counters']}")
        assert alpha.dropped(reason) == before + 5, reason
        stays(lambda: alpha.is_active() and beta.state() == "STANDBY", f"{reason} moves nothing", 0.2)
        assert not alpha.peer("mallory"), f"{reason}: it is no peer"
    assert alpha.group()["transitions"] == 1 and beta.group()["transitions"] == 0
    assert alpha.log().count("are refused") == len(CASES), "each reason is told once"


def test_forged_resignation(keyed, ear):
    alpha, beta = keyed
    for _ in range(5):
        ear.say(resignation(ear).encode(KEY, tag=b"x" * 16))
    wait_until(lambda: beta.dropped("forged") == 5, lambda: str(beta.status()))
    stays(lambda: alpha.is_active() and beta.state() == "STANDBY", "nothing moves", 0.5)
    assert beta.peer("alpha")["live"]


def test_routed_packets_are_refused(keyed, ear):
    """RFC 5082: what was not sent on this link has a smaller TTL."""
    alpha, _ = keyed
    for ttl in (64, 254):
        ear.say(takeover(ear).encode(KEY), ttl=ttl)
        ear.say(takeover(ear).encode(KEY), ttl=ttl, to="10.77.0.1")
    wait_until(lambda: alpha.dropped("hop-limit") == 4, lambda: str(alpha.status()))
    assert not alpha.peer("mallory") and alpha.group()["transitions"] == 1


CONTENTS = [b"", bytes(64), struct.pack("!HH", 1, 60000), struct.pack("!HH", 3, 17) + bytes(17),
            struct.pack("!HH", 2, 24 * 200) + bytes(24 * 60), struct.pack("!HH", 1, 4) + b"\x1b[2J",
            struct.pack("!HH", 1, 100) + b"a" * 100, struct.pack("!HH", 1, 0)]


def test_malformed_with_the_right_tag(keyed, ear):
    alpha, _ = keyed
    key_id = takeover(ear).encode(KEY)[12:16]
    for content in CONTENTS:
        header = takeover(ear).encode()[:64]
        header = header[:7] + b"\x01" + header[8:12] + key_id + header[16:]
        check_malformed(alpha, ear, malformed(with_length(header + content)), content)


VALUES = [{"interval_us": 0}, {"tolerance_us": 0}, {"id": 0}, {"nonce": 0}, {"sequence": 0},
          {"interval_us": 0xFFFFFFFF, "tolerance_us": 0xFFFFFFFF}, {"address": "224.0.0.1"}]


def test_impossible_values_with_the_right_tag(keyed, ear):
    alpha, _ = keyed
    for values in VALUES:
        data = dataclasses.replace(takeover(ear), **values).encode(KEY)
        check_malformed(alpha, ear, data, values)


def check_malformed(node, ear, data, case):
    before = node.dropped("malformed")
    ear.say(data)
    wait_until(lambda: node.dropped("malformed") == before + 1,
               lambda: f"{case}: {node.status()['counters']}")
    assert not node.peer("mallory") and node.group()["transitions"] == 1


def test_noise(keyed, ear):
    """Random bytes, and heartbeats with random bytes changed: all refused, and nobody falls over."""
    alpha, beta = keyed
    good = takeover(ear).encode(KEY)
    for i in range(500):
        data = bytearray(good)
        for position in os.urandom(3):
            data[position * 7 % len(data)] ^= 1 + i % 255
        ear.say(os.urandom(i % 200) if i % 2 else bytes(data))
        let_pass(0.001)  # so that it is not the socket's buffer that refuses it
    wait_until(lambda: sum(alpha.status()["counters"]["dropped"].values()) >= 490,
               lambda: str(alpha.status()["counters"]))
    assert alpha.is_active() and beta.state() == "STANDBY"
    assert alpha.group()["transitions"] == 1 and not alpha.peer("mallory")


def test_flood(cluster, lan, client):
    """Some thousand datagrams a second; heartbeats are read and sent in between."""
    alpha, beta = cluster.nodes_on(1, 2)
    start(alpha, beta)
    wait_holder(alpha, beta)
    moves = [n.group()["transitions"] for n in (alpha, beta)]
    with Ear(lan.host("mallory", 66)) as ear:
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            for _ in range(50):
                ear.say(bytes(100))
            let_pass(0.01)
    assert alpha.dropped("not-ours") > 1000
    assert alpha.is_active() and client.ask(ADDRESS) == "alpha"
    assert [n.group()["transitions"] for n in (alpha, beta)] == moves


def test_more_nodes_than_a_cluster_can_have(cluster, lan):
    """Without a key anybody can invent nodes. Those that are there keep their places."""
    alpha, beta = cluster.nodes_on(1, 2)
    start(alpha, beta)
    wait_holder(alpha, beta)
    moves = [n.group()["transitions"] for n in (alpha, beta)]
    with Ear(lan.host("mallory", 66)) as ear:
        for number in range(1, 60):
            ear.say(Heartbeat(name=f"m{number}", id=number, nonce=number).encode())
            let_pass(0.002)
        wait_until(lambda: alpha.dropped("table-full") >= 20, lambda: str(alpha.status()["counters"]))
    assert len(alpha.status()["peers"]) == 31 and alpha.peer("beta")["live"]
    stays(lambda: alpha.is_active() and beta.state() == "STANDBY", "nothing moves", 0.5)
    assert [n.group()["transitions"] for n in (alpha, beta)] == moves
    assert alpha.stop() == 0
    wait_until(beta.is_active, "beta takes it")


# --- recordings

def test_replayed_at_once(keyed, ear):
    """The same bytes again: the last one is a duplicate, older ones are replays."""
    alpha, beta = keyed
    wait_until(lambda: len(ear.recordings("alpha")) > 5, "mallory has recorded some")
    for data in ear.recordings("alpha")[:5]:
        ear.say(data)
    wait_until(lambda: beta.dropped("replayed") == 5, lambda: str(beta.status()))
    wait_until(lambda: alpha.dropped("own") >= 5, "alpha knows its own words")
    assert alpha.is_active() and beta.group()["transitions"] == 0


def test_recordings_of_a_dead_holder_hold_nobody_up(keyed, ear, lan, client):
    alpha, beta = keyed
    wait_until(lambda: len(ear.recordings("alpha")) > 20, "mallory has recorded some")
    recorded = ear.recordings("alpha")
    lan.isolate(alpha.host)
    alpha.kill9()
    for data in recorded * 3:
        ear.say(data)
        let_pass(0.01)
    wait_until(beta.is_active, "beta takes it")
    assert client.ask(ADDRESS) == "beta"
    assert beta.dropped("replayed") > 0


def test_recordings_of_an_earlier_boot(keyed, ear):
    alpha, beta = keyed
    wait_until(lambda: len(ear.recordings("alpha")) > 5, "mallory has recorded some")
    assert alpha.stop() == 0
    recorded = ear.recordings("alpha")[:3] + ear.recordings("alpha")[-2:]
    assert decode(recorded[-1]).leaving, "its goodbye"
    alpha.start()
    wait_holder(alpha, beta)
    transitions = alpha.group()["transitions"], beta.group()["transitions"]
    before = beta.dropped("old-boot")
    for data in recorded:
        ear.say(data)
    wait_until(lambda: beta.dropped("old-boot") == before + 5, lambda: str(beta.status()))
    stays(lambda: alpha.is_active() and beta.state() == "STANDBY", "nothing moves", 0.5)
    assert (alpha.group()["transitions"], beta.group()["transitions"]) == transitions
    assert beta.peer("alpha")["live"]


def test_recordings_cannot_fool_a_newcomer(keyed, ear):
    """Who has just started knows no boot of anybody; only its own fresh nonce, echoed, proves one."""
    alpha, beta = keyed
    wait_until(lambda: len(ear.recordings("alpha")) > 20, "mallory has recorded some")
    recorded = ear.recordings("alpha")
    for node in keyed:
        assert node.stop() == 0
    beta.start()
    replay = iter(recorded * 20)

    def active_under_replay():
        ear.say(next(replay))
        return beta.is_active()

    wait_until(active_under_replay, beta.describe)
    assert beta.peer("alpha")["live"] is False and beta.peer("alpha")["proven"] is False


def test_other_cluster_on_the_same_lan(cluster, lan, client):
    ours, theirs = cluster.nodes_on(1, 2)
    theirs.change(cluster="other", address=["10.77.0.200/24"], worth=1000)
    start(ours, theirs)
    ours.wait_state("ACTIVE")
    theirs.wait_state("ACTIVE")
    assert client.ask(ADDRESS) == "alpha" and client.ask("10.77.0.200") == "beta"
    assert ours.status()["peers"] == [] and ours.dropped("foreign") > 0


# --- keys

def test_with_a_key(keyed):
    alpha, beta = keyed
    assert alpha.status()["node"]["authenticated"] is True
    assert not any("authenticated" in w for w in alpha.status()["warnings"])
    assert alpha.peer("beta")["live"] and alpha.peer("beta")["hears_me"]


def test_the_will_is_signed(keyed):
    alpha, beta = keyed
    alpha.kill_engine()
    beta.wait_state("ACTIVE")
    assert "gave it up" in beta.group()["reason"]


def test_without_a_key_status_warns(cluster):
    (alpha,) = cluster.nodes_on(1)
    alpha.start()
    status = alpha.status()
    assert status["node"]["authenticated"] is False
    assert any("not authenticated" in w and "keygen" in w for w in status["warnings"])
    assert "keygen" in alpha.cli("status").stdout
    assert "not authenticated" in alpha.log()


def test_a_node_without_the_key_is_no_peer(cluster, key_file, lan):
    keyed, other = cluster.nodes_on(1, 2)
    keyed.change(key_file=key_file)
    other.change(worth=0)
    start(keyed, other)
    keyed.wait_state("ACTIVE")
    wait_until(lambda: keyed.dropped("unauthenticated") > 0, "it is refused")
    wait_until(lambda: other.dropped("unknown-key") > 0, "and refuses")
    assert not keyed.status()["peers"] and not other.status()["peers"]


def test_keys_from_keygen(cluster, folder):
    alpha, beta = cluster.nodes_on(1, 2, key_file=folder / "made")
    done = alpha.host.run(alpha.arguments()[0], "keygen", folder / "made")
    assert done.returncode == 0
    start(alpha, beta)
    wait_holder(alpha, beta)
    assert alpha.status()["node"]["authenticated"] is True

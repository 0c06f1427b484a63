# SPDX-License-Identifier: ISC
"""The log must never stop the daemon."""

import fcntl
import os
import subprocess

from lan import wait_until
from node import ADDRESS


def test_a_log_that_nobody_reads_stops_nothing(cluster, client):
    (alpha,) = cluster.nodes_on(1)
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETFL, os.O_NONBLOCK)
    try:
        while True:
            os.write(writer, bytes(4096))
    except BlockingIOError:
        pass
    fcntl.fcntl(writer, fcntl.F_SETFL, 0)
    alpha.process = subprocess.Popen(alpha.host.command(*alpha.arguments()), stdin=subprocess.DEVNULL,
                                     stderr=writer, start_new_session=True)
    os.close(writer)
    alpha.wait_state("ACTIVE")
    wait_until(lambda: client.ask(ADDRESS) == "alpha", "it serves")
    fcntl.fcntl(reader, fcntl.F_SETFL, os.O_NONBLOCK)
    try:
        while os.read(reader, 65536):
            pass
    except BlockingIOError:
        pass
    fcntl.fcntl(reader, fcntl.F_SETFL, 0)
    assert alpha.stop() == 0
    with os.fdopen(reader) as log:
        text = log.read()
    assert "had: warning: " in text and "lines are missing here" in text
    assert "SHUTDOWN" in text

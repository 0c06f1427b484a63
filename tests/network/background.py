# SPDX-License-Identifier: ISC
"""What goes on in a thread of its own, with a socket of its own, until it is closed."""

import threading


class Background:
    """A context manager. Whoever derives from it makes `socket`, calls begin(), and runs while `running`."""

    def begin(self, run):
        self.running = True
        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def close(self):
        self.running = False
        self.thread.join()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

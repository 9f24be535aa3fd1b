"""A headless Chromium as a child process that is spoken to through two pipes.

`--remote-debugging-pipe` makes Chromium read commands from file descriptor 3 and answer on 4, JSON
with a zero byte after each message; so nothing but the standard library is needed, and no port is
opened. What the messages mean is in `browser.py`.
"""

import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
NO_BROWSER = "needs Chromium: on PATH as chromium, or $ADAMAS_CHROMIUM"
SECONDS = 30.0
# As root there is no sandbox; no page may ask the network; nothing is kept.
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--no-default-browser-check", "--disable-background-networking", "--disable-component-update",
    "--disable-extensions", "--disable-sync", "--disable-breakpad", "--disable-crash-reporter",
    "--disable-default-apps", "--force-color-profile=srgb", "--lang=en-US",
    "--proxy-server=127.0.0.1:9", "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)  # fmt: skip
# The shell outlives a Python that is killed, and then removes the profile; Chromium itself ends
# when its pipe closes.
SCRIPT = '"$@"; cd / && rm -rf -- "$0"'

Message = dict[str, Any]


class BrowserError(Exception):
    """Chromium refused a command, or did not answer it."""


def find_browser() -> str | None:
    """Return the Chromium to run: $ADAMAS_CHROMIUM, or the first of `NAMES` on PATH; else None."""
    names = (os.environ.get("ADAMAS_CHROMIUM") or "", *NAMES)
    return next((found for name in names if name and (found := shutil.which(name))), None)


def _pipe() -> tuple[int, int]:
    """Return the ends of a pipe, both above the descriptors 3 and 4 that the child needs."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return high[0], high[1]


class BrowserProcess:
    """One Chromium with an empty profile; `close` leaves neither process nor folder behind."""

    def __init__(self) -> None:
        command = find_browser()
        if command is None:
            raise BrowserError(NO_BROWSER)
        # Short: the path of a socket below it may have 107 bytes.
        self.profile = Path(tempfile.mkdtemp(prefix="adamas-browser-"))
        self.log = self.profile / "stderr.txt"
        child_reads, self._writes = _pipe()
        self._reads, child_writes = _pipe()
        self._received = b""
        folder = str(self.profile)
        places = ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
        log = (os.POSIX_SPAWN_OPEN, 2, str(self.log), os.O_WRONLY | os.O_CREAT, 0o600)
        quiet = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
        pipes = ((os.POSIX_SPAWN_DUP2, child_reads, 3), (os.POSIX_SPAWN_DUP2, child_writes, 4))
        self.pid = os.posix_spawn(
            "/bin/sh",
            ["sh", "-c", SCRIPT, folder, command, *FLAGS, f"--user-data-dir={folder}"],
            {**os.environ, **dict.fromkeys(places, folder)},
            file_actions=[log, quiet, *pipes],
            setsid=True,
        )
        os.close(child_reads)
        os.close(child_writes)

    def write(self, message: Message) -> None:
        """Send one message."""
        rest = memoryview(json.dumps(message).encode() + b"\0")
        try:
            while rest:
                rest = rest[os.write(self._writes, rest) :]
        except BrokenPipeError:
            raise BrowserError(f"Chromium has ended: {self.last_words()}") from None

    def read(self, seconds: float = SECONDS) -> Message:
        """Return the next message; fail when none comes within so many seconds."""
        until = time.monotonic() + seconds
        while b"\0" not in self._received:
            left = until - time.monotonic()
            ready = left > 0 and select.select([self._reads], [], [], left)[0]
            if not ready:
                raise BrowserError(f"Chromium was silent for {seconds:g} s: {self.last_words()}")
            piece = os.read(self._reads, 1 << 20)
            if not piece:
                raise BrowserError(f"Chromium has ended: {self.last_words()}")
            self._received += piece
        text, self._received = self._received.split(b"\0", 1)
        message: Message = json.loads(text)
        return message

    def last_words(self) -> str:
        """Return the end of what Chromium wrote to its error stream."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return text[-600:].strip() or "it wrote nothing"

    def close(self) -> None:
        """End the process and everything it started, and remove the profile; twice is once."""
        if not self.pid:
            return
        pid, self.pid = self.pid, 0
        os.close(self._writes)  # asks it to end
        while select.select([self._reads], [], [], 5.0)[0] and os.read(self._reads, 1 << 20):
            pass  # an answer that nobody waits for
        os.close(self._reads)
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        shutil.rmtree(self.profile, ignore_errors=True)

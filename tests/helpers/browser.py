"""Pages in a headless Chromium: open, look, press, click, and hear what they say.

`with Browser() as browser: page = browser.open(path)`. The commands are those of the DevTools
protocol (https://chromedevtools.github.io/devtools-protocol/).
"""

import base64
import itertools
import json
import time
from pathlib import Path
from typing import Any, Literal, Self

from browser_process import SECONDS, BrowserError, BrowserProcess, Message

# Below this width scroll bars lie over the page, as on a phone.
PHONE = 600
SHIFT = 8
# key -> (code, virtual key code, text that it types)
KEYS = {
    "Tab": ("Tab", 9, ""), "Enter": ("Enter", 13, "\r"), " ": ("Space", 32, " "),
    "Escape": ("Escape", 27, ""), "Backspace": ("Backspace", 8, ""), "Delete": ("Delete", 46, ""),
    "PageUp": ("PageUp", 33, ""), "PageDown": ("PageDown", 34, ""),
    "End": ("End", 35, ""), "Home": ("Home", 36, ""),
    "ArrowLeft": ("ArrowLeft", 37, ""), "ArrowUp": ("ArrowUp", 38, ""),
    "ArrowRight": ("ArrowRight", 39, ""), "ArrowDown": ("ArrowDown", 40, ""),
}  # fmt: skip
FOUND = """((selector) => {
  const e = document.querySelector(selector);
  if (!e) throw Error("nothing matches " + selector);
  return e;
})"""
INTO_SIGHT = '(e => e.scrollIntoView({ block: "center", behavior: "instant" }))'
MIDDLE = "(e => (b => [b.x + b.width / 2, b.y + b.height / 2])(e.getBoundingClientRect()))"
# A browser makes a click of a tap by itself, some time after the finger is lifted.
LISTEN = "void (window.clickOfTap = new Promise(r => addEventListener('click', () => r(), true)))"
CLICKED = """Promise.race([window.clickOfTap, new Promise((_, no) => setTimeout(() =>
  no(Error("a tap made no click within 10 s")), 10000))])"""
Scheme = Literal["light", "dark"]
Motion = Literal["no-preference", "reduce"]


class ScriptError(Exception):
    """An expression that was evaluated in a page threw."""


class Page:
    """One page; `console`, `errors` and `requests` grow as it speaks, throws and asks for files."""

    def __init__(self, browser: "Browser", session: str) -> None:
        self._browser, self._session = browser, session
        self.console: list[str] = []
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.loads = 0
        self._scripted = True
        self._size = 0, 0, 1.0
        # Not "Accessibility": its tree would be kept up to date at every change of the page.
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)

    def call(self, method: str, **params: Any) -> Message:
        """Send one command of the protocol and return its answer."""
        return self._browser.call(method, self._session, **params)

    def hear(self, event: str, params: Message) -> None:
        """Keep what the page says of itself."""
        if event == "Page.loadEventFired":
            self.loads += 1
        elif event == "Runtime.exceptionThrown":
            self.errors.append(_thrown(params["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled":
            said = " ".join(str(a.get("value", a.get("description"))) for a in params["args"])
            self.console.append(f"{params['type']}: {said}")
        elif event == "Log.entryAdded":
            entry = params["entry"]
            self.console.append(f"{entry['level']}: {entry['text']} {entry.get('url', '')}".strip())
        elif event == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif event == "Network.webSocketCreated":
            self.requests.append(params["url"])
        elif event in ("Inspector.targetCrashed", "Target.targetCrashed"):
            raise BrowserError("the page crashed")

    def forget(self) -> None:
        """Empty what was heard so far."""
        for heard in (self.console, self.errors, self.requests):
            heard.clear()

    def load(self, url: str) -> None:
        """Go to an address and wait until it has loaded."""
        before = self.loads
        answer = self.call("Page.navigate", url=url)
        if "errorText" in answer:
            raise BrowserError(f"{url} does not open: {answer['errorText']}")
        # Within a document only the hash changes, and nothing loads.
        if "loaderId" in answer:
            self.wait_for_load(before)

    def reload(self) -> None:
        """Load the same address again and wait until it has loaded."""
        before = self.loads
        self.call("Page.reload")
        self.wait_for_load(before)

    def wait_for_load(self, before: int) -> None:
        """Wait until more than `before` documents have loaded."""
        while self.loads <= before:
            self._browser.listen()

    def resize(self, width: int, height: int = 900, scale: float = 1.0) -> None:
        """Set the viewport in CSS pixels, and how many device pixels one of them has."""
        self._size = width, height, scale
        self.call("Emulation.setScrollbarsHidden", hidden=width < PHONE)
        self._fit(width, height, scale)

    def _fit(self, width: int, height: int, scale: float) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=scale, mobile=False)  # fmt: skip

    def prefer(self, scheme: Scheme = "light", motion: Motion = "no-preference") -> None:
        """Set what the reader prefers: colours, and whether things may move."""
        features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": motion}
        pairs = [{"name": name, "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", features=pairs)

    def allow_script(self, allowed: bool) -> None:
        """Let the page's own script run from the next load on, or not; `evaluate` always works."""
        self.call("Emulation.setScriptExecutionDisabled", value=not allowed)
        self._scripted = allowed

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, awaited; ScriptError if it throws."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True, userGesture=True)  # fmt: skip
        if "exceptionDetails" in answer:
            raise ScriptError(_thrown(answer["exceptionDetails"]))
        result = answer["result"]
        # What JSON cannot hold arrives by its name.
        special = result.get("unserializableValue")
        return result.get("value") if special is None else float(special.removesuffix("n"))

    def settle(self) -> None:
        """Wait until the page has drawn what it was told; at once where no script may run."""
        if self._scripted:
            self.evaluate("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")

    def press(self, key: str, times: int = 1, modifiers: int = 0) -> None:
        """Press a key: a name of `KEYS`, or a character to type."""
        # A point's own number would be that of Delete.
        code, number, text = KEYS.get(key, ("", ord(key[0].upper()) if key.isalnum() else 0, key))
        event = {"key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": modifiers}
        for _ in range(times):
            kind = "keyDown" if text else "rawKeyDown"
            self.call("Input.dispatchKeyEvent", type=kind, text=text, **event)
            self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def place(self, selector: str) -> tuple[float, float]:
        """Scroll the first match of a CSS selector into sight and return its middle."""
        element = f"{FOUND}({json.dumps(selector)})"
        self.evaluate(f"{INTO_SIGHT}({element})")
        self.settle()
        x, y = self.evaluate(f"{MIDDLE}({element})")
        return x, y

    def click(self, selector: str) -> None:
        """Click with the mouse in the middle of the first match."""
        x, y = self.place(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def tap(self, selector: str) -> None:
        """Tap with a finger on the middle of the first match, and wait for the click it makes."""
        self._finger(selector)
        self.evaluate(CLICKED)

    def swipe(self, selector: str, right: float) -> None:
        """Put a finger on the middle of the first match, move it `right` pixels, lift it."""
        self._finger(selector, *(right * i / 4 for i in range(1, 5)), right)
        self.settle()

    def _finger(self, selector: str, *ways: float) -> None:
        """Put a finger down, move it so far to the right each time, and lift it.

        A quarter of a second lies between two places: lifted in full motion it would fling the
        page, and a tap while a page is flung only stops it.
        """
        self.call("Emulation.setTouchEmulationEnabled", enabled=True)
        x, y = self.place(selector)
        self.evaluate(LISTEN)
        begin = time.time() - 0.25 * (len(ways) + 1)
        places = [[{"x": x + way, "y": y}] for way in (0, *ways)]
        kinds = ["touchStart", *["touchMove"] * len(ways), "touchEnd"]
        for number, (kind, points) in enumerate(zip(kinds, [*places, []], strict=True)):
            self.call("Input.dispatchTouchEvent", type=kind, touchPoints=points,
                      timestamp=begin + 0.25 * number)  # fmt: skip

    def shoot(self, file: Path, top: int = 0, height: int | None = None) -> None:
        """Write a PNG of the page from `top` on: `height` pixels, or all the rest.

        The viewport becomes as high as the picture for the while: Chromium stops answering when it
        is asked for what lies far beyond its viewport.
        """
        width, _, scale = self._size
        self.call("Emulation.setScrollbarsHidden", hidden=True)
        left = max(1, self.evaluate("document.documentElement.scrollHeight") - top)
        self._fit(width, left if height is None else min(height, left), scale)
        self.evaluate(f"scrollTo({{ top: {top}, behavior: 'instant' }})")
        self.settle()
        picture = self.call("Page.captureScreenshot")
        file.write_bytes(base64.b64decode(picture["data"]))
        self.resize(*self._size)

    def close(self) -> None:
        """Empty the page and forget what it stored; the next page is opened in its window.

        A new window takes a second, and its process has to read its fonts and scripts again.
        """
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=-1, y=-1)
        self.evaluate("try { localStorage.clear(), sessionStorage.clear() } catch { }")
        self.allow_script(True)
        self.call("Emulation.setTouchEmulationEnabled", enabled=False)
        self.call("Emulation.setEmulatedMedia", media="", features=[])
        self.load("about:blank")
        self.call("Page.resetNavigationHistory")
        self.forget()
        self._browser.free.append(self)


def _thrown(details: Message) -> str:
    """Return what an exception says, with its place."""
    said = details.get("exception", {}).get("description") or details["text"]
    return f"{said} (line {details['lineNumber'] + 1})"


class Browser:
    """A running Chromium; each page it opens has a store of its own."""

    def __init__(self) -> None:
        self.process = BrowserProcess()
        self._numbers = itertools.count(1)
        self._answers: dict[int, Message] = {}
        self._pages: dict[str, Page] = {}
        self.free: list[Page] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.close()

    def call(self, method: str, session: str = "", **params: Any) -> Message:
        """Send one command and return its answer; BrowserError if Chromium refuses it."""
        number = next(self._numbers)
        address = {"sessionId": session} if session else {}
        self.process.write({"id": number, "method": method, "params": params, **address})
        while number not in self._answers:
            self.listen()
        answer = self._answers.pop(number)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        result: Message = answer["result"]
        return result

    def listen(self, seconds: float = SECONDS) -> None:
        """Wait for one message: an answer is kept for its caller, an event goes to its page."""
        message = self.process.read(seconds)
        if "id" in message:
            self._answers[message["id"]] = message
        elif (page := self._pages.get(message.get("sessionId", ""))) is not None:
            page.hear(message["method"], message["params"])

    def blank(self, width: int = 1200) -> Page:
        """Return an empty page, in the window of one that was closed if there is any."""
        page = self.free.pop() if self.free else self._new(width)
        page.resize(width)
        page.prefer()
        return page

    def _new(self, width: int) -> Page:
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call(
            "Target.createTarget", url="about:blank", browserContextId=context, width=width,
            height=900,
        )["targetId"]  # fmt: skip
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        self._pages[session] = page
        return page

    def open(self, file: Path, width: int = 1200, script: bool = True, fragment: str = "") -> Page:
        """Open a file of this machine, at `#fragment` if one is given, and wait until it loaded."""
        page = self.blank(width)
        page.allow_script(script)
        page.load(file.resolve().as_uri() + (f"#{fragment}" if fragment else ""))
        return page

"""A headless Chromium, asked over a pipe by the DevTools protocol: no port, no driver, no package."""

import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE_S = 60


def find():
    """The program, or None."""
    return next(filter(None, (shutil.which(name) for name in (os.environ.get("GR_CHROMIUM", ""), *NAMES) if name)), None)


class Chromium:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="gr-chromium-", ignore_cleanup_errors=True)
        here_in, self.into = os.pipe()
        self.out, here_out = os.pipe()
        # The browser reads from 3 and writes to 4.
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{here_in} 4>&{here_out}', "bash", find(), "--headless", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={self.folder.name}"],
            pass_fds=(here_in, here_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(here_in)
        os.close(here_out)
        self.number, self.buffer, self.events, self.session = 0, b"", [], None

    def close(self):
        os.close(self.into)
        os.close(self.out)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def message(self):
        until = time.monotonic() + PATIENCE_S
        while b"\0" not in self.buffer:
            if not select.select([self.out], [], [], max(0, until - time.monotonic()))[0]:
                raise TimeoutError("the browser does not answer")
            read = os.read(self.out, 1 << 20)
            if not read:
                raise EOFError("the browser has ended")
            self.buffer += read
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def ask(self, method, **params):
        self.number += 1
        call = {"id": self.number, "method": method, "params": params}
        if self.session:
            call["sessionId"] = self.session
        os.write(self.into, json.dumps(call).encode() + b"\0")
        while (message := self.message()).get("id") != self.number:
            self.events.append(message)
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']}")
        return message["result"]

    def open(self, url, width, scheme):
        """A page of its own; gives what the console said, and what was asked of a network, meanwhile."""
        self.session = None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 600)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        self.ask("Page.navigate", url=url)
        until = time.monotonic() + PATIENCE_S
        while self.evaluate("document.readyState") != "complete" or self.evaluate("location.href") == "about:blank":
            if time.monotonic() > until:
                raise TimeoutError(f"{url} does not load")
        said = [event for event in self.events if event.get("method") in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")]
        asked = [event["params"]["request"]["url"] for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return said, [other for other in asked if other != url]

    def evaluate(self, script):
        result = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"]))
        return result["result"].get("value")

    def screenshot(self):
        """PNG, in base64."""
        return self.ask("Page.captureScreenshot", captureBeyondViewport=True)["data"]

"""Firefox as Playwright can drive it: `python -m tests.browser.bidi_relay firefox-esr --remote-debugging-port=0 …`.

Playwright drives a stock Firefox over WebDriver BiDi. This relay between the two supplies what an ESR lacks
for it: emulation of media features, which is confirmed and not done, and evaluation of expressions on pages whose
policy forbids `eval`.
"""

import asyncio
import json
import re
import sys
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web

LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
UNKNOWN = "emulation.setMediaFeaturesOverride"
# How Playwright evaluates an expression, the fourth argument; and with its code in place of `eval` of its text.
EVALUATE = "(utilityScript, ...args) => utilityScript.evaluate(...args)"
EVALUATE_CODE = """(utilityScript, ...args) => {
  const global = { eval: () => (%s) };
  return utilityScript.evaluate.call(Object.create(utilityScript, { global: { value: global } }), ...args);
}"""


def adapt(command: dict[str, Any]) -> dict[str, Any]:
    """A command as Firefox can execute it."""
    params = command["params"]
    if command["method"] == "script.callFunction" and params["functionDeclaration"] == EVALUATE:
        code = params["arguments"][3]["value"]
        return command | {"params": params | {"functionDeclaration": EVALUATE_CODE % code}}
    return command


async def run(arguments: list[str]) -> int:
    """Runs Firefox until it ends, and returns its exit status. The address that it prints becomes the relay's."""
    firefox = await asyncio.create_subprocess_exec(*arguments, stderr=asyncio.subprocess.PIPE)
    assert firefox.stderr
    async for line in firefox.stderr:
        text = line.decode(errors="replace")
        if found := LISTENS.search(text):
            text = text.replace(found[1], await _serve(found[1]))
        sys.stderr.write(text)
        sys.stderr.flush()
    return await firefox.wait()


async def _serve(firefox_url: str) -> str:
    """Starts the relay; its address."""

    async def relay(request: web.Request) -> web.WebSocketResponse:
        playwright = web.WebSocketResponse(max_msg_size=0)
        await playwright.prepare(request)
        async with (
            ClientSession() as session,
            session.ws_connect(firefox_url + request.path, max_msg_size=0) as firefox,
        ):
            await asyncio.gather(_pass_commands(playwright, firefox), _pass_messages(firefox, playwright))
        return playwright

    application = web.Application()
    application.router.add_get("/session", relay)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"ws://127.0.0.1:{runner.addresses[0][1]}"


async def _pass_commands(playwright: web.WebSocketResponse, firefox: ClientWebSocketResponse) -> None:
    async for packet in playwright:
        if packet.type is not WSMsgType.TEXT:
            continue
        command = json.loads(packet.data)
        if command["method"] == UNKNOWN:
            await playwright.send_json({"type": "success", "id": command["id"], "result": {}})
        else:
            await firefox.send_json(adapt(command))
    await firefox.close()


async def _pass_messages(firefox: ClientWebSocketResponse, playwright: web.WebSocketResponse) -> None:
    async for packet in firefox:
        if packet.type is WSMsgType.TEXT and not playwright.closed:
            await playwright.send_str(packet.data)
    await playwright.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(run(sys.argv[1:])))

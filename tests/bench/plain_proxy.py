"""The measure: a reverse proxy as one would write it first with aiohttp. `python -m tests.bench.plain_proxy
UPSTREAM_PORT`.
"""

import asyncio
import sys
from collections.abc import AsyncIterator

from aiohttp import ClientSession, web

HOP_BY_HOP = {"host", "connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"}
SESSION = web.AppKey("session", ClientSession)
BASE = web.AppKey("base", str)


async def forward(request: web.Request) -> web.Response:
    """Sends the request on with its headers and body and answers with what comes back."""
    headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
    body = await request.read() if request.body_exists else None
    url = request.app[BASE] + request.path_qs
    async with request.app[SESSION].request(request.method, url, headers=headers, data=body) as answer:
        content = await answer.read()
        back = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
        return web.Response(status=answer.status, body=content, headers=back)


async def _session(app: web.Application) -> AsyncIterator[None]:
    async with ClientSession() as session:
        app[SESSION] = session
        yield


async def main(upstream_port: int) -> None:
    app = web.Application()
    app[BASE] = f"http://127.0.0.1:{upstream_port}"
    app.cleanup_ctx.append(_session)
    app.router.add_route("*", "/{tail:.*}", forward)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201 - the parent reads the port
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))

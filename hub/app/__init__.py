"""The composition root: settings in, running hub out. The only room that knows every concrete class."""

from hub.app.assembly import RunningHub
from hub.app.plugins import Given
from hub.app.running import running, serve, settle_heap

__all__ = ["Given", "RunningHub", "running", "serve", "settle_heap"]

"""The admin API under `/admin/v1`: one table of endpoints, from which routes, validation and OpenAPI come; and a client
for it. What the calls do is the broker's matter.
"""

from hub.web.admin.client import AdminClient, Problem
from hub.web.admin.door import PREFIX, AdminDoor
from hub.web.admin.parts import AdminParts

__all__ = ["PREFIX", "AdminClient", "AdminDoor", "AdminParts", "Problem"]

"""Every door that is promised is there, and no two of them share one."""

from collections import Counter

from hub.plugin import Audience
from hub.plugin.inspecting import problems_of_routes
from tests.unit.plugins.load_manager.doors.small_grid import Site

FOR_OPERATORS = """
GET /grid/groups
GET /grid/groups/{group_id}
PUT /grid/groups/{group_id}
DELETE /grid/groups/{group_id}
POST /grid/import
GET /grid/unmapped
POST /grid/groups/{group_id}/limit
DELETE /grid/groups/{group_id}/limit
POST /grid/groups/{group_id}/adjust
POST /grid/stop
POST /grid/start
GET /grid/mode
PUT /grid/mode
GET /grid/signals
POST /grid/signals/{id}/confirm
POST /grid/signals/{id}/drop
GET /grid/plans
GET /grid/activations
GET /grid/activations/{file}
GET /grid/cpos
GET /grid/cpos/{country}/{party}
PUT /grid/cpos/{country}/{party}
GET /grid/cpos/{country}/{party}/sessions
GET /grid/sessions/{country}/{party}/{session_id}
"""
FOR_PROVIDERS = """
POST /grid/v1/signals
GET /grid/v1/groups
GET /grid/v1/activations
"""


async def test_every_door_is_there_once_and_for_whom_it_is_meant(s: Site) -> None:
    there = Counter((route.audience, f"{route.method} {route.path}") for route in s.routes)
    promised = [(Audience.ADMIN, line) for line in FOR_OPERATORS.split("\n") if line]
    promised += [(Audience.PLUGIN, line) for line in FOR_PROVIDERS.split("\n") if line]
    assert there == Counter(promised)
    assert problems_of_routes(s.routes) == []
    assert all(route.summary.endswith(".") for route in s.routes)

"""One endpoint table per OCPI version. A further version adds a table here and its models, no new path through the
code.
"""

from hub.ocpi.versions import v2_2_1
from hub.ocpi.versions.table import Match, ModuleTable, Shape, VersionTable, WrongMethod

# In rising order; the hub lists exactly these and prefers the last one it shares with a platform.
SERVED: dict[str, VersionTable] = {table.version: table for table in (v2_2_1.TABLE,)}

__all__ = ["SERVED", "Match", "ModuleTable", "Shape", "VersionTable", "WrongMethod"]

"""A message that is due about one session, before it is known whether it may leave now."""

from typing import NamedTuple

from plugins.load_manager.dispatch.actions import Reason
from plugins.load_manager.dispatch.row import Kind, Row, Target


class Move(NamedTuple):
    """The row gets this target, for this reason, unless something else was sent since: then its `seq` is another."""

    row: Row
    seq: int
    target: Target
    reason: Reason
    kind: Kind = Kind.OURS

"""Says what is wrong with the bodies that pass through the hub: where, and who made them."""

from plugins.schema_check.plugin import SchemaCheck

__all__ = ["SchemaCheck"]

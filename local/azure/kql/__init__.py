"""A subset of the Kusto Query Language as Azure Resource Graph speaks it; what is not in it is refused."""

from local.azure.kql.query import Result, Table, run
from local.azure.kql.values import InvalidQuery, Kind

__all__ = ["InvalidQuery", "Kind", "Result", "Table", "run"]

"""What an operator and their tools ask of a running bot: is it alive, is it ready, how does it do."""

from bots.operations.readiness import Check, Readiness, database_problem
from bots.operations.retention import DailyRetention
from bots.operations.routes import HEALTH, METRICS, READY, Operations

__all__ = ["HEALTH", "METRICS", "READY", "Check", "DailyRetention", "Operations", "Readiness", "database_problem"]

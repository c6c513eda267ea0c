"""A simulated Azure: Compute Galleries over ARM, Event Grid delivery and a chat sink, on one loopback port."""

from local.azure.behaviour import Behaviour, Fault, Pace
from local.azure.chat import Post
from local.azure.errors import ArmError
from local.azure.eventgrid import Delivery
from local.azure.journal import Request
from local.azure.seeding import Region, VersionOptions
from local.azure.server import SimulatedAzure

__all__ = [
    "ArmError",
    "Behaviour",
    "Delivery",
    "Fault",
    "Pace",
    "Post",
    "Region",
    "Request",
    "SimulatedAzure",
    "VersionOptions",
]

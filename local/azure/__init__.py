"""A simulated Azure on one loopback port: Compute Galleries, Resource Graph, Event Grid delivery and a chat sink."""

from local.azure.behaviour import Behaviour, Fault, Pace
from local.azure.chat import Post
from local.azure.errors import ArmError
from local.azure.eventgrid import Delivery
from local.azure.journal import Request
from local.azure.machines import Reference
from local.azure.seeding import Region, VersionOptions
from local.azure.server import SimulatedAzure

__all__ = [
    "ArmError",
    "Behaviour",
    "Delivery",
    "Fault",
    "Pace",
    "Post",
    "Reference",
    "Region",
    "Request",
    "SimulatedAzure",
    "VersionOptions",
]

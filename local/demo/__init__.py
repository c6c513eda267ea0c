"""The demo: one image version spreads over a map of regions, the older ones go home, and a chat card arrives."""

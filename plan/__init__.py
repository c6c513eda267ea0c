"""``python -m plan``: what the app would do now, before it is deployed or beside it. It reads, and never writes."""

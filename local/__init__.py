"""What runs on your desk: the simulated Azure, the Functions host, Azurite, and the demo that plays on them."""

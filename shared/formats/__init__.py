"""How a status looks at its receiver: a Teams card, Slack blocks, or the CloudEvent as it is."""

"""What the stages share: settings, the pure core, the formats of status posts, and the adapters to the outside."""

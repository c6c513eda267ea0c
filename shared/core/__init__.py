"""The pure core: what things are, what the policy wants, what a pass does. No Azure, no input or output, no clock."""

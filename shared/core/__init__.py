"""The pure core: names, model, policy, plan, rollout, messages, notices. No Azure, no input or output, no clock."""

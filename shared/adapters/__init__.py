"""Everything that talks to the outside: ARM, queues, the rollouts table, webhooks. Built by ``shared.wiring`` only."""

"""The soak: versions are published while everything goes wrong at random, then the rules are checked one by one.

`script` is drawn from a seed: what `people` do, which `troubles` come, when hosts are killed. `play` does it to a
`scene`, its `weather` and its `hosts`, and leaves `evidence` for the `rules`.
"""

"""The bench: what the app asks of Azure, how fast it is and what it holds, each against a floor of the same run.

`python -m bench` runs the rows of `rows`, draws one table and writes `bench/results.json`; `docs/performance.md`
explains each row. Rows run the app in a host process of its own (`rig`), most of them with every call and invocation
written down (`meter`). Nothing here is a test: a row that misses its target says so, and that is all.
"""

"""A thin local Azure Functions host, for machines without `func`.

The app is indexed and invoked by Microsoft's own Python worker library (`azure-functions-runtime`), in this process,
exactly as in Azure. What the Functions host does around it - endpoints, queue polling, timers, keys - is ours. One
event loop carries everything except sync functions, which run in the worker's thread pool as they do in Azure.
"""

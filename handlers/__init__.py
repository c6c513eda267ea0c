"""The stages of the flow, in the order of ``function_app.py``. Each observes, plans, and acts."""

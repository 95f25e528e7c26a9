"""What the service keeps: one module per kind of record, each over the :class:`~up42_plugin.sandbox.store.Store`."""

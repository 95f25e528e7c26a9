"""The dialects of the service behind the one seam, :mod:`up42_plugin.core.service`."""

"""One module per family of blocks; :data:`registry.RUNNERS` maps block ids to runners."""

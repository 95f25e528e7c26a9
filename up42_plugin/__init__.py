"""UP42 Imagery: satellite imagery from UP42, configured, priced, run and loaded inside QGIS."""


def classFactory(iface: object) -> object:  # noqa: N802 - the name QGIS calls
    """Return the plugin; ``iface`` is None under ``qgis_process``."""
    from up42_plugin.plugin import Up42Plugin  # noqa: PLC0415 - importing the package must not need QGIS

    return Up42Plugin(iface)

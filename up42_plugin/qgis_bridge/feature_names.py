"""What a layer calls its features."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsExpression, QgsExpressionContext, QgsExpressionContextUtils, QgsFeature, QgsVectorLayer

from up42_plugin.core.feature_labels import label_field, tidy_label


class FeatureNamer:
    """The text of a name field, else of the layer's display name; numbers and dates are no names."""

    def __init__(self, layer: QgsVectorLayer) -> None:
        self._fields = layer.fields()
        field = label_field(field.name() for field in self._fields)
        self._number = self._fields.lookupField(field) if field is not None else -1
        self._expression = QgsExpression(layer.displayExpression())
        self._context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
        self._usable = not self._expression.hasParserError() and self._expression.prepare(self._context)

    def name(self, feature: QgsFeature) -> str:
        """The feature's name on one line; empty when it has none."""
        value: Any = feature.attribute(self._number) if self._number >= 0 else None
        if not isinstance(value, str) and self._usable:
            self._context.setFeature(feature)
            value = self._expression.evaluate(self._context)
        return tidy_label(value)

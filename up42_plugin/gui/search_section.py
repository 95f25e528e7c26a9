"""Search: geometric filter, scenes, time, limit and clouds; the parameters of the data block everybody needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Optional, Sequence, Tuple, Union

from qgis.gui import QgsDateTimeEdit, QgsSpinBox
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QTime, pyqtSignal
from qgis.PyQt.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QMenu, QSlider, QVBoxLayout, QWidget

from up42_plugin.core.configuration import GeometricFilter
from up42_plugin.core.scenes import Scene
from up42_plugin.gui.texts import NBSP
from up42_plugin.gui.widgets import ArrowButton, Section, hint_label, show_row

FILTERS: Sequence[Tuple[GeometricFilter, str, str]] = (
    (
        GeometricFilter.CONTAINS,
        "Contains (covers the whole area)",
        "Only images that cover the whole area: one acquisition time everywhere.",
    ),
    (
        GeometricFilter.INTERSECTS,
        "Intersects (touches the area)",
        "Images that touch the area, also in part: the most images, perhaps of different times.",
    ),
    (
        GeometricFilter.BBOX,
        "Bounding Box (touches the box)",
        "Images that touch the upright box around the area; the box may be larger and cost more.",
    ),
)
_HIGHEST_LIMIT = 500
_IDS_ARE_SET = "Not used: scene IDs are set"
_CLOUDS_OF_SCENE = "Clouds of the whole scene, not of your area"


@dataclass(frozen=True)
class SearchValues:
    """What the form says. ``start`` and ``end`` are dates as ``yyyy-MM-dd``; ``scene_id`` replaces the rest."""

    geometric_filter: GeometricFilter
    start: str
    end: str
    limit: int
    max_cloud_cover: int
    scene_id: str = ""


class SearchSection(Section):
    """The search form; ``changed`` is emitted for every change by the person or by :meth:`set_values`."""

    changed = pyqtSignal()
    any_time_asked = pyqtSignal()

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__("Search", "searchSection", parent)
        outer = QVBoxLayout(self)
        self._form = QFormLayout()
        outer.addLayout(self._form)
        self._ids_set = self._filter_typed = False
        self._unused = self._note = ""
        self.note = hint_label()
        self.note.setObjectName("searchNote")
        self.note.hide()
        outer.addWidget(self.note)
        self._build_filter()
        self._build_scene()
        self._build_time()
        self._build_limit()
        self._build_clouds()
        self._filter_changed()
        self.enclose()
        self._show_scene_row()

    def _build_filter(self) -> None:
        self.filter = QComboBox()
        self.filter.setObjectName("geometricFilter")
        self.filter.setAccessibleName("Geometric filter")
        self.filter.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.filter.setMinimumContentsLength(12)
        for kind, label, meaning in FILTERS:
            self.filter.addItem(label, kind.value)
            self.filter.setItemData(self.filter.count() - 1, meaning, Qt.ItemDataRole.ToolTipRole)
        label = QLabel("Filter")
        # the fields begin where those of the area do
        widest = QLabel("Take from")
        widest.ensurePolished()
        label.setMinimumWidth(widest.sizeHint().width())
        self._form.addRow(label, self.filter)
        self.filter.currentIndexChanged.connect(self._filter_changed)
        self.filter.currentIndexChanged.connect(self._emit)

    def _build_scene(self) -> None:
        self.scene = QComboBox()
        self.scene.setObjectName("scene")
        self.scene.setAccessibleName("Scene")
        self.scene.setToolTip("Scenes found by the last test query. Choosing one asks for exactly that one (ids).")
        self.scene.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.scene.setMinimumContentsLength(12)
        self.scene.addItem("Any that match", "")
        self._scene_label = QLabel("Scene")
        self._form.addRow(self._scene_label, self.scene)
        self._takes_ids = True
        self.scene.currentIndexChanged.connect(self._scene_changed)
        self.scene.currentIndexChanged.connect(self._emit)

    def _build_time(self) -> None:
        today = QDate.currentDate()
        self.start, self.end = _date_edit("timeStart", "From"), _date_edit("timeEnd", "To")
        self.start.setDateTime(QDateTime(today.addYears(-1), QTime(0, 0)))
        self.end.setDateTime(QDateTime(today, QTime(0, 0)))
        menu = QMenu(self)
        self._time_menu = ArrowButton("Common time ranges", "timeMenu", menu)
        for label, slot in (
            ("Last 30 Days", self._last_30_days),
            ("Last 12 Months", self._last_12_months),
            ("This Year", self._this_year),
            ("Any Time", self.any_time_asked),
        ):
            action = menu.addAction(label)
            action.setObjectName(f"Up42{label.replace(' ', '')}")
            action.triggered.connect(slot)
        row = QHBoxLayout()
        row.addWidget(self.start, 1)
        row.addWidget(QLabel("to"))
        row.addWidget(self.end, 1)
        row.addWidget(self._time_menu)
        self._form.addRow("Time", row)
        self._time_row = row
        self.start.valueChanged.connect(self._emit)
        self.end.valueChanged.connect(self._emit)

    def _build_limit(self) -> None:
        self.limit = QgsSpinBox()
        self.limit.setObjectName("limit")
        self.limit.setAccessibleName("Limit, scenes")
        self.limit.setRange(1, _HIGHEST_LIMIT)
        self.limit.setClearValue(1)
        self.limit.setShowClearButton(False)
        self.limit.valueChanged.connect(self._limit_changed)
        self.limit.valueChanged.connect(self._emit)
        row = QHBoxLayout()
        row.addWidget(self.limit, 1)
        row.addWidget(hint_label("newest first"))
        self._limit_changed(1)
        self._form.addRow("Limit", row)
        self._limit_row = row

    def _build_clouds(self) -> None:
        self.clouds = QgsSpinBox()
        self.clouds.setObjectName("clouds")
        self.clouds.setAccessibleName("Clouds, percent")
        self.clouds.setRange(0, 100)
        self.clouds.setPrefix("up to ")
        self.clouds.setSuffix(f"{NBSP}%")
        self.clouds.setClearValue(100)
        self.clouds.setShowClearButton(False)
        self.clouds.setToolTip(_CLOUDS_OF_SCENE)
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, 100)
        self._slider.setToolTip(self.clouds.toolTip())
        self._slider.setAccessibleName("Clouds, percent")
        self._slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._slider.valueChanged.connect(self.clouds.setValue)
        self.clouds.valueChanged.connect(self._slider.setValue)
        self.clouds.valueChanged.connect(self._emit)
        self.clouds.setValue(20)
        self._clouds_row = QHBoxLayout()
        self._clouds_row.addWidget(self._slider, 1)
        self._clouds_row.addWidget(self.clouds)
        self._form.addRow("Clouds", self._clouds_row)

    @property
    def values(self) -> SearchValues:
        """What the form says now."""
        return SearchValues(
            GeometricFilter(self.filter.currentData()),
            self.start.date().toString("yyyy-MM-dd"),
            self.end.date().toString("yyyy-MM-dd"),
            self.limit.value(),
            self.clouds.value(),
            str(self.scene.currentData() or ""),
        )

    def set_values(self, values: SearchValues) -> None:
        """Fill the form, for example from the last session."""
        self.filter.setCurrentIndex(self.filter.findData(values.geometric_filter.value))
        for edit, text in ((self.start, values.start), (self.end, values.end)):
            date = QDate.fromString(text, "yyyy-MM-dd")
            if date.isValid():
                edit.setDateTime(QDateTime(date, QTime(0, 0)))
        self.limit.setValue(values.limit)
        self.clouds.setValue(values.max_cloud_cover)

    def show_values(self, values: SearchValues, ids_set: bool, filter_typed: bool) -> None:
        """Show a form's search, its scene included. ``ids_set`` when scene IDs are asked for, of whatever number.

        ``filter_typed`` when the filter is what the typed geometry says.
        """
        self.set_values(values)
        if str(self.scene.currentData() or "") != values.scene_id:
            self.choose_scene(values.scene_id)
        self._ids_set, self._filter_typed = ids_set, filter_typed
        self._scene_changed()

    def set_unused(self, reason: str) -> None:
        """Nothing is searched, for this reason: every row is grey. An empty reason opens them again."""
        if reason != self._unused:
            self._unused = reason
            self._scene_changed()
            self.show_note(self._note)

    def show_note(self, text: str) -> None:
        """What holds although the fields cannot show it; an empty text when they say it all."""
        self._note = text
        self.note.setText(self._unused or text)
        self.note.setVisible(bool(self._unused or text))

    def offers(self, ids: Sequence[str]) -> bool:
        """Whether these are one scene that can be chosen here."""
        return len(ids) == 1 and self.scene.findData(ids[0]) > 0

    def set_bounds(self, most_scenes: Optional[int], parameters: Mapping[str, object]) -> None:
        """Take the limit's maximum from the project, and hide what the data block has no parameter for."""
        self.limit.setMaximum(most_scenes or _HIGHEST_LIMIT)
        for name, row in (
            ("time", self._time_row),
            ("limit", self._limit_row),
            ("max_cloud_cover", self._clouds_row),
        ):
            _set_row_visible(self._form, row, name in parameters)
        self._takes_ids = "ids" in parameters
        if not self._takes_ids:
            self.choose_scene("")
        self._show_scene_row()
        known = [kind.value for kind, _, _ in FILTERS if kind.value in parameters]
        model = self.filter.model()
        for index, (kind, _, meaning) in enumerate(FILTERS):
            offered = not known or kind.value in known
            model.item(index).setEnabled(offered)
            model.item(index).setToolTip(meaning if offered else "The data block of this workflow does not offer it.")

    def show_scenes(self, scenes: Sequence[Scene]) -> None:
        """Offer the scenes a test query found, keeping the chosen one."""
        keep = self.scene.currentData()
        self.scene.blockSignals(True)
        self.scene.clear()
        self.scene.addItem("Any that match", "")
        for scene in scenes:
            self.scene.addItem(_scene_text(scene), scene.scene_id)
            self.scene.setItemData(self.scene.count() - 1, scene.scene_id, Qt.ItemDataRole.ToolTipRole)
        index = self.scene.findData(keep) if keep else 0
        self.scene.setCurrentIndex(max(0, index))
        self.scene.setEnabled(self.scene.count() > 1 and not self._unused)
        self._show_scene_row()
        self.scene.blockSignals(False)
        if keep and index < 0:
            self._scene_changed()
            self._emit()

    def _show_scene_row(self) -> None:
        """Only where there is something to choose."""
        show_row(self._form, self.filter, self._scene_label, self.scene, self._takes_ids and self.scene.count() > 1)

    def choose_scene(self, scene_id: str) -> None:
        """Ask for exactly this scene; an empty id asks for any again."""
        self.scene.setCurrentIndex(max(0, self.scene.findData(scene_id)))

    def _scene_changed(self) -> None:
        free = not self.scene.currentData() and not self._ids_set and not self._unused
        self.filter.setEnabled(not self._filter_typed and not self._unused)
        self.scene.setEnabled(self.scene.count() > 1 and not self._unused)
        for widget in (self.start, self.end, self._time_menu, self.limit, self.clouds, self._slider):
            widget.setEnabled(free)
        chosen = "Not used: a scene is chosen" if self.scene.currentData() else _IDS_ARE_SET
        note = "" if free else self._unused or chosen
        for widget in (self.start, self.end, self.limit):
            widget.setToolTip(note)
        self.clouds.setToolTip(note or _CLOUDS_OF_SCENE)
        self.filter.setToolTip(self._unused or self._meaning)

    @property
    def _meaning(self) -> str:
        return f"Geometric filter. {FILTERS[self.filter.currentIndex()][2]}"

    def _filter_changed(self) -> None:
        self.filter.setToolTip(self._unused or self._meaning)
        self.set_summary(self.filter.currentText().split(" (")[0])

    def _limit_changed(self, value: int) -> None:
        self.limit.setSuffix(f"{NBSP}scene" if value == 1 else f"{NBSP}scenes")

    def _last_30_days(self) -> None:
        self._set_time(QDate.currentDate().addDays(-30), QDate.currentDate())

    def _last_12_months(self) -> None:
        self._set_time(QDate.currentDate().addMonths(-12), QDate.currentDate())

    def _this_year(self) -> None:
        self._set_time(QDate(QDate.currentDate().year(), 1, 1), QDate.currentDate())

    def _set_time(self, start: QDate, end: QDate) -> None:
        self.start.setDateTime(QDateTime(start, QTime(0, 0)))
        self.end.setDateTime(QDateTime(end, QTime(0, 0)))

    def _emit(self) -> None:
        self.changed.emit()


def _date_edit(name: str, label: str) -> QgsDateTimeEdit:
    edit = QgsDateTimeEdit()
    edit.setObjectName(name)
    edit.setAccessibleName(label)
    edit.setDisplayFormat("yyyy-MM-dd")
    edit.setCalendarPopup(True)
    edit.setAllowNull(False)
    edit.setMinimumWidth(60)
    return edit


def _set_row_visible(form: QFormLayout, row: Union[QHBoxLayout, QWidget], visible: bool) -> None:
    form.labelForField(row).setVisible(visible)
    if isinstance(row, QWidget):
        row.setVisible(visible)
        return
    for index in range(row.count()):
        widget = row.itemAt(index).widget()
        if widget is not None:
            widget.setVisible(visible)


def _scene_text(scene: Scene) -> str:
    day = f"{scene.acquired:%Y-%m-%d}" if scene.acquired else scene.scene_id
    clouds = f", {scene.cloud_cover:.1f}{NBSP}% clouds" if scene.cloud_cover is not None else ""
    return f"{day}{clouds}"

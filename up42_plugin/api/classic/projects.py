"""Projects, their settings, and who is signed in (sections 2.2 and 3 of the service's contract)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Mapping, Optional, Tuple

from up42_plugin.api.calls import Call, path_of
from up42_plugin.api.classic.envelope import list_of, record_of
from up42_plugin.api.errors import NotFoundError, ServiceError
from up42_plugin.api.fields import Record
from up42_plugin.api.transport import Transport

MAX_CONCURRENT_JOBS = "MAX_CONCURRENT_JOBS"
MAX_SCENES = "JOB_QUERY_LIMIT_PARAMETER_MAX_VALUE"
MAX_AOI_KM2 = "JOB_QUERY_MAX_AOI_SIZE"

METHOD_NOT_ALLOWED = 405


@dataclass(frozen=True)
class ProjectInfo:
    """A project. Only its name is sure to be told."""

    id: str
    name: str
    description: str
    workspace_id: str
    created: Optional[datetime]

    @classmethod
    def read(cls, record: Record, project_id: str) -> ProjectInfo:
        return cls(
            id=record.text_or("id", project_id),
            name=record.text("name"),
            description=record.text_or("description"),
            workspace_id=record.text_or("workspaceId"),
            created=record.time_or_none("createdAt"),
        )


@dataclass(frozen=True)
class Setting:
    """One limit of a project and the range it may be set to, None where the service does not say."""

    name: str
    value: int
    minimum: Optional[int]
    maximum: Optional[int]

    @classmethod
    def read(cls, record: Record) -> Setting:
        bounds = Record(record.mapping("range"), record.at("range"))
        return cls(record.text("name"), record.integer("value"), _whole(bounds, "min"), _whole(bounds, "max"))


def _whole(record: Record, name: str) -> Optional[int]:
    value = record.number_or(name)
    return None if value is None else int(value)


class Projects:
    """Calls about one project."""

    def __init__(self, transport: Transport, project_id: str) -> None:
        self._transport = transport
        self._project_id = project_id

    def account(self) -> str:
        """The id of whoever is signed in with an account; it serves as workspace id."""
        return record_of(self._transport.json(Call("GET", "/users/me", subject="account"))).text("id")

    def get(self) -> ProjectInfo:
        call = Call("GET", path_of("projects", self._project_id), subject="project")
        return ProjectInfo.read(record_of(self._transport.json(call)), self._project_id)

    def settings(self) -> Tuple[Setting, ...]:
        call = Call("GET", self._settings_path, subject="project")
        return list_of(self._transport.json(call), Setting.read)

    def set_settings(self, values: Mapping[str, int]) -> Tuple[Setting, ...]:
        """Change settings and give all of them as they are now.

        The newer form (POST, all values) is tried first, the older one (PUT) where the service does not know it.
        """
        everything = {setting.name: setting.value for setting in self.settings()}
        everything.update(values)
        newer = {"settings": {name: str(value) for name, value in everything.items()}}
        try:
            self._transport.request(Call("POST", self._settings_path, json=newer, subject="project"))
        except ServiceError as error:
            if not isinstance(error, NotFoundError) and error.status != METHOD_NOT_ALLOWED:
                raise
            older = [{"name": name, "value": value} for name, value in everything.items()]
            self._transport.request(Call("PUT", self._settings_path, json=older, subject="project"))
        return self.settings()

    @property
    def _settings_path(self) -> str:
        return path_of("projects", self._project_id, "settings")

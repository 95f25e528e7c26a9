"""Blocks of the marketplace, their coverage and the validators (sections 4 and 9.2 of the service's contract)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Tuple

from up42_plugin.api.calls import Call, path_of
from up42_plugin.api.classic.envelope import list_of, record_of
from up42_plugin.api.fields import Record
from up42_plugin.api.refusals import BAD_REQUEST, read_problem
from up42_plugin.api.transport import Transport


@dataclass(frozen=True)
class PriceInfo:
    """The list price of a block: credits per unit, at its input or output; ``tiers`` maps amounts to credits."""

    credits: float
    unit: str
    direction: str = ""
    tiers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class BlockInfo:
    """A block, from a list (short), by itself or inside a workflow task (whole).

    ``parameters`` is its schema: name -> ``{type, default?, required?, minimum?, maximum?, items?}``.
    ``dry_run`` is None where the service does not say whether it offers test queries.
    """

    id: str
    name: str
    title: str
    type: str
    description: str = ""
    version: str = ""
    provider: str = ""
    tags: Tuple[str, ...] = ()
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    capabilities: Mapping[str, Any] = field(default_factory=dict)
    dry_run: Optional[bool] = None
    access: Optional[bool] = None
    price: Optional[PriceInfo] = None
    machine: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, record: Record) -> BlockInfo:
        name = record.text("name")
        metadata = record.mapping("metadata")
        schema = {key: value for key, value in record.mapping("parameters").items() if isinstance(value, dict)}
        return cls(
            id=record.text("id"),
            name=name,
            title=record.text_or("displayName") or name,
            type=record.text("type"),
            description=record.text_or("description"),
            version=record.text_or("version"),
            provider=record.text_or("provider"),
            tags=record.texts("tags"),
            parameters=schema,
            capabilities=record.mapping("capabilities"),
            dry_run=record.flag("isDryRunSupported"),
            access=record.flag("isAccessGranted"),
            price=read_price(Record(metadata, record.at("metadata"))),
            machine=record.text_or("machineName"),
            metadata=metadata,
        )


def read_price(metadata: Record) -> Optional[PriceInfo]:
    """The price in a block's metadata: the newer strategy where both are told and differ."""
    newer = Record(metadata.mapping("blockPricingStrategy"), metadata.at("blockPricingStrategy"))
    tiers = _tiers(newer)
    price = newer.number_or("credits", next(iter(tiers.values()), None))
    if price is not None and newer.text_or("unit"):
        return PriceInfo(price, newer.text_or("unit"), newer.text_or("direction"), tiers)
    older = Record(metadata.mapping("pricingStrategy"), metadata.at("pricingStrategy"))
    price = older.number_or("credits")
    unit, _, direction = older.text_or("type").rpartition("_")
    return PriceInfo(price, unit, direction) if price is not None and unit else None


def _tiers(record: Record) -> Dict[str, float]:
    tiers = {}
    for amount, tier in record.mapping("thresholdToCreditsMap").items():
        price = Record(tier, amount).number_or("credits") if isinstance(tier, dict) else None
        if price is not None:
            tiers[amount] = price
    return dict(sorted(tiers.items(), key=lambda item: _amount(item[0])))


def _amount(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


@dataclass(frozen=True)
class Report:
    """What a validator found."""

    valid: bool
    errors: Tuple[str, ...] = ()


class Blocks:
    """Calls about blocks."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Tuple[BlockInfo, ...]:
        """The blocks this sign-in sees. Names are not unique."""
        return list_of(self._transport.json(Call("GET", "/blocks")), BlockInfo.read)

    def marketplace(self) -> Tuple[BlockInfo, ...]:
        """The public blocks; needs no sign-in."""
        return list_of(self._transport.json(Call("GET", "/marketplace/blocks", signed_in=False)), BlockInfo.read)

    def get(self, block_id: str) -> BlockInfo:
        call = Call("GET", path_of("blocks", block_id), subject="block")
        return BlockInfo.read(record_of(self._transport.json(call)))

    def coverage(self, block_id: str) -> Mapping[str, Any]:
        """The GeoJSON feature collection of where a data block has images; it lies at an address of its own."""
        call = Call("GET", path_of("blocks", block_id, "coverage"), subject="block")
        address = record_of(self._transport.json(call)).text("url")
        collection = self._transport.json(Call("GET", address, signed_in=False, subject="coverage"))
        return Record(collection, "coverage").members

    def validate_manifest(self, manifest: Mapping[str, Any]) -> Report:
        """What the service thinks of a block manifest; needs no sign-in."""
        return self._validate("block", manifest)

    def validate_job_input(self, inputs: Mapping[str, Any]) -> Report:
        """What the service thinks of job parameters, without knowing the workflow; needs no sign-in."""
        return self._validate("job-input", inputs)

    def _validate(self, kind: str, body: Mapping[str, Any]) -> Report:
        call = Call("POST", path_of("validate-schema", kind), json=body, signed_in=False, accepts=(BAD_REQUEST,))
        answer = self._transport.request(call)
        if answer.ok:
            report = record_of(answer.json())
            return Report(report.flag("valid") is not False, report.texts("errors"))
        # the documents show two forms: the report as on success, and an ordinary error without one
        value = answer.json()
        listed = Record(Record(value, "answer").mapping("data"), "data").texts("errors")
        problem = read_problem(answer.body)
        return Report(False, listed or (problem.message or problem.code or "not valid",))

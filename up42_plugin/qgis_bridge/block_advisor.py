"""What is known of blocks while a workflow is built: read step by step, never waited for."""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence, Set, Tuple

from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.chain_verdict import Ids, Knowledge, Offer, Verdict, ids_of, offers_behind, verdict_of
from up42_plugin.core.service import ServiceProvider
from up42_plugin.core.workflow import Block, BlockType, Workflow
from up42_plugin.qgis_bridge.jobs import Job
from up42_plugin.qgis_bridge.workflows import WorkflowOperations


class BlockAdvisor(QObject):
    """Answers from what it knows, asks for what it lacks, and says ``changed`` when it knows more.

    After :meth:`close` nothing is asked or told any more; answers that come later are dropped.
    """

    changed = pyqtSignal()

    def __init__(
        self,
        operations: WorkflowOperations,
        provider: ServiceProvider,
        workflows: Sequence[Workflow],
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._operations, self._provider = operations, provider
        self._knowledge = Knowledge(saved=tuple(workflows))
        self._order: Tuple[str, ...] = ()
        self._blocks: Dict[str, Block] = {}
        self._whole: Set[str] = set()
        self._wanted: Set[str] = set()
        self._jobs: Set[Job[Any]] = set()
        self._closed = False
        self.loading = False
        self.trouble = ""
        for workflow in workflows:
            for step in workflow.steps:
                self._blocks[step.block.id] = step.block
                self._whole.add(step.block.id)

    def load(self) -> None:
        """Read the list of blocks, then what the processing blocks take and produce. Again after ``trouble``."""
        if self.loading:
            return
        self.loading, self.trouble = True, ""
        self._wanted.clear()
        self._knowledge = self._knowledge.asks_again()
        self._watch(self._operations.catalogue(self._provider), self._listed, self._not_read)
        self.changed.emit()

    def close(self) -> None:
        """Drop what is under way."""
        self._closed = True
        for job in tuple(self._jobs):
            job.cancel()
        self._jobs.clear()

    @property
    def missed_something(self) -> bool:
        """Whether a question got no answer; :meth:`load` asks it again."""
        return bool(self.trouble or self._knowledge.unanswered)

    def block(self, block_id: str) -> Optional[Block]:
        """What is known of a block."""
        return self._blocks.get(block_id)

    def offers(self, blocks: Sequence[Block]) -> Tuple[Offer, ...]:
        """What can be added to a chain; nothing while the blocks are being read."""
        catalogue = [self._blocks[block_id] for block_id in self._order]
        if blocks and not all(block.id in self._whole for block in catalogue if block.type is BlockType.PROCESSING):
            return () if self.loading else offers_behind(blocks, catalogue, self._knowledge)
        return offers_behind(blocks, catalogue, self._knowledge)

    def verdict(self, blocks: Sequence[Block]) -> Verdict:
        """Whether the chain can be saved, as far as is known now."""
        return verdict_of(blocks, self._knowledge)

    def consider(self, blocks: Sequence[Block]) -> None:
        """Ask the service about a chain, where that is possible and was not done."""
        for beginning, workflow_id, task in tuple(self._knowledge.open_questions(ids_of(blocks))):
            self._ask(beginning, workflow_id, task)
        self.want([block.id for block in blocks])

    def want(self, block_ids: Sequence[str], again: bool = False) -> None:
        """Read what is not yet known of these blocks; with ``again`` also what the workflows told of them."""
        known = self._wanted if again else self._whole | self._wanted
        missing = [one for one in dict.fromkeys(block_ids) if one not in known]
        if not missing or self._closed:
            return
        self._wanted.update(missing)
        # what could not be read stays wanted, or every failure would ask again at once
        self._watch(self._operations.details(self._provider, missing), self._detailed, lambda _error: None)

    def hear_refusal(self, blocks: Sequence[Block], words: str) -> None:
        """The service did not accept a chain when it was to be saved."""
        self._knowledge = self._knowledge.hears_no(ids_of(blocks), words)
        self.changed.emit()

    def _ask(self, beginning: Ids, workflow_id: str, task: str) -> None:
        if self._closed:
            return
        self._knowledge = self._knowledge.asks(beginning)

        def heard(followers: Any) -> None:
            self._knowledge = self._knowledge.hears(beginning, followers)

        def missed(_error: BaseException) -> None:
            self._knowledge = self._knowledge.misses(beginning)

        self._watch(self._operations.followers(self._provider, workflow_id, task), heard, missed)

    def _listed(self, blocks: Tuple[Block, ...]) -> None:
        for block in blocks:
            if block.id not in self._whole:
                self._blocks[block.id] = block
        self._order = tuple(block.id for block in blocks)
        missing = [b.id for b in blocks if b.type is BlockType.PROCESSING and b.id not in self._whole]
        if not missing:
            self.loading = False
            return
        self._wanted.update(missing)
        self._watch(self._operations.details(self._provider, missing), self._all_detailed, self._not_read)

    def _all_detailed(self, blocks: Tuple[Block, ...]) -> None:
        self.loading = False
        self._detailed(blocks)

    def _detailed(self, blocks: Tuple[Block, ...]) -> None:
        for block in blocks:
            self._blocks[block.id] = block
            self._whole.add(block.id)

    def _not_read(self, error: BaseException) -> None:
        self.loading = False
        self.trouble = error.user_message if isinstance(error, Up42Error) else "The blocks could not be read."

    def _watch(self, job: Job[Any], succeeded: Any, failed: Any) -> None:
        """Take the answer of a job unless this was closed; what was cancelled counts as failed."""
        self._jobs.add(job)

        def settle(take: Any, value: Any) -> None:
            self._jobs.discard(job)
            if not self._closed:
                take(value)
                self.changed.emit()

        job.succeeded.connect(lambda value: settle(succeeded, value))
        job.failed.connect(lambda error: settle(failed, error))
        job.cancelled.connect(lambda: settle(failed, Up42Error("Asking the service was cancelled.")))

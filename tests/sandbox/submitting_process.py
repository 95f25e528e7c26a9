"""A process that submits one job as the plugin's workers do, and may be told to die of it.

It settles what its ledger has open first, as a new window does. usage: submitting_process.py ORDER
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from dying_ledger import Death, DyingLedger, say  # noqa: E402 - found by the line above
from soak_kit import Account, Order, submit_until_accepted  # noqa: E402

from up42_plugin.core.ledger import Ledger  # noqa: E402

DIES_WITHIN_S = 120


def main(order):
    path = Path(order.ledger)
    ledger = DyingLedger(path, death=Death(order.death)) if order.death else Ledger(path)
    account = Account(order.entrance)
    say("ready")
    say(submit_until_accepted(account, ledger, order.name, patience_s=order.patience_s))
    if order.death:
        time.sleep(DIES_WITHIN_S)


if __name__ == "__main__":
    main(Order.from_json(sys.argv[1]))

"""Fetching outputs: download, inflate and unpack at the same time; what has come is kept and continued."""

from up42_plugin.core.transfer.bandwidth import Bandwidth
from up42_plugin.core.transfer.fetch import fetch_output
from up42_plugin.core.transfer.policy import TransferPolicy

__all__ = ["Bandwidth", "TransferPolicy", "fetch_output"]

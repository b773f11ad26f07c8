"""What torch's CUDA graphs need in the thread that records and replays them."""

import threading
from collections import defaultdict

import torch


def keep_graphs_in_this_thread() -> None:
    """Gives this thread the state in which torch keeps its CUDA graphs.

    Without it, only the thread that happens to import the module first has that state, and compiled code raises an
    AssertionError in every other (https://github.com/pytorch/pytorch/issues/123177, seen in torch 2.11).
    """
    from torch._inductor import cudagraph_trees  # seconds, where nothing has been compiled yet

    if not hasattr(cudagraph_trees.local, "tree_manager_containers"):
        torch._C._stash_obj_in_tls("tree_manager_containers", {})
        torch._C._stash_obj_in_tls("tree_manager_locks", defaultdict(threading.Lock))

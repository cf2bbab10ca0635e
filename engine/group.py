"""The processes that train together: each takes a range of the step's slots, and the gradients are summed.

The worker is rank 0, and the only one that decides anything. The others (engine/rank.py) wait for its orders, do what it
does itself at the same moment, and so need to know nothing of requests, checkpoints, previews or memory. Words travel over
gloo, gradients over the device's own way (NCCL between NVIDIA cards, gloo on a CPU). All of it stays on this machine.
"""

import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from typing import Any, Final, TypeVar

import torch
import torch.distributed as dist
from accelerate.utils import check_cuda_p2p_ib_support
from torch import nn

from engine.desk import Desk, StopAsked
from engine.peers import Peers
from projects.job import JobDir
from projects.problems import Refused, refuse

T = TypeVar("T")
HERE: Final = "127.0.0.1"
# The others wait as long as rank 0 draws, saves or evaluates; that nobody waits for ever is watched over in peers.py.
_PATIENCE: Final = timedelta(days=30)


class Group:
    """One process of those that train together; made without arguments, the only one, for which every method is idle."""

    def __init__(
        self,
        rank: int = 0,
        size: int = 1,
        *,
        words: dist.ProcessGroup | None = None,
        peers: Peers | None = None,
    ) -> None:
        """words: the gloo group that orders and small facts go through; peers: the others, known to rank 0 alone."""
        self.rank = rank
        self.size = size
        self._words = words
        self._peers = peers

    def share(self, slots: Sequence[T]) -> Sequence[T]:
        """This process's range of a step's slots: together they are all of them, and their lengths differ by at most 1."""
        count = len(slots)
        return slots[self.rank * count // self.size : (self.rank + 1) * count // self.size]

    def order(self, what: str, *values: float) -> None:
        """Rank 0 tells the others what to do now, as it does itself: see `obey` in rank.py."""
        if self.size > 1:
            with self._waiting():
                dist.broadcast_object_list([(what, values)], src=0, group=self._words)

    def hear(self) -> tuple[str, Sequence[Any]]:
        """The next order. Waits for it as long as it takes."""
        heard: list[Any] = [None]
        dist.broadcast_object_list(heard, src=0, group=self._words)
        return heard[0]

    def gather(self, value: T) -> list[T]:
        """What every process says here, by rank; each has to come here."""
        if self.size == 1:
            return [value]
        said: list[Any] = [None] * self.size
        with self._waiting():
            dist.all_gather_object(said, value, group=self._words)
        return said

    def packed(self, parameters: Mapping[str, nn.Parameter]) -> torch.Tensor | None:
        """All gradients as one message: an adapter has hundreds of tensors, and each would cost a way there and back."""
        if self.size == 1:
            return None
        return torch.cat([gradient.flatten() for gradient in _gradients(parameters)])

    def sum_gradients(self, parameters: Mapping[str, nn.Parameter], flat: torch.Tensor | None) -> None:
        """Every process gets the sum of what all have `packed`, the same to the last bit; each has to come here."""
        if flat is None:
            return
        gradients = _gradients(parameters)
        with self._waiting():
            dist.all_reduce(flat)
            if flat.is_cuda:
                torch.cuda.synchronize(
                    flat.device
                )  # So that a wait for the others is spent here, where it is watched.
        parts = flat.split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def require_same(self, parameters: Mapping[str, nn.Parameter], *facts: object) -> None:
        """Each has to come here; raises Refused in rank 0 when one has other weights, to the last bit, or other facts."""
        if self.size == 1:
            return
        bits = sum(
            parameter.detach().view(torch.int32).sum(dtype=torch.int64) for parameter in parameters.values()
        )
        said = self.gather((int(bits), *facts))
        others = [str(rank) for rank, one in enumerate(said) if one != said[0]]
        if self.rank == 0 and others:
            raise refuse(
                f"The processes do not train the same adapter any more (rank {', '.join(others)} has another).",
                hint="The last checkpoint is intact. Resume with --processes 1, and use cards of one kind.",
            )

    def _waiting(self) -> AbstractContextManager[None]:
        return nullcontext() if self._peers is None else _waiting(self._peers)


def _gradients(parameters: Mapping[str, nn.Parameter]) -> list[torch.Tensor]:
    return [parameter.grad for parameter in parameters.values() if parameter.grad is not None]


@contextmanager
def _waiting(peers: Peers) -> Iterator[None]:
    """Around every wait of rank 0 for the others: what goes wrong there is said in words."""
    try:
        with peers.awaited():
            yield
    except RuntimeError as error:
        raise peers.refusal(error) from error


@contextmanager
def form(desk: Desk, size: int) -> Iterator[Group]:
    """Rank 0 of `size` processes, from the start of the others to their end. One process needs nobody.

    Raises Refused when one of the others ends before it is there, and StopAsked when a stop is asked meanwhile.
    """
    if size == 1:
        yield Group()
        return
    # A socket of our own: on its own, the store would listen to the whole network.
    listening = socket.create_server((HERE, 0), backlog=size)
    port = listening.getsockname()[1]
    store = dist.TCPStore(
        HERE, port, is_master=True, wait_for_workers=False, master_listen_fd=listening.detach()
    )
    _take_place(0, size)
    with Peers(desk, size) as peers:
        peers.start(port)
        # Not inside torch, where a rank that has ended would be waited for.
        while not all(store.check([_arrival(rank)]) for rank in range(1, size)):
            if desk.stop_asked:
                raise StopAsked
            peers.check()
            time.sleep(0.05)
        with _waiting(peers):
            group = _join(store, 0, size, peers)
        yield group
        try:
            group.order("end")
        except Refused as lost:  # All is saved, and nobody is needed any more.
            desk.warn(str(lost.problems[0].error))
        peers.wait()
        dist.destroy_process_group()


def join(job: JobDir, rank: int, size: int, port: int) -> Group:
    """Rank `rank` (1 or more) of the group that the worker of `job` forms."""
    _take_place(rank, size)
    store = dist.TCPStore(HERE, port, is_master=False)
    store.set(_arrival(rank), str(job.path))
    return _join(store, rank, size, None)


def _take_place(rank: int, size: int) -> None:
    """This process's device and environment; whatever is wrong with them ends it before it has announced itself."""
    # accelerate takes device and place from these, as from torchrun's, and the group that it finds.
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(size), LOCAL_WORLD_SIZE=str(size))
    # Else accelerate counts cores anew, and overrules what was set.
    os.environ.setdefault("OMP_NUM_THREADS", str(torch.get_num_threads()))
    for library in ("GLOO", "NCCL"):
        os.environ.setdefault(f"{library}_SOCKET_IFNAME", "lo")
    if torch.cuda.is_available():
        torch.cuda.set_device(rank)
        if not check_cuda_p2p_ib_support():
            os.environ.update(NCCL_P2P_DISABLE="1", NCCL_IB_DISABLE="1")


def _join(store: dist.Store, rank: int, size: int, peers: Peers | None) -> Group:
    dist.init_process_group(
        "nccl" if torch.cuda.is_available() else "gloo",
        store=store,
        rank=rank,
        world_size=size,
        timeout=_PATIENCE,
    )
    return Group(rank, size, words=dist.new_group(backend="gloo", timeout=_PATIENCE), peers=peers)


def _arrival(rank: int) -> str:
    return f"safelight/{rank}"

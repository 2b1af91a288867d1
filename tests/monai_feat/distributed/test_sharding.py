# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from monai_feat.checkpoints import CheckpointError, load_checkpoint, read_metadata, save_checkpoint
from monai_feat.distributed import (
    FullStateDict,
    full_state_dict,
    full_tensor,
    load_full_state_dict,
    save_weights,
    shard_layers,
)
from monai_feat.networks.nets import FEAT, FEAT_PRESETS


def network_and_clips() -> tuple[FEAT, Tensor]:
    torch.manual_seed(0)
    network = FEAT(**FEAT_PRESETS["pico"])
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.05)  # at its start, FEAT is nearly the identity
    return network, torch.randn(4, 4, 2, 4, 4)


def step(network: nn.Module, optimizer: torch.optim.Optimizer, clips: Tensor) -> tuple[Tensor, Tensor]:
    """Make one step; return the loss of these clips and the norm of the gradient before it was clipped."""
    optimizer.zero_grad()
    loss = network(clips, torch.tensor([7])).square().mean()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(network.parameters(), 0.1)
    optimizer.step()
    return loss.detach(), norm.full_tensor() if isinstance(norm, DTensor) else norm


def work(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    network, clips = network_and_clips()
    size = sum(parameter.numel() for parameter in network.parameters())
    sharded = shard_layers(copy.deepcopy(network))
    optimizer = torch.optim.AdamW(sharded.parameters(), lr=1e-3)
    held = sum(parameter.to_local().numel() for parameter in sharded.parameters())
    found = [step(sharded, optimizer, clips[rank::2]) for _ in range(2)]
    state = full_state_dict(sharded, optimizer)
    if rank == 0:
        save_checkpoint(state, Path(folder) / "state.pt")

    again = shard_layers(network)
    restored = torch.optim.AdamW(again.parameters(), lr=1e-3)
    load_full_state_dict(state, again, restored)
    found.append(step(again, restored, clips[rank::2]))
    losses = torch.stack([loss for loss, _ in found])
    dist.all_reduce(losses)
    if rank == 0:
        results = {"losses": losses / 2, "norms": torch.stack([norm for _, norm in found]), "held": held / size}
        save_checkpoint(results, Path(folder) / "results.pt")
    dist.barrier()
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes_with_half_a_network_each_train_as_one(tmp_path: Path) -> None:
    """Losses, norms and weights of three steps, the last after a resume; the checkpoint is that of a plain network."""
    mp.spawn(work, args=(str(tmp_path),), nprocs=2)
    results, state = load_checkpoint(tmp_path / "results.pt"), load_checkpoint(tmp_path / "state.pt")
    network, clips = network_and_clips()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    expected = [step(network, optimizer, clips) for _ in range(2)]
    torch.testing.assert_close(state["network"], network.state_dict(), rtol=1e-4, atol=1e-6)
    assert {type(tensor) for tensor in state["network"].values()} == {torch.Tensor}
    assert set(state["optimizer"]["state"]) == {name for name, _ in network.named_parameters()}
    expected.append(step(network, optimizer, clips))
    torch.testing.assert_close(results["losses"], torch.stack([loss for loss, _ in expected]), rtol=1e-5, atol=0)
    torch.testing.assert_close(results["norms"], torch.stack([norm for _, norm in expected]), rtol=1e-4, atol=0)
    assert results["held"] < 0.6


def test_without_processes_there_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="in a single process, expected several"):
        shard_layers(FEAT(**FEAT_PRESETS["pico"]))


def test_the_full_state_dict_of_a_plain_network_is_its_own(tmp_path: Path) -> None:
    """Also of its optimiser, whose parameters torch counts; both come back from a file."""
    network, clips = network_and_clips()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    step(network, optimizer, clips)
    parts = {"network": FullStateDict(network), "optimizer": FullStateDict(network, optimizer)}
    save_checkpoint({name: part.state_dict() for name, part in parts.items()}, tmp_path / "state.pt")
    state = load_checkpoint(tmp_path / "state.pt")
    torch.testing.assert_close(state["network"], network.state_dict(), rtol=0, atol=0)
    torch.testing.assert_close(state["optimizer"]["state"], optimizer.state_dict()["state"], rtol=0, atol=0)

    expected = step(network, optimizer, clips)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    torch.testing.assert_close(step(network, optimizer, clips), expected, rtol=0, atol=0)


def test_weights_of_another_network_are_refused() -> None:
    network, other = network_and_clips()[0], FEAT(**{**FEAT_PRESETS["pico"], "hidden_size": 64})
    with pytest.raises(CheckpointError, match="the checkpoint"):
        FullStateDict(network).load_state_dict(other.state_dict())


def test_weights_are_saved_with_their_metadata(tmp_path: Path) -> None:
    network = network_and_clips()[0]
    save_weights(network, tmp_path / "weights.safetensors", {"metric": "1"})
    torch.testing.assert_close(load_checkpoint(tmp_path / "weights.safetensors"), network.state_dict(), rtol=0, atol=0)
    assert read_metadata(tmp_path / "weights.safetensors")["metric"] == "1"


def test_a_plain_tensor_is_whole() -> None:
    tensor = torch.ones(2)
    assert full_tensor(tensor) is tensor

# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import diffusers
import pytest
import torch
from monai.networks.nets import AutoencoderKL
from safetensors.torch import load, save_file

from monai_feat.checkpoints import CheckpointError
from monai_feat.importers import import_sd_vae
from monai_feat.networks.nets import StableDiffusionAutoencoder

OLD_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def published_vae(
    channels: tuple[int, ...] = (32, 64),
    layers: int = 1,
    groups: int = 8,
    latent_channels: int = 4,
    in_channels: int = 3,
) -> diffusers.AutoencoderKL:
    """A reference whose weights are all random: norms and biases too, which a new network has at 1 and 0."""
    vae = diffusers.AutoencoderKL(
        in_channels=in_channels,
        out_channels=in_channels,
        block_out_channels=channels,
        down_block_types=("DownEncoderBlock2D",) * len(channels),
        up_block_types=("UpDecoderBlock2D",) * len(channels),
        layers_per_block=layers,
        norm_num_groups=groups,
        latent_channels=latent_channels,
    )
    with torch.no_grad():
        for parameter in vae.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
    return vae.eval()


@torch.no_grad()
def assert_same_numbers(vae: diffusers.AutoencoderKL, ours: AutoencoderKL, size: tuple[int, int] = (16, 24)) -> None:
    image = torch.rand(2, vae.config.in_channels, *size) * 2 - 1  # (B, C, H, W)
    posterior = vae.encode(image).latent_dist
    mean, deviation = ours.encode(image)
    assert mean.std() > 0.01  # the comparison is not one of zeros
    torch.testing.assert_close(mean, posterior.mean, atol=1e-4, rtol=0)
    torch.testing.assert_close(2 * deviation.log(), posterior.logvar, atol=1e-4, rtol=0)
    latent = torch.randn_like(mean)
    torch.testing.assert_close(ours.decode(latent), vae.decode(latent).sample, atol=1e-4, rtol=0)


def saved(folder: Path, state: dict[str, torch.Tensor]) -> Path:
    file = folder / "diffusion_pytorch_model.safetensors"
    save_file({key: tensor.contiguous() for key, tensor in state.items()}, file)
    return file


@pytest.mark.parametrize("safe", [True, False], ids=["safetensors", "bin"])
@pytest.mark.parametrize(
    "options",
    [
        {"channels": (32, 64), "layers": 1, "groups": 8},
        {"channels": (32, 64), "layers": 2, "groups": 32},
        {"channels": (16, 32, 32), "layers": 2, "groups": 16, "latent_channels": 3, "in_channels": 1},
        {"channels": (16,), "layers": 1, "groups": 4},
    ],
)
def test_same_numbers_as_diffusers(tmp_path: Path, options: dict[str, object], safe: bool) -> None:
    vae = published_vae(**options)  # type: ignore[arg-type]
    vae.save_pretrained(tmp_path, safe_serialization=safe)
    assert_same_numbers(vae, import_sd_vae(tmp_path))


def test_stable_diffusion_layout_without_config(tmp_path: Path) -> None:
    vae = published_vae(channels=(128, 256, 512, 512), layers=2, groups=32)
    ours = import_sd_vae(saved(tmp_path, vae.state_dict()))
    assert sum(parameter.numel() for parameter in ours.parameters()) == 83_653_863  # as published
    assert_same_numbers(vae, ours, size=(16, 16))


@pytest.mark.parametrize("as_convolution", [False, True])
def test_old_attention_names(tmp_path: Path, as_convolution: bool) -> None:
    vae = published_vae()
    vae.save_pretrained(tmp_path)
    old = {}
    for key, tensor in vae.state_dict().items():
        name = re.sub(r"\b(to_q|to_k|to_v|to_out\.0)\.", lambda match: OLD_NAMES[match[1]] + ".", key)
        old[name] = tensor[..., None, None] if as_convolution and name != key and tensor.ndim == 2 else tensor
    assert "encoder.mid_block.attentions.0.proj_attn.weight" in old
    assert_same_numbers(vae, import_sd_vae(saved(tmp_path, old)))


def test_half_precision_becomes_float32(tmp_path: Path) -> None:
    vae = published_vae()
    vae.save_pretrained(tmp_path)
    half = {key: tensor.half() for key, tensor in vae.state_dict().items()}
    vae.load_state_dict(half)
    assert_same_numbers(vae, import_sd_vae(saved(tmp_path, half)))


def test_weights_survive_our_own_state_dict(tmp_path: Path) -> None:
    vae = published_vae()
    vae.save_pretrained(tmp_path)
    again = StableDiffusionAutoencoder(channels=(32, 64), num_res_blocks=1, norm_num_groups=8)
    again.load_state_dict(import_sd_vae(tmp_path).state_dict())
    assert_same_numbers(vae, again)


def test_stock_network_does_not_take_the_weights_unnoticed() -> None:
    ours = StableDiffusionAutoencoder(channels=(16, 32), num_res_blocks=1, norm_num_groups=8)
    stock = AutoencoderKL(2, 3, 3, (1, 1), (16, 32), (False, False), 4, norm_num_groups=8)
    with pytest.raises(RuntimeError, match="Missing key"):
        stock.load_state_dict(ours.state_dict())


@pytest.mark.parametrize(
    "name",
    [
        "encoder.mid_block.attentions.0.to_q.weight",
        "encoder.down_blocks.0.resnets.0.conv1.weight",
        "encoder.conv_in.weight",
        "decoder.conv_in.weight",
        "quant_conv.bias",
    ],
)
@pytest.mark.parametrize("with_config", [True, False])
def test_missing_key_is_named(tmp_path: Path, name: str, with_config: bool) -> None:
    vae = published_vae(groups=32)
    vae.save_pretrained(tmp_path)
    state = vae.state_dict()
    del state[name]
    if not with_config:
        (tmp_path / "config.json").unlink()
    with pytest.raises(CheckpointError, match=f"missing: {re.escape(name)}"):
        import_sd_vae(saved(tmp_path, state))


@pytest.mark.parametrize("name", ["loss.logvar", "encoder.mid_block.attentions.0.query.weight"])
def test_unused_key_is_named(tmp_path: Path, name: str) -> None:
    vae = published_vae()
    vae.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=f"1 unexpected: {re.escape(name)}"):
        import_sd_vae(saved(tmp_path, vae.state_dict() | {name: torch.zeros(1)}))


def test_wrong_shape_is_named(tmp_path: Path) -> None:
    vae = published_vae()
    vae.save_pretrained(tmp_path)
    file = saved(tmp_path, vae.state_dict() | {"post_quant_conv.bias": torch.zeros(7)})
    with pytest.raises(CheckpointError, match=r"post_quant_conv.bias \(7,\) instead of \(4,\)"):
        import_sd_vae(file)


def test_unet_is_refused(tmp_path: Path) -> None:
    unet = diffusers.UNet2DModel(
        block_out_channels=(8, 8),
        down_block_types=("DownBlock2D",) * 2,
        up_block_types=("UpBlock2D",) * 2,
        norm_num_groups=4,
    )
    unet.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="another architecture; its first keys are conv_in"):
        import_sd_vae(tmp_path)


def test_original_layout_is_recognised(tmp_path: Path) -> None:
    file = saved(
        tmp_path, {"encoder.conv_in.weight": torch.zeros(1), "encoder.down.0.block.0.conv1.weight": torch.zeros(1)}
    )
    with pytest.raises(CheckpointError, match="CompVis"):
        import_sd_vae(file)


def test_truncated_file_is_one_line(tmp_path: Path) -> None:
    published_vae().save_pretrained(tmp_path)
    file = tmp_path / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(CheckpointError, match="truncated") as caught:
        import_sd_vae(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"), [("act_fn", "relu"), ("use_quant_conv", False), ("mid_block_add_attention", False)]
)
def test_configuration_beyond_the_network_is_refused(tmp_path: Path, key: str, value: object) -> None:
    published_vae().save_pretrained(tmp_path)
    config = tmp_path / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {key: value}))
    with pytest.raises(CheckpointError, match=f"{key} is {value!r}"):
        import_sd_vae(tmp_path)


def test_configuration_of_other_weights_lists_keys(tmp_path: Path) -> None:
    published_vae(layers=2).save_pretrained(tmp_path)
    weights = load((tmp_path / "diffusion_pytorch_model.safetensors").read_bytes())  # not mapped to what is replaced
    published_vae(layers=1).save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=r"unexpected: .*resnets"):
        import_sd_vae(saved(tmp_path, weights))


def test_widths_that_32_groups_do_not_divide_ask_for_the_config(tmp_path: Path) -> None:
    file = saved(tmp_path, published_vae(channels=(16, 32), groups=8).state_dict())
    with pytest.raises(CheckpointError, match=r"put the config\.json"):
        import_sd_vae(file)


def test_folder_without_weights(tmp_path: Path) -> None:
    (tmp_path / "vae").mkdir()
    with pytest.raises(FileNotFoundError, match=r"try .*vae"):
        import_sd_vae(tmp_path)

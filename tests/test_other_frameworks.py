# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The parts of the library in the programs that others construct, train and tune networks with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import ConfigWorkflow
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from monai_feat.losses import HybridDiffusionLoss
from monai_feat.networks.nets import FEAT, FEAT_PRESETS
from monai_feat.networks.schedulers import RespacedDDPMScheduler

ROOT = Path(__file__).resolve().parents[1]
SIZES: dict[str, Any] = {
    "in_channels": 2, "out_channels": 4, "patch_size": 2, "hidden_size": 8, "num_layers": 1, "num_heads": 2,
}  # fmt: skip
LEARNING_RATE = 0.01

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


class Latents(Dataset[dict[str, Tensor]]):
    """Four clips with their noise and timesteps, the same whenever they are asked for."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        random = torch.Generator().manual_seed(index)
        clip, noise = (torch.randn(2, 3, 4, 4, generator=random) for _ in range(2))
        return {"x0": clip, "noise": noise, "timesteps": torch.tensor(100 * index + 1)}


def seeded_network() -> FEAT:
    torch.manual_seed(0)
    return FEAT(**SIZES)


class Training(torch.nn.Module):
    """A network and its loss on a batch; what both loops below call."""

    def __init__(self) -> None:
        super().__init__()
        self.network = seeded_network()
        self.scheduler = RespacedDDPMScheduler(variance_type="learned_range")
        self.loss = HybridDiffusionLoss(self.scheduler)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        noisy = self.scheduler.add_noise(batch["x0"], batch["noise"], batch["timesteps"])
        loss: Tensor = self.loss(self.network(noisy, batch["timesteps"]), batch)
        return loss


def test_lightning_trains_as_a_plain_loop_does(tmp_path: Path) -> None:
    lightning = pytest.importorskip("pytorch_lightning")

    class Module(lightning.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.training_of = Training()

        def training_step(self, batch: dict[str, Tensor]) -> Tensor:
            loss: Tensor = self.training_of(batch)
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.AdamW(self.parameters(), LEARNING_RATE)

    module, plain = Module(), Training()
    trainer = lightning.Trainer(
        max_epochs=2, accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False,
        default_root_dir=tmp_path,
    )  # fmt: skip
    trainer.fit(module, DataLoader(Latents(), batch_size=2))

    optimizer = torch.optim.AdamW(plain.parameters(), LEARNING_RATE)
    for _ in range(2):
        for batch in DataLoader(Latents(), batch_size=2):
            optimizer.zero_grad()
            plain(batch).backward()
            optimizer.step()
    learnt, expected = module.training_of.network.state_dict(), plain.network.state_dict()
    torch.testing.assert_close(learnt, expected)
    assert any(not torch.equal(learnt[name], first) for name, first in seeded_network().state_dict().items())
    (checkpoint,) = tmp_path.rglob("*.ckpt")
    again = Module.load_from_checkpoint(checkpoint, weights_only=True)
    torch.testing.assert_close(again.training_of.network.state_dict(), expected)


@pytest.mark.parametrize("convert", ["object", "all"])  # by default OmegaConf wraps conditions, being dataclasses
def test_hydra_instantiates_what_configs_name(convert: str, tmp_path: Path) -> None:
    """The same ``_target_`` as in a bundle, lists and dicts of OmegaConf among the arguments."""
    pytest.importorskip("hydra")
    from hydra.utils import instantiate
    from omegaconf import OmegaConf

    config = OmegaConf.create(
        {
            "_convert_": convert,
            "network": {
                "_target_": "monai_feat.networks.nets.FEAT",
                **SIZES,
                "reference_tokens": [4, 3],
                "conditions": [
                    {"_target_": "monai_feat.conditions.ClassCondition", "name": "view", "num_classes": 2},
                ],
            },
            "loss": {
                "_target_": "monai_feat.losses.HybridDiffusionLoss",
                "scheduler": {
                    "_target_": "monai_feat.networks.schedulers.RespacedDDPMScheduler",
                    "variance_type": "learned_range",
                    "beta_end": "${beta_end}",
                },
            },
            "beta_end": 0.01,
        }
    )
    made = dict(instantiate(config))
    network, loss = made["network"], made["loss"]
    assert loss.chain.alphas_cumprod[-1] == RespacedDDPMScheduler(beta_end=0.01).alphas_cumprod[-1]
    network.save_pretrained(tmp_path)
    again = FEAT.from_pretrained(tmp_path)
    assert again.arguments() == network.arguments()
    assert network(torch.zeros(1, 2, 3, 4, 4), 5, {"view": torch.tensor([1])}).shape == (1, 4, 3, 4, 4)


def test_hydra_reports_a_key_that_is_none() -> None:
    pytest.importorskip("hydra")
    from hydra.errors import InstantiationException
    from hydra.utils import instantiate

    with pytest.raises(InstantiationException, match="hidden_width"):
        instantiate({"_target_": "monai_feat.networks.nets.FEAT", **FEAT_PRESETS["pico"], "hidden_width": 3})


def test_optuna_tunes_keys_of_a_bundle(tmp_path: Path) -> None:
    """A trial is a run of a config with the suggested keys on top; a rate of zero cannot win."""
    optuna = pytest.importorskip("optuna")
    bundle = ROOT / "bundles" / "feat_ultrasound"
    small = {"num_clips": 4, "batch_size": 2, "max_epochs": 2, "frame_size": 32, "num_statistics_frames": 1}

    def objective(trial: Any) -> float:
        keys = {
            "learning_rate": trial.suggest_categorical("learning_rate", [0.0, 0.002]),
            "kl_weight": trial.suggest_float("kl_weight", 1e-5, 1e-3, log=True),
        }
        training = ConfigWorkflow(
            str(bundle / "configs" / "train_autoencoder.json"), logging_file=False, bundle_root=str(bundle),
            output_dir=str(tmp_path / str(trial.number)), warmup_steps=0, **small, **keys,
        )  # fmt: skip
        training.initialize()
        training.run()
        (output,) = training.parser.get_parsed_content("train#trainer").state.output[:1]
        return float(output["loss"])

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    grid = optuna.samplers.GridSampler({"learning_rate": [0.0, 0.002], "kl_weight": [1e-4]})
    study = optuna.create_study(sampler=grid)
    study.optimize(objective, n_trials=2)
    assert study.best_params["learning_rate"] == 0.002
    assert len({trial.value for trial in study.trials}) == 2

# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Blocks as a training leaves them: new ones add nothing."""

from __future__ import annotations

import copy
from typing import TypeVar

from torch import nn

Block = TypeVar("Block", bound=nn.Module)


def randomised(block: Block) -> Block:
    block = copy.deepcopy(block)
    for parameter in block.parameters():
        nn.init.normal_(parameter)
    return block

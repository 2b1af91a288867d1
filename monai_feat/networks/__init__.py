# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks, their building blocks, and the schedulers that they are sampled with."""

# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How often floors and intervals hold the truth, tried on simulated data sets."""

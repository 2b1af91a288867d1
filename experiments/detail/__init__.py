# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether sampled clips move and hold detail, and how far the network is from a linear filter."""

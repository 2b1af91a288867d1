# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The scripts of one algorithm of Auto3DSeg."""

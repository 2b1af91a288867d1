# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""MONAI bundles that train and sample FEAT, and what builds them from their source."""

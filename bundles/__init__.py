# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""MONAI bundles that train and sample FEAT, and the demo that runs them."""

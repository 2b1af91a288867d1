# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Studies of the shipped bundles: each trains or samples, measures, and writes a table."""

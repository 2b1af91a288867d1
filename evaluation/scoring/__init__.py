# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""From clips to scores: features, distances, floors, intervals."""

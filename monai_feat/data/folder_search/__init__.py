# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What is in a folder: clips, masks and all else, told by names, by content and by pixels."""

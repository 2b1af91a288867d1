# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""From what was named on the command line to clips of one shape that may be compared."""

# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Studies whose truth is known: how often intervals hold it, and how often verdicts are right."""

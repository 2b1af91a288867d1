# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The scoring study: what is compared with what, floors, error bars, the memorisation gate and the report."""

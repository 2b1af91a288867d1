# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Commands: ``python -m monai_feat.apps.<name> --help`` says what each does."""

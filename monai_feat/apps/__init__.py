# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Commands: ``monai-feat --help`` lists them, ``monai-feat NAME --help`` says what each does."""

# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The usefulness study: does a segmenter get better when synthetic clips join its training data?"""

# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Exporters of trained networks to programs that run without torch."""

from __future__ import annotations

from monai_feat.exporters.onnx import ONNX_OPSET, export_onnx

__all__ = ["ONNX_OPSET", "export_onnx"]

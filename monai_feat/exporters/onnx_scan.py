# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Bi-WKV out of standard ONNX operators: one `Scan` over the tokens, both ways at once; letters are those of `bi_wkv`.

Exponents are counted from the first token, q_i = k_i + i w, and from the last one for the way back: their running
maximum is a selection that rounds nothing, and sums are kept relative to it. All is computed in double precision.
Imported only where onnxscript is, which reads the source of the functions below.
"""

# mypy: disable-error-code="valid-type,untyped-decorator"
from __future__ import annotations

from monai.utils import optional_import

script, _ = optional_import("onnxscript", name="script")
graph, _ = optional_import("onnxscript", name="graph")
op, _ = optional_import("onnxscript", name="opset18")
FLOAT, _ = optional_import("onnxscript", name="FLOAT")
DOUBLE, _ = optional_import("onnxscript", name="DOUBLE")

__all__ = ["scan_bi_wkv"]


@script()
def scan_bi_wkv(w: FLOAT, u: FLOAT, k: FLOAT, v: FLOAT) -> tuple[FLOAT, DOUBLE]:
    """Return the attended values, ``(B, T, C)`` in float32, and the logarithms of their denominators, in double."""

    @graph()
    def step(num_a, den_a, peak_a, num_b, den_b, peak_b, key_a, value_a, key_b, value_b):  # type: ignore[no-untyped-def]
        new_a = op.Max(peak_a, key_a)
        keep_a = op.Exp(peak_a - new_a)
        enter_a = op.Exp(key_a - new_a)
        next_num_a = num_a * keep_a + value_a * enter_a
        next_den_a = den_a * keep_a + enter_a
        new_b = op.Max(peak_b, key_b)
        keep_b = op.Exp(peak_b - new_b)
        enter_b = op.Exp(key_b - new_b)
        next_num_b = num_b * keep_b + value_b * enter_b
        next_den_b = den_b * keep_b + enter_b
        return (  # the states after this token; then those before it, which are what it sees
            next_num_a,
            next_den_a,
            new_a,
            next_num_b,
            next_den_b,
            new_b,
            op.Identity(num_a),
            op.Identity(den_a),
            op.Identity(peak_a),
            op.Identity(num_b),
            op.Identity(den_b),
            op.Identity(peak_b),
        )

    keys = op.Cast(k, to=11)
    values = op.Cast(v, to=11)
    decay = op.Cast(w, to=11)
    length = op.Shape(k, start=1, end=2)
    index = op.Range(op.Constant(value_int=0), op.Squeeze(length), op.Constant(value_int=1))
    position = op.Unsqueeze(op.Cast(index, to=11), op.Constant(value_ints=[1]))  # (T, 1)
    passed_a = position * decay  # (T, C)
    passed_b = (op.Cast(length, to=11) - 1.0 - position) * decay
    shape = op.Concat(op.Shape(k, start=0, end=1), op.Shape(k, start=2, end=3), axis=0)
    zero = op.Cast(op.Expand(op.Constant(value_float=0.0), shape), to=11)  # (B, C)
    lowest = op.Cast(op.Expand(op.Constant(value_float=-1e30), shape), to=11)
    _1, _2, _3, _4, _5, _6, num_a, den_a, peak_a, num_b, den_b, peak_b = op.Scan(
        zero,
        zero,
        lowest,
        zero,
        zero,
        lowest,
        keys + passed_a,
        values,
        keys + passed_b,
        values,
        body=step,
        num_scan_inputs=4,
        scan_input_axes=[1, 1, 1, 1],
        scan_input_directions=[0, 0, 1, 1],
        scan_output_axes=[1, 1, 1, 1, 1, 1],
        scan_output_directions=[0, 0, 0, 1, 1, 1],
    )
    scale_a = peak_a - passed_a + decay  # (B, T, C): a neighbour's value has not decayed yet
    scale_b = peak_b - passed_b + decay
    own = keys + op.Cast(u, to=11)
    peak = op.Max(scale_a, scale_b, own)
    before = op.Exp(scale_a - peak)
    after = op.Exp(scale_b - peak)
    here = op.Exp(own - peak)
    denominator = before * den_a + after * den_b + here
    output = (before * num_a + after * num_b + here * values) / denominator
    return op.Cast(output, to=1), peak + op.Log(denominator)

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Contractions with a sliding window, pooling and resampling. Channels come second: [B, C, S..] with one, two or three spatial axes.
//
// `stride`, `dilation` and `padding` are lists: one entry for all spatial axes, or one an axis; `padding` also two an axis, before and
// after. No window is copied where a layout can express it: windows of channels-last values overlap in memory.
#ifndef NACRE_CONVOLUTION_TD
#define NACRE_CONVOLUTION_TD

include "dialects/Nacre/IR/NacreBase.td"

/// Every `step`-th element of every axis; `spread` is its adjoint. A step may be negative.
def Nacre_StridedOp : Nacre_Op<"strided", [DeclareOpInterfaceMethods<Nacre_View>, DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "the element at start + step * i of every axis, in a result of the given shape";
  let arguments = (ins Nacre_Value:$x, DenseI64ArrayAttr:$start, DenseI64ArrayAttr:$step, ArrayAttr:$shape);
  let results = (outs Nacre_Value:$result);
  let builtin = 0;
}
def Nacre_SpreadOp : Nacre_Op<"spread", [DeclareOpInterfaceMethods<Nacre_Join>, DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "x at start + step * i of every axis, zeros elsewhere";
  let arguments = (ins Nacre_Value:$x, DenseI64ArrayAttr:$start, DenseI64ArrayAttr:$step, ArrayAttr:$shape);
  let results = (outs Nacre_Value:$result);
  let builtin = 0;
}
def Nacre_WindowsOp : Nacre_Op<"windows", [DeclareOpInterfaceMethods<Nacre_View>, DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "overlapping windows of an axis: [.., L, ..] to [.., O, size, ..], element [o, k] is x[o * stride + k * dilation]";
  let description = [{O = floor((L - dilation * (size - 1) - 1) / stride) + 1.}];
  let arguments = (ins Nacre_Value:$x, I64Attr:$size, DefaultValuedAttr<I64Attr, "1">:$stride, DefaultValuedAttr<I64Attr, "1">:$dilation,
                       DefaultValuedAttr<I64Attr, "-1">:$axis);
  let results = (outs Nacre_Value:$result);
}

def Nacre_ConvOp : Nacre_CompositeOp<"conv", [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let summary = "convolution of x: [B, C, S..] with w: [O, C / groups, K..] and bias b: [O], one to three spatial axes";
  let description = [{
    y[b, o, i..] = b[o] + sum over c, k.. of w[o, c, k..] * x[b, g + c, i * stride + k * dilation - padding], zeros outside; g is the
    first channel of o's group. `same = true` pads so that there are ceil(S / stride) results, the odd zero after. Padding before the
    axis alone makes a causal convolution; weights times a mask make a masked one.
  }];
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$w, Optional<Nacre_Value>:$b, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$stride,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$padding, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$dilation,
                       DefaultValuedAttr<I64Attr, "1">:$groups, DefaultValuedAttr<BoolAttr, "false">:$same);
  let results = (outs Nacre_Value:$result);
}

class Nacre_PoolOp<string mnemonic> : Nacre_CompositeOp<mnemonic, [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let arguments = (ins Nacre_Value:$x, DenseI64ArrayAttr:$kernel, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$stride,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$padding);
  let results = (outs Nacre_Value:$result);
}
def Nacre_AvgPoolOp : Nacre_PoolOp<"avg_pool"> {
  let summary = "mean of every window of x: [B, C, S..]; stride: by default the kernel";
  let description = [{Zeros of the padding count as elements.}];
}
def Nacre_MaxPoolOp : Nacre_PoolOp<"max_pool"> {
  let summary = "maximum of every window of x: [B, C, S..]; stride: by default the kernel";
  let description = [{The padding never wins. The gradient goes to every element of a window that equals its maximum.}];
}

def Nacre_ResizeBilinearOp : Nacre_CompositeOp<"resize_bilinear"> {
  let summary = "x: [B, C, H, W] at `size`, or `scale` times as large, by bilinear interpolation";
  let description = [{Pixel centres align: result i reads place (i + 1/2) * S / O - 1/2, moved into [0, S - 1]. Not align_corners.}];
  let arguments = (ins Nacre_Value:$x, DefaultValuedAttr<I64Attr, "0">:$scale, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$size);
  let results = (outs Nacre_Value:$result);
}
def Nacre_PixelShuffleOp : Nacre_CompositeOp<"pixel_shuffle"> {
  let summary = "[B, C * f^2, H, W] to [B, C, H * f, W * f]: channel c * f^2 + i * f + j becomes pixel (i, j) of its block";
  let arguments = (ins Nacre_Value:$x, I64Attr:$factor);
  let results = (outs Nacre_Value:$result);
}

#endif

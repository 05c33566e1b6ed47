// Operands that do not fit: "<operator> expects ..., but got ...".
// RUN: not %nacre-opt %s --split-input-file 2>&1 | FileCheck %s

// CHECK: add expects shapes that broadcast, but got [2, 3] and [4, 3]
func.func @add(%a: tensor<2x3xf32>, %b: tensor<4x3xf32>) {
  %0 = nacre.add %a, %b : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  return
}
// -----
// CHECK: add expects a right operand of f32, but got i32
func.func @types(%a: tensor<2xf32>, %b: tensor<2xi32>) {
  %0 = nacre.add %a, %b : (tensor<2xf32>, tensor<2xi32>) -> tensor<2xf32>
  return
}
// -----
// CHECK: matmul expects a right operand of shape [.., 3, _], but got [4, 5]
func.func @matmul(%a: tensor<2x3xf32>, %b: tensor<4x5xf32>) {
  %0 = nacre.matmul %a, %b : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>
  return
}
// -----
// CHECK: linear expects a bias of shape [5], but got [4]
func.func @linear(%x: tensor<2x3xf32>, %w: tensor<3x5xf32>, %b: tensor<4xf32>) {
  %0 = nacre.linear %x, %w, %b : (tensor<2x3xf32>, tensor<3x5xf32>, tensor<4xf32>) -> tensor<2x5xf32>
  return
}
// -----
// CHECK: reduce_sum expects an axis from -2 to 1, but got 5
func.func @axis(%x: tensor<2x3xf32>) {
  %0 = nacre.reduce_sum %x {axis = 5} : (tensor<2x3xf32>) -> tensor<2x1xf32>
  return
}
// -----
// CHECK: reshape expects as many elements as [B, 12], but got [B, 3, 5]
func.func @reshape(%x: tensor<?x12xf32, #nacre.dims<["B", "12"]>>) {
  %0 = nacre.reshape %x {shape = ["B", "3", "5"]} : (tensor<?x12xf32, #nacre.dims<["B", "12"]>>) -> tensor<?x3x5xf32, #nacre.dims<["B", "3", "5"]>>
  return
}
// -----
// CHECK: reshape expects to keep the last axis of a sparse value, but got [12]; densify(x) makes it dense
func.func @reshape_sparse(%x: !nacre.sparse<"2", tensor<3x4xf32>>) {
  %0 = nacre.reshape %x {shape = ["12"]} : (!nacre.sparse<"2", tensor<3x4xf32>>) -> tensor<12xf32>
  return
}
// -----
// CHECK: permute expects every axis from 0 to 1 once
func.func @permute(%x: tensor<2x3xf32>) {
  %0 = nacre.permute %x {order = array<i64: 0, 0>} : (tensor<2x3xf32>) -> tensor<2x2xf32>
  return
}
// -----
// CHECK: slice expects a part of an axis of 6, but got 5 to 8
func.func @slice(%x: tensor<6xf32>) {
  %0 = nacre.slice %x {axis = 0, start = "5", size = "3"} : (tensor<6xf32>) -> tensor<3xf32>
  return
}
// -----
// CHECK: pad expects an axis with room for 6 entries from 0, but got 3
func.func @pad(%x: tensor<6xf32>) {
  %0 = nacre.pad %x {axis = 0, start = "0", size = "3"} : (tensor<6xf32>) -> tensor<3xf32>
  return
}
// -----
// CHECK: cross_entropy expects labels of shape [B], but got [T]
func.func @loss(%x: tensor<?x3xf32, #nacre.dims<["B", "3"]>>, %y: tensor<?xi32, #nacre.dims<["T"]>>) {
  %0 = nacre.cross_entropy %x, %y : (tensor<?x3xf32, #nacre.dims<["B", "3"]>>, tensor<?xi32, #nacre.dims<["T"]>>) -> tensor<f32>
  return
}
// -----
// CHECK: attention expects a number of key heads that divides 4, but got 3
func.func @heads(%q: tensor<2x4x9x8xf32>, %k: tensor<2x3x9x8xf32>) {
  %0 = nacre.attention %q, %k, %k {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>}
    : (tensor<2x4x9x8xf32>, tensor<2x3x9x8xf32>, tensor<2x3x9x8xf32>) -> tensor<2x4x9x8xf32>
  return
}
// -----
// CHECK: add combines nested values of different widths
func.func @families(%x: tensor<5x4xf32>) {
  %0 = nacre.prefixes %x {widths = array<i64: 2, 4>} : (tensor<5x4xf32>) -> !nacre.nested<[2, 4], tensor<5x?xf32, #nacre.dims<["5", "width"]>>>
  %1 = nacre.prefixes %x {widths = array<i64: 3, 4>} : (tensor<5x4xf32>) -> !nacre.nested<[3, 4], tensor<5x?xf32, #nacre.dims<["5", "width"]>>>
  %2 = nacre.add %0, %1 : (!nacre.nested<[2, 4], tensor<5x?xf32, #nacre.dims<["5", "width"]>>>, !nacre.nested<[3, 4], tensor<5x?xf32, #nacre.dims<["5", "width"]>>>)
    -> !nacre.nested<[2, 4], tensor<5x?xf32, #nacre.dims<["5", "width"]>>>
  return
}
// -----
// CHECK: pick expects one of the widths 2, 4, but got 3
func.func @pick(%x: tensor<5x4xf32>) {
  %0 = nacre.prefixes %x {widths = array<i64: 2, 4>} : (tensor<5x4xf32>) -> !nacre.nested<[2, 4], tensor<5x?xf32, #nacre.dims<["5", "width"]>>>
  %1 = nacre.pick %0 {width = "3"} : (!nacre.nested<[2, 4], tensor<5x?xf32, #nacre.dims<["5", "width"]>>>) -> tensor<5x3xf32>
  return
}
// -----
// CHECK: nest expects parts whose sizes are equal or their widths, but got [2, 5] and [3, 5]
func.func @nest(%x: tensor<2x5xf32>, %y: tensor<3x5xf32>) {
  %0 = nacre.nest %x, %y {widths = array<i64: 2, 4>} : (tensor<2x5xf32>, tensor<3x5xf32>) -> !nacre.nested<[2, 4], tensor<?x5xf32, #nacre.dims<["width", "5"]>>>
  return
}
// -----
// CHECK: sgd expects a velocity of shape [6], but got []
func.func @sgd(%w: tensor<6xf32>, %r: tensor<f32>) {
  %0, %1 = nacre.sgd %w, %w, %r, %r, %r {momentum = 0.1, decay = 0.0, nesterov = false}
    : (tensor<6xf32>, tensor<6xf32>, tensor<f32>, tensor<f32>, tensor<f32>) -> (tensor<6xf32>, tensor<6xf32>)
  return
}
// -----
// CHECK: conv expects a number of groups that divides the 6 channels, but got 4
func.func @conv_groups(%x: tensor<2x6x5x5xf32>, %w: tensor<4x2x3x3xf32>) {
  %0 = nacre.conv %x, %w {groups = 4} : (tensor<2x6x5x5xf32>, tensor<4x2x3x3xf32>) -> tensor<2x4x3x3xf32>
  return
}
// -----
// CHECK: conv expects axes that hold a window of 5 at stride 1 for every size, but got 4 with its padding
func.func @conv_window(%x: tensor<2x6x4x5xf32>, %w: tensor<4x6x3x3xf32>) {
  %0 = nacre.conv %x, %w {dilation = array<i64: 2>} : (tensor<2x6x4x5xf32>, tensor<4x6x3x3xf32>) -> tensor<2x4x1x1xf32>
  return
}
// -----
// CHECK: conv expects a stride of at least 1, but got 0
func.func @conv_stride(%x: tensor<2x6x4x5xf32>, %w: tensor<4x6x3x3xf32>) {
  %0 = nacre.conv %x, %w {stride = array<i64: 0>} : (tensor<2x6x4x5xf32>, tensor<4x6x3x3xf32>) -> tensor<2x4x2x3xf32>
  return
}
// -----
// CHECK: conv expects padding of one entry, 2 or 4, but got 3
func.func @conv_padding(%x: tensor<2x6x4x5xf32>, %w: tensor<4x6x3x3xf32>) {
  %0 = nacre.conv %x, %w {padding = array<i64: 1, 1, 1>} : (tensor<2x6x4x5xf32>, tensor<4x6x3x3xf32>) -> tensor<2x4x4x5xf32>
  return
}
// -----
// CHECK: max_pool expects padding below the kernel 2, but got 2
func.func @max_pool(%x: tensor<2x6x4x5xf32>) {
  %0 = nacre.max_pool %x {kernel = array<i64: 2>, padding = array<i64: 2>} : (tensor<2x6x4x5xf32>) -> tensor<2x6x4x4xf32>
  return
}
// -----
// CHECK: windows expects axes that hold a window of 3 at stride 1 for every size, but got T with its padding
func.func @windows(%x: tensor<?xf32, #nacre.dims<["T"]>>) {
  %0 = nacre.windows %x {size = 3} : (tensor<?xf32, #nacre.dims<["T"]>>) -> tensor<?x3xf32, #nacre.dims<["T-2", "3"]>>
  return
}
// -----
// CHECK: resize_bilinear expects a scale or a size
func.func @resize(%x: tensor<2x6x4x5xf32>) {
  %0 = nacre.resize_bilinear %x : (tensor<2x6x4x5xf32>) -> tensor<2x6x4x5xf32>
  return
}
// -----
// CHECK: pixel_shuffle expects channels that the square of the factor divides, but got 6 and 2
func.func @shuffle(%x: tensor<2x6x4x5xf32>) {
  %0 = nacre.pixel_shuffle %x {factor = 2} : (tensor<2x6x4x5xf32>) -> tensor<2x1x8x10xf32>
  return
}
// -----
// CHECK: solve expects a matrix of shape [.., n, n], but got [2, 3]
func.func @solve(%a: tensor<2x3xf32>, %b: tensor<2x4xf32>) {
  %0 = nacre.solve %a, %b : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}
// -----
// CHECK: triangular_solve expects a right side of shape [5, 3, _], but got [3, 4]
func.func @triangular_solve(%a: tensor<5x3x3xf32>, %b: tensor<3x4xf32>) {
  %0 = nacre.triangular_solve %a, %b : (tensor<5x3x3xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return
}
// -----
// CHECK: cayley expects parameters of shape [n, n] for an input of shape [.., n], but got [4, 4] for [2, 3]
func.func @cayley(%x: tensor<2x3xf32>, %p: tensor<4x4xf32>) {
  %0 = nacre.cayley %x, %p : (tensor<2x3xf32>, tensor<4x4xf32>) -> tensor<2x3xf32>
  return
}
// -----
// CHECK: hash_code expects from 1 to 2147483647 rows, but got 0
func.func @hash(%a: tensor<2xi32>) {
  %0 = nacre.hash_code %a, %a {rows = 0} : (tensor<2xi32>, tensor<2xi32>) -> tensor<2x1xi32>
  return
}
// -----
// CHECK: hamming_topk expects k from 1 to 4, but got 5
func.func @hamming(%a: tensor<2x1xi32>, %b: tensor<4x1xi32>) {
  %0 = nacre.hamming_topk %a, %b {k = 5} : (tensor<2x1xi32>, tensor<4x1xi32>) -> tensor<2x5xi32>
  return
}
// -----
// CHECK: finite_scalar_quantize expects levels of at least 2, but got 1
func.func @levels(%x: tensor<2x3xf32>) {
  %0 = nacre.finite_scalar_quantize %x {levels = array<i64: 1>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}
// -----
// CHECK: scalar_code expects values of shape [3, _], but got [4, 5]
func.func @scalars(%x: tensor<2x3xf32>, %v: tensor<4x5xf32>) {
  %0 = nacre.scalar_code %x, %v : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<2x3xi32>
  return
}
// -----
// CHECK: infonce expects a temperature above 0
func.func @infonce(%x: tensor<2x3xf32>) {
  %0 = nacre.infonce %x, %x {temperature = 0.0} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<f32>
  return
}
// -----
// CHECK: sinkhorn expects at least one iteration, but got 0
func.func @sinkhorn(%x: tensor<2x3xf32>) {
  %0 = nacre.sinkhorn %x, %x {iterations = 0} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<f32>
  return
}
// -----
// CHECK: block_nested_linear expects widths that are positive and strictly increasing
func.func @nested(%x: tensor<2x3xf32>, %w: tensor<3x3xf32>) {
  %0 = nacre.block_nested_linear %x, %w {widths = array<i64: 2, 2, 3>} : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x3xf32>
  return
}
// -----
// CHECK: coalesce expects a factor that divides the axis of 3, but got 2
func.func @coalesce(%x: tensor<2x3xf32>) {
  %0 = nacre.coalesce %x : (tensor<2x3xf32>) -> tensor<2x1xf32>
  return
}
// -----
// CHECK: group_norm expects a number of groups that divides the 3 channels, but got 2
func.func @group_norm(%x: tensor<2x3xf32>) {
  %0 = nacre.group_norm %x {groups = 2, operandSegmentSizes = array<i32: 1, 0, 0>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}
// -----
// CHECK: grouped_linear expects experts of shape [6], or [6, _], but got [5]
func.func @grouped_rows(%x: tensor<6x3xf32>, %w: tensor<4x3x2xf32>, %e: tensor<5xi32>) {
  %0 = nacre.grouped_linear %x, %w, %e : (tensor<6x3xf32>, tensor<4x3x2xf32>, tensor<5xi32>) -> tensor<5x2xf32>
  return
}
// -----
// CHECK: grouped_linear expects weights of shape [_, 3, _], but got [4, 2, 3]
func.func @grouped_weights(%x: tensor<6x3xf32>, %w: tensor<4x2x3xf32>, %e: tensor<6xi32>) {
  %0 = nacre.grouped_linear %x, %w, %e : (tensor<6x3xf32>, tensor<4x2x3xf32>, tensor<6xi32>) -> tensor<6x3xf32>
  return
}
// -----
// CHECK: grouped_linear expects a bias of shape [4, 2], but got [2]
func.func @grouped_bias(%x: tensor<6x3xf32>, %w: tensor<4x3x2xf32>, %e: tensor<6xi32>, %b: tensor<2xf32>) {
  %0 = nacre.grouped_linear %x, %w, %e, %b : (tensor<6x3xf32>, tensor<4x3x2xf32>, tensor<6xi32>, tensor<2xf32>) -> tensor<6x2xf32>
  return
}
// -----
// CHECK: within_capacity expects a capacity of at least 1, but got 0
func.func @capacity(%e: tensor<6xi32>) {
  %0 = nacre.within_capacity %e {count = 4, capacity = 0} : (tensor<6xi32>) -> tensor<6xi32>
  return
}
// -----
// CHECK: nearest_code expects a codebook of shape [_, 4] or [3, _, 4], but got [2, 8, 4]
func.func @nearest_code(%x: tensor<5x3x4xf32>, %e: tensor<2x8x4xf32>) {
  %0 = nacre.nearest_code %x, %e : (tensor<5x3x4xf32>, tensor<2x8x4xf32>) -> !nacre.code<8, tensor<5x3xi32>>
  return
}
// -----
// CHECK: concat expects tensors, or codes below one count; ids(codes) makes plain integers
func.func @concat_codes(%a: !nacre.code<8, tensor<2xi32>>, %b: !nacre.code<9, tensor<2xi32>>) {
  %0 = nacre.concat %a, %b : (!nacre.code<8, tensor<2xi32>>, !nacre.code<9, tensor<2xi32>>) -> !nacre.code<8, tensor<4xi32>>
  return
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The contraction of a GPU block: the skeletons `contract` and `contract_fold` of the CPU target (Target/CPU/Contract.h) with shared
// memory and, where the precision asks for it, tensor cores. Slots and what they mean are the CPU kernel's; B never comes packed.
//
// A task is a tile of the result of one matrix. All kThreads threads of a block call the kernel together.
// Numerics: f32 has one sum an element, k ascending, fused multiply-add: the CPU's order. tf32 and bf16 round the factors (tf32 to
// nearest, ties away from zero; bf16 to nearest, ties to even) and add in f32 in the order of the tensor cores; the bits of an element
// depend on neither the tile nor the number of blocks.
#ifndef NACRE_COMPILER_TARGET_NVPTX_CONTRACT_H
#define NACRE_COMPILER_TARGET_NVPTX_CONTRACT_H

#include "compiler/Target/CPU/Contract.h"

namespace nacre::nvptx {

/// What a launch must know beyond a CPU kernel: one block is one worker.
struct BlockKernelInfo : cpu::KernelInfo {
  int64_t threads = 0;     // of a block
  int64_t sharedBytes = 0; // dynamic shared memory
};

/// How a product is cut into tiles. Small tiles give more tasks where the result is small.
enum class TileSize { Large /* 128 x 128 */, Small /* 64 x 64 */ };

struct WarpFold; // ContractFold.h
namespace contract {
struct BlockTile;
}
contract::BlockTile tileOf(TileSize size);

/// Whether `emitDeviceContract` has a kernel for `spec`; if not, the generic kernels serve it.
bool hasDeviceContract(const cpu::ContractSpec &spec);

/// Adds the kernel `func.func @name(begin: i64, end: i64, slots: ptr, scratch: ptr)` to `module`, which does tasks [begin, end).
/// `precision` is that of the products: F32, Tf32 or Bf16; anything else is F32. Requires hasDeviceContract(spec),
/// and the parts of a fold for tiles of that size where `spec` has one: then a task is a block of rows with all their columns.
BlockKernelInfo emitDeviceContract(mlir::ModuleOp module, llvm::StringRef name, const cpu::ContractSpec &spec,
                                   plan::Precision precision = plan::Precision::F32, TileSize size = TileSize::Large,
                                   const WarpFold *fold = nullptr);

} // namespace nacre::nvptx

#endif

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rows of data for one function: its inputs from data files by name, the rows that the model trains or tests on, batches of them.
#pragma once

#include "compiler/tools/nacre/Array.h"
#include "compiler/tools/nacre/LoadedModel.h"

namespace nacre::tool {

/// 2 when the inputs before number `count` end with the seed and the number of a draw, which the tool fills in; else 0.
int32_t drawInputs(const nacre_function &function, int32_t count);
/// Appends those two inputs when the function has them.
void appendDraw(const nacre_function &function, int32_t count, uint64_t seed, int64_t draw, std::vector<Array> &inputs);

/// The arrays of all --data files: `FILE`, or `name=FILE.npy`.
llvm::Expected<std::vector<NamedArray>> readDataFiles(llvm::ArrayRef<llvm::StringRef> given);

/// One array for each of the first `inputCount` inputs of a function. Invariant: each has the type of its port and `rows` rows, but for
/// those that are one number.
struct RowData {
  std::vector<Array> inputs;
  std::vector<int32_t> open; ///< run-time widths to which the model gives no value; they hold their largest choice
  int64_t rows = 0;

  /// The rows of the given numbers, in that order.
  std::vector<Array> gather(llvm::ArrayRef<int64_t> numbers) const;
};

/// A choice for every open width of a batch, keyed by (seed, batch): each is as likely as another.
void drawOpen(const nacre_function &function, const RowData &data, uint64_t seed, int64_t batch, std::vector<Array> &inputs);

/// Finds each input among `arrays`, by the name that the model's `data` entry gives it; one number has its value from there. Fails when one
/// is missing, has another type or has another number of rows.
llvm::Expected<RowData> rowsFor(const LoadedModel &model, const nacre_function &function, int32_t inputCount,
                                llvm::ArrayRef<NamedArray> arrays);

/// The row numbers of "train", "test" or "all" (all rows where the model says nothing), of a range "A..B" without B, or of the file
/// of row numbers that any other word names. Fails on rows that are not there.
llvm::Expected<std::vector<int64_t>> selectRows(const LoadedModel &model, llvm::StringRef which, int64_t rows);

/// Shuffles by (seed, epoch): Fisher and Yates' shuffle with draws from Philox, the same on every machine.
std::vector<int64_t> shuffled(std::vector<int64_t> rows, uint64_t seed, uint32_t epoch);

} // namespace nacre::tool

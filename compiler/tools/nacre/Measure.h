// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The value of a loss or a metric over many rows, computed batch by batch.
#pragma once

#include "compiler/tools/nacre/RowData.h"

namespace nacre::tool {

/// One number, or one for each width: when the function stacks them, or takes a run-time width that the model leaves open.
struct Measurement {
  std::string name;
  std::vector<int64_t> widths; ///< empty for one number
  std::vector<double> values;

  /// "accuracy 0.9612", or "accuracy 4: 0.8934  8: 0.9441"
  std::string text() const;
  /// {"name": ..., "values": [...], "widths": [...]}; no widths for one number
  llvm::json::Object json() const;
};

/// Fails unless every output of `function` is a number, or a number for each width.
llvm::Error checkMeasurable(const LoadedModel &model, const nacre_function &function);

/// The mean over the rows, in batches of at most `batch`; the last one may be short and counts by its rows.
llvm::Expected<Measurement> measure(const LoadedModel &model, nacre_context *context, const nacre_function &function, const RowData &data,
                                    llvm::ArrayRef<int64_t> rows, int64_t batch);

} // namespace nacre::tool

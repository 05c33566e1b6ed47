// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention, forward and backward, against the multiply-add peak of one core. Results are compared with f64 first.
// Usage: nacre-bench-attention [v3|v4]
#include "bench/kernels/Bench.h"
#include "bench/kernels/Peak.h"
#include "test/compiler/cpu-kernels/AttentionReference.h"

#include <cmath>
#include <cstdio>

using namespace nacre::cpu;
using namespace nacre::bench;

namespace {

const AttentionShape shapes[] = {
    {1, 2, 2, 512, 512, 64},  {1, 2, 2, 512, 512, 32}, {1, 1, 1, 2048, 2048, 64}, {2, 12, 12, 128, 128, 32},
    {4, 12, 12, 20, 20, 32}, {4, 12, 12, 40, 40, 32}, {4, 12, 12, 60, 60, 32},
};

double largestError(const GuardedArray<float> &found, const std::vector<double> &exact) {
  double error = 0;
  for (size_t i = 0; i < exact.size(); ++i)
    error = std::max(error, std::fabs(found[i] - exact[i]));
  return error;
}

} // namespace

int main(int argc, char **argv) {
  const Level *level = findLevel(argc > 1 ? argv[1] : machineSupports("v4") ? "v4" : "v3");
  if (!level || !machineSupports(level->name))
    return std::printf("expected a CPU level that this machine has (v3, v4)\n"), 2;
  KernelLoader loader;
  AttentionSpec spec, causal;
  spec.scale = causal.scale = 0.15, spec.logSumExp = true, causal.causal = true;
  const KernelInfo forward = emitAttention(loader.module(), "forward", *level, spec);
  const KernelInfo causalForward = emitAttention(loader.module(), "causal", *level, causal);
  const KernelInfo backward = emitAttentionBackward(loader.module(), "backward", *level, spec);
  emitPeak(loader.module(), *level);
  loader.compile();
  const Peak peak = loadPeak(loader, *level);
  for (const AttentionShape &shape : shapes) {
    AttentionProblem problem(spec, shape);
    problem.solve();
    Launch run(forward, loader.find("forward")), runCausal(causalForward, loader.find("causal"));
    Launch runBackward(backward, loader.find("backward"));
    problem.fill(run), problem.fill(runCausal), problem.fill(runBackward, true);
    run.run(), runBackward.run();
    const double error = largestError(problem.o.data, problem.exactO), errorDK = largestError(problem.dK.data, problem.exactDK);
    const std::vector<double> times =
        measure({{"forward", [&] { run.run(); }}, {"causal", [&] { runCausal.run(); }},
                 {"backward", [&] { runBackward.run(); }}, {"peak", peak.run}});
    const double flop = 4.0 * static_cast<double>(shape.batch * shape.heads * shape.queries * shape.keys * shape.width);
    const double peakRate = peak.flop / times[3];
    std::printf("B%ld H%ld T%ld d%ld: forward %.1f us, %.3f of peak, error %.1e; causal %.2f of its time; backward %.1f us, %.3f of "
                "peak, error %.1e\n",
                shape.batch, shape.heads, shape.queries, shape.width, times[0] * 1e6, flop / times[0] / peakRate, error,
                times[1] / times[0], times[2] * 1e6, 2.5 * flop / times[2] / peakRate, errorDK);
  }
}

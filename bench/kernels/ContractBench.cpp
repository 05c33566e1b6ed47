// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The contraction kernel against OpenBLAS on one thread, weights as they lie in a file (no packing beforehand).
// Usage: nacre-bench-contract [v3|v4 [nn|nt|tn|gelu M N K]]
#include "bench/kernels/Bench.h"
#include "bench/kernels/Peak.h"
#include "compiler/Target/CPU/Contract.h"
#include "test/compiler/cpu-kernels/KernelLoader.h"

#include <cmath>
#include <cstdio>
#include <cstring>

using namespace nacre::cpu;
using namespace nacre::bench;
using Slot = ContractSlots;

namespace {

struct Case {
  const char *kind; // "nn", "nt" (dX), "tn" (dW), "gelu"
  int m, n, k;
};

const Case cases[] = {
    {"nn", 1024, 1024, 1024}, {"nn", 256, 1536, 384}, {"nn", 256, 384, 1536}, {"nn", 1000, 500, 300}, {"nn", 4096, 768, 768},
    {"gelu", 256, 1536, 384}, {"nt", 1024, 1024, 1024}, {"nt", 256, 384, 1536}, {"nt", 1000, 300, 500}, {"tn", 1024, 1024, 1024},
    {"tn", 384, 1536, 4096}, {"tn", 768, 768, 4096},
    {"tn", 300, 500, 1000},   {"nn", 128, 256, 64},   {"nn", 128, 64, 256},   {"nn", 1, 1536, 384},  {"nn", 2, 1536, 384},
    {"nn", 3, 1536, 384},     {"nn", 4, 1536, 384},   {"nn", 5, 1536, 384},   {"nn", 6, 1536, 384},  {"nn", 7, 1536, 384},
    {"nn", 8, 1536, 384},     {"nn", 9, 1536, 384},   {"nn", 20, 1536, 384},  {"nn", 20, 384, 384},  {"nn", 40, 384, 1536},
};

Values gelu(VectorBuilder &b, Value sum, llvm::ArrayRef<Value> extras) {
  Value x = b.addf(sum, extras[0]);
  Value erf = b.erf(b.mulf(x, b.splat(std::sqrt(0.5))));
  return {b.mulf(b.mulf(x, b.splat(0.5)), b.addf(erf, b.splat(1)))};
}

void run(const Case &c, const Level &level, const Gemm &blas, const KernelInfo &info, nacre_kernel kernel, const Peak &peak) {
  const bool ta = c.kind[0] == 't', tb = c.kind[1] == 't', withGelu = c.kind[0] == 'g';
  std::vector<float> a(size_t(c.m) * c.k), b(size_t(c.k) * c.n), bias(c.n), mine(size_t(c.m) * c.n), theirs(mine.size());
  for (size_t i = 0; i < a.size(); ++i)
    a[i] = static_cast<float>(static_cast<int>(i * 7919 % 17) - 8) / 8;
  for (size_t i = 0; i < b.size(); ++i)
    b[i] = static_cast<float>(static_cast<int>(i * 104729 % 19) - 9) / 8;
  const int lda = ta ? c.m : c.k, ldb = tb ? c.k : c.n;
  ContractSpec layout;
  layout.extras.assign(withGelu, Element::F32);
  ContractSlots slots(layout);
  Launch launch(info, kernel);
  launch.set(Slot::A, a.data()), launch.set(Slot::B, b.data());
  launch.set(Slot::Rows, c.m), launch.set(Slot::Columns, c.n), launch.set(Slot::Depth, c.k);
  launch.set(Slot::ARow, ta ? 1 : lda), launch.set(Slot::AStep, ta ? lda : 1);
  launch.set(Slot::BStep, tb ? 1 : ldb), launch.set(Slot::BColumn, tb ? ldb : 1);
  launch.set(Slot::Batch, 1), launch.set(Slot::BatchInner, 1);
  launch.set(slots.output(0, Slot::OutputPointer), mine.data()), launch.set(slots.output(0, Slot::OutputRow), c.n);
  if (withGelu)
    launch.set(slots.extra(0, Slot::ExtraPointer), bias.data()), launch.set(slots.extra(0, Slot::ExtraColumn), 1);

  auto runBlas = [&] { blas(ta, tb, c.m, c.n, c.k, a.data(), lda, b.data(), ldb, theirs.data(), c.n); };
  launch.run(), runBlas();
  for (size_t i = 0; !withGelu && i < mine.size(); ++i)
    if (std::fabs(mine[i] - theirs[i]) > 1e-3) {
      std::printf("wrong result at %zu: %g, but OpenBLAS says %g\n", i, mine[i], theirs[i]);
      std::exit(1);
    }
  const std::vector<double> times = measure({{"mine", [&] { launch.run(); }}, {"blas", runBlas}, {"peak", peak.run}});
  const double flop = 2.0 * c.m * c.n * c.k, peakRate = peak.flop / times[2];
  const double share = flop / times[0] / peakRate;
  std::printf("%-4s %5d %5d %5d   %8.2f us   %6.1f GFLOP/s   %.3f of peak%s   %.2f of OpenBLAS's speed\n", c.kind, c.m, c.n, c.k,
              times[0] * 1e6, flop / times[0] * 1e-9, share, share > 1 ? " (impossible: measure again)" : "", times[1] / times[0]);
}

} // namespace

int main(int argc, char **argv) {
  const Level *level = findLevel(argc > 1 ? argv[1] : machineSupports("v4") ? "v4" : "v3");
  if (!level || !machineSupports(level->name))
    return std::printf("expected a CPU level that this machine has (v3, v4)\n"), 2;
  if (level->name == "v3")
    setenv("OPENBLAS_CORETYPE", "Haswell", 0);
  const Gemm blas = openBlas();
  if (!blas)
    return std::printf("OpenBLAS (libopenblas.so.0) is missing\n"), 1;
  KernelLoader loader;
  ContractSpec plain, withGelu;
  plain.epilogue = [](VectorBuilder &, Value sum, llvm::ArrayRef<Value>) { return Values{sum}; };
  withGelu.extras = {Element::F32}, withGelu.epilogue = gelu;
  const KernelInfo plainInfo = emitContract(loader.module(), "plain", *level, plain);
  const KernelInfo geluInfo = emitContract(loader.module(), "gelu", *level, withGelu);
  emitPeak(loader.module(), *level);
  loader.compile();
  const Peak peak = loadPeak(loader, *level);
  std::printf("level %s, object of three kernels %zu bytes\n", level->name.str().c_str(), loader.objectBytes());
  std::vector<Case> chosen(std::begin(cases), std::end(cases));
  if (argc == 6)
    chosen = {{argv[2], std::atoi(argv[3]), std::atoi(argv[4]), std::atoi(argv[5])}};
  for (const Case &c : chosen) {
    const bool isGelu = c.kind[0] == 'g';
    run(c, *level, blas, isGelu ? geluInfo : plainInfo, loader.find(isGelu ? "gelu" : "plain"), peak);
  }
}

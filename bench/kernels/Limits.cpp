// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the machine gives at most: the FMA peak (f32, in flop a second) and a streaming read (bytes a second), for a number of threads
// that run at once. Prints one JSON object. Both count the time that a thread ran, so that other work on the machine lowers them as
// little as possible.
// Usage: nacre-bench-limits [THREADS]
#include "bench/kernels/Bench.h"
#include "bench/kernels/Peak.h"

#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <thread>

using namespace nacre::cpu;
using namespace nacre::bench;

namespace {

// 256 MiB a thread: beyond any last-level cache that a thread's share could fill (105 MiB on the machines seen).
constexpr size_t streamElements = size_t(1) << 26;
constexpr size_t sliceElements = size_t(1) << 22; // 16 MiB a run: some milliseconds
constexpr int streamRounds = 9;

template <typename Body>
std::vector<double> onThreads(int count, Body body) {
  std::vector<double> results(count);
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i)
    threads.emplace_back([&, i] { results[i] = body(); });
  for (std::thread &thread : threads)
    thread.join();
  return results;
}

double sum(const std::vector<double> &values) { return std::accumulate(values.begin(), values.end(), 0.0); }

/// Bytes a second over a buffer of this thread's own, a slice a run.
double readRate() {
  using Vector = float __attribute__((vector_size(16)));
  std::vector<float> buffer(streamElements, 1.0f);
  size_t at = 0;
  auto read = [&] {
    const auto *data = reinterpret_cast<const Vector *>(buffer.data() + at);
    Vector a = {}, b = {}, c = {}, d = {};
    for (size_t i = 0; i < sliceElements / 4; i += 4)
      a += data[i], b += data[i + 1], c += data[i + 2], d += data[i + 3];
    Vector total = a + b + c + d;
    asm volatile("" ::"x"(total));
    at = (at + sliceElements) % streamElements;
  };
  return 4.0 * sliceElements / measure({{"read", read}}, streamRounds, 0.01)[0];
}

} // namespace

int main(int argc, char **argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  if (threads < 1 || threads > 64)
    return std::fprintf(stderr, "expected 1 to 64 threads, but got '%s'\n", argv[1]), 2;
  const Level *level = findLevel(machineSupports("v4") ? "v4" : "v3");
  if (!machineSupports(level->name))
    return std::fprintf(stderr, "expected a CPU with AVX2 (level v3)\n"), 1;
  KernelLoader loader;
  emitPeak(loader.module(), *level);
  loader.compile();
  const Peak peak = loadPeak(loader, *level);
  const double flops = sum(onThreads(threads, [&] { return peak.flop / measure({{"peak", peak.run}}, 5, 0.01)[0]; }));
  const double bytes = sum(onThreads(threads, readRate));
  std::printf("{\"threads\": %d, \"level\": \"%s\", \"fma_flop_s\": %.4g, \"read_bytes_s\": %.4g}\n", threads,
              level->name.str().c_str(), flops, bytes);
}

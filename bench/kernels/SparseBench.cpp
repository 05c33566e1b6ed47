// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sparse rows on one thread: encode and top-k as one kernel against the product alone and against product, then selection; decode; and
// the gradient of the decoder with Adam in the same visit against a stored gradient.
// Usage: nacre-bench-sparse [v3|v4 [rows width latents]]; k is 32
#include "bench/kernels/Bench.h"
#include "bench/kernels/Peak.h"
#include "compiler/Target/CPU/Contract.h"
#include "compiler/Target/CPU/Entries.h"
#include "compiler/Target/CPU/Segments.h"
#include "compiler/Target/CPU/Selection.h"
#include "test/compiler/cpu-kernels/KernelLoader.h"

#include <cstdio>
#include <cstring>

using namespace nacre::cpu;
using namespace nacre::bench;

namespace {

constexpr int64_t k = 32;

/// Values of roughly normal distribution.
std::vector<float> random(size_t size, uint64_t state) {
  std::vector<float> values(size);
  for (float &value : values) {
    double sum = 0;
    for (int j = 0; j < 4; ++j) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      sum += static_cast<double>(state >> 40) / (1 << 24) - 0.5;
    }
    value = static_cast<float>(sum * 1.7320508);
  }
  return values;
}

Values biasRelu(VectorBuilder &b, Value sum, llvm::ArrayRef<Value> extras) { return {b.maxf(b.addf(sum, extras[0]), b.splat(0))}; }

/// w, m, v from gradient, w, m, v; first step, rate 1e-3.
Values adam(VectorBuilder &b, Value g, llvm::ArrayRef<Value> x) {
  Value m = b.fma(x[1], b.splat(0.9), b.mulf(g, b.splat(0.1))), v = b.fma(x[2], b.splat(0.999), b.mulf(b.mulf(g, g), b.splat(0.001)));
  Value step = b.divf(b.mulf(m, b.splat(1e-2)), b.addf(b.sqrt(b.mulf(v, b.splat(1e3))), b.splat(1e-8)));
  return {b.subf(x[0], step), m, v};
}

ContractSpec encodeSpec(bool folds) {
  ContractSpec spec;
  spec.extras = {Element::F32};
  spec.epilogue = biasRelu;
  if (folds) {
    spec.fold = FoldSpec{FoldSpec::Best, k, {false, false}};
    spec.schedule.rows = levels().front().foldRows;
  }
  return spec;
}

SegmentSpec segmentSpec(bool updates) {
  SegmentSpec spec;
  spec.epilogue = [](VectorBuilder &, Value sum, llvm::ArrayRef<Value>) { return Values{sum}; };
  if (updates) {
    spec.extras.assign(3, Element::F32);
    spec.outputs = 3;
    spec.epilogue = adam;
  }
  return spec;
}

/// Emits, compiles and finds all kernels of this file.
struct Kernels {
  explicit Kernels(const Level &level) {
    auto add = [&](const char *name, const KernelInfo &info) { infos[name] = info; };
    auto module = loader.module();
    add("fused", emitContract(module, "fused", level, encodeSpec(true)));
    add("product", emitContract(module, "product", level, encodeSpec(false)));
    add("select", emitSelect(module, "select", level, {false, false}));
    EpilogueSpec plain = segmentSpec(false);
    add("decode", emitGatherSum(module, "decode", level, plain));
    add("order", emitSegmentOrder(module, "order", level));
    add("segment", emitSegment(module, "segment", level, segmentSpec(false)));
    add("update", emitSegment(module, "update", level, segmentSpec(true)));
    emitPeak(module, level);
    loader.compile();
  }
  Launch launch(const char *name) { return Launch(infos.at(name), loader.find(name)); }
  KernelLoader loader;
  std::map<std::string, KernelInfo> infos;
};

void report(const char *what, double seconds, double limit, const char *of) {
  std::printf("%-52s %9.2f ms   %.3f of %s\n", what, seconds * 1e3, limit / seconds, of);
}

} // namespace

int main(int argc, char **argv) {
  const Level *level = findLevel(argc > 1 ? argv[1] : machineSupports("v4") ? "v4" : "v3");
  if (!level || !machineSupports(level->name))
    return std::printf("expected a CPU level that this machine has (v3, v4)\n"), 2;
  const int64_t rows = argc == 5 ? std::atoll(argv[2]) : 1024, width = argc == 5 ? std::atoll(argv[3]) : 768;
  const int64_t latents = argc == 5 ? std::atoll(argv[4]) : 24576;
  Kernels kernels(*level);
  const Peak peak = loadPeak(kernels.loader, *level);
  std::vector<float> x = random(rows * width, 1), encoder = random(width * latents, 2), bias(latents), product(rows * latents);
  std::vector<float> values(rows * k), wantValues(rows * k), decoder = random(latents * width, 3), y(rows * width), gradient(latents * width);
  std::vector<float> m(latents * width), v(latents * width);
  std::vector<int32_t> indices(rows * k), wantIndices(rows * k), order(rows * k), entryRows(rows * k), ends(latents + 1);

  auto encode = [&](const char *name, const ContractSpec &spec) {
    using S = ContractSlots;
    S slots(spec);
    Launch call = kernels.launch(name);
    call.set(S::A, x.data()), call.set(S::B, encoder.data()), call.set(S::Rows, rows), call.set(S::Columns, latents);
    call.set(S::Depth, width), call.set(S::ARow, width), call.set(S::AStep, 1), call.set(S::BStep, latents), call.set(S::BColumn, 1);
    call.set(S::Batch, 1), call.set(S::BatchInner, 1);
    call.set(slots.extra(0, S::ExtraPointer), bias.data()), call.set(slots.extra(0, S::ExtraColumn), 1);
    call.set(slots.output(0, S::OutputPointer), spec.fold ? values.data() : product.data());
    call.set(slots.output(0, S::OutputRow), spec.fold ? k : latents);
    if (spec.fold) {
      call.set(slots.output(1, S::OutputPointer), indices.data()), call.set(slots.output(1, S::OutputRow), k);
      call.set(slots.taskRows(), spec.schedule.rows);
    }
    return call;
  };
  Launch fused = encode("fused", encodeSpec(true)), plain = encode("product", encodeSpec(false)), select = kernels.launch("select");
  {
    using S = SelectSlots;
    select.set(S::X, product.data()), select.set(S::XRow, latents), select.set(S::Rows, rows), select.set(S::Columns, latents);
    select.set(S::K, k), select.set(S::Values, wantValues.data()), select.set(S::ValuesRow, k), select.set(S::Indices, wantIndices.data());
    select.set(S::IndicesRow, k), select.set(S::RowGrain, 1);
  }
  fused.run(), plain.run(), select.run();
  if (values != wantValues || indices != wantIndices)
    return std::printf("the fold and the selection choose differently\n"), 1;
  auto times = measure({{"fused", [&] { fused.run(); }}, {"product", [&] { plain.run(); }}, {"select", [&] { select.run(); }}, {"peak", peak.run}}, 7);
  const double ideal = 2.0 * rows * width * latents / (peak.flop / times[3]);
  std::printf("level %s: %lld rows, width %lld, %lld latents, k = %lld\n", level->name.str().c_str(), (long long)rows, (long long)width,
              (long long)latents, (long long)k);
  report("encode and top-k, one kernel", times[0], ideal, "the FMA peak");
  report("encode, stored", times[1], ideal, "the FMA peak");
  report("encode, stored, then top-k", times[1] + times[2], ideal, "the FMA peak");

  Launch decode = kernels.launch("decode"), sort = kernels.launch("order"), store = kernels.launch("segment"), update = kernels.launch("update");
  {
    using S = GatherSumSlots;
    TileSlots tile(S::TileCount, segmentSpec(false));
    decode.set(S::Values, values.data()), decode.set(S::Indices, indices.data()), decode.set(S::Table, decoder.data());
    decode.set(S::TableRow, width), decode.set(S::TableColumn, 1), decode.set(S::TableRows, latents), decode.set(S::Rows, rows);
    decode.set(S::K, k), decode.set(S::Width, width);
    decode.set(tile.output(0, TileSlots::OutputPointer), y.data()), decode.set(tile.output(0, TileSlots::OutputRow), width);
  }
  {
    using S = SegmentOrderSlots;
    sort.set(S::Indices, indices.data()), sort.set(S::Order, order.data()), sort.set(S::EntryRows, entryRows.data());
    sort.set(S::Ends, ends.data()), sort.set(S::Rows, rows), sort.set(S::K, k), sort.set(S::Segments, latents), sort.set(S::One, 1);
  }
  for (bool updates : {false, true}) {
    using S = SegmentSlots;
    Launch &call = updates ? update : store;
    TileSlots tile(S::TileCount, segmentSpec(updates));
    call.set(S::Values, values.data()), call.set(S::Order, order.data()), call.set(S::EntryRows, entryRows.data()), call.set(S::Ends, ends.data());
    call.set(S::X, x.data()), call.set(S::XRow, width), call.set(S::Segments, latents), call.set(S::Width, width);
    float *places[] = {decoder.data(), m.data(), v.data()};
    for (int64_t i = 0; i < 3 && updates; ++i) {
      call.set(tile.extra(i, TileSlots::ExtraPointer), places[i]), call.set(tile.extra(i, TileSlots::ExtraRow), width);
      call.set(tile.extra(i, TileSlots::ExtraColumn), 1);
    }
    for (int64_t i = 0; i < (updates ? 3 : 1); ++i) {
      call.set(tile.output(i, TileSlots::OutputPointer), updates ? places[i] : gradient.data());
      call.set(tile.output(i, TileSlots::OutputRow), width);
    }
  }
  auto sum = [&] { // a read of the table, once through
    float total = 0;
    for (size_t i = 0; i < decoder.size(); i += 16)
      total += decoder[i];
    asm volatile("" : : "x"(total));
  };
  times = measure({{"decode", [&] { decode.run(); }},
                   {"sort", [&] { sort.run(); }},
                   {"store", [&] { store.run(); }},
                   {"update", [&] { update.run(); }},
                   {"read", sum}}, 7);
  const double rate = 4.0 * latents * width / times[4];
  report("decode", times[0], 4.0 * rows * k * width / rate, "a streaming read of the rows");
  report("sort the entries", times[1], times[1], "itself");
  report("gradient, stored", times[2], 4.0 * latents * width / rate, "a streaming write of it");
  report("gradient and Adam, one visit", times[3], 24.0 * latents * width / rate, "a streaming read and write of w, m, v");
}

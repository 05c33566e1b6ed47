// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The contraction of a block against plain loops: odd sizes, all layouts, batches, epilogues, checkpoints, every precision, and the same
// bits in every order of threads. Integers make all precisions exact; arrays end at unreadable memory.
#include "test/compiler/device-kernels/ContractProblem.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

using namespace nacre;
using namespace nacre::nvptx;
using cpu::ContractSpec;
using cpu::GuardedArray;

namespace {

constexpr float untouched = 12345.5f; // fills outputs: what lies between rows must stay

struct Form {
  const char *name;
  plan::Precision precision;
  TileSize size;
};
constexpr Form forms[] = {{"f32", plan::Precision::F32, TileSize::Large},
                          {"f32 small", plan::Precision::F32, TileSize::Small},
                          {"tf32", plan::Precision::Tf32, TileSize::Large},
                          {"tf32 small", plan::Precision::Tf32, TileSize::Small},
                          {"bf16", plan::Precision::Bf16, TileSize::Large},
                          {"bf16 small", plan::Precision::Bf16, TileSize::Small}};

DeviceKernel compile(const ContractSpec &spec, const Form &form) {
  return DeviceKernel([&](mlir::ModuleOp module, llvm::StringRef name) {
    return emitDeviceContract(module, name, spec, form.precision, form.size);
  });
}

/// What `expected(matrix, row, column)` says, and nothing between rows, in every order.
void check(DeviceKernel &kernel, const ContractSpec &spec, const Problem &problem, Slots slots, int64_t checkpoints,
           const std::function<float(int64_t checkpoint, int64_t m, int64_t i, int64_t j)> &expected) {
  ASSERT_EQ(kernel.error(), "");
  for (int order : simt::kOrders) {
    GuardedArray<float> out(checkpoints * problem.batch * problem.outSize(), untouched);
    problem.setOutput(slots, spec, 0, out.data());
    ASSERT_EQ(kernel.run(slots, order), "") << "order " << order;
    for (int64_t c = 0; c < checkpoints; ++c)
      for (int64_t m = 0; m < problem.batch; ++m)
        for (int64_t i = 0; i < problem.shape.rows; ++i)
          for (int64_t j = 0; j < problem.outStride; ++j)
            ASSERT_EQ(out[((c * problem.batch + m) * problem.shape.rows + i) * problem.outStride + j],
                      j < problem.shape.columns ? expected(c, m, i, j) : untouched)
                << "order " << order << ", checkpoint " << c << ", matrix " << m << ", row " << i << ", column " << j;
  }
}

} // namespace

TEST(DeviceContract, EverySizeAndLayoutIsExact) {
  for (const Form &form : forms) {
    DeviceKernel kernel = compile(plainSpec(), form);
    for (bool a : {false, true})
      for (bool b : {false, true})
        for (Shape shape : {Shape{1, 1, 1}, {7, 129, 7}, {127, 5, 127}, {129, 200, 33}, {128, 128, 64}, {132, 260, 36, a, b, 1, 1, 4},
                            {70, 66, 33, a, b, 2, 3, 1}, {3, 130, 17, a, b, 1, 2, 0, 2}, {5, 6, 0}}) {
          shape.transposedA = a, shape.transposedB = b;
          SCOPED_TRACE(::testing::Message() << form.name << " " << shape.rows << " x " << shape.columns << " x " << shape.depth << ", A "
                                            << (a ? "by columns" : "by rows") << ", B " << (b ? "by columns" : "by rows"));
          Problem problem(shape);
          ContractSpec spec = plainSpec();
          check(kernel, spec, problem, problem.slotsFor(spec), 1,
                [&](int64_t, int64_t m, int64_t i, int64_t j) { return problem.sum(m, i, j, shape.depth); });
        }
  }
}

// One sum an element, k ascending, fused: to the bit what the CPU computes.
TEST(DeviceContract, SumsOfRealsHaveTheCpusBits) {
  DeviceKernel kernel = compile(plainSpec(), forms[0]);
  Problem problem({140, 136, 100});
  cpu::fillReals(problem.a, 3);
  cpu::fillReals(problem.b, 4);
  ContractSpec spec = plainSpec();
  check(kernel, spec, problem, problem.slotsFor(spec), 1,
        [&](int64_t, int64_t m, int64_t i, int64_t j) { return problem.sum(m, i, j, 100); });
}

TEST(DeviceContract, TensorCoresRoundTheFactors) {
  for (auto [form, bound] : {std::pair(forms[2], std::ldexp(1.0, -11)), {forms[4], std::ldexp(1.0, -8)}}) {
    DeviceKernel kernel = compile(plainSpec(), form);
    ASSERT_EQ(kernel.error(), "");
    Problem problem({65, 70, 90});
    cpu::fillReals(problem.a, 5);
    cpu::fillReals(problem.b, 6);
    ContractSpec spec = plainSpec();
    Slots slots = problem.slotsFor(spec);
    GuardedArray<float> out(problem.outSize(), untouched);
    problem.setOutput(slots, spec, 0, out.data());
    ASSERT_EQ(kernel.run(slots, 0), "");
    double worst = 0;
    for (int64_t i = 0; i < 65; ++i)
      for (int64_t j = 0; j < 70; ++j) {
        double sum = 0, size = 0;
        for (int64_t k = 0; k < 90; ++k) {
          double term = double(problem.elementA(0, i, k)) * problem.elementB(0, k, j);
          sum += term, size += std::abs(term);
        }
        worst = std::max(worst, std::abs(out[i * problem.outStride + j] - sum) / size);
      }
    EXPECT_LT(worst, 2 * bound) << form.name; // each factor is off by `bound` at most
    EXPECT_GT(worst, bound / 100) << form.name << " does not round at all";
  }
}

// relu(sum + bias[j]) * factor[i][j], and added to what is there: an output that is an extra, too.
TEST(DeviceContract, EpiloguesReadExtrasAndUpdate) {
  ContractSpec spec;
  spec.extras = {cpu::Element::F32, cpu::Element::I32, cpu::Element::F32};
  spec.epilogue = [](cpu::VectorBuilder &b, cpu::Value sum, llvm::ArrayRef<cpu::Value> extras) {
    cpu::Value value = b.maxf(b.addf(sum, extras[0]), b.splat(0));
    return cpu::Values{b.fma(value, b.toFloat(extras[1]), extras[2])};
  };
  for (const Form &form : {forms[0], forms[3], forms[4]})
    for (int64_t gap : {0, 1}) {
      Problem problem({130, 132, 40, false, true, 1, 2, gap});
      DeviceKernel kernel = compile(spec, form);
      ASSERT_EQ(kernel.error(), "");
      GuardedArray<float> bias(132);
      cpu::fillIntegers(bias, 7);
      GuardedArray<int32_t> factor(130);
      for (size_t i = 0; i < factor.size(); ++i)
        factor[i] = static_cast<int32_t>(i % 5) - 2;
      for (int order : simt::kOrders) {
        GuardedArray<float> out(2 * problem.outSize(), 3);
        cpu::ContractSlots at(spec);
        Slots slots = problem.slotsFor(spec);
        problem.setOutput(slots, spec, 0, out.data());
        slots.set(at.extra(0, Slot::ExtraPointer), bias.data()), slots.set(at.extra(0, Slot::ExtraColumn), 1);
        slots.set(at.extra(1, Slot::ExtraPointer), factor.data()), slots.set(at.extra(1, Slot::ExtraRow), 1);
        slots.set(at.extra(2, Slot::ExtraPointer), out.data()), slots.set(at.extra(2, Slot::ExtraRow), problem.outStride);
        slots.set(at.extra(2, Slot::ExtraColumn), 1), slots.set(at.extra(2, Slot::ExtraInner), problem.outSize());
        ASSERT_EQ(kernel.run(slots, order), "");
        for (int64_t m = 0; m < 2; ++m)
          for (int64_t i = 0; i < 130; ++i)
            for (int64_t j = 0; j < problem.outStride; ++j) {
              float value = j < 132 ? std::max(problem.sum(m, i, j, 40) + bias[j], 0.0f) * factor[i] + 3 : 3;
              ASSERT_EQ(out[m * problem.outSize() + i * problem.outStride + j], value) << form.name << " at " << i << ", " << j;
            }
      }
    }
}

TEST(DeviceContract, CheckpointsAreAllPrefixes) {
  ContractSpec spec = plainSpec();
  spec.checkpoints = true;
  const int64_t ends[] = {1, 7, 8, 40, 41};
  for (const Form &form : forms)
    for (bool transposed : {false, true}) {
      Problem problem({130, 129, 41, transposed, transposed});
      DeviceKernel kernel = compile(spec, form);
      Slots slots = problem.slotsFor(spec);
      cpu::ContractSlots at(spec);
      slots.set(at.checkpointCount(), 5), slots.set(at.checkpointList(), ends);
      check(kernel, spec, problem, slots, 5,
            [&](int64_t c, int64_t m, int64_t i, int64_t j) { return problem.sum(m, i, j, ends[c]); });
    }
}

TEST(DeviceContract, WordsCountDifferingBits) {
  ContractSpec spec = plainSpec();
  spec.words = true;
  DeviceKernel kernel = compile(spec, forms[1]);
  Problem problem({20, 70, 9});
  auto bits = [](float x) { uint32_t word; std::memcpy(&word, &x, 4); return word; };
  check(kernel, spec, problem, problem.slotsFor(spec), 1, [&](int64_t, int64_t m, int64_t i, int64_t j) {
    float count = 0;
    for (int64_t k = 0; k < 9; ++k)
      count += __builtin_popcount(bits(problem.elementA(m, i, k)) ^ bits(problem.elementB(m, k, j)));
    return count;
  });
}

TEST(DeviceContract, InstructionsThatMatter) {
  auto count = [](const DeviceKernel &kernel, llvm::StringRef what) { return llvm::StringRef(kernel.ptx()).count(what); };
  DeviceKernel f32 = compile(plainSpec(), forms[0]), tf32 = compile(plainSpec(), forms[2]), bf16 = compile(plainSpec(), forms[4]);
  EXPECT_EQ(count(f32, "fma.rn.f32"), 512u); // 8 steps of 8 x 8 sums
  EXPECT_GT(count(f32, "cp.async.cg.shared.global"), 0u);
  EXPECT_GT(count(f32, "ld.shared.v4"), 0u);
  EXPECT_EQ(count(tf32, "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32"), 4 * 32u); // four layouts, two parts of 16 pieces
  EXPECT_GT(count(tf32, "cvt.rna.tf32.f32"), 0u);
  EXPECT_GT(count(tf32, "ldmatrix.sync.aligned"), 0u);
  EXPECT_EQ(count(bf16, "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"), 4 * 32u);
  EXPECT_GT(count(bf16, "ldmatrix.sync.aligned.m8n8.x4.trans"), 0u);
  EXPECT_GT(count(bf16, "cvt.rn.bf16x2.f32"), 0u);
}

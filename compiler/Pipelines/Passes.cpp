// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Pipelines/Passes.h"

#include "compiler/Transforms/BuildProgram.h"
#include "compiler/Transforms/PackWeights.h"
#include "compiler/Transforms/PlanBuffers.h"
#include "dialects/Nacre/Transforms/Transforms.h"

namespace nacre {
#define GEN_PASS_DEF_DECOMPOSE
#define GEN_PASS_DEF_EXPANDNESTED
#define GEN_PASS_DEF_EXPANDSPARSE
#define GEN_PASS_DEF_TRAININGSTEP
#define GEN_PASS_DEF_SIMPLIFY
#define GEN_PASS_DEF_SKIPPADDING
#define GEN_PASS_DEF_BUILDPROGRAMS
#define GEN_PASS_DEF_PACKWEIGHTS
#define GEN_PASS_DEF_PLANBUFFERS
#include "compiler/Pipelines/Passes.h.inc"
} // namespace nacre

using namespace nacre;
using namespace mlir;

namespace {

struct Decompose final : nacre::impl::DecomposeBase<Decompose> {
  using DecomposeBase::DecomposeBase;
  void runOnOperation() override {
    if (failed(decompose(getOperation(), keepDifferentiable)))
      signalPassFailure();
  }
};

struct ExpandNested final : nacre::impl::ExpandNestedBase<ExpandNested> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (failed(expandNested(function)))
        return signalPassFailure();
  }
};

struct ExpandSparse final : nacre::impl::ExpandSparseBase<ExpandSparse> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (failed(expandSparse(function)))
        return signalPassFailure();
  }
};

struct TrainingStep final : nacre::impl::TrainingStepBase<TrainingStep> {
  void runOnOperation() override {
    if (failed(addTrainingStep(getOperation())))
      signalPassFailure();
  }
};

struct Simplify final : nacre::impl::SimplifyBase<Simplify> {
  void runOnOperation() override {
    if (failed(simplify(getOperation())))
      signalPassFailure();
  }
};

struct SkipPadding final : nacre::impl::SkipPaddingBase<SkipPadding> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      skipPadding(function);
  }
};

struct BuildPrograms final : nacre::impl::BuildProgramsBase<BuildPrograms> {
  void getDependentDialects(DialectRegistry &registry) const override { registry.insert<plan::PlanDialect>(); }
  void runOnOperation() override {
    if (failed(buildPrograms(getOperation())))
      signalPassFailure();
  }
};

struct PackWeights final : nacre::impl::PackWeightsBase<PackWeights> {
  using PackWeightsBase::PackWeightsBase;
  void runOnOperation() override {
    std::optional<plan::Precision> chosen = plan::precisionNamed(precision.getValue());
    if (!chosen) {
      getOperation().emitError("pack-weights expects a precision of (f32, tf32, bf16, int8), but got '") << precision.getValue() << "'";
      return signalPassFailure();
    }
    (void)packWeights(getOperation(), *chosen);
  }
};

struct PlanBuffers final : nacre::impl::PlanBuffersBase<PlanBuffers> {
  void runOnOperation() override {
    for (auto program : getOperation().getOps<plan::ProgramOp>())
      planBuffers(program);
  }
};

} // namespace

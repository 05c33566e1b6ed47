// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Plan/IR/PlanOps.h"

#include "dialects/Nacre/IR/Expression.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace nacre;
using namespace nacre::plan;

#include "dialects/Plan/IR/PlanDialect.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Plan/IR/PlanAttributes.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Plan/IR/PlanTypes.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/Plan/IR/PlanOps.cpp.inc"

void PlanDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Plan/IR/PlanAttributes.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Plan/IR/PlanTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Plan/IR/PlanOps.cpp.inc"
      >();
}

ViewAttr nacre::plan::viewOf(MLIRContext *context, int64_t buffer, const Layout &layout) {
  return ViewAttr::get(context, buffer, StringAttr::get(context, layout.offset.str()), dimsAttr(context, layout.sizes),
                       dimsAttr(context, layout.strides));
}

Layout nacre::plan::layoutOf(ViewAttr view) {
  return {Dim::parse(view.getOffset().getValue()).value_or(Dim()), dimsFrom(view.getSizes()), dimsFrom(view.getStrides())};
}

LogicalResult LaunchOp::verify() {
  int64_t count = getBuffers().size();
  for (Attribute attribute : getViews()) {
    auto view = dyn_cast<ViewAttr>(attribute);
    if (!view || view.getBuffer() >= count || view.getBuffer() < kNumber)
      return emitOpError("expects views of its ") << count << " buffers";
  }
  if (int64_t(getWrites()) < 1 || int64_t(getWrites()) > int64_t(getViews().size()))
    return emitOpError("expects to write at least one and at most all of its views");
  if (getGuards().size() != getTaken().size())
    return emitOpError("expects one truth value for each guard");
  return success();
}

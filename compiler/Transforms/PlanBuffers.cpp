// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// collect lifetimes -> share storage in place -> pack each symbolic size -> write offsets.
#include "compiler/Transforms/PlanBuffers.h"

#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Program.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

#include <map>

using namespace nacre;
using namespace mlir;

namespace {

constexpr int64_t kAlignmentBytes = 64; // a cache line, and the widest vector
constexpr int64_t kElementBytes = 4;

/// An arena buffer: the launches between which it holds a value, and its size as `units` times a symbolic unit.
struct Interval {
  plan::BufferOp buffer;
  int64_t first = -1, last = -1;
  Dim unit;
  int64_t bytesPerUnit = 0;
  int64_t offset = 0;
  int64_t sharesWith = -1; ///< the interval whose place it takes over
};

} // namespace

static void splitSize(Interval &interval) {
  Dim size = product(dimsFrom(interval.buffer.getShape()));
  int64_t content = std::max<int64_t>(size.content(), 1);
  interval.unit = size.isZero() ? Dim::constant(1) : *size.dividedBy(content);
  interval.bytesPerUnit = (content * kElementBytes + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes;
}

static std::vector<Interval> collect(plan::ProgramOp program) {
  std::vector<Interval> intervals;
  llvm::DenseMap<Value, size_t> position;
  for (auto buffer : program.getOps<plan::BufferOp>()) {
    if (buffer.getSpace() != "arena")
      continue;
    position[buffer] = intervals.size();
    Interval interval;
    interval.buffer = buffer;
    intervals.push_back(interval);
    splitSize(intervals.back());
  }
  int64_t time = -1;
  for (Operation &op : program.getBody().front()) {
    time += isa<plan::LaunchOp>(op);
    if (!isa<plan::LaunchOp, plan::TapOp, plan::CheckRangeOp>(op)) // taps and checks act between two launches, on what the first left
      continue;
    for (Value buffer : op.getOperands())
      if (auto found = position.find(buffer); found != position.end()) {
        Interval &interval = intervals[found->second];
        if (interval.first < 0)
          interval.first = std::max<int64_t>(time, 0);
        interval.last = std::max<int64_t>(time, 0);
      }
  }
  return intervals;
}

/// Whether the kernel reads each operand element before it writes the one at the same place, and never again.
static bool isElementwise(plan::LaunchOp launch) {
  auto kernel = SymbolTable::lookupNearestSymbolFrom<plan::KernelOp>(launch, launch.getKernelAttr());
  if (!kernel || kernel.getSkeleton() != "rows")
    return false;
  return llvm::none_of(kernel.getBody().front(), [](Operation &op) { return isa<Reduction>(op); });
}

/// before: t = f(a, b), a dies here   after: t lies where a lay
static void shareInPlace(plan::ProgramOp program, std::vector<Interval> &intervals) {
  llvm::DenseMap<Value, size_t> position;
  for (auto [i, interval] : llvm::enumerate(intervals))
    position[interval.buffer] = i;
  int64_t time = -1;
  for (auto launch : program.getOps<plan::LaunchOp>()) {
    ++time;
    if (!isElementwise(launch))
      continue;
    ArrayRef<Attribute> views = launch.getViews().getValue();
    size_t reads = views.size() - launch.getWrites();
    llvm::SmallDenseSet<size_t> taken; // intervals whose place a result has: a buffer that is read several times has one
    for (Attribute attribute : views.drop_front(reads)) {
      auto written = cast<plan::ViewAttr>(attribute);
      auto target = position.find(launch.getBuffers()[written.getBuffer()]);
      if (target == position.end() || intervals[target->second].first != time)
        continue;
      for (size_t i = 0; i < reads; ++i) {
        auto view = cast<plan::ViewAttr>(views[i]);
        if (view.getBuffer() < 0 || view.getOffset() != written.getOffset() || view.getStrides() != written.getStrides())
          continue;
        auto source = position.find(launch.getBuffers()[view.getBuffer()]);
        if (source == position.end() || source->second == target->second || taken.contains(source->second))
          continue;
        Interval &from = intervals[source->second], &to = intervals[target->second];
        // Other views of the same buffer in this launch would be overwritten before they are read.
        int64_t uses = llvm::count_if(views.take_front(reads), [&](Attribute other) {
          auto same = cast<plan::ViewAttr>(other);
          return same.getBuffer() == view.getBuffer() && (same.getStrides() != view.getStrides() || same.getOffset() != view.getOffset());
        });
        if (from.last != time || from.unit != to.unit || from.bytesPerUnit != to.bytesPerUnit || uses > 0)
          continue;
        to.sharesWith = source->second;
        taken.insert(source->second);
        break;
      }
    }
  }
}

/// First fit, largest first, among intervals that are alive together. Returns the height in bytes per unit.
static int64_t pack(std::vector<Interval *> members) {
  llvm::stable_sort(members, [](Interval *a, Interval *b) { return a->bytesPerUnit > b->bytesPerUnit; });
  std::vector<Interval *> placed;
  int64_t height = 0;
  for (Interval *interval : members) {
    std::vector<std::pair<int64_t, int64_t>> busy;
    for (Interval *other : placed)
      if (other->first <= interval->last && interval->first <= other->last)
        busy.push_back({other->offset, other->offset + other->bytesPerUnit});
    llvm::sort(busy);
    int64_t offset = 0;
    for (auto [begin, end] : busy)
      if (offset + interval->bytesPerUnit > begin)
        offset = std::max(offset, end);
    interval->offset = offset;
    height = std::max(height, offset + interval->bytesPerUnit);
    placed.push_back(interval);
  }
  return height;
}

/// Follows in-place sharing to the interval that owns the place, and lengthens the owner's life to cover its heirs.
static size_t ownerOf(const std::vector<Interval> &intervals, size_t i) {
  while (intervals[i].sharesWith >= 0)
    i = intervals[i].sharesWith;
  return i;
}

/// Streams lie at the begin of every program's arena, in the order of their declaration, so that they outlive a call. Returns their bytes.
static int64_t placeStreams(plan::ProgramOp program) {
  llvm::StringMap<int64_t> offsets;
  int64_t bytes = 0;
  for (auto tensor : program->getParentOfType<ModuleOp>().getOps<ParameterOp>()) {
    if (tensor.getRole() != "stream")
      continue;
    offsets[tensor.getSymName()] = bytes;
    int64_t size = cast<RankedTensorType>(tensor.getType()).getNumElements() * kElementBytes;
    bytes += (size + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes;
  }
  for (auto buffer : program.getOps<plan::BufferOp>())
    if (buffer.getSpace() == "stream")
      buffer.setOffsetAttr(StringAttr::get(program.getContext(), std::to_string(offsets.lookup(buffer.getName()))));
  return bytes;
}

void nacre::planBuffers(plan::ProgramOp program) {
  std::vector<Interval> intervals = collect(program);
  shareInPlace(program, intervals);
  for (size_t i = 0; i < intervals.size(); ++i) {
    Interval &owner = intervals[ownerOf(intervals, i)];
    owner.last = std::max(owner.last, intervals[i].last);
  }
  std::map<std::string, std::vector<Interval *>> byUnit;
  for (size_t i = 0; i < intervals.size(); ++i)
    if (intervals[i].sharesWith < 0)
      byUnit[intervals[i].unit.str()].push_back(&intervals[i]);
  Builder builder(program.getContext());
  Dim arena = Dim::constant(placeStreams(program));
  llvm::StringMap<Dim> base;
  for (auto &[unit, members] : byUnit) {
    base[unit] = arena;
    arena = arena + members.front()->unit * Dim::constant(pack(members));
  }
  for (size_t i = 0; i < intervals.size(); ++i) {
    const Interval &owner = intervals[ownerOf(intervals, i)];
    Dim offset = base[owner.unit.str()] + owner.unit * Dim::constant(owner.offset);
    intervals[i].buffer.setOffsetAttr(builder.getStringAttr(offset.str()));
  }
  program.setArenaAttr(builder.getStringAttr(arena.str()));
}

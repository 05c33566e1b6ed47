// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/ContractFold.h"

#include "compiler/Target/CPU/RegisterTile.h"

#include <limits>

using namespace mlir;

namespace nacre::cpu::contract {

using arith::CmpFPredicate;
using arith::CmpIPredicate;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

namespace {

/// What most folds share: the walk over a region, panel by panel, and where results go.
class PanelFold : public TileFold {
public:
  PanelFold(const ContractSpec &spec, const Level &level)
      : spec(spec), rows(spec.schedule.rows), vectors(level.tileVectors), lanes(level.lanes) {}

  void take(VectorBuilder &b, Value state, const Block &block, const EpilogueRegion &region) override {
    Value isWhole = b.equal(region.columns, b.integer(vectors * lanes));
    b.loop(b.integer(0), region.rows, 1, [&](Value local) {
      Value row = b.add(region.row, local), inBlock = b.sub(row, block.row);
      Value sums = b.at(region.sums, b.mul(local, region.sumsRow));
      Values extraRows;
      for (const TileMatrix &extra : block.extras)
        extraRows.push_back(rowOf(b, extra, row));
      auto vectorAt = [&](Value j, Value mask) {
        Value column = b.add(region.column, j);
        return Lanes{emitEpilogueVector(b, spec, block.extras, extraRows, b.at(sums, j), column, mask)[0],
                     b.add(b.iota(), b.broadcast(b.truncate(column))), mask};
      };
      b.ifElse(
          isWhole,
          [&] {
            llvm::SmallVector<Lanes> panel;
            for (int64_t v = 0; v < vectors; ++v)
              panel.push_back(vectorAt(b.integer(v * lanes), nullptr));
            takeRow(b, state, inBlock, panel);
          },
          [&] {
            b.loop(b.integer(0), region.columns, lanes, [&](Value j) {
              takeRow(b, state, inBlock, vectorAt(j, b.mask(b.sub(region.columns, j))));
            });
          });
    });
  }

protected:
  /// Values, their columns, and which of them exist (null: all).
  struct Lanes {
    Value values, columns, mask;
  };
  virtual void takeRow(VectorBuilder &b, Value state, Value row, llvm::ArrayRef<Lanes> panel) = 0;

  Value rowOfOutput(VectorBuilder &b, const Block &block, int64_t output, Value row) {
    return rowOf(b, block.outputs[output], b.add(block.row, row));
  }

  const ContractSpec &spec;
  int64_t rows, vectors, lanes;
};

/// A fold whose state of a row is two vectors: what each lane has seen.
class LanesFold : public PanelFold {
public:
  using PanelFold::PanelFold;
  int64_t bytes() const override { return 4 * rows * 2 * lanes; }

protected:
  Value firstOf(VectorBuilder &b, Value state, Value row) { return b.at(state, b.mul(row, 2 * lanes)); }
  Value secondOf(VectorBuilder &b, Value state, Value row) { return b.at(firstOf(b, state, row), lanes); }
};

/// State of a row: the best value of every lane, then its column.
class BestFold final : public LanesFold {
public:
  using LanesFold::LanesFold;

  void begin(VectorBuilder &b, Value state, const Block &block) override {
    b.loop(b.integer(0), block.rows, 1, [&](Value row) {
      b.store(b.splat(-kInfinity), firstOf(b, state, row));
      b.store(b.splatInteger(0), secondOf(b, state, row));
    });
  }

  void finish(VectorBuilder &b, Value state, const Block &block, Value columns) override {
    b.loop(b.integer(0), block.rows, 1, [&](Value row) {
      Value values = b.load(firstOf(b, state, row)), best = b.maximum(values);
      Value isBest = b.compareFloat(CmpFPredicate::OEQ, values, b.broadcast(best));
      Value places = b.loadInts(secondOf(b, state, row), b.mask(b.integer(lanes)));
      // The lowest column is the largest of -column.
      Value negated = b.select(isBest, b.sub(b.splatInteger(0), places), b.splatInteger(std::numeric_limits<int32_t>::min()));
      Value index = b.sub(b.integer(0), b.extend(b.maximumInteger(negated)));
      Value isUnused = b.equal(columns, b.integer(0));
      if (!spec.fold->select.rank)
        isUnused = b.either(isUnused, b.compareFloat(CmpFPredicate::OEQ, best, b.scalar(0)));
      b.storeScalar(b.select(isUnused, b.scalar(0), best), rowOfOutput(b, block, 0, row));
      b.storeScalar(b.truncate(b.select(isUnused, columns, index)), rowOfOutput(b, block, 1, row));
    });
  }

protected:
  void takeRow(VectorBuilder &b, Value state, Value row, llvm::ArrayRef<Lanes> panel) override {
    Value best = b.load(firstOf(b, state, row)), place = b.loadInts(secondOf(b, state, row), b.mask(b.integer(lanes)));
    for (const Lanes &lane : panel) {
      Value better = b.compareFloat(CmpFPredicate::OGT, lane.values, best);
      if (lane.mask)
        better = b.both(better, lane.mask);
      best = b.select(better, lane.values, best);
      place = b.select(better, lane.columns, place);
    }
    b.store(best, firstOf(b, state, row));
    b.store(place, secondOf(b, state, row));
  }
};

/// State of a row: a threshold, a count, and a buffer of values and columns in ascending order of the columns.
class KBestFold final : public PanelFold {
public:
  KBestFold(const ContractSpec &spec, const Level &level)
      : PanelFold(spec, level), k(spec.fold->k), width(vectors * lanes),
        // Room for a panel and for as much again before the next cut, which costs about as much as 100 comparisons.
        capacity((k + 15) / 16 * 16 + std::max<int64_t>(2 * 48 + 16, k)) {}
  int64_t bytes() const override { return 4 * rows * (2 + 2 * capacity); }

  void begin(VectorBuilder &b, Value state, const Block &block) override {
    b.loop(b.integer(0), block.rows, 1, [&](Value row) {
      // No comparison with NaN holds, and candidates are those that are not below the threshold: at first, all.
      b.storeScalar(b.scalar(std::numeric_limits<double>::quiet_NaN()), thresholdOf(b, state, row));
      b.storeScalar(b.truncate(b.integer(0)), countOf(b, state, row));
    });
  }

  void finish(VectorBuilder &b, Value state, const Block &block, Value columns) override {
    const SelectSpec &select = spec.fold->select;
    b.loop(b.integer(0), block.rows, 1, [&](Value row) {
      Value values = rowOfOutput(b, block, 0, row), indices = rowOfOutput(b, block, 1, row);
      Candidates list = listOf(b, state, row);
      Values cut = b.ifElse(
          b.less(b.integer(k), list.count), {b.i32(), b.i64()},
          [&] {
            Cut made = emitCut(b, list, b.integer(k));
            return Values{made.key, made.last};
          },
          [&] { return Values{b.truncate(b.integer(std::numeric_limits<int32_t>::min())), b.integer(0)}; });
      Value kept = emitKept(b, list, {cut[0], cut[1]}, !select.rank, values, indices);
      if (select.rank)
        emitRank(b, values, indices, kept, select.byMagnitude);
      emitUnused(b, values, indices, kept, b.integer(k), columns);
    });
  }

protected:
  void takeRow(VectorBuilder &b, Value state, Value row, llvm::ArrayRef<Lanes> panel) override {
    Value threshold = b.loadBroadcast(thresholdOf(b, state, row));
    Values candidates;
    for (const Lanes &lane : panel) {
      Value size = spec.fold->select.byMagnitude ? b.maxf(lane.values, b.negf(lane.values)) : lane.values;
      Value passes = b.compareFloat(CmpFPredicate::UGT, size, threshold);
      candidates.push_back(lane.mask ? b.both(passes, lane.mask) : passes);
    }
    Value some;
    for (Value passes : candidates)
      some = some ? b.either(some, passes) : passes;
    b.ifThen(b.any(some), [&] { append(b, state, row, panel, candidates); });
  }

private:
  void append(VectorBuilder &b, Value state, Value row, llvm::ArrayRef<Lanes> panel, llvm::ArrayRef<Value> candidates) {
    Value count = b.extend(b.loadIntScalar(countOf(b, state, row)));
    for (auto [lane, passes] : llvm::zip(panel, candidates)) {
      b.compress(lane.values, b.at(valuesOf(b, state, row), count), passes);
      b.compress(lane.columns, b.at(columnsOf(b, state, row), count), passes);
      count = b.add(count, b.countTrue(passes));
    }
    b.storeScalar(b.truncate(count), countOf(b, state, row));
    b.ifThen(b.less(b.integer(capacity - width), count), [&] { compact(b, state, row); });
  }

  /// Leaves the k best, and the least of them as the threshold: an equal one that comes later has a higher column and loses.
  void compact(VectorBuilder &b, Value state, Value row) {
    Candidates list = listOf(b, state, row);
    Cut cut = emitCut(b, list, b.integer(k));
    Value kept = emitKept(b, list, cut, false, list.values, list.indices);
    b.storeScalar(b.truncate(kept), countOf(b, state, row));
    b.storeScalar(emitValueOfKey(b, cut.key), thresholdOf(b, state, row));
  }

  Candidates listOf(VectorBuilder &b, Value state, Value row) {
    return {valuesOf(b, state, row), columnsOf(b, state, row), b.extend(b.loadIntScalar(countOf(b, state, row))),
            spec.fold->select.byMagnitude};
  }
  Value thresholdOf(VectorBuilder &b, Value state, Value row) { return b.at(state, row); }
  Value countOf(VectorBuilder &b, Value state, Value row) { return b.at(b.at(state, rows), row); }
  Value valuesOf(VectorBuilder &b, Value state, Value row) { return b.at(b.at(state, 2 * rows), b.mul(row, 2 * capacity)); }
  Value columnsOf(VectorBuilder &b, Value state, Value row) { return b.at(valuesOf(b, state, row), capacity); }

  int64_t k, width, capacity;
};

/// State of a row: the maximum so far of every lane, then the sum of exp(x - maximum).
class LogSumExpFold final : public LanesFold {
public:
  using LanesFold::LanesFold;

  void begin(VectorBuilder &b, Value state, const Block &block) override {
    b.loop(b.integer(0), block.rows, 1, [&](Value row) {
      // Finite, so that the difference of two of them is a number.
      b.store(b.splat(std::numeric_limits<float>::lowest()), firstOf(b, state, row));
      b.store(b.splat(0), secondOf(b, state, row));
    });
  }

  void finish(VectorBuilder &b, Value state, const Block &block, Value) override {
    b.loop(b.integer(0), block.rows, 1, [&](Value row) {
      Value maxima = b.load(firstOf(b, state, row)), top = b.maximum(maxima);
      Value shares = b.mulf(b.load(secondOf(b, state, row)), b.exp(b.subf(maxima, b.broadcast(top))));
      b.storeScalar(b.addf(top, b.log(b.sum(shares))), rowOfOutput(b, block, 0, row));
    });
  }

protected:
  void takeRow(VectorBuilder &b, Value state, Value row, llvm::ArrayRef<Lanes> panel) override {
    Value before = b.load(firstOf(b, state, row)), top = before;
    Values seen;
    for (const Lanes &lane : panel) {
      seen.push_back(lane.mask ? b.select(lane.mask, lane.values, b.splat(-kInfinity)) : lane.values);
      top = b.maxf(top, seen.back());
    }
    Value sum = b.mulf(b.load(secondOf(b, state, row)), b.exp(b.subf(before, top)));
    for (Value values : seen)
      sum = b.addf(sum, b.exp(b.subf(values, top)));
    b.store(top, firstOf(b, state, row));
    b.store(sum, secondOf(b, state, row));
  }
};

/// No state but the result: the epilogue's elements replace a region's sums, and their product with rows of the table is added to it.
class WeightedSumFold final : public TileFold {
public:
  WeightedSumFold(const ContractSpec &spec, const Level &level)
      : spec(spec), tileRows(level.tileRows), tileVectors(level.tileVectors), lanes(level.lanes) {}
  int64_t bytes() const override { return 0; }

  void begin(VectorBuilder &b, Value, const Block &block) override {
    b.loop(b.integer(0), block.rows, 1, [&](Value row) {
      Value place = rowOf(b, block.outputs[0], b.add(block.row, row));
      b.loop(b.integer(0), block.tableColumns, lanes,
             [&](Value c) { b.store(b.splat(0), b.at(place, c), b.mask(b.sub(block.tableColumns, c))); });
    });
  }

  void take(VectorBuilder &b, Value, const Block &block, const EpilogueRegion &region) override {
    weigh(b, block, region);
    Value vectors = b.ceilDiv(block.tableColumns, lanes);
    b.loop(b.integer(0), vectors, tileVectors, [&](Value vector) {
      Value column = b.mul(vector, lanes);
      std::vector<std::function<void()>> widths = {[] {}};
      for (int64_t width = 1; width <= tileVectors; ++width)
        widths.push_back([&, width] {
          auto tile = [&](Value first, int64_t count) { addTile(b, block, region, column, width, first, count); };
          const RowTiles tiles{tileRows, tile};
          width == tileVectors ? emitRowTiles(b, region.rows, tiles) : emitFewRowTiles(b, region.rows, tiles);
        });
      b.choose(b.min(b.sub(vectors, vector), b.integer(tileVectors)), widths);
    });
  }

  void finish(VectorBuilder &, Value, const Block &, Value) override {}

private:
  void weigh(VectorBuilder &b, const Block &block, const EpilogueRegion &region) {
    b.loop(b.integer(0), region.rows, 1, [&](Value local) {
      Value row = b.add(region.row, local), sums = b.at(region.sums, b.mul(local, region.sumsRow));
      Values extraRows;
      for (const TileMatrix &extra : block.extras)
        extraRows.push_back(rowOf(b, extra, row));
      b.loop(b.integer(0), region.columns, lanes, [&](Value j) {
        Value place = b.at(sums, j), mask = b.mask(b.sub(region.columns, j));
        b.store(emitEpilogueVector(b, spec, block.extras, extraRows, place, b.add(region.column, j), mask)[0], place);
      });
    });
  }

  /// The result's rows [first, first + count) of the region, vectors [column, column + width).
  void addTile(VectorBuilder &b, const Block &block, const EpilogueRegion &region, Value column, int64_t width, Value first, int64_t count) {
    Values weights, places, masks, sums;
    for (int64_t v = 0; v < width; ++v)
      masks.push_back(b.mask(b.sub(block.tableColumns, b.add(column, v * lanes))));
    for (int64_t r = 0; r < count; ++r) {
      Value local = b.add(first, r), row = b.at(rowOf(b, block.outputs[0], b.add(region.row, local)), column);
      weights.push_back(b.at(region.sums, b.mul(local, region.sumsRow)));
      for (int64_t v = 0; v < width; ++v) {
        places.push_back(b.at(row, v * lanes));
        sums.push_back(b.load(places.back(), masks[v]));
      }
    }
    Value table = b.at(b.at(block.table, b.mul(region.column, block.tableRow)), column);
    sums = emitRegisterTile(b, {weights, b.integer(1), table, block.tableRow, region.columns}, width, sums);
    for (auto [i, sum] : llvm::enumerate(sums))
      b.store(sum, places[i], masks[i % width]);
  }

  const ContractSpec &spec;
  int64_t tileRows, tileVectors, lanes;
};

} // namespace

std::unique_ptr<TileFold> createFold(const ContractSpec &spec, const Level &level) {
  if (!spec.fold)
    return nullptr;
  if (spec.fold->kind == FoldSpec::LogSumExp)
    return std::make_unique<LogSumExpFold>(spec, level);
  if (spec.fold->kind == FoldSpec::WeightedSum)
    return std::make_unique<WeightedSumFold>(spec, level);
  if (spec.fold->k == 1 && !spec.fold->select.byMagnitude)
    return std::make_unique<BestFold>(spec, level);
  return std::make_unique<KBestFold>(spec, level);
}

} // namespace nacre::cpu::contract

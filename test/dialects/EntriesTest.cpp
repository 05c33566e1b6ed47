// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The primitives on entries, which the language does not name, and what becomes of them in groups: compiled code against the reference
// on odd sizes, and the same bits for any number of threads. Values are small integers, so choices are exact and sums are equal.
#include "compiler/Pipelines/Compile.h"
#include "dialects/Nacre/IR/Operator.h"
#include "dialects/Nacre/Transforms/Transforms.h"
#include "test/harness/CompiledProgram.h"
#include "test/harness/Judge.h"
#include "test/harness/TestProgram.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <gtest/gtest.h>

using namespace nacre;
using namespace nacre::test;
using mlir::Value;

namespace {

/// Builds operators by name, result types inferred.
class Make {
public:
  Make(mlir::OpBuilder builder, mlir::Location loc) : builder(builder), loc(loc) {}

  mlir::Operation *op(llvm::StringRef name, mlir::ValueRange operands, llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
    mlir::OperationState state(loc, ("nacre." + name).str());
    state.addOperands(operands);
    state.addAttributes(attributes);
    state.addTypes(llvm::SmallVector<mlir::Type>(name == "top_entries" ? 2 : 1, builder.getF32Type())); // until they are inferred
    mlir::Operation *made = builder.create(state);
    llvm::SmallVector<mlir::Type> types;
    EXPECT_TRUE(mlir::succeeded(mlir::cast<mlir::InferTypeOpInterface>(made).inferReturnTypes(
        builder.getContext(), loc, operands, made->getAttrDictionary(), made->getPropertiesStorage(), {}, types)))
        << name.str();
    for (auto [result, type] : llvm::zip(made->getResults(), types))
      result.setType(type);
    return made;
  }
  Value operator()(llvm::StringRef name, mlir::ValueRange operands, llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
    return op(name, operands, attributes)->getResult(0);
  }
  mlir::NamedAttribute text(llvm::StringRef name, llvm::StringRef value) { return builder.getNamedAttr(name, builder.getStringAttr(value)); }
  Value transposed(Value x) { return (*this)("permute", x, builder.getNamedAttr("order", builder.getDenseI64ArrayAttr({1, 0}))); }
  mlir::ValueRange top(Value x, llvm::StringRef k, llvm::StringRef by = "value", llvm::StringRef order = "index") {
    return op("top_entries", x, {text("k", k), text("by", by), text("order", order)})->getResults();
  }

private:
  mlir::OpBuilder builder;
  mlir::Location loc;
};

struct Row {
  const char *name;
  std::vector<const char *> inputs; ///< "f B N", or "i B K < N": integers from -1 to N, both outside [0, N); "r K < B": those in ascending order
  std::function<llvm::SmallVector<Value>(Make &, llvm::ArrayRef<Value>)> build;
};

const std::vector<Row> &rows() {
  static const std::vector<Row> all = {
      {"top", {"f B N"}, [](Make &m, auto x) { return llvm::to_vector(m.top(x[0], "1")); }},
      {"top_abs", {"f B T N"}, [](Make &m, auto x) { return llvm::to_vector(m.top(x[0], "1", "abs", "rank")); }},
      {"top_few", {"f B 40"}, [](Make &m, auto x) { return llvm::to_vector(m.top(x[0], "7", "value", "rank")); }},
      {"top_symbolic", {"f B N"}, [](Make &m, auto x) { return llvm::to_vector(m.top(x[0], "N", "abs")); }},
      {"top_columns", {"f 40 B"}, [](Make &m, auto x) { return llvm::to_vector(m.top(m.transposed(x[0]), "5")); }},
      {"take", {"f B N", "i B K < N"}, [](Make &m, auto x) { return llvm::SmallVector<Value>{m("take", x)}; }},
      {"take_shared", {"f N", "i B T K < N"}, [](Make &m, auto x) { return llvm::SmallVector<Value>{m("take", x)}; }},
      {"take_between", {"f B 1 N", "i B T K < N"}, [](Make &m, auto x) { return llvm::SmallVector<Value>{m("take", x)}; }},
      {"place", {"f B T K", "i B T K < N"}, [](Make &m, auto x) { return llvm::SmallVector<Value>{m("place", x, m.text("size", "N"))}; }},
      {"gather", {"f B T K", "i B T K < N", "f N M"}, [](Make &m, auto x) { return llvm::SmallVector<Value>{m("gather_rows_sum", x)}; }},
      {"gather_transposed", {"f B K", "i B K < N", "f M N"},
       [](Make &m, auto x) { return llvm::SmallVector<Value>{m("gather_rows_sum", {x[0], x[1], m.transposed(x[2])})}; }},
      {"gather_biased", {"f B K", "i B K < N", "f N M", "f M", "f B 1"},
       [](Make &m, auto x) {
         Value y = m("add", {m("gather_rows_sum", {x[0], x[1], x[2]}), x[3]});
         return llvm::SmallVector<Value>{m("relu", m("mul", {y, x[4]})), y};
       }},
      {"sampled", {"f B T M", "f N M", "i B T K < N"}, [](Make &m, auto x) { return llvm::SmallVector<Value>{m("sampled_product", x)}; }},
      {"sampled_transposed", {"f B M", "f M N", "i B K < N", "f B K"},
       [](Make &m, auto x) {
         return llvm::SmallVector<Value>{m("mul", {m("sampled_product", {x[0], m.transposed(x[1]), x[2]}), x[3]})};
       }},
      {"segments", {"f B K", "i B K < N", "f B M", "f K B"},
       [](Make &m, auto x) {
         mlir::NamedAttribute n = m.text("segments", "N");
         return llvm::SmallVector<Value>{m("segment_outer", {x[0], x[1], x[2]}, n), m("segment_sum", {x[0], x[1]}, n),
                                         m("segment_sum", {m.transposed(x[3]), x[1]}, n)};
       }},
      {"segments_updated", {"f B K", "i B K < N", "f B M", "f N M", "f N 1"},
       [](Make &m, auto x) {
         Value g = m("segment_outer", {x[0], x[1], x[2]}, m.text("segments", "N"));
         return llvm::SmallVector<Value>{m("sub", {x[3], m("mul", {g, x[4]})})};
       }},
      {"segments_transposed", {"f B K", "i B K < N", "f B M", "f M N", "f N"},
       [](Make &m, auto x) {
         Value g = m.transposed(m("segment_outer", {x[0], x[1], x[2]}, m.text("segments", "N")));
         return llvm::SmallVector<Value>{m("sub", {x[3], m("mul", {g, x[4]})})};
       }},
      {"take_listed", {"f B N", "i K < N", "r K < B"}, [](Make &m, auto x) { return llvm::SmallVector<Value>{m("take", x)}; }},
      {"take_listed_of_one_row", {"f 1 N", "i K < N", "r K < B"}, [](Make &m, auto x) { return llvm::SmallVector<Value>{m("take", x)}; }},
      {"take_listed_of_one_column", {"f B 1", "i K < N", "r K < B"}, [](Make &m, auto x) { return llvm::SmallVector<Value>{m("take", x)}; }},
      {"place_listed", {"f K", "i K < N", "r K < B"},
       [](Make &m, auto x) { return llvm::SmallVector<Value>{m("place", x, {m.text("size", "N"), m.text("count", "B")})}; }},
      {"gather_listed", {"f K", "i K < N", "f N M", "r K < B", "f M"},
       [](Make &m, auto x) {
         return llvm::SmallVector<Value>{m("add", {m("gather_rows_sum", x.take_front(4), m.text("count", "B")), x[4]})};
       }},
      {"sampled_listed", {"f B M", "f N M", "i K < N", "r K < B", "f K"},
       [](Make &m, auto x) { return llvm::SmallVector<Value>{m("add", {m("sampled_product", x.take_front(4)), x[4]})}; }},
      {"sampled_listed_transposed", {"f B M", "f M N", "i K < N", "r K < B"},
       [](Make &m, auto x) { return llvm::SmallVector<Value>{m("sampled_product", {x[0], m.transposed(x[1]), x[2], x[3]})}; }},
      {"segments_listed", {"f K", "i K < N", "f B M", "r K < B"},
       [](Make &m, auto x) { return llvm::SmallVector<Value>{m("segment_outer", x, m.text("segments", "N"))}; }},
      {"fold", {"f B M", "f M 40", "f 40"},
       [](Make &m, auto x) {
         return llvm::to_vector(m.top(m("relu", m("add", {m("matmul", {x[0], x[1]}), x[2]})), "7"));
       }},
      {"fold_ranked", {"f B T M", "f 40 M"},
       [](Make &m, auto x) { return llvm::to_vector(m.top(m("matmul", {x[0], m.transposed(x[1])}), "3", "abs", "rank")); }},
      {"fold_best", {"f B M", "f M N"}, [](Make &m, auto x) { return llvm::SmallVector<Value>{m.top(m("matmul", x), "1", "value", "rank")[1]}; }},
      {"fold_batch", {"f B 2 T M", "f B 2 M 9", "f B 1 1 9"},
       [](Make &m, auto x) { return llvm::to_vector(m.top(m("add", {m("matmul", {x[0], x[1]}), x[2]}), "2")); }},
      {"fold_of_a_shared_product", {"f B M", "f M N"},
       [](Make &m, auto x) {
         Value y = m("matmul", x);
         llvm::SmallVector<Value> results = llvm::to_vector(m.top(y, "1"));
         results.push_back(y);
         return results;
       }},
  };
  return all;
}

/// All functions, their reference and their library.
class Bench {
public:
  static Bench &get() {
    static Bench bench;
    return bench;
  }
  std::unique_ptr<TestProgram> program;
  std::unique_ptr<CompiledProgram> compiled;
  std::string problem;

private:
  Bench() {
    std::string text;
    for (auto [dim, bound] : {std::pair("B", 67), {"T", 61}, {"K", 70}, {"M", 150}, {"N", 131}})
      text += "dim " + std::string(dim) + " <= " + std::to_string(bound) + "\n";
    program = TestProgram::parse("entries", text + "fn unused(x: f32[B, T, K, M, N]) { return x }", problem);
    if (!program)
      return;
    mlir::ModuleOp module = program->surface();
    for (const Row &row : rows())
      add(module, row);
    mlir::OwningOpRef<mlir::ModuleOp> copy = module.clone();
    compiled = CompiledProgram::compile(*copy, problem);
    problem += program->takeMessages();
  }
  void add(mlir::ModuleOp module, const Row &row) {
    auto builder = mlir::OpBuilder::atBlockEnd(module.getBody());
    llvm::SmallVector<mlir::Type> types;
    for (llvm::StringRef input : row.inputs) {
      llvm::SmallVector<llvm::StringRef> words;
      input.split('<').first.trim().split(words, ' ');
      Dims dims;
      for (llvm::StringRef word : llvm::drop_begin(words))
        dims.push_back(*Dim::parse(word));
      mlir::Type element = words[0] == "f" ? mlir::Type(builder.getF32Type()) : builder.getI32Type();
      types.push_back(tensorOf(builder.getContext(), element, dims));
    }
    auto function = mlir::func::FuncOp::create(builder, module.getLoc(), row.name, builder.getFunctionType(types, {}));
    mlir::Block *block = function.addEntryBlock();
    for (mlir::BlockArgument argument : block->getArguments())
      function.setArgAttr(argument.getArgNumber(), "nacre.name", builder.getStringAttr("x" + std::to_string(argument.getArgNumber())));
    builder.setInsertionPointToEnd(block);
    Make make(builder, module.getLoc());
    llvm::SmallVector<Value> arguments(block->args_begin(), block->args_end());
    llvm::SmallVector<Value> results = row.build(make, arguments);
    builder.setInsertionPointToEnd(block);
    mlir::func::ReturnOp::create(builder, module.getLoc(), results);
    function.setType(builder.getFunctionType(types, mlir::ValueRange(results).getTypes()));
  }
};

struct Sizes {
  int64_t B, T, K, M, N;
};

class EntriesOf : public testing::TestWithParam<Row> {
protected:
  void SetUp() override { ASSERT_EQ(Bench::get().problem, ""); }

  std::vector<Array> inputs(const Sizes &sizes) {
    llvm::StringMap<int64_t> binding = {{"B", sizes.B}, {"T", sizes.T}, {"K", sizes.K}, {"M", sizes.M}, {"N", sizes.N}};
    std::vector<Array> arrays;
    for (llvm::StringRef input : GetParam().inputs) {
      llvm::SmallVector<llvm::StringRef> words;
      auto [shapeText, bound] = input.split('<');
      shapeText.trim().split(words, ' ');
      llvm::SmallVector<int64_t> shape;
      for (llvm::StringRef word : llvm::drop_begin(words))
        shape.push_back(*Dim::parse(word)->evaluate(binding));
      const uint64_t key = arrays.size() + 1;
      arrays.push_back(words[0] == "f" ? integers(shape, -3, 4, key) : integers(shape, -1, binding.lookup(bound.trim()) + 1, key));
      if (words[0] == "r")
        std::sort(arrays.back().data.begin(), arrays.back().data.end());
    }
    return arrays;
  }
  std::vector<Array> compiled(llvm::ArrayRef<Array> inputs, const CallOptions &options) {
    std::string messages;
    std::optional<std::vector<Array>> results = Bench::get().compiled->call(GetParam().name, inputs, options, messages);
    EXPECT_TRUE(results) << messages;
    return results.value_or(std::vector<Array>());
  }
};

TEST_P(EntriesOf, CompiledCodeAgreesWithTheReferenceOnOddSizes) {
  for (const Sizes &sizes : {Sizes{1, 1, 1, 1, 1}, {2, 3, 2, 7, 5}, {5, 2, 7, 8, 15}, {9, 1, 16, 17, 16}, {17, 5, 33, 130, 33}, {0, 2, 3, 4, 5}}) {
    std::vector<Array> values = inputs(sizes);
    std::optional<std::vector<Array>> want = evaluateReference(Bench::get().program->surface(), GetParam().name, values);
    ASSERT_TRUE(want) << Bench::get().program->takeMessages();
    for (const std::string &level : Bench::get().compiled->levels()) {
      std::vector<Array> got = compiled(values, {level, 1});
      ASSERT_EQ(got.size(), want->size());
      for (size_t i = 0; i < got.size(); ++i)
        EXPECT_EQ(compare(got[i], (*want)[i], 0), "") << level << ", B=" << sizes.B << " N=" << sizes.N << ", result " << i;
    }
  }
}

TEST_P(EntriesOf, AnyNumberOfThreadsGivesTheSameBits) {
  std::vector<Array> values = inputs({67, 13, 20, 150, 131});
  for (Array &value : values)
    for (double &x : value.data)
      x *= GetParam().inputs[&value - values.data()][0] == 'f' ? 0.7310585975646973 : 1;
  std::vector<Array> want = compiled(values, {"", 1});
  for (int threads : {2, 4}) {
    std::vector<Array> got = compiled(values, {"", threads});
    for (size_t i = 0; i < want.size(); ++i)
      EXPECT_EQ(compareBits(got[i], want[i]), "") << threads << " threads, result " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Table, EntriesOf, testing::ValuesIn(rows()), [](const auto &info) { return std::string(info.param.name); });

} // namespace

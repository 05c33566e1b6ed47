// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs a program at compile time and writes down the operators that it meets: calls are inlined, loops unrolled, sizes known.
//
// One walk does checking and emission, so the two cannot disagree. After an error a value is `Poison`, which is silent.
// Work is bounded (`kMaxSteps`, `kMaxDepth`), whatever the program.
#pragma once

#include "dialects/Nacre/IR/Builtins.h"
#include "frontend/Diagnostics.h"
#include "frontend/Instance.h"
#include "frontend/Program.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/MapVector.h"

namespace nacre {

/// One call: what its names stand for.
struct Frame {
  const Instance *owner = nullptr;        ///< null for a function outside models and layers
  const FunctionDecl *function = nullptr; ///< null where constants are evaluated
  const Frame *caller = nullptr;
  llvm::SMRange callSite;
  llvm::StringMap<Dim> dims; ///< dims of the callee by what the arguments bound them to
  struct Local {
    Meaning meaning;
    llvm::SMRange declared;
  };
  std::vector<llvm::StringMap<Local>> blocks = std::vector<llvm::StringMap<Local>>(1); ///< innermost last
  std::optional<Meaning> result;
  llvm::SMRange resultRange;
  std::string resultName = "result";
};

class Emitter {
public:
  /// 1,000,000 evaluated expressions: a hundred layers take some 10,000.
  static constexpr unsigned kMaxSteps = 1000000;
  /// 1,000 expressions and blocks inside each other, over all inlined calls; keeps the stack below 2 MB.
  static constexpr unsigned kMaxDepth = 1000;
  /// As many parts as a model may have.
  static constexpr unsigned kMaxParts = 10000;

  Emitter(mlir::MLIRContext &context, Source &source, const Program &program, Diagnostics &diagnostics);

  /// Emits `model`, or with null the typed functions outside models; null when something was reported.
  mlir::OwningOpRef<mlir::ModuleOp> run(const ModelDecl *model);

private:
  // Emit.cpp: the module and its functions
  void resolveWidths();
  void emitDims(mlir::ModuleOp module);
  void emitFunction(const FunctionDecl &function, const Instance *owner, bool keep);
  struct Port {
    mlir::Type type;
    std::vector<int64_t> choices; ///< of a run-time width, else empty
    bool isTruth = false;         ///< written bool: an i32 to callers, 0 is false
  };
  std::optional<Port> resolvePort(const InputDecl &input, Frame &frame);
  void bindPort(const InputDecl &input, const Port &port, mlir::Value argument, Frame &frame);
  mlir::func::FuncOp declareFunction(const FunctionDecl &decl, llvm::ArrayRef<Port> ports);
  /// A builtin of tensors that cannot fail for them.
  mlir::Value applied(llvm::StringRef builtin, llvm::ArrayRef<mlir::Value> operands, mlir::Location location);
  bool checkResult(const FunctionDecl &decl, const Meaning &result, mlir::Value value, const Frame &frame);
  /// Writes down the smallest sizes that calls of the function may have, as the code emitted last asks.
  void noteLeastDims(mlir::func::FuncOp function);
  void finishFunction(mlir::func::FuncOp function, mlir::Value value, const Frame &frame);
  bool verifyModule(mlir::ModuleOp module);

  // EmitInstance.cpp: parameters and layers
  void instantiate(Instance &instance, const std::string &sourcePrefix, llvm::ArrayRef<const SourceMapping *> mappings);
  void declareParameter(Instance &instance, const ParamDecl &decl, const std::string &sourcePrefix,
                        llvm::ArrayRef<const SourceMapping *> mappings);
  void declarePart(Instance &instance, const InstanceDecl &decl, const std::string &sourcePrefix,
                   llvm::ArrayRef<const SourceMapping *> mappings);
  const Instance *makePart(Instance &owner, const InstanceDecl &decl, const LayerDecl &layer, const llvm::StringMap<Meaning> &arguments,
                           std::optional<int64_t> index, const std::string &sourcePrefix, llvm::ArrayRef<const SourceMapping *> mappings);
  bool bindLayerArguments(const Instance &owner, const InstanceDecl &decl, const LayerDecl &layer, llvm::StringMap<Meaning> &arguments);
  void checkMappings(const InstanceDecl &decl, const LayerDecl &layer);
  /// The model of that name as seen from the one that is emitted: itself, or a part whose parameters bear its name ("MiniLM.tokens"),
  /// made at the first use. Null when there is no such model, or it cannot be one.
  const Instance *modelNamed(llvm::StringRef name, llvm::SMRange range, Frame &frame);
  std::optional<std::pair<std::string, double>> initialiser(const ParamDecl &decl, const Frame &frame, mlir::RankedTensorType type);
  std::optional<std::pair<std::string, double>> transposedInitialiser(const ParamDecl &decl, const CallExpr &call, const Frame &frame,
                                                                      mlir::RankedTensorType type);

  // EmitTypes.cpp
  /// The type of a TypeExpr that is a tensor or nested; null and an error otherwise.
  mlir::Type resolveType(const TypeExpr &type, Frame &frame);
  mlir::Type codeType(const TypeExpr &type, mlir::RankedTensorType tensor, Frame &frame);
  mlir::Type sparseType(const TypeExpr &type, mlir::RankedTensorType tensor, Frame &frame);
  /// The widths of a TypeExpr that is a run-time choice (`[4, 8]` or the name of a list); nothing when it is a tensor.
  std::optional<std::vector<int64_t>> resolveChoices(const TypeExpr &type, Frame &frame);
  std::optional<std::vector<int64_t>> evaluateWidths(const Expr &expr, Frame &frame);
  std::optional<std::vector<int64_t>> evaluateDepths(const RangeExpr &range, Frame &frame);
  Meaning evaluateConstant(const Expr &expr, Frame &frame);
  std::optional<Dim> evaluateSize(const Expr &expr, Frame &frame);
  mlir::Type elementType(const Name &name);
  bool checkExtent(llvm::SMRange range, llvm::ArrayRef<Dim> dims);
  bool isChoice(const TypeExpr &type) const;

  // EmitStatements.cpp
  void execute(const Block &block, Frame &frame);
  void execute(const Statement &statement, Frame &frame);
  void executeFor(const ForStatement &loop, Frame &frame);
  void executeAssert(const AssertStatement &assertion, Frame &frame);
  void assign(const AssignStatement &assignment, Meaning meaning, Frame &frame);
  Meaning tapped(const AssignStatement &tap, Meaning meaning, Frame &frame);
  std::vector<Meaning> loopValues(const ForStatement &loop, Frame &frame);

  // EmitUpdate.cpp: what states become
  void executeUpdate(const UpdateStatement &update, Frame &frame);
  void assignTensor(const AssignStatement &assignment, const Meaning &meaning, Frame &frame);
  const Instance::Parameter *assignedTensor(const AssignStatement &assignment, Frame &frame);
  mlir::Value matchTensor(const AssignStatement &assignment, const Instance::Parameter &target, const Meaning &meaning, Frame &frame);
  void emitStreamReset(mlir::ModuleOp module);
  void finishUpdates(mlir::Location location);
  void emitPart(const TrainEntry &entry, const FunctionDecl &loss);

  // EmitBranches.cpp
  using Locals = llvm::StringMap<Frame::Local>;
  using Updates = llvm::MapVector<mlir::Operation *, mlir::Value>;
  void executeIf(const IfStatement &branch, Frame &frame);
  /// Runs a side of an `if` in a block of its own. Returns all blocks as it left them, its own last; `frame` is as before.
  std::vector<Locals> executeSide(const Block &side, Frame &frame);
  /// The number 1 or 0 that a condition is at run time; null after a report.
  mlir::Value conditionNumber(const Expr &place, const Meaning &condition, Frame &frame);
  Meaning merged(llvm::StringRef name, mlir::Value condition, const Meaning &a, const Meaning &b, const IfStatement &branch, Frame &frame);
  /// Makes `updates` what the two sides of an `if` assign: `a` the first one, `updates` itself the other.
  void mergeUpdates(mlir::Value condition, Updates a, const IfStatement &branch);
  std::optional<Meaning> compareChoice(BinaryOp op, const Meaning &left, const Meaning &right);

  // EmitExpressions.cpp
  Meaning evaluate(const Expr &expr, Frame &frame);
  Meaning evaluateUncounted(const Expr &expr, Frame &frame);
  Meaning evaluateName(const NameExpr &name, Frame &frame);
  Meaning evaluateGlobal(llvm::StringRef name, llvm::SMRange range, Frame &frame);
  Meaning evaluateMember(const MemberExpr &member, Frame &frame);
  Meaning evaluateBinary(const BinaryExpr &binary, Frame &frame);
  Meaning evaluateNegate(const NegateExpr &negate, Frame &frame);
  Meaning evaluateRange(const RangeExpr &range, Frame &frame);
  std::optional<Meaning> memberOf(const Instance &instance, llvm::StringRef name, llvm::SMRange range, Frame &frame);
  Meaning readParameter(const Instance::Parameter &parameter, llvm::SMRange range, Frame &frame);
  Meaning unknownName(llvm::StringRef name, llvm::SMRange range, Frame &frame);

  // EmitIndex.cpp
  Meaning evaluateIndex(const IndexExpr &index, Frame &frame);
  Meaning indexList(const IndexExpr &index, llvm::ArrayRef<Meaning> items, Frame &frame);
  Meaning pickWidth(const IndexExpr &index, mlir::Value nested, Frame &frame);
  Meaning sliceTensor(const IndexExpr &index, mlir::Value tensor, Frame &frame);
  mlir::Value newAxis(const IndexItem &item, mlir::Value tensor, int64_t axis, Frame &frame);
  mlir::Value sliceAxis(const IndexItem &item, mlir::Value tensor, int64_t axis, Frame &frame);
  std::optional<Dim> bound(const Expr *expr, const Dim &otherwise, const Dim &extent, Frame &frame);
  std::string limitText(const Dim &limit, const Dim &extent) const;
  bool checkPart(const IndexItem &item, const Dim &start, const Dim &end, const Dim &extent, const Frame &frame);
  /// Notes the dims that must not be 0 for a part to lie inside its axis.
  void requireSizes(const Dim &start, const Dim &end, const Dim &extent);

  // EmitCalls.cpp: functions of the program and what only the frontend knows
  Meaning evaluateCall(const CallExpr &call, Frame &frame);
  Meaning callNamed(const CallExpr &call, const NameExpr &name, Frame &frame);
  Meaning callMember(const CallExpr &call, const MemberExpr &member, Frame &frame);
  Meaning callFunction(const CallExpr &call, const FunctionDecl &function, const Instance *owner, Frame &caller);
  bool bindArguments(const CallExpr &call, const FunctionDecl &function, Frame &caller, Frame &callee);
  bool matchInputs(const FunctionDecl &function, llvm::ArrayRef<const Expr *> places, Frame &caller, Frame &callee);
  void unify(const TypeExpr &type, mlir::Type actual, Frame &callee);
  bool matchInput(const InputDecl &input, const Expr &place, Frame &caller, Frame &callee);
  bool matchChoice(const InputDecl &input, llvm::SMRange place, Frame &caller, Frame &callee);
  Meaning returned(const FunctionDecl &function, Frame &callee);
  std::optional<Meaning> callIntrinsic(const CallExpr &call, llvm::StringRef name, Frame &frame);

  // EmitRandom.cpp
  std::optional<Meaning> callRandom(const CallExpr &call, llvm::StringRef name, Frame &frame);

  // EmitBuiltins.cpp: operators of the dialect
  /// What a call gives: several meanings for a variadic operand, none for an absent one.
  struct Slots {
    std::vector<std::vector<Meaning>> operands;
    std::vector<std::vector<const Expr *>> places;
    std::vector<mlir::NamedAttribute> attributes;
    bool has(llvm::StringRef name) const {
      return llvm::any_of(attributes, [&](const mlir::NamedAttribute &attribute) { return attribute.getName() == name; });
    }
  };
  Meaning callBuiltin(const CallExpr &call, const Builtin &builtin, Frame &frame);
  Meaning applySign(llvm::StringRef name, llvm::ArrayRef<const Expr *> places, llvm::ArrayRef<Meaning> operands, llvm::SMRange range,
                    Frame &frame);
  bool fillSlots(const CallExpr &call, const Builtin &builtin, Slots &slots, Frame &frame);
  bool placeNamed(const Builtin &builtin, const Argument &argument, Slots &slots, Frame &frame);
  bool placePositional(const Builtin &builtin, const Argument &argument, unsigned &next, Slots &slots, Frame &frame);
  bool addOperand(size_t index, const Expr &place, Meaning meaning, Slots &slots);
  bool setAttribute(const Builtin &builtin, const BuiltinAttribute &attribute, const Expr &expr, const Meaning &meaning, Slots &slots,
                    const Frame &frame);
  Meaning evaluateWord(const Expr &expr, Frame &frame);
  /// Whether some operand is a tensor of integers and none one of floats: then numbers become integers.
  static bool wantsIntegers(llvm::ArrayRef<Meaning> operands);
  /// The tensor that a meaning is or becomes; null when it cannot be one.
  mlir::Value materialise(const Meaning &meaning, bool asInteger, llvm::SMRange range);
  bool materialiseOperands(const Builtin &builtin, const Slots &slots, std::vector<mlir::Value> &operands,
                           std::vector<const Expr *> &places, const Frame &frame);
  /// `call` is null for a sign.
  Meaning build(const Builtin &builtin, llvm::SMRange range, llvm::ArrayRef<mlir::Value> operands, llvm::ArrayRef<const Expr *> places,
                llvm::ArrayRef<mlir::NamedAttribute> attributes, Frame &frame, const CallExpr *call);
  void noteDeclarations(NoteAdder &notes, llvm::ArrayRef<const Expr *> places, const Frame &frame);
  void suggestTranspose(NoteAdder &notes, const CallExpr &call, const Builtin &builtin, llvm::ArrayRef<mlir::Value> operands,
                        llvm::ArrayRef<const Expr *> places, llvm::ArrayRef<mlir::NamedAttribute> attributes);

  // EmitTrain.cpp
  void emitTrain(mlir::ModuleOp module);

  // Emitter.cpp: places and errors
  mlir::Location locationOf(llvm::SMRange range);
  NoteAdder error(llvm::SMRange range, const llvm::Twine &message, const Frame &frame);
  void noteCallers(NoteAdder &notes, const Frame &frame);
  /// Runs `build` with the diagnostics of the IR turned into one error at `range`; null notes when it succeeded.
  std::optional<NoteAdder> captured(llvm::SMRange range, const Frame &frame, llvm::function_ref<mlir::LogicalResult()> build);
  bool countStep(llvm::SMRange range, const Frame &frame);
  /// Whether operators may be emitted: inside a function, but not while its types are read. Reports `what` when not.
  bool canEmit(llvm::SMRange range, const llvm::Twine &what, const Frame &frame);

  friend class TrainEmitter;

  mlir::MLIRContext &context;
  Source &source;
  const Program &program;
  Diagnostics &diagnostics;
  mlir::OpBuilder builder;
  const ModelDecl *model = nullptr;
  Instance root;
  llvm::StringMap<std::unique_ptr<Instance>> imported; ///< other models, by name
  llvm::StringMap<std::vector<int64_t>> widthLists; ///< of `widths` declarations; empty after an error
  llvm::StringMap<int64_t> dimBounds;               ///< of dims and of run-time widths
  /// Where a tensor of the model may be assigned: nowhere, states in an update block, all in after_step.
  enum class Phase { Reads, Update, AfterStep } phase = Phase::Reads;
  Updates updates; ///< what the function at hand assigns, by declaration
  int64_t sites = 0; ///< draws in the function at hand
  unsigned steps = 0, depth = 0, parts = 0;
  bool exhausted = false;
  llvm::StringMap<unsigned> tapNames; ///< of the function that is emitted, and how often each was met
  llvm::StringMap<int64_t> leastDims; ///< of the function that is emitted: the smallest sizes that its calls may have
  bool inType = false; ///< sizes and widths are known at compile time
};

} // namespace nacre

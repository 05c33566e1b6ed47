// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What every operator has: inferred result types (width by width on nested operands), a reference, a short text form.
#ifndef NACRE_BASE_TD
#define NACRE_BASE_TD

include "dialects/Nacre/IR/NacreDialect.td"
include "dialects/Nacre/IR/Interfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

/// An operator. `infer` sees plain tensor types; the base applies it width by width when `widthwise` is 1.
class Nacre_Op<string mnemonic, list<Trait> traits = []>
    : Op<Nacre_Dialect, mnemonic, !listconcat([Pure,
        DeclareOpInterfaceMethods<InferTypeOpInterface>,
        DeclareOpInterfaceMethods<Nacre_Evaluable>], traits)> {
  bit widthwise = 1;
  /// What `infer` does with a sparse operand: Refused; Kept: one sparse operand, which its result resembles, as f(0) = 0;
  /// Own: it looks at the type itself.
  string sparse = "Refused";
  /// 1: takes codes too.
  bit codes = 0;
  /// 1: a builtin of the language.
  bit builtin = 1;
  code declarations = "";
  code definitions = "";
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let extraClassDeclaration = [{
    static ::llvm::LogicalResult infer(::nacre::InferContext &context, Adaptor op, ::llvm::SmallVectorImpl<::mlir::Type> &results);
  }] # declarations;
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(::mlir::MLIRContext *context, std::optional<::mlir::Location> location,
        ::mlir::ValueRange operands, ::mlir::DictionaryAttr attributes, ::mlir::OpaqueProperties properties,
        ::mlir::RegionRange regions, ::llvm::SmallVectorImpl<::mlir::Type> &results) {
      ::nacre::InferContext infer_(context, location, "}] # mnemonic # [{");
      return infer_.lift(operands, {}] # widthwise # [{, ::nacre::SparseRule::}] # sparse # [{, }] # codes # [{}, results, [&](::llvm::SmallVectorImpl<::mlir::Type> &plain) {
        return $cppClass::infer(infer_, Adaptor(operands, attributes, properties, regions), plain);
      });
    }
  }] # definitions;
}

/// Defined by other operators.
class Nacre_CompositeOp<string mnemonic, list<Trait> traits = []>
    : Nacre_Op<mnemonic, !listconcat([DeclareOpInterfaceMethods<Nacre_Composite>], traits)>;

#endif

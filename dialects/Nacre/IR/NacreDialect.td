// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The dialect, its attribute and its type. Operators are in Ops/, one file a family.
#ifndef NACRE_DIALECT_TD
#define NACRE_DIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/BuiltinTypes.td"

def Nacre_Dialect : Dialect {
  let name = "nacre";
  let summary = "what a representation model means: tensors, nested widths, and the operators on them";
  let description = [{
    Values are immutable ranked tensors. A size that is not known before a call has a name and a bound; the encoding
    `#nacre.dims` writes every axis as a polynomial in such names, and two sizes are equal only if their polynomials are.
  }];
  let cppNamespace = "::nacre";
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let extraClassDeclaration = [{
    // One a family, defined beside its operators (Ops/).
    void addProgram();
    void addElementwise();
    void addReduction();
    void addLayout();
    void addContraction();
    void addNestedWidth();
    void addNormalization();
    void addAttention();
    void addSparseActivation();
    void addCodebook();
    void addConvolution();
    void addFactorization();
    void addLoss();
    void addOptimizer();
  }];
}

def Nacre_DimsAttr : AttrDef<Nacre_Dialect, "Dims"> {
  let mnemonic = "dims";
  let summary = "the size of every axis, in canonical text";
  let parameters = (ins "::mlir::ArrayAttr":$dims);
  let assemblyFormat = "`<` $dims `>`";
}

def Nacre_NestedType : TypeDef<Nacre_Dialect, "Nested"> {
  let mnemonic = "nested";
  let summary = "one value for each of an ordered list of widths";
  let description = [{
    `!nacre.nested<[4, 8], tensor<?x10xf32, ...>>` holds a tensor for width 4 and one for width 8. Inside the element type
    the name `width` stands for the width at hand. Operators apply width by width.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$widths, "::mlir::RankedTensorType":$element);
  let assemblyFormat = "`<` `[` $widths `]` `,` $element `>`";
  let genVerifyDecl = 1;
}

def Nacre_SparseType : TypeDef<Nacre_Dialect, "Sparse"> {
  let mnemonic = "sparse";
  let summary = "a tensor with few non-zeros along its last axis";
  let description = [{
    `!nacre.sparse<"32", tensor<?x12288xf32, ...>>` has at most 32 non-zeros in each row; `"<=32*B"` instead counts the non-zeros of
    all rows together. It is held as values and indices, and becomes dense only where `densify` is written.
  }];
  let parameters = (ins "::mlir::StringAttr":$limit, "::mlir::RankedTensorType":$element);
  let assemblyFormat = "`<` $limit `,` $element `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Whether the limit counts the non-zeros of one row, not of all.
    bool isPerRow() const;
    /// The number in the limit.
    ::nacre::Dim getCount() const;
  }];
}

def Nacre_CodeType : TypeDef<Nacre_Dialect, "Code"> {
  let mnemonic = "code";
  let summary = "indices in [0, count), of i32";
  let description = [{Made by operators or checked at the call, so that whoever looks one up need not ask. No arithmetic.}];
  let parameters = (ins "int64_t":$count, "::mlir::RankedTensorType":$element);
  let assemblyFormat = "`<` $count `,` $element `>`";
  let genVerifyDecl = 1;
}

def Nacre_Value : Type<Or<[
    CPred<"::llvm::isa<::mlir::RankedTensorType>($_self)">,
    CPred<"::llvm::isa<::nacre::NestedType>($_self)">,
    CPred<"::llvm::isa<::nacre::SparseType>($_self)">,
    CPred<"::llvm::isa<::nacre::CodeType>($_self)">]>,
  "tensor, nested or sparse tensor, or codes">;

#endif

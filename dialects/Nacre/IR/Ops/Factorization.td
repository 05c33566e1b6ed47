// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Triangular factors of small matrices, what they solve, and orthonormal maps made with them.
//
// A matrix that cannot be factored (singular, or not positive definite) gives NaN or infinity, never an error at run time.
#ifndef NACRE_FACTORIZATION_TD
#define NACRE_FACTORIZATION_TD

include "dialects/Nacre/IR/NacreBase.td"

/// The primitives work on a batch: [B, n, n].
class Nacre_FactorOp<string mnemonic> : Nacre_Op<mnemonic, [DeclareOpInterfaceMethods<Nacre_Skeleton>]> {
  let builtin = 0;
}
def Nacre_LuOp : Nacre_FactorOp<"lu"> {
  let summary = "rows `order` of a: [B, n, n] as L U in one matrix, L with ones on its diagonal; partial pivoting, among equals the first row";
  let arguments = (ins Nacre_Value:$a);
  let results = (outs Nacre_Value:$factors, Nacre_Value:$order);
}
def Nacre_CholeskyFactorOp : Nacre_FactorOp<"cholesky_factor"> {
  let summary = "lower L with L L^T = a: [B, n, n]; reads the lower triangle";
  let arguments = (ins Nacre_Value:$a);
  let results = (outs Nacre_Value:$result);
}
def Nacre_SubstituteOp : Nacre_FactorOp<"substitute"> {
  let summary = "x with T x = b[order], T one triangle of a: [B, n, n], b: [B, n, m]; `unit`: its diagonal is taken as ones";
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b, Optional<Nacre_Value>:$order, BoolAttr:$lower, BoolAttr:$unit);
  let results = (outs Nacre_Value:$result);
}

class Nacre_MatrixOp<string mnemonic> : Nacre_CompositeOp<mnemonic, [DeclareOpInterfaceMethods<Nacre_Differentiable>]> {
  let results = (outs Nacre_Value:$result);
}
def Nacre_CholeskyOp : Nacre_MatrixOp<"cholesky"> {
  let summary = "lower L with L L^T = a, for symmetric positive definite a: [.., n, n]; reads its lower triangle";
  let description = [{The gradient is symmetric (Murray 2016): (S + S^T) / 2 with S = L^-T phi(L^T g) L^-1, phi the lower triangle with half its diagonal.}];
  let arguments = (ins Nacre_Value:$a);
}
def Nacre_TriangularSolveOp : Nacre_MatrixOp<"triangular_solve"> {
  let summary = "x with a x = b for triangular a: [.., n, n] and b: [.., n, m]; the other triangle is not read";
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b, DefaultValuedAttr<BoolAttr, "true">:$lower);
}
def Nacre_SolveOp : Nacre_MatrixOp<"solve"> {
  let summary = "x with a x = b for a: [.., n, n] and b: [.., n, m], by LU with partial pivoting";
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b);
}

def Nacre_CayleyOp : Nacre_CompositeOp<"cayley"> {
  let summary = "x Q with Q = (I - A)(I + A)^-1 and A = p - p^T: an orthonormal map of the last axis; p: [n, n]";
  let description = [{Q is never formed: x Q (I + A) = x (I - A) is solved with the factors of I - A = (I + A)^T.}];
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$p);
  let results = (outs Nacre_Value:$result);
}
def Nacre_HouseholderOp : Nacre_CompositeOp<"householder"> {
  let summary = "x H_1 H_2 .. with H_i = I - 2 v_i v_i^T / |v_i|^2, rows v_i of v: [r, n], in that order";
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$v);
  let results = (outs Nacre_Value:$result);
}

#endif

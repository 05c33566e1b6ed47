// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One step of an optimiser on one tensor, element by element. `rate` and `step` are scalars of the call; step counts from 1.
#ifndef NACRE_OPTIMIZER_TD
#define NACRE_OPTIMIZER_TD

include "dialects/Nacre/IR/NacreBase.td"

def Nacre_AdamOp : Nacre_Op<"adam", [DeclareOpInterfaceMethods<Nacre_Pointwise>]> {
  let summary = "Adam (Kingma and Ba 2015) with decoupled weight decay (Loshchilov and Hutter 2019)";
  let description = [{
    m' = b1 m + (1 - b1) g, v' = b2 v + (1 - b2) g^2,
    w' = w - rate * (m' / (1 - b1^step) / (sqrt(v' / (1 - b2^step)) + eps) + decay * w).
  }];
  let arguments = (ins Nacre_Value:$w, Nacre_Value:$g, Nacre_Value:$m, Nacre_Value:$v, Nacre_Value:$rate, Nacre_Value:$step,
                       F64Attr:$beta1, F64Attr:$beta2, F64Attr:$eps, F64Attr:$decay);
  let results = (outs Nacre_Value:$w_next, Nacre_Value:$m_next, Nacre_Value:$v_next);
  let builtin = 0;
}
def Nacre_SgdOp : Nacre_Op<"sgd", [DeclareOpInterfaceMethods<Nacre_Pointwise>]> {
  let summary = "stochastic gradient descent with momentum, Nesterov or not, and L2 decay";
  let description = [{
    d = g + decay * w; u' = momentum * u + d (u' = d at step 1); w' = w - rate * (nesterov ? d + momentum * u' : u').
  }];
  let arguments = (ins Nacre_Value:$w, Nacre_Value:$g, Nacre_Value:$u, Nacre_Value:$rate, Nacre_Value:$step,
                       F64Attr:$momentum, F64Attr:$decay, BoolAttr:$nesterov);
  let results = (outs Nacre_Value:$w_next, Nacre_Value:$u_next);
  let builtin = 0;
}
def Nacre_LionOp : Nacre_Op<"lion", [DeclareOpInterfaceMethods<Nacre_Pointwise>]> {
  let summary = "Lion (Chen and others 2023): the sign of an interpolated momentum, with decoupled weight decay";
  let description = [{
    w' = w - rate * (sign(b1 m + (1 - b1) g) + decay * w), m' = b2 m + (1 - b2) g; the sign of 0 is 0.
  }];
  let arguments = (ins Nacre_Value:$w, Nacre_Value:$g, Nacre_Value:$m, Nacre_Value:$rate, Nacre_Value:$step,
                       F64Attr:$beta1, F64Attr:$beta2, F64Attr:$decay);
  let results = (outs Nacre_Value:$w_next, Nacre_Value:$m_next);
  let builtin = 0;
}

#endif

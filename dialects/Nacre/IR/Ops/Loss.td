// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Losses: one number from predictions and targets. Means over all elements, classification over the batch.
#ifndef NACRE_LOSS_TD
#define NACRE_LOSS_TD

include "dialects/Nacre/IR/NacreBase.td"

class Nacre_LossOp<string mnemonic, list<Trait> traits = []> : Nacre_CompositeOp<mnemonic, traits> {
  let results = (outs Nacre_Value:$result);
}
def Nacre_CrossEntropyOp : Nacre_LossOp<"cross_entropy", [DeclareOpInterfaceMethods<Nacre_Indexing>]> {
  let summary = "mean over the batch of -log softmax(logits)[y], with optional label smoothing";
  let description = [{`smoothing` s mixes the target with the uniform one: (1 - s) * nll + s * mean over classes of -log p.}];
  let arguments = (ins Nacre_Value:$logits, Nacre_Value:$y, DefaultValuedAttr<F64Attr, "0.0">:$smoothing);
}
def Nacre_BceOp : Nacre_LossOp<"binary_cross_entropy"> {
  let summary = "mean of softplus(x) - x * y: binary cross entropy on logits, targets in [0, 1]";
  let arguments = (ins Nacre_Value:$logits, Nacre_Value:$y);
}
def Nacre_MseOp : Nacre_LossOp<"mse"> {
  let summary = "mean of (a - b)^2";
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b);
}
def Nacre_L1Op : Nacre_LossOp<"l1"> {
  let summary = "mean of |a - b|";
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b);
}
def Nacre_HuberOp : Nacre_LossOp<"huber"> {
  let summary = "mean of d^2 / 2 for |d| <= delta, delta (|d| - delta / 2) beyond, d = a - b";
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b, DefaultValuedAttr<F64Attr, "1.0">:$delta);
}
def Nacre_KlOp : Nacre_LossOp<"kl_distill"> {
  let summary = "temperature^2 times the mean over the batch of KL(softmax(teacher / t) || softmax(student / t))";
  let arguments = (ins Nacre_Value:$student, Nacre_Value:$teacher, DefaultValuedAttr<F64Attr, "1.0">:$temperature);
}
def Nacre_HingeOp : Nacre_LossOp<"hinge"> {
  let summary = "mean of max(0, 1 - x * y), y in {-1, 1}";
  let arguments = (ins Nacre_Value:$x, Nacre_Value:$y);
}

#endif

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Losses: one number from predictions and targets. Means over all elements, classification over the batch.
#ifndef NACRE_LOSS_TD
#define NACRE_LOSS_TD

include "dialects/Nacre/IR/NacreBase.td"

def Nacre_WidthByWidth : NativeOpTrait<"WidthByWidth"> { let cppNamespace = "::nacre"; }

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
def Nacre_OrdinalCrossEntropyOp : Nacre_LossOp<"ordinal_cross_entropy"> {
  let summary = "mean over the batch of sum over k of binary cross entropy of logits[.., k] and whether y > k";
  let description = [{Classes 0 to K, logits: [.., K] (Cheng et al. 2008, NNRank).}];
  let arguments = (ins Nacre_Value:$logits, Nacre_Value:$y);
}
def Nacre_EarlyLearningOp : Nacre_LossOp<"early_learning_regularization", [DeclareOpInterfaceMethods<Nacre_Indexing>]> {
  let summary = "cross_entropy(logits, y) + lambda * mean of log(1 - q . p), p the softmax clamped to [clamp, 1 - clamp]";
  let description = [{`q` is the running average of p (Liu et al. 2020, ELR); it gets no gradient. Defaults of the authors.}];
  let arguments = (ins Nacre_Value:$logits, Nacre_Value:$y, Nacre_Value:$q, DefaultValuedAttr<F64Attr, "3.0">:$lambda,
                       DefaultValuedAttr<F64Attr, "1e-4">:$clamp);
}
def Nacre_RateOp : Nacre_LossOp<"rate", [DeclareOpInterfaceMethods<Nacre_Indexing>]> {
  let summary = "mean over codes of -log2 softmax(logits)[code]: bits a code under a learned prior";
  let description = [{
    Logits of shape [K], one prior for all, or the shape of the codes with K behind it (entropy of a learned prior as in Balle et al.
    2017, for discrete codes). The gradient goes to the logits.
  }];
  let arguments = (ins Nacre_Value:$codes, Nacre_Value:$logits);
}
def Nacre_CosineLossOp : Nacre_LossOp<"cosine_loss"> {
  let summary = "mean over rows of 1 - cos(a, b), along the last axis";
  let description = [{A zero row has cosine 0.}];
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b);
}
def Nacre_TripletOp : Nacre_LossOp<"triplet"> {
  let summary = "mean over rows of max(0, |a - p + eps| - |a - n + eps| + margin), Euclidean norms along the last axis";
  let description = [{Schroff et al. 2015; eps is added to every coordinate, so that equal rows have a gradient.}];
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$p, Nacre_Value:$n, DefaultValuedAttr<F64Attr, "1.0">:$margin,
                       DefaultValuedAttr<F64Attr, "1e-6">:$eps);
}
def Nacre_InfoNceOp : Nacre_LossOp<"infonce"> {
  let summary = "mean over rows i of -log softmax_j(a_i . b_j / temperature)[i], the other rows of the batch as negatives";
  let description = [{
    a, b: [B, D], rows first brought to norm 1 unless `normalise = false`. `sides = 2`: half the sum of this and the same with a and b
    exchanged (van den Oord et al. 2018; two-sided as in Radford et al. 2021). Default temperature: that of Wu et al. 2018.
  }];
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b, DefaultValuedAttr<F64Attr, "0.07">:$temperature,
                       DefaultValuedAttr<I64Attr, "1">:$sides, DefaultValuedAttr<BoolAttr, "true">:$normalise);
}
/// The part of `infonce` that sees all pairs: the mean over i of logsumexp_j(u_i . v_j), two-sided also over j, halved. Its derivative computes
/// the products again, so that no value has the size of all pairs.
def Nacre_BatchContrastOp : Nacre_LossOp<"batch_contrast", [DeclareOpInterfaceMethods<Nacre_Differentiable>, Nacre_WidthByWidth]> {
  let summary = "mean over rows i of logsumexp_j(u_i . v_j)";
  let arguments = (ins Nacre_Value:$u, Nacre_Value:$v, DefaultValuedAttr<I64Attr, "1">:$sides);
  let builtin = 0;
}
/// `supervised_contrastive` of rows of norm 1, likewise.
def Nacre_LabelContrastOp : Nacre_LossOp<"label_contrast", [DeclareOpInterfaceMethods<Nacre_Differentiable>, Nacre_WidthByWidth]> {
  let summary = "supervised contrastive loss of the inner products of u";
  let arguments = (ins Nacre_Value:$u, Nacre_Value:$y, F64Attr:$temperature);
  let builtin = 0;
}
def Nacre_SupConOp : Nacre_LossOp<"supervised_contrastive"> {
  let summary = "mean over anchors of the mean over their positives of -log softmax over all others of z_i . z_j / temperature";
  let description = [{
    z: [B, D], rows brought to norm 1; positives are the other rows with the same label y: i32[B]; anchors are the rows that have one,
    and without any the loss is 0 (Khosla et al. 2020, L_out).
  }];
  let arguments = (ins Nacre_Value:$z, Nacre_Value:$y, DefaultValuedAttr<F64Attr, "0.07">:$temperature);
}
def Nacre_CkaOp : Nacre_LossOp<"cka"> {
  let summary = "linear centred kernel alignment of a: [B, n] and b: [B, m]: |X^T Y|^2 / (|X^T X| |Y^T Y|) of the centred columns";
  let description = [{Kornblith et al. 2019; Frobenius norms. 1 for equal representations up to rotation and scale.}];
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b);
}
class Nacre_TransportOp<string mnemonic> : Nacre_LossOp<mnemonic> {
  let arguments = (ins Nacre_Value:$a, Nacre_Value:$b, DefaultValuedAttr<F64Attr, "0.1">:$eps, DefaultValuedAttr<I64Attr, "50">:$iterations);
}
def Nacre_SinkhornOp : Nacre_TransportOp<"sinkhorn"> {
  let summary = "sum of P * C: entropic transport between the rows of a: [N, D] and b: [M, D], C their squared distances";
  let description = [{
    Uniform weights; each iteration fits the rows, then the columns of P = exp((f + g - C) / eps) / (N M) (Cuturi 2013), in logarithms.
    The gradient goes through the iterations.
  }];
}
def Nacre_SinkhornDivergenceOp : Nacre_TransportOp<"sinkhorn_divergence"> {
  let summary = "sinkhorn(a, b) - sinkhorn(a, a) / 2 - sinkhorn(b, b) / 2 (Genevay et al. 2018)";
}

#endif

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The same encoder in other frameworks, float32: the reference of this example and the peers of the benchmark.

Both classes hold `encode(ids [B, T] i32, lengths [B] i32) -> [B, 384] f32`.
"""

import numpy

import checkpoint

PROJECTIONS = ("query", "key", "value")


class OnnxEncoder:
    """onnxruntime with its own fused operators (attention, skip + norm, bias + gelu): the fastest form that it offers."""

    name = "onnxruntime"

    def __init__(self, threads):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(onnx_model(), options, providers=["CPUExecutionProvider"])

    def encode(self, ids, lengths):
        mask = (numpy.arange(ids.shape[1]) < lengths[:, None]).astype(numpy.float32)
        inputs = {"ids": ids, "types": numpy.zeros_like(ids), "lengths": lengths, "mask": mask[:, :, None]}
        return self.session.run(["embedding"], inputs)[0]


class TorchEncoder:
    """The published implementation: BertModel of the transformers library on PyTorch, mean over the tokens, unit length."""

    name = "torch"

    def __init__(self, threads):
        import torch
        from transformers import AutoModel

        torch.set_num_threads(threads)
        self.torch = torch
        self.model = AutoModel.from_pretrained(checkpoint.folder()).float().eval()

    def encode(self, ids, lengths):
        torch = self.torch
        with torch.inference_mode():
            mask = (torch.arange(ids.shape[1]) < torch.from_numpy(lengths)[:, None]).long()
            states = self.model(torch.from_numpy(ids).long(), attention_mask=mask).last_hidden_state
            weights = mask.unsqueeze(-1).float()
            mean = (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
            return torch.nn.functional.normalize(mean, dim=1).numpy()


def onnx_model():
    """The encoder as a serialised ONNX model, its weights those of the checkpoint."""
    from onnx import TensorProto, helper, numpy_helper

    weights = checkpoint.tensors()
    nodes, constants = [], []

    def constant(name, value):
        constants.append(numpy_helper.from_array(numpy.ascontiguousarray(value), name))
        return name

    def node(op, inputs, output, domain="", extra=(), **attributes):
        nodes.append(helper.make_node(op, inputs, [output, *extra], domain=domain, **attributes))
        return output

    def parameter(name):
        return constant(name, weights[name])

    def dense(x, name, output):
        return node("MatMul", [x, constant(name + ".t", weights[name + ".weight"].T)], output)

    def norm_inputs(name):
        return [parameter(name + ".LayerNorm.weight"), parameter(name + ".LayerNorm.bias")]

    def block(x, i):
        at = f"encoder.layer.{i}."
        stacked = [weights[f"{at}attention.self.{p}.weight"].T for p in PROJECTIONS]
        biases = [weights[f"{at}attention.self.{p}.bias"] for p in PROJECTIONS]
        projections = [constant(at + "qkv", numpy.concatenate(stacked, 1)), constant(at + "qkv.bias", numpy.concatenate(biases))]
        fused = {"domain": "com.microsoft", "epsilon": checkpoint.EPSILON}
        a = node("Attention", [x, *projections, "lengths"], at + "a", domain="com.microsoft", num_heads=checkpoint.HEADS)
        a = dense(a, at + "attention.output.dense", at + "o")
        x = node("SkipLayerNormalization", [a, x, *norm_inputs(at + "attention.output"),
                                            parameter(at + "attention.output.dense.bias")], at + "x", **fused)
        f = dense(x, at + "intermediate.dense", at + "f")
        f = node("BiasGelu", [f, parameter(at + "intermediate.dense.bias")], at + "g", domain="com.microsoft")
        f = dense(f, at + "output.dense", at + "h")
        return node("SkipLayerNormalization", [f, x, *norm_inputs(at + "output"), parameter(at + "output.dense.bias")],
                    at + "y", **fused)

    tables = [parameter(f"embeddings.{t}_embeddings.weight") for t in ("word", "position", "token_type")]
    x = node("EmbedLayerNormalization", ["ids", "types", *tables, *norm_inputs("embeddings")], "embedded",
             domain="com.microsoft", extra=["unused"], epsilon=checkpoint.EPSILON)
    for i in range(checkpoint.LAYERS):
        x = block(x, i)
    total = node("ReduceSum", [node("Mul", [x, "mask"], "masked"), constant("axis1", numpy.array([1]))], "total", keepdims=0)
    node("LpNormalization", [total], "embedding", axis=1, p=2)  # the mean's divisor does not change the direction

    def port(name, kind, shape):
        return helper.make_tensor_value_info(name, kind, shape)

    inputs = [port("ids", TensorProto.INT32, ["B", "T"]), port("types", TensorProto.INT32, ["B", "T"]),
              port("lengths", TensorProto.INT32, ["B"]), port("mask", TensorProto.FLOAT, ["B", "T", 1])]
    outputs = [port("embedding", TensorProto.FLOAT, ["B", checkpoint.WIDTH])]
    graph = helper.make_graph(nodes, "minilm", inputs, outputs, constants)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()

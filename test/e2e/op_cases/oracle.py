"""What ONNX Runtime gives for a case, and whether what was found is as good.

The reference computes in a wider type than the case where it can: floats in f64, so that a tolerance covers the error
of the compiled code alone, and small integers in i64, which wraps to the same bits.
"""

from collections.abc import Iterator

import numpy as np
import onnxruntime
from onnx import ModelProto, helper, numpy_helper

from .case import BFLOAT16, BOOL, F16, F32, F64, I64, Case, Output, Skip, element_code

onnxruntime.set_default_logger_severity(4)


def build(cases: list[tuple[str, Case]], replace: dict[np.dtype, np.dtype] | None = None) -> ModelProto:
    """A model of the cases, the names of each behind its prefix."""
    replace = replace or {}
    nodes, inputs, outputs, initializers = [], [], [], []
    for prefix, case in cases:
        for node in case.nodes:
            copy = type(node)()
            copy.CopyFrom(node)
            copy.name = prefix + node.name
            copy.input[:] = [name and prefix + name for name in node.input]
            copy.output[:] = [name and prefix + name for name in node.output]
            nodes.append(copy)
        for operand in case.operands:
            dtype = replace.get(operand.value.dtype, operand.value.dtype)
            if operand.constant:
                initializers.append(numpy_helper.from_array(operand.value.astype(dtype), prefix + operand.name))
            else:
                inputs.append(operand.info(prefix, dtype))
        outputs += [
            helper.make_tensor_value_info(
                prefix + output.name, element_code(replace.get(output.dtype, output.dtype)), None
            )
            for output in case.outputs
        ]
    graph = helper.make_graph(nodes, "ops", inputs, outputs, initializers)
    opset = cases[0][1].opset
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def _attempts(case: Case) -> Iterator[dict[np.dtype, np.dtype]]:
    narrow = case.narrow
    if narrow is None:
        yield {}
    elif narrow in (F16, BFLOAT16, F32):
        yield {narrow: F64}
        if narrow != F32:
            yield {narrow: F32}
        if narrow != BFLOAT16:
            yield {}
    else:
        yield {}
        if narrow.kind in "iu" and narrow.itemsize < 8:
            yield {narrow: I64}


def expected(case: Case) -> dict[str, np.ndarray]:
    """The case's outputs, or Skip."""
    if case.expected is not None:
        return case.expected
    reason = ""
    for replace in _attempts(case):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = 1
        inputs = {
            operand.name: operand.value.astype(replace.get(operand.value.dtype, operand.value.dtype))
            for operand in case.operands
            if not operand.constant
        }
        try:
            session = onnxruntime.InferenceSession(
                build([("", case)], replace).SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
            values = session.run([output.name for output in case.outputs], inputs)
        except Exception as error:  # noqa: BLE001 ONNX Runtime has no common class of its errors
            reason = str(error)
            continue
        with np.errstate(all="ignore"):
            return {
                output.name: np.asarray(value).astype(output.dtype)
                for output, value in zip(case.outputs, values, strict=True)
            }
    raise Skip(reason)


def difference(output: Output, expected: np.ndarray, found: np.ndarray) -> str:
    """Why the found value is not as good as the expected one, or nothing."""
    if output.dtype == BFLOAT16 and found.dtype.kind == "V":
        found = found.view(BFLOAT16)
    if found.dtype != output.dtype:
        return f"{output.name} has element type {found.dtype}, expected {output.dtype}"
    if found.shape != expected.shape:
        return f"{output.name} has shape {list(found.shape)}, expected {list(expected.shape)}"
    if output.dtype == BOOL or output.dtype.kind in "iu":
        wrong = found != expected
    else:
        e, f = expected.astype(np.float64), found.astype(np.float64)
        with np.errstate(all="ignore"):
            near = np.abs(f - e) <= output.absolute + output.relative * np.abs(e)
        # Infinities are equal only to themselves, NaN to NaN.
        wrong = ~np.where(np.isfinite(e) & np.isfinite(f), near, (e == f) | (np.isnan(e) & np.isnan(f)))
    if not wrong.any():
        return ""
    place = tuple(int(i[0]) for i in np.nonzero(wrong)) if wrong.ndim else ()
    return (
        f"{output.name}{list(place)} of {list(expected.shape)} is {found[place]!s}, expected {expected[place]!s}; "
        f"{int(wrong.sum())} of {wrong.size} differ"
    )

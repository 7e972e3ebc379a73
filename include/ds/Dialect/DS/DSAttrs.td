//===- DSAttrs.td - Attributes of the ds dialect ------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_DSATTRS_TD
#define DS_DIALECT_DS_DSATTRS_TD

include "ds/Dialect/DS/DSDialect.td"
include "mlir/IR/AttrTypeBase.td"

class DS_Attr<string name, string attrMnemonic> : AttrDef<DS_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def DS_WeightAttr : DS_Attr<"Weight", "weight"> {
  let summary = "A typed reference to bytes of a weight file";
  let description = [{
    Names `length` bytes at byte `offset` of `file`, the row-major little-endian
    elements of a tensor of type `type`. `digest` is the SHA-256 of those bytes
    in hex, or empty where nobody has computed it; it is checked when the
    weight is evaluated. The bytes may lie at any alignment.

    Example: `#ds.weight<"model.onnx", 4096, 589824, "", tensor<384x384xf32>>`
  }];
  let parameters = (ins StringRefParameter<"path of the file">:$file,
    "uint64_t":$offset, "uint64_t":$length,
    StringRefParameter<"SHA-256 in hex, or empty">:$digest,
    "::mlir::RankedTensorType":$type);
  let assemblyFormat = "`<` $file `,` $offset `,` $length `,` $digest `,` $type `>`";
  let genVerifyDecl = 1;
}

def DS_TransposeAttr : DS_Attr<"Transpose", "transpose"> {
  let summary = "A step of a weight's transformations: permutes its dims";
  let description = [{Result dim `i` is source dim `permutation[i]`.}];
  let parameters = (ins ArrayRefParameter<"int64_t">:$permutation);
  let assemblyFormat = "`<` `[` $permutation `]` `>`";
}

def DS_ReshapeAttr : DS_Attr<"Reshape", "reshape"> {
  let summary = "A step of a weight's transformations: a new shape for the same row-major elements";
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape);
  let assemblyFormat = "`<` `[` $shape `]` `>`";
}

def DS_SelectAttr : DS_Attr<"Select", "select"> {
  let summary = "A step of a weight's transformations: some slices of a dim";
  let description = [{
    Slice `i` of dim `dim` is the source's slice `slices[i]`.

    Example: `#ds.select<0, [0, 1, 4, 5]>`
  }];
  let parameters = (ins "int64_t":$dim, ArrayRefParameter<"int64_t">:$slices);
  let assemblyFormat = "`<` $dim `,` `[` $slices `]` `>`";
}

def DS_ScaleAttr : DS_Attr<"Scale", "scale"> {
  let summary = "A step of a weight's transformations: factors of slices";
  let description = [{
    Slice `i` of dim `dim`, of n slices, is multiplied by `factors[i · F / n]`:
    each of the F factors is that of n / F neighbours. Products are rounded
    once, to the element type.

    Example: `#ds.scale<0, [1.0, 5.0e-01]>`
  }];
  let parameters = (ins "int64_t":$dim, "::mlir::DenseF64ArrayAttr":$factors);
  let assemblyFormat = "`<` $dim `,` $factors `>`";
}

def DS_PackAttr : DS_Attr<"Pack", "pack"> {
  let summary = "A step of a weight's transformations: panels of columns for a matrix product";
  let description = [{
    Takes K x N to P x S x K x L: P panels of S strips of L columns, where P is
    the least that holds all columns. Dims before these two stay: they count
    matrices. A strip is what one stream of loads reads
    from first to last. With a depth D above 1 it becomes P x S x K/D x L x D:
    D consecutive elements of a column lie side by side, as instructions for dot
    products take them. Columns past N, and rows past K, are zero.

    Examples: `#ds.pack<2 x 16>`, `#ds.pack<2 x 16 x 2>`
  }];
  let parameters = (ins "int64_t":$strips, "int64_t":$columns,
    DefaultValuedParameter<"int64_t", "1">:$depth);
  let assemblyFormat = "`<` $strips `x` $columns (`x` $depth^)? `>`";
}

#endif // DS_DIALECT_DS_DSATTRS_TD

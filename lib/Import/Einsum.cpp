//===- Einsum.cpp - Einsum as products, sums and transpositions -----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// What the equation says becomes the ops that graphs use otherwise, so that
// attention and linear layers written with it are found like any other.
//
//===----------------------------------------------------------------------===//

#include "Microsoft.h"

#include "ds/Dialect/ONNX/ShapeHelpers.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::ds;
using namespace mlir::ds::importer;
using mlir::onnx::GraphBuilder;

namespace {
/// A dim's name: a letter, or where it is one of an ellipsis `ofEllipsis` plus
/// its place from the last one, since these align at their ends.
using Label = int;
constexpr Label ofEllipsis = 256;

/// A tensor and what its dims are.
struct Term {
  Value value;
  SmallVector<Label> labels;
};

class EinsumWriter {
public:
  EinsumWriter(Node &node, GraphBuilder &g) : node(node), g(g) {}
  LogicalResult parse(StringRef equation);
  Value write();

private:
  LogicalResult checkDiagonals(size_t input, const Term &term);
  LogicalResult parseTerm(StringRef text, int64_t ellipsis,
                          SmallVectorImpl<Label> &labels);
  void findOutput(ArrayRef<StringRef> texts, int64_t ellipsis);

  bool isNeeded(Label label, size_t afterTerm) const;
  void dropOnes();
  void takeDiagonals(Term &term);
  void sumOut(Term &term, size_t position);
  void order(Term &term, ArrayRef<Label> labels);
  Value sizeOf(const Term &term, ArrayRef<Label> labels);
  bool sameSize(const Term &lhs, const Term &rhs, Label label);
  Value toMatrices(Term &term, ArrayRef<ArrayRef<Label>> groups);
  Term multiply(Term lhs, Term rhs, ArrayRef<Label> batch, ArrayRef<Label> rows,
                ArrayRef<Label> columns);
  Term contract(Term lhs, Term rhs, size_t next);

  Node &node;
  GraphBuilder &g;
  SmallVector<Term> terms;
  SmallVector<Label> output;
};
} // namespace

//===----------------------------------------------------------------------===//
// The equation
//===----------------------------------------------------------------------===//

static void addEllipsis(int64_t count, SmallVectorImpl<Label> &labels) {
  for (int64_t i = count; i-- > 0;)
    labels.push_back(ofEllipsis + int(i));
}

/// The labels of one term, in which an ellipsis stands for `ellipsis` dims.
LogicalResult EinsumWriter::parseTerm(StringRef text, int64_t ellipsis,
                                      SmallVectorImpl<Label> &labels) {
  bool hasEllipsis = false;
  while (!text.empty()) {
    if (!hasEllipsis && text.consume_front("...")) {
      hasEllipsis = true;
      addEllipsis(ellipsis, labels);
    } else if (!text.empty() && llvm::isAlpha(text.front())) {
      labels.push_back(text.front());
      text = text.drop_front();
    } else {
      return node.emitError() << "term '" << text
                              << "' of its equation is not one of letters and "
                                 "at most one ellipsis";
    }
  }
  return success();
}

/// Dims of one name in one term are as large as each other; of dims that are
/// not known this is not checked.
LogicalResult EinsumWriter::checkDiagonals(size_t input, const Term &term) {
  auto type = cast<RankedTensorType>(term.value.getType());
  for (auto [dim, label] : llvm::enumerate(term.labels)) {
    int64_t size = type.getDimSize(dim);
    for (int64_t other = dim + 1; other < type.getRank(); ++other)
      if (term.labels[other] == label && !type.isDynamicDim(dim) &&
          !type.isDynamicDim(other) && type.getDimSize(other) != size)
        return node.emitError()
               << "its equation has one name for dims of " << size << " and "
               << type.getDimSize(other) << " of input " << input;
  }
  return success();
}

/// Without an arrow: ellipses, and what occurs once, in alphabetical order.
void EinsumWriter::findOutput(ArrayRef<StringRef> texts, int64_t ellipsis) {
  addEllipsis(ellipsis, output);
  std::map<Label, int> counts;
  for (StringRef text : texts)
    for (char letter : text)
      if (letter != '.')
        ++counts[letter];
  for (auto [label, count] : counts)
    if (count == 1)
      output.push_back(label);
}

LogicalResult EinsumWriter::parse(StringRef equation) {
  std::string compact;
  llvm::copy_if(equation, std::back_inserter(compact),
                [](char c) { return c != ' '; });
  auto [left, right] = StringRef(compact).split("->");
  bool hasArrow = StringRef(compact).contains("->");
  SmallVector<StringRef> texts;
  left.split(texts, ',');
  if (texts.size() != node.operands.size())
    return node.emitError()
           << "its equation has " << texts.size() << " terms, the node "
           << node.operands.size() << " inputs";
  int64_t most = 0;
  for (auto [i, text] : llvm::enumerate(texts)) {
    Value value = node.operand(i);
    if (!value)
      return node.emitError() << "input " << i << " is absent";
    int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
    int64_t letters = llvm::count_if(text, llvm::isAlpha);
    int64_t ellipsis = text.contains("...") ? rank - letters : 0;
    Term term{value, {}};
    if (failed(parseTerm(text, std::max<int64_t>(ellipsis, 0), term.labels)))
      return failure();
    if (int64_t(term.labels.size()) != rank)
      return node.emitError() << "term '" << text << "' of its equation does "
                              << "not fit input " << i << " of rank " << rank;
    if (failed(checkDiagonals(i, term)))
      return failure();
    most = std::max(most, ellipsis);
    terms.push_back(std::move(term));
  }
  if (!hasArrow) {
    findOutput(texts, most);
    return success();
  }
  if (failed(parseTerm(right, most, output)))
    return failure();
  for (auto [i, label] : llvm::enumerate(output)) {
    bool isKnown = llvm::any_of(terms, [label = label](const Term &term) {
      return llvm::is_contained(term.labels, label);
    });
    if (!isKnown || llvm::is_contained(ArrayRef(output).take_front(i), label))
      return node.emitError() << "the output of its equation has a dim that "
                              << (isKnown ? "is named twice" : "no input has");
  }
  return success();
}

//===----------------------------------------------------------------------===//
// One term
//===----------------------------------------------------------------------===//

static int64_t positionOf(ArrayRef<Label> labels, Label label) {
  return llvm::find(labels, label) - labels.begin();
}

/// Whether the output, or a term from `afterTerm` on, has the label.
bool EinsumWriter::isNeeded(Label label, size_t afterTerm) const {
  return llvm::is_contained(output, label) ||
         llvm::any_of(ArrayRef(terms).drop_front(afterTerm),
                      [&](const Term &term) {
                        return llvm::is_contained(term.labels, label);
                      });
}

/// A dim of 1 broadcasts to what others of its name are: it is left out.
void EinsumWriter::dropOnes() {
  auto sizeOfLabel = [](const Term &term, Label label) {
    return cast<RankedTensorType>(term.value.getType())
        .getDimSize(positionOf(term.labels, label));
  };
  for (Term &term : terms) {
    SmallVector<int64_t> axes;
    SmallVector<Label> kept;
    for (auto [i, label] : llvm::enumerate(term.labels)) {
      bool isOne =
          cast<RankedTensorType>(term.value.getType()).getDimSize(i) == 1;
      bool isWider =
          isOne && llvm::any_of(terms, [&, label = label](const Term &other) {
            return llvm::is_contained(other.labels, label) &&
                   sizeOfLabel(other, label) != 1;
          });
      if (isWider)
        axes.push_back(i);
      else
        kept.push_back(label);
    }
    if (axes.empty() || g.failed())
      continue;
    term.value = g.op<mlir::onnx::SqueezeOp>({term.value, g.integers(axes)});
    term.labels = kept;
    if (g.failed())
      return;
  }
}

/// Of two dims of one name only the diagonal counts: all else is 0 and summed.
void EinsumWriter::takeDiagonals(Term &term) {
  for (size_t i = 0; i < term.labels.size() && !g.failed(); ++i) {
    Label label = term.labels[i];
    auto *again =
        std::find(term.labels.begin() + i + 1, term.labels.end(), label);
    if (again == term.labels.end())
      continue;
    int64_t rank = term.labels.size(), second = again - term.labels.begin();
    SmallVector<int64_t> permutation;
    for (int64_t dim = 0; dim < rank; ++dim)
      if (dim != int64_t(i) && dim != second)
        permutation.push_back(dim);
    permutation.append({int64_t(i), second});
    Value x = g.transpose(term.value, permutation);
    Value index = g.range(g.dimOf(x, rank - 1));
    Value isDiagonal = g.op<mlir::onnx::EqualOp>(
        {g.unsqueeze(index, {1}), g.unsqueeze(index, {0})});
    if (g.failed())
      return;
    Value zero = g.scalar(mlir::onnx::elementType(x), 0);
    x = g.op<mlir::onnx::WhereOp>({isDiagonal, x, zero});
    term.value = g.op<mlir::onnx::ReduceSumOp>({x, g.integers({rank - 1})},
                                               {g.integer("keepdims", 0)});
    SmallVector<Label> labels;
    for (int64_t dim : ArrayRef(permutation).drop_back())
      labels.push_back(term.labels[dim]);
    term.labels = labels;
    // A third one may follow.
    i = size_t(-1);
  }
}

/// Sums over dims that nothing from term `position` on has.
void EinsumWriter::sumOut(Term &term, size_t position) {
  SmallVector<int64_t> axes;
  SmallVector<Label> kept;
  for (auto [i, label] : llvm::enumerate(term.labels)) {
    if (isNeeded(label, position))
      kept.push_back(label);
    else
      axes.push_back(i);
  }
  if (axes.empty())
    return;
  term.value = g.op<mlir::onnx::ReduceSumOp>({term.value, g.integers(axes)},
                                             {g.integer("keepdims", 0)});
  term.labels = kept;
}

/// Brings the dims into the order of `labels`.
void EinsumWriter::order(Term &term, ArrayRef<Label> labels) {
  SmallVector<int64_t> permutation;
  for (Label label : labels)
    permutation.push_back(positionOf(term.labels, label));
  if (!llvm::is_sorted(permutation))
    term.value = g.transpose(term.value, permutation);
  term.labels = llvm::to_vector(labels);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// The number of elements of some dims, a vector of one element.
Value EinsumWriter::sizeOf(const Term &term, ArrayRef<Label> labels) {
  Value size;
  for (Label label : labels) {
    Value dim = g.dimOf(term.value, positionOf(term.labels, label));
    size = size ? g.mul(size, dim) : dim;
  }
  return size ? size : g.integers({1});
}

bool EinsumWriter::sameSize(const Term &lhs, const Term &rhs, Label label) {
  return !g.failed() &&
         g.shapes.dim(lhs.value, positionOf(lhs.labels, label)) ==
             g.shapes.dim(rhs.value, positionOf(rhs.labels, label));
}

/// A tensor of one dim for each of `groups`, which follow each other.
Value EinsumWriter::toMatrices(Term &term, ArrayRef<ArrayRef<Label>> groups) {
  bool areJoined = llvm::any_of(
      groups, [](ArrayRef<Label> group) { return group.size() > 1; });
  if (areJoined) {
    SmallVector<Value> sizes;
    for (ArrayRef<Label> group : groups)
      sizes.push_back(sizeOf(term, group));
    return g.op<mlir::onnx::ReshapeOp>({term.value, g.concat(sizes, 0)});
  }
  SmallVector<int64_t> missing;
  for (auto [i, group] : llvm::enumerate(groups))
    if (group.empty())
      missing.push_back(i);
  return missing.empty() ? term.value : g.unsqueeze(term.value, missing);
}

/// Products of matrices, or of elements where there is nothing to sum over.
Term EinsumWriter::multiply(Term lhs, Term rhs, ArrayRef<Label> batch,
                            ArrayRef<Label> rows, ArrayRef<Label> columns) {
  SmallVector<Label> summed;
  for (Label label : lhs.labels)
    if (llvm::is_contained(rhs.labels, label) &&
        !llvm::is_contained(batch, label))
      summed.push_back(label);
  auto concat = [](std::initializer_list<ArrayRef<Label>> parts) {
    SmallVector<Label> all;
    for (ArrayRef<Label> part : parts)
      llvm::append_range(all, part);
    return all;
  };
  SmallVector<Label> labels = concat({batch, rows, columns});
  order(lhs, concat({batch, rows, summed}));
  order(rhs, concat({batch, summed, columns}));
  if (g.failed())
    return {};
  if (summed.empty()) {
    SmallVector<int64_t> behind, between;
    for (size_t i = 0; i < columns.size(); ++i)
      behind.push_back(batch.size() + rows.size() + i);
    for (size_t i = 0; i < rows.size(); ++i)
      between.push_back(batch.size() + i);
    Value l = behind.empty() ? lhs.value : g.unsqueeze(lhs.value, behind);
    Value r = between.empty() ? rhs.value : g.unsqueeze(rhs.value, between);
    return {g.mul(l, r), labels};
  }

  SmallVector<ArrayRef<Label>> left, right;
  for (const Label &label : batch) {
    left.push_back(label);
    right.push_back(label);
  }
  left.append({rows, summed});
  right.append({summed, columns});
  Value l = toMatrices(lhs, left), r = toMatrices(rhs, right);
  Value product = g.op<mlir::onnx::MatMulOp>({l, r});
  if (rows.size() > 1 || columns.size() > 1) {
    SmallVector<Value> sizes;
    for (Label label : labels) {
      Value size =
          sizeOf(llvm::is_contained(columns, label) ? rhs : lhs, label);
      // What might be 1 when it runs broadcasts.
      if (llvm::is_contained(batch, label) && !sameSize(lhs, rhs, label))
        size = g.op<mlir::onnx::MaxOp>({size, sizeOf(rhs, label)});
      sizes.push_back(size);
    }
    return {g.op<mlir::onnx::ReshapeOp>({product, g.concat(sizes, 0)}), labels};
  }
  SmallVector<int64_t> ones;
  if (rows.empty())
    ones.push_back(batch.size());
  if (columns.empty())
    ones.push_back(batch.size() + 1);
  if (!ones.empty())
    product = g.op<mlir::onnx::SqueezeOp>({product, g.integers(ones)});
  return {product, labels};
}

/// The product of two terms, summed over what nothing from term `next` on has.
Term EinsumWriter::contract(Term lhs, Term rhs, size_t next) {
  SmallVector<Label> batch, rows, columns;
  // In the order of the output, as far as that has them.
  SmallVector<Label> all = output;
  for (const Term *term : {&lhs, &rhs})
    for (Label label : term->labels)
      if (!llvm::is_contained(all, label))
        all.push_back(label);
  for (Label label : all) {
    bool isLeft = llvm::is_contained(lhs.labels, label);
    bool isRight = llvm::is_contained(rhs.labels, label);
    if (isLeft && isRight) {
      if (isNeeded(label, next))
        batch.push_back(label);
    } else if (isLeft) {
      rows.push_back(label);
    } else if (isRight) {
      columns.push_back(label);
    }
  }
  // The output may want the right term's dims first.
  bool swaps = !rows.empty() && !columns.empty() &&
               positionOf(all, columns.front()) < positionOf(all, rows.front());
  return swaps ? multiply(rhs, lhs, batch, columns, rows)
               : multiply(lhs, rhs, batch, rows, columns);
}

Value EinsumWriter::write() {
  for (Term &term : terms)
    takeDiagonals(term);
  if (g.failed())
    return nullptr;
  dropOnes();
  // Once: what a term alone has stays so.
  for (size_t i = 0; i < terms.size() && !g.failed(); ++i) {
    Term term = terms[i];
    terms[i].labels.clear();
    sumOut(term, 0);
    terms[i] = term;
  }
  Term result = terms.front();
  for (size_t i = 1; i < terms.size() && !g.failed(); ++i)
    result = contract(result, terms[i], i + 1);
  if (g.failed())
    return nullptr;
  order(result, output);
  return result.value;
}

LogicalResult mlir::ds::importer::composeEinsum(Node &node, Emitter &emitter) {
  auto equation = node.take<StringAttr>("equation");
  if (!equation)
    return node.emitError() << "attribute 'equation' is missing";
  if (!node.attributes.empty())
    return node.emitError()
           << "attribute '" << node.attributes.begin()->getName().getValue()
           << "' is not supported";
  GraphBuilder g = makeGraph(node, emitter);
  EinsumWriter writer(node, g);
  if (failed(writer.parse(equation)))
    return failure();
  Value result = writer.write();
  if (g.failed())
    return failure();
  node.results = {result};
  return success();
}

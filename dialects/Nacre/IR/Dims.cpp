// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/IR/Dims.h"

#include "dialects/Nacre/IR/NacreDialect.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <algorithm>
#include <numeric>

using namespace nacre;
using namespace mlir;

Dim Dim::constant(int64_t value) {
  Dim dim;
  dim.add({}, value);
  return dim;
}

Dim Dim::symbol(StringRef name) {
  Dim dim;
  dim.add({name.str()}, 1);
  return dim;
}

void Dim::add(const Monomial &monomial, int64_t coefficient) {
  int64_t &slot = terms[monomial];
  slot += coefficient;
  if (slot == 0)
    terms.erase(monomial);
}

/// "B", "blocks_2", "m.index"
static bool isName(StringRef text) {
  StringRef stem = text.split('.').first;
  bool isPlain = llvm::all_of(stem, [](char c) { return llvm::isAlnum(c) || c == '_'; });
  return isPlain && !stem.empty() && !llvm::isDigit(stem[0]) && (stem == text || text.substr(stem.size()) == ".index");
}

/// One signed product such as "-12*B*T".
static bool parseTerm(StringRef text, Dim &sum) {
  Dim term = Dim::constant(1);
  SmallVector<StringRef, 4> factors;
  text.split(factors, '*');
  for (StringRef factor : factors) {
    factor = factor.trim();
    int64_t number;
    if (factor.empty())
      return false;
    if (!factor.getAsInteger(10, number))
      term = term * Dim::constant(number);
    else if (isName(factor))
      term = term * Dim::symbol(factor);
    else
      return false;
  }
  sum = sum + term;
  return true;
}

std::optional<Dim> Dim::parse(StringRef text) {
  Dim sum;
  while (!text.empty()) {
    size_t sign = text.find_first_of("+-", 1);
    StringRef head = text.take_front(sign).trim();
    text = sign == StringRef::npos ? StringRef() : text.drop_front(sign);
    bool negative = head.consume_front("-");
    head.consume_front("+");
    Dim term;
    if (!parseTerm(head, term))
      return std::nullopt;
    sum = negative ? sum - term : sum + term;
  }
  return sum;
}

Dim Dim::operator+(const Dim &other) const {
  Dim result = *this;
  for (auto &[monomial, coefficient] : other.terms)
    result.add(monomial, coefficient);
  return result;
}

Dim Dim::operator-(const Dim &other) const { return *this + other * constant(-1); }

Dim Dim::operator*(const Dim &other) const {
  Dim result;
  for (auto &[a, ca] : terms)
    for (auto &[b, cb] : other.terms) {
      Monomial merged;
      std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(merged));
      result.add(merged, ca * cb);
    }
  return result;
}

std::optional<int64_t> Dim::asConstant() const {
  if (terms.empty())
    return 0;
  if (terms.size() == 1 && terms.begin()->first.empty())
    return terms.begin()->second;
  return std::nullopt;
}

std::optional<Dim> Dim::dividedBy(int64_t divisor) const {
  Dim result;
  for (auto &[monomial, coefficient] : terms) {
    if (divisor == 0 || coefficient % divisor != 0)
      return std::nullopt;
    result.add(monomial, coefficient / divisor);
  }
  return result;
}

int64_t Dim::content() const {
  int64_t result = 0;
  for (auto &[monomial, coefficient] : terms)
    result = std::gcd(result, coefficient);
  return result;
}

std::optional<int64_t> Dim::evaluate(const llvm::StringMap<int64_t> &binding) const {
  int64_t sum = 0;
  for (auto &[monomial, coefficient] : terms) {
    int64_t value = coefficient;
    for (const std::string &name : monomial) {
      auto found = binding.find(name);
      if (found == binding.end())
        return std::nullopt;
      value *= found->second;
    }
    sum += value;
  }
  return sum;
}

Dim Dim::substitute(StringRef name, const Dim &value) const {
  Dim result;
  for (auto &[monomial, coefficient] : terms) {
    Dim term = constant(coefficient);
    for (const std::string &factor : monomial)
      term = term * (factor == name ? value : symbol(factor));
    result = result + term;
  }
  return result;
}

bool Dim::mentions(StringRef name) const {
  return llvm::any_of(terms, [&](auto &term) { return llvm::is_contained(term.first, name); });
}

std::string Dim::str() const {
  if (terms.empty())
    return "0";
  std::string out;
  // Longest products first and the constant last, as one writes them by hand.
  SmallVector<const std::pair<const Monomial, int64_t> *> ordered;
  for (auto &term : terms)
    ordered.push_back(&term);
  llvm::stable_sort(ordered, [](auto *a, auto *b) { return a->first.size() > b->first.size(); });
  for (auto *term : ordered) {
    int64_t coefficient = term->second;
    if (coefficient > 0 && !out.empty())
      out += "+";
    std::string names = llvm::join(term->first, "*");
    if (names.empty())
      out += std::to_string(coefficient);
    else if (coefficient == 1)
      out += names;
    else if (coefficient == -1)
      out += "-" + names;
    else
      out += std::to_string(coefficient) + "*" + names;
  }
  return out;
}

RankedTensorType nacre::tensorOf(MLIRContext *context, Type element, ArrayRef<Dim> dims) {
  SmallVector<int64_t> shape;
  SmallVector<Attribute> names;
  bool isStatic = true;
  for (const Dim &dim : dims) {
    std::optional<int64_t> size = dim.asConstant();
    isStatic &= size.has_value();
    shape.push_back(size.value_or(ShapedType::kDynamic));
    names.push_back(StringAttr::get(context, dim.str()));
  }
  if (isStatic)
    return RankedTensorType::get(shape, element);
  return RankedTensorType::get(shape, element, DimsAttr::get(context, ArrayAttr::get(context, names)));
}

Dims nacre::dimsOf(Type type) {
  if (auto sparse = dyn_cast<SparseType>(type))
    type = sparse.getElement();
  if (auto code = dyn_cast<CodeType>(type))
    type = code.getElement();
  if (auto nested = dyn_cast<NestedType>(type))
    type = nested.getElement();
  auto tensor = cast<RankedTensorType>(type);
  Dims dims;
  auto encoding = dyn_cast_or_null<DimsAttr>(tensor.getEncoding());
  for (auto [axis, size] : llvm::enumerate(tensor.getShape())) {
    if (!ShapedType::isDynamic(size))
      dims.push_back(Dim::constant(size));
    else if (encoding)
      dims.push_back(Dim::parse(cast<StringAttr>(encoding.getDims()[axis]).getValue()).value_or(Dim()));
    else
      dims.push_back(Dim::symbol("_" + std::to_string(axis)));
  }
  return dims;
}

Dim nacre::product(ArrayRef<Dim> dims) {
  Dim result = Dim::constant(1);
  for (const Dim &dim : dims)
    result = result * dim;
  return result;
}

std::string nacre::text(ArrayRef<Dim> dims) {
  std::string out = "[";
  for (auto [i, dim] : llvm::enumerate(dims))
    out += (i ? ", " : "") + dim.str();
  return out + "]";
}

std::optional<Dims> nacre::broadcast(ArrayRef<Dim> a, ArrayRef<Dim> b) {
  if (a.size() < b.size())
    std::swap(a, b);
  Dims result(a.begin(), a.end());
  size_t lead = a.size() - b.size();
  for (auto [i, dim] : llvm::enumerate(b)) {
    Dim &slot = result[lead + i];
    if (slot == dim || dim.isOne())
      continue;
    if (!slot.isOne())
      return std::nullopt;
    slot = dim;
  }
  return result;
}

std::optional<int64_t> nacre::normalizeAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return std::nullopt;
  return axis < 0 ? axis + rank : axis;
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fills the text of a form with what a case has. The signs are described at the top of cases.txt.
#include "test/golden/CaseTable.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace nacre;
using namespace nacre::test;

static llvm::Error wrong(const llvm::Twine &message) { return llvm::createStringError(llvm::inconvertibleErrorCode(), message); }

//===-- types and sizes ------------------------------------------------------------------------------------------------------===//

static std::string extentsOf(const GoldenTensor &tensor) {
  return llvm::join(llvm::map_range(tensor.values.shape, [](int64_t extent) { return std::to_string(extent); }), ", ");
}

/// What stands for `@word`: a type, one extent of it, or all of them.
static std::optional<std::string> typeText(llvm::StringRef word, const GoldenCase &golden) {
  std::string whole = ((word.starts_with("out.") ? "" : "in.") + word).str();
  if (const GoldenTensor *tensor = golden.find(whole))
    return std::string(tensor->isInteger ? "i32[" : "f32[") + extentsOf(*tensor) + "]";
  auto [name, axis] = llvm::StringRef(whole).rsplit('.');
  const GoldenTensor *tensor = golden.find(name);
  if (tensor && axis == "all")
    return extentsOf(*tensor);
  size_t index = 0;
  if (!tensor || axis.getAsInteger(10, index) || index >= tensor->values.shape.size())
    return std::nullopt;
  return std::to_string(tensor->values.shape[index]);
}

//===-- signs ----------------------------------------------------------------------------------------------------------------===//

namespace {
/// Reads the text of a form from left to right.
class Filler {
public:
  Filler(const CaseForm &form, const GoldenCase &golden) : form(form), golden(golden) {}
  llvm::Expected<std::string> fill(llvm::StringRef text) const;

private:
  const CaseForm &form;
  const GoldenCase &golden;

  llvm::Expected<std::string> value(char sign, llvm::StringRef &rest) const;
  llvm::Expected<std::string> condition(llvm::StringRef &rest) const;
  llvm::Expected<std::string> repetition(llvm::StringRef &rest) const;
  llvm::Expected<llvm::StringRef> block(llvm::StringRef &rest) const;
};
} // namespace

/// `{ ... }` with the braces inside it in pairs; gives what is between.
llvm::Expected<llvm::StringRef> Filler::block(llvm::StringRef &rest) const {
  size_t end = 0;
  for (int depth = 0; end < rest.size(); ++end) {
    depth += rest[end] == '{' ? 1 : rest[end] == '}' ? -1 : 0;
    if (depth <= 0)
      break;
  }
  if (!rest.starts_with("{") || end == rest.size())
    return wrong("the form of '" + form.ops.front() + "' expects { ... } at '" + rest.take_front(20) + "'");
  llvm::StringRef inside = rest.slice(1, end);
  rest = rest.drop_front(end + 1);
  return inside;
}

/// `@word`, `$word` or `$word|otherwise`.
llvm::Expected<std::string> Filler::value(char sign, llvm::StringRef &rest) const {
  llvm::StringRef word = rest.take_while(isWordPart), otherwise;
  rest = rest.drop_front(word.size());
  if (rest.consume_front("|")) {
    otherwise = rest.take_while(isWordPart);
    rest = rest.drop_front(otherwise.size());
  }
  std::optional<std::string> text = sign == '@' ? typeText(word, golden) : attributeText(golden, word);
  if (!text && otherwise.empty())
    return wrong("the form of '" + form.ops.front() + "' asks for " + word + ", which the case lacks");
  return text.value_or(otherwise.str());
}

/// `?CONDITION{ ... }`.
llvm::Expected<std::string> Filler::condition(llvm::StringRef &rest) const {
  bool holds = CaseCondition::take(rest).holds(golden);
  llvm::Expected<llvm::StringRef> inside = block(rest);
  if (!inside)
    return inside.takeError();
  return holds ? fill(*inside) : std::string();
}

/// `#LIST{ ... }` or `#NUMBER{ ... }`.
llvm::Expected<std::string> Filler::repetition(llvm::StringRef &rest) const {
  llvm::StringRef word = rest.take_while(isWordPart);
  rest = rest.drop_front(word.size());
  const llvm::json::Value *list = attributeAt(golden.attributes, word);
  std::optional<int64_t> count = !list ? std::nullopt : list->getAsArray() ? int64_t(list->getAsArray()->size()) : list->getAsInteger();
  llvm::Expected<llvm::StringRef> inside = block(rest);
  if (!inside)
    return inside.takeError();
  if (!count)
    return wrong("the form of '" + form.ops.front() + "' asks for the list " + word + ", which the case lacks");
  std::string result;
  for (int64_t i = 0; i < *count; ++i) {
    std::string once = inside->str();
    for (size_t at; (at = once.find('#')) != std::string::npos;)
      once.replace(at, 1, std::to_string(i));
    llvm::Expected<std::string> filled = fill(once);
    if (!filled)
      return filled;
    result += *filled;
  }
  return result;
}

llvm::Expected<std::string> Filler::fill(llvm::StringRef text) const {
  std::string result;
  while (true) {
    size_t next = text.find_first_of("@$?#");
    result += text.take_front(next);
    if (next == llvm::StringRef::npos)
      return result;
    char sign = text[next];
    text = text.drop_front(next + 1);
    llvm::Expected<std::string> part = sign == '?' ? condition(text) : sign == '#' ? repetition(text) : value(sign, text);
    if (!part)
      return part;
    result += *part;
  }
}

llvm::Expected<std::string> test::programText(const CaseForm &form, const GoldenCase &golden) { return Filler(form, golden).fill(form.text); }

std::vector<std::string> test::functionNames(llvm::StringRef program) {
  std::vector<std::string> names;
  for (size_t at = program.find("fn "); at != llvm::StringRef::npos; at = program.find("fn ", at + 1))
    names.push_back(program.drop_front(at + 3).take_while([](char c) { return c != '('; }).str());
  return names;
}

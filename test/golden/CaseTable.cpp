// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/golden/CaseTable.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace nacre;
using namespace nacre::test;

static llvm::Error wrong(const llvm::Twine &message) { return llvm::createStringError(llvm::inconvertibleErrorCode(), message); }

//===-- reading the table ----------------------------------------------------------------------------------------------------===//

/// `KEY`, `KEY=VALUE` or `KEY="VALUE WITH BLANKS"`, one after the other.
static void readConditions(llvm::StringRef rest, CaseForm &form) {
  for (rest = rest.ltrim(); !rest.empty(); rest = rest.ltrim()) {
    llvm::StringRef key = rest.take_while([](char c) { return c != '=' && c != ' '; }), value;
    rest = rest.drop_front(key.size());
    if (rest.consume_front("=\""))
      std::tie(value, rest) = rest.split('"');
    else if (rest.consume_front("="))
      std::tie(value, rest) = rest.split(' ');
    form.conditions.push_back({key.str(), value.str()});
  }
}

llvm::Expected<CaseTable> CaseTable::read(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return wrong(path + ": " + buffer.getError().message());
  CaseTable table;
  llvm::SmallVector<llvm::StringRef> lines;
  (*buffer)->getBuffer().split(lines, '\n');
  for (llvm::StringRef line : lines) {
    if (line.consume_front("== ")) {
      table.forms.emplace_back();
      auto [op, rest] = line.split(' ');
      table.forms.back().op = op.str();
      readConditions(rest, table.forms.back());
    } else if (table.forms.empty() || line.starts_with("#")) {
      continue;
    } else if (line.consume_front("pending: ")) {
      table.forms.back().pending = line.str();
    } else if (line == "forward") {
      table.forms.back().forwardOnly = true;
    } else if (line == "states") {
      table.forms.back().hasStates = true;
    } else if (line == "train") {
      table.forms.back().isTraining = true;
    } else {
      table.forms.back().text += (line + "\n").str();
    }
  }
  return table;
}

//===-- choosing and filling a form ------------------------------------------------------------------------------------------===//

/// As it is written in a program: 1e-05, true, [2, 4].
static std::string textOf(const llvm::json::Value &value) {
  if (std::optional<llvm::StringRef> text = value.getAsString())
    return text->str();
  if (const llvm::json::Array *list = value.getAsArray())
    return "[" + llvm::join(llvm::map_range(*list, textOf), ", ") + "]";
  std::string text;
  llvm::raw_string_ostream(text) << value;
  return text;
}

/// The attribute `a`, the entry `a.b` of an object, or the element `a.2` of a list; null when there is none.
static const llvm::json::Value *attributeAt(const llvm::json::Object &attributes, llvm::StringRef path) {
  auto [name, rest] = path.split('.');
  const llvm::json::Value *value = attributes.get(name);
  if (!value || rest.empty())
    return value;
  size_t index = 0;
  if (const llvm::json::Array *list = value->getAsArray())
    return !rest.getAsInteger(10, index) && index < list->size() ? &(*list)[index] : nullptr;
  const llvm::json::Object *object = value->getAsObject();
  return object ? attributeAt(*object, rest) : nullptr;
}

const CaseForm *CaseTable::find(const GoldenCase &golden) const {
  for (const CaseForm &form : forms) {
    bool fits = form.op == golden.op;
    for (const auto &[key, value] : form.conditions) {
      const llvm::json::Value *attribute = attributeAt(golden.attributes, key);
      fits &= attribute && (value.empty() || textOf(*attribute) == value);
    }
    if (fits)
      return &form;
  }
  return nullptr;
}

static std::string typeOf(const GoldenTensor &tensor) {
  auto extents = llvm::map_range(tensor.values.shape, [](int64_t extent) { return std::to_string(extent); });
  return std::string(tensor.isInteger ? "i32[" : "f32[") + llvm::join(extents, ", ") + "]";
}

/// What stands for `@word`: a type, or one extent of it.
static std::optional<std::string> typeText(llvm::StringRef word, const GoldenCase &golden) {
  std::string whole = ((word.starts_with("out.") ? "" : "in.") + word).str();
  if (const GoldenTensor *tensor = golden.find(whole))
    return typeOf(*tensor);
  auto [name, axis] = llvm::StringRef(whole).rsplit('.');
  const GoldenTensor *tensor = golden.find(name);
  size_t index = 0;
  if (!tensor || axis.getAsInteger(10, index) || index >= tensor->values.shape.size())
    return std::nullopt;
  return std::to_string(tensor->values.shape[index]);
}

/// What stands for `$word`: an attribute, or a part of it.
static std::optional<std::string> attributeText(llvm::StringRef word, const GoldenCase &golden) {
  const llvm::json::Value *value = attributeAt(golden.attributes, word);
  return value ? std::optional<std::string>(textOf(*value)) : std::nullopt;
}

static bool isWordPart(char c) { return llvm::isAlnum(c) || c == '_' || c == '.'; }

llvm::Expected<std::string> test::programText(const CaseForm &form, const GoldenCase &golden) {
  std::string result;
  for (llvm::StringRef rest = form.text; !rest.empty();) {
    size_t next = rest.find_first_of("@$");
    result += rest.take_front(next);
    if (next == llvm::StringRef::npos)
      break;
    bool isType = rest[next] == '@';
    rest = rest.drop_front(next + 1);
    llvm::StringRef word = rest.take_while(isWordPart), otherwise;
    rest = rest.drop_front(word.size());
    if (rest.consume_front("|")) {
      otherwise = rest.take_while(isWordPart);
      rest = rest.drop_front(otherwise.size());
    }
    std::optional<std::string> text = isType ? typeText(word, golden) : attributeText(word, golden);
    if (!text && otherwise.empty())
      return wrong("the form of '" + form.op + "' asks for " + word + ", which the case lacks");
    result += text.value_or(otherwise.str());
  }
  return result;
}

std::vector<std::string> test::functionNames(llvm::StringRef program) {
  std::vector<std::string> names;
  for (size_t at = program.find("fn "); at != llvm::StringRef::npos; at = program.find("fn ", at + 1))
    names.push_back(program.drop_front(at + 3).take_while([](char c) { return c != '('; }).str());
  return names;
}

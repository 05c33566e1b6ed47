// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/golden/CaseTable.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace nacre;
using namespace nacre::test;

static llvm::Error wrong(const llvm::Twine &message) { return llvm::createStringError(llvm::inconvertibleErrorCode(), message); }

//===-- reading the table ----------------------------------------------------------------------------------------------------===//

bool test::isWordPart(char c) { return llvm::isAlnum(c) || c == '_' || c == '.'; }

CaseCondition CaseCondition::take(llvm::StringRef &text) {
  CaseCondition condition;
  condition.negated = text.consume_front("!");
  auto takeWord = [&] {
    llvm::StringRef word = text.take_while(isWordPart);
    text = text.drop_front(word.size());
    return word.str();
  };
  condition.key = takeWord();
  if (text.empty() || (text[0] != '=' && text[0] != '~'))
    return condition;
  condition.relation = text[0];
  text = text.drop_front();
  if (!text.consume_front("\"")) {
    condition.value = takeWord();
    return condition;
  }
  auto [quoted, rest] = text.split('"');
  condition.value = quoted.str();
  text = rest;
  return condition;
}

/// `OP|OP CONDITION CONDITION` of a header line. Fails on anything else.
static llvm::Error readHeader(llvm::StringRef line, CaseForm &form) {
  auto [ops, rest] = line.split(' ');
  llvm::SmallVector<llvm::StringRef> names;
  ops.split(names, '|');
  form.ops.assign(names.begin(), names.end());
  for (rest = rest.ltrim(); !rest.empty(); rest = rest.ltrim()) {
    form.conditions.push_back(CaseCondition::take(rest));
    if (form.conditions.back().key.empty() || (!rest.empty() && rest[0] != ' '))
      return wrong("the table: expected a condition in '== " + line + "'");
  }
  return llvm::Error::success();
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
      if (llvm::Error error = readHeader(line, table.forms.back()))
        return error;
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

//===-- what a case has ------------------------------------------------------------------------------------------------------===//

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

const llvm::json::Value *test::attributeAt(const llvm::json::Object &attributes, llvm::StringRef path) {
  auto [name, rest] = path.split('.');
  const llvm::json::Value *value = attributes.get(name);
  if (!value || value->getAsNull())
    return nullptr;
  if (rest.empty())
    return value;
  size_t index = 0;
  if (const llvm::json::Array *list = value->getAsArray())
    return !rest.getAsInteger(10, index) && index < list->size() ? &(*list)[index] : nullptr;
  const llvm::json::Object *object = value->getAsObject();
  return object ? attributeAt(*object, rest) : nullptr;
}

std::optional<std::string> test::attributeText(const GoldenCase &golden, llvm::StringRef path) {
  const llvm::json::Value *value = attributeAt(golden.attributes, path);
  return value ? std::optional<std::string>(textOf(*value)) : std::nullopt;
}

bool CaseCondition::holds(const GoldenCase &golden) const {
  std::optional<std::string> text = attributeText(golden, key);
  bool isThere = golden.find(key) || (text && (relation || *text != "false"));
  if (relation == '=')
    isThere = text == value;
  if (relation == '~')
    isThere = text && llvm::StringRef(*text).contains(value);
  return isThere != negated;
}

const CaseForm *CaseTable::find(const GoldenCase &golden) const {
  for (const CaseForm &form : forms)
    if (llvm::is_contained(form.ops, golden.op) &&
        llvm::all_of(form.conditions, [&](const CaseCondition &condition) { return condition.holds(golden); }))
      return &form;
  return nullptr;
}

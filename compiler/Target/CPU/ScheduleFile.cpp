// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/ScheduleFile.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

namespace nacre::cpu {

static constexpr int64_t kFormat = 1;

static llvm::Error atLine(int64_t line, const llvm::Twine &message) { return llvm::createStringError(llvm::Twine(line) + ": " + message); }

/// The lines on which the objects inside the outermost one begin.
static std::vector<int64_t> entryLines(llvm::StringRef text) {
  std::vector<int64_t> lines;
  int64_t line = 1, depth = 0;
  bool isQuoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    line += text[i] == '\n';
    if (isQuoted && text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      isQuoted = !isQuoted;
    else if (!isQuoted && text[i] == '{' && ++depth == 2)
      lines.push_back(line);
    else if (!isQuoted && text[i] == '}')
      --depth;
  }
  return lines;
}

/// JSON's own errors carry "[line:column, byte=...]: what".
static llvm::Error notJson(llvm::Error error) {
  std::string message = llvm::toString(std::move(error));
  llvm::StringRef rest = message;
  int64_t line = 1;
  if (rest.consume_front("["))
    rest.consumeInteger(10, line);
  return atLine(line, "expected JSON, but " + rest.substr(rest.find("]: ") + 3).lower());
}

static llvm::Expected<ScheduleEntry> entryOf(const llvm::json::Value &value, int64_t line) {
  ScheduleEntry entry;
  const llvm::json::Object *object = value.getAsObject();
  if (!object)
    return atLine(line, "expected an entry {\"skeleton\": ..., \"class\": ..., \"level\": ..., PARAMETER: NUMBER}");
  for (auto [name, field] : {std::pair("skeleton", &entry.skeleton), {"class", &entry.shapeClass}, {"level", &entry.level}}) {
    auto found = object->getString(name);
    if (!found)
      return atLine(line, llvm::Twine("expected an entry to have a text '") + name + "'");
    *field = found->str();
  }
  for (const auto &[key, number] : *object) {
    llvm::StringRef name = key;
    if (name == "skeleton" || name == "class" || name == "level")
      continue;
    auto whole = number.getAsInteger();
    if (!whole)
      return atLine(line, "expected '" + name + "' to be a whole number");
    entry.values[name.str()] = *whole;
  }
  if (llvm::Error error = checkEntry(entry))
    return atLine(line, llvm::toString(std::move(error)));
  return entry;
}

llvm::Expected<ScheduleFile> parseSchedules(llvm::StringRef text, llvm::StringRef version) {
  auto parsed = llvm::json::parse(text);
  if (!parsed)
    return notJson(parsed.takeError());
  const llvm::json::Object *object = parsed->getAsObject();
  const llvm::json::Array *list = object ? object->getArray("entries") : nullptr;
  if (!list || object->getInteger("nacre_schedules") != kFormat)
    return atLine(1, "expected {\"nacre_schedules\": 1, \"version\": ..., \"cpu\": ..., \"entries\": [...]}");
  ScheduleFile file;
  file.version = object->getString("version").value_or("").str();
  file.cpu = object->getString("cpu").value_or("").str();
  if (file.version != version)
    return atLine(1, "expected schedules of nacre " + version + ", but got those of '" + file.version + "'; run nacre tune again");
  std::vector<int64_t> lines = entryLines(text);
  lines.resize(std::max(lines.size(), list->size()), 1); // entries that are no objects
  for (size_t i = 0; i < list->size(); ++i) {
    auto entry = entryOf((*list)[i], lines[i]);
    if (!entry)
      return entry.takeError();
    file.entries.push_back(std::move(*entry));
  }
  return file;
}

std::string printSchedules(const ScheduleFile &file) {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << "{\"nacre_schedules\": " << kFormat << ", \"version\": " << llvm::json::Value(file.version)
      << ", \"cpu\": " << llvm::json::Value(file.cpu) << ", \"entries\": [";
  for (const ScheduleEntry &entry : file.entries) {
    out << (&entry == &file.entries.front() ? "\n" : ",\n") << "  {\"skeleton\": " << llvm::json::Value(entry.skeleton)
        << ", \"class\": " << llvm::json::Value(entry.shapeClass) << ", \"level\": " << llvm::json::Value(entry.level);
    for (const auto &[name, value] : entry.values)
      out << ", " << llvm::json::Value(name) << ": " << value;
    out << "}";
  }
  out << "\n]}\n";
  return text;
}

} // namespace nacre::cpu

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Diagnostics.h"

#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <tuple>

using namespace nacre;

NoteAdder &NoteAdder::note(llvm::SMRange range, const llvm::Twine &message) {
  if (diagnostic) diagnostic->notes.push_back({range, message.str()});
  return *this;
}

NoteAdder Diagnostics::error(llvm::SMRange range, const llvm::Twine &message) { return report({range, "", message.str(), {}}); }

NoteAdder Diagnostics::error(llvm::SMLoc place, const llvm::Twine &message) { return error(llvm::SMRange(place, place), message); }

NoteAdder Diagnostics::fileError(llvm::StringRef file, const llvm::Twine &message) {
  return report({llvm::SMRange(), file.str(), message.str(), {}});
}

std::string Diagnostics::key(const Diagnostic &diagnostic) const {
  std::string place = diagnostic.file;
  if (diagnostic.range.isValid()) place = std::to_string(reinterpret_cast<uintptr_t>(diagnostic.range.Start.getPointer()));
  return place + ":" + diagnostic.message;
}

NoteAdder Diagnostics::report(Diagnostic diagnostic) {
  if (!seen.insert(key(diagnostic)).second) return NoteAdder(nullptr);
  all.push_back(std::move(diagnostic));
  return NoteAdder(&all.back());
}

void Diagnostics::rollBack(size_t count) {
  for (size_t i = count; i < all.size(); ++i)
    seen.erase(key(all[i]));
  all.resize(std::min(count, all.size()));
}

std::vector<const Diagnostic *> Diagnostics::sorted() const {
  using Key = std::tuple<unsigned, const char *, const Diagnostic *>;
  std::vector<Key> keyed;
  for (const Diagnostic &diagnostic : all) {
    bool placed = diagnostic.range.isValid();
    unsigned buffer = placed ? source.manager().FindBufferContainingLoc(diagnostic.range.Start) : 0;
    keyed.emplace_back(buffer, placed ? diagnostic.range.Start.getPointer() : nullptr, &diagnostic);
  }
  std::stable_sort(keyed.begin(), keyed.end(), [](const Key &a, const Key &b) {
    return std::make_pair(std::get<0>(a), std::get<1>(a)) < std::make_pair(std::get<0>(b), std::get<1>(b));
  });
  std::vector<const Diagnostic *> result;
  for (const Key &key : keyed)
    result.push_back(std::get<2>(key));
  return result;
}

static void printOne(const llvm::SourceMgr &manager, llvm::raw_ostream &out, llvm::SMRange range, llvm::StringRef file,
                     llvm::SourceMgr::DiagKind kind, llvm::StringRef message) {
  if (range.isValid())
    return manager.PrintMessage(out, range.Start, kind, message, range.Start == range.End ? llvm::ArrayRef<llvm::SMRange>() : range);
  if (!file.empty()) out << file << ": ";
  out << (kind == llvm::SourceMgr::DK_Note ? "note: " : "error: ") << message << "\n";
}

void Diagnostics::print(llvm::raw_ostream &out) const {
  std::vector<const Diagnostic *> list = sorted();
  for (size_t i = 0; i < std::min(list.size(), kMaxShown); ++i) {
    printOne(source.manager(), out, list[i]->range, list[i]->file, llvm::SourceMgr::DK_Error, list[i]->message);
    for (const Note &note : list[i]->notes)
      printOne(source.manager(), out, note.range, "", llvm::SourceMgr::DK_Note, note.message);
  }
  if (list.size() > kMaxShown) out << "error: " << list.size() - kMaxShown << " more errors are not shown\n";
}

static llvm::json::Object placed(const Source &source, llvm::SMRange range, llvm::StringRef file, llvm::StringRef message) {
  llvm::json::Object object{{"message", message}};
  if (!file.empty()) object["file"] = file;
  if (!range.isValid()) return object;
  Place place = source.place(range.Start);
  object["file"] = place.file;
  object["line"] = place.line;
  object["column"] = place.column;
  return object;
}

llvm::json::Array Diagnostics::toJson() const {
  llvm::json::Array result;
  for (const Diagnostic *diagnostic : sorted()) {
    llvm::json::Object object = placed(source, diagnostic->range, diagnostic->file, diagnostic->message);
    llvm::json::Array notes;
    for (const Note &note : diagnostic->notes)
      notes.push_back(placed(source, note.range, "", note.message));
    object["notes"] = std::move(notes);
    result.push_back(std::move(object));
  }
  return result;
}

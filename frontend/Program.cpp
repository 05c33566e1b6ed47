// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Program.h"

#include "frontend/Parser.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Path.h"

using namespace nacre;
using llvm::StringRef;

void Program::add(StringRef filePath, Ast ast) {
  path = filePath.str();
  files.push_back(std::move(ast));
}

StringRef Program::stem() const { return llvm::sys::path::stem(path); }

/// Words that mean something where a size or a type is expected.
static bool isReserved(StringRef name) {
  return llvm::is_contained(
      {"width", "chosen_width", "widths", "true", "false", "nested", "f32", "i32", "bool", "f64", "f16", "bf16", "i8"}, name);
}

static void reportTwice(Diagnostics &diagnostics, const Decl &decl, const Decl &first) {
  diagnostics.error(decl.name.range, "'" + decl.name.text + "' is declared twice")
      .note(first.name.range, "'" + decl.name.text + "' is declared here");
}

/// 64: deeper than any model is built; keeps recursion over parts shallow.
static constexpr unsigned kMaxLayerHeight = 64;

void Program::resolve(Diagnostics &diagnostics) {
  for (const Ast &file : files) {
    for (const DeclPtr &decl : file.declarations) {
      if (llvm::isa<TrainDecl, ImportDecl>(decl.get())) continue;
      if (llvm::isa<DimDecl, WidthsDecl>(decl.get()) && isReserved(decl->name.text))
        diagnostics.error(decl->name.range, "expected a name of your own, but '" + decl->name.text + "' is a word of the language");
      auto [entry, isNew] = byName.try_emplace(decl->name.text, decl.get());
      if (!isNew) reportTwice(diagnostics, *decl, *entry->second);
      if (const auto *model = llvm::dyn_cast<ModelDecl>(decl.get())) checkMembers(model->members, diagnostics);
      if (const auto *layer = llvm::dyn_cast<LayerDecl>(decl.get())) checkMembers(layer->members, diagnostics);
    }
  }
  std::map<const LayerDecl *, unsigned> heights;
  for (const LayerDecl *layer : all<LayerDecl>()) {
    std::vector<const LayerDecl *> chain;
    if (!measure(*layer, chain, heights, diagnostics)) return; // one cycle is told once
  }
}

void Program::checkMembers(const std::vector<DeclPtr> &members, Diagnostics &diagnostics) {
  llvm::StringMap<const Decl *> seen;
  for (const DeclPtr &member : members) {
    auto [entry, isNew] = seen.try_emplace(member->name.text, member.get());
    if (!isNew) reportTwice(diagnostics, *member, *entry->second);
  }
}

bool Program::measure(const LayerDecl &layer, std::vector<const LayerDecl *> &chain, std::map<const LayerDecl *, unsigned> &heights,
                      Diagnostics &diagnostics) const {
  if (heights.count(&layer)) return true;
  chain.push_back(&layer);
  unsigned height = 1;
  for (const DeclPtr &member : layer.members) {
    const auto *part = llvm::dyn_cast<InstanceDecl>(member.get());
    const auto *inner = part ? find<LayerDecl>(part->layer.text) : nullptr;
    if (!inner) continue;
    if (llvm::is_contained(chain, inner)) {
      diagnostics.error(part->layer.range, "expected a layer that does not contain itself, but '" + inner->name.text + "' does")
          .note(inner->name.range, "'" + inner->name.text + "' is declared here");
      return false;
    }
    bool isHigh = chain.size() >= kMaxLayerHeight;
    if (!isHigh && !measure(*inner, chain, heights, diagnostics)) return false;
    height = std::max(height, isHigh ? kMaxLayerHeight + 1 : heights[inner] + 1);
    if (height <= kMaxLayerHeight) continue;
    diagnostics.error(part->layer.range, "expected at most " + llvm::Twine(kMaxLayerHeight) + " layers inside each other, but got more");
    return false;
  }
  chain.pop_back();
  heights[&layer] = height;
  return true;
}

namespace {

/// Reads files depth first, each once.
class Loader {
public:
  Loader(Source &source, Program &program, Diagnostics &diagnostics) : source(source), program(program), diagnostics(diagnostics) {}

  void load(StringRef path, llvm::SMRange importedAt) {
    if (!seen.insert(path).second) return;
    if (seen.size() > 256) { // 256: far above any real program
      diagnostics.error(importedAt, "expected at most 256 files in a program, but got more");
      return;
    }
    std::string error;
    std::optional<unsigned> buffer = source.load(path, error);
    if (!buffer) {
      importedAt.isValid() ? diagnostics.error(importedAt, error) : diagnostics.fileError("", error);
      return;
    }
    Ast ast = parse(source.text(*buffer), diagnostics);
    for (const DeclPtr &decl : ast.declarations) {
      const auto *import = llvm::dyn_cast<ImportDecl>(decl.get());
      if (!import) continue;
      llvm::SmallString<256> target(llvm::sys::path::parent_path(path));
      llvm::sys::path::append(target, import->path);
      llvm::sys::path::remove_dots(target, /*remove_dot_dot=*/true);
      load(target, import->name.range);
    }
    program.add(path, std::move(ast));
  }

private:
  Source &source;
  Program &program;
  Diagnostics &diagnostics;
  llvm::StringSet<> seen;
};

} // namespace

bool nacre::parseFile(Source &source, StringRef path, Program &program, Diagnostics &diagnostics) {
  size_t before = diagnostics.errorCount();
  Loader(source, program, diagnostics).load(path, llvm::SMRange());
  if (diagnostics.errorCount() == before) program.resolve(diagnostics);
  return diagnostics.errorCount() == before;
}

StringRef nacre::nearestName(StringRef name, llvm::ArrayRef<StringRef> candidates) {
  // A third of the letters may differ: "liner" is linear, "foo" is nothing; of one letter, none.
  unsigned best = name.size() < 2 ? 1 : std::max<size_t>(1, name.size() / 3) + 1;
  StringRef nearest;
  for (StringRef candidate : candidates) {
    if (candidate.size() >= 3 && name.starts_with(candidate)) return candidate; // "epsilon" is eps
    unsigned distance = name.edit_distance(candidate, /*AllowReplacements=*/true, best);
    if (distance >= best) continue;
    best = distance;
    nearest = candidate;
  }
  return nearest;
}

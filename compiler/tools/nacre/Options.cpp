// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/Options.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/FormatVariadic.h"

using namespace nacre::tool;
using namespace llvm;

static Error usage(const Twine &message) { return createStringError(inconvertibleErrorCode(), message); }

std::optional<StringRef> Arguments::get(StringRef option) const {
  auto found = values.find(option);
  if (found == values.end()) return std::nullopt;
  return found->second.back();
}

ArrayRef<StringRef> Arguments::all(StringRef option) const {
  auto found = values.find(option);
  return found == values.end() ? ArrayRef<StringRef>() : ArrayRef<StringRef>(found->second);
}

StringRef nacre::tool::nearest(StringRef word, ArrayRef<StringRef> candidates) {
  StringRef best;
  unsigned limit = std::max<size_t>(1, (word.size() + 1) / 3) + 1;
  for (StringRef candidate : candidates) {
    unsigned distance = word.edit_distance(candidate, true, limit);
    if (distance < limit) {
      best = candidate;
      limit = distance;
    }
  }
  return best;
}

Expected<int64_t> nacre::tool::parseInteger(StringRef what, StringRef text, int64_t least, int64_t most) {
  int64_t value;
  if (text.getAsInteger(10, value) || value < least || value > most)
    return usage("expected " + what + " to be a whole number from " + Twine(least) + " to " + Twine(most) + ", but got '" + text + "'");
  return value;
}

static Error unknownOption(StringRef word, ArrayRef<Option> options) {
  SmallVector<std::string> spelled;
  for (const Option &option : options)
    spelled.push_back("--" + option.name.str());
  SmallVector<StringRef> candidates(spelled.begin(), spelled.end());
  StringRef near = nearest(word, candidates);
  return usage("unknown option '" + word + "'" + (near.empty() ? Twine("") : "; did you mean '" + near + "'"));
}

static const Option *findOption(ArrayRef<Option> options, StringRef word) {
  for (const Option &option : options)
    if (word == "--" + option.name.str() || (!option.shortName.empty() && word == "-" + option.shortName.str())) return &option;
  return nullptr;
}

Expected<Arguments> nacre::tool::parseArguments(ArrayRef<Option> options, ArrayRef<StringRef> words) {
  Arguments result;
  for (; !words.empty(); words = words.drop_front()) {
    StringRef word = words.front();
    if (word == "--") {
      result.words.insert(result.words.end(), words.begin() + 1, words.end());
      break;
    }
    if (!word.starts_with("-") || word == "-") {
      result.words.push_back(word);
      continue;
    }
    auto [name, value] = word.split('=');
    bool isJoined = name.size() != word.size();
    const Option *option = findOption(options, name);
    if (!option) return unknownOption(name, options);
    if (option->value.empty() && isJoined) return usage("'" + name + "' takes no value, but got '" + value + "'");
    if (!option->value.empty() && !isJoined) {
      if (words.size() < 2) return usage("expected a value after '" + name + "': " + option->value);
      words = words.drop_front();
      value = words.front();
    }
    std::vector<StringRef> &given = result.values[option->name];
    if (!given.empty() && !option->repeats) return usage("'" + name + "' is given twice");
    given.push_back(value);
  }
  return result;
}

void nacre::tool::printOptions(raw_ostream &out, ArrayRef<Option> options) {
  SmallVector<std::string> left;
  size_t width = 0;
  for (const Option &option : options) {
    std::string text = option.shortName.empty() ? "    " : "-" + option.shortName.str() + ", ";
    text += "--" + option.name.str() + (option.value.empty() ? "" : " " + option.value.str());
    width = std::max(width, text.size());
    left.push_back(text);
  }
  for (size_t i = 0; i < options.size(); ++i)
    out << "  " << left_justify(left[i], width) << "  " << options[i].help << (options[i].repeats ? " (may be repeated)" : "") << "\n";
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The assembler's .incbin takes the template in; CMake passes the path and rebuilds this file when the template changes.
#include "compiler/tools/nacre/ExplainPage.h"

__asm__(".section .rodata\n.hidden nacre_explain_begin\n.hidden nacre_explain_end\n.global nacre_explain_begin\n"
        ".global nacre_explain_end\nnacre_explain_begin:\n.incbin \"" NACRE_EXPLAIN_TEMPLATE "\"\nnacre_explain_end:\n.previous\n");
extern "C" const char nacre_explain_begin[], nacre_explain_end[];

/// As it may stand inside a script element: no text of the model can end it.
static std::string scriptText(llvm::json::Object data) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::json::Value(std::move(data));
  for (size_t at = 0; (at = text.find('<', at)) != std::string::npos;)
    text.replace(at, 1, "\\u003c");
  return text;
}

std::string nacre::tool::explainPage(llvm::json::Object data) {
  llvm::StringRef page(nacre_explain_begin, size_t(nacre_explain_end - nacre_explain_begin));
  auto [before, after] = page.split("@DATA@");
  return before.str() + scriptText(std::move(data)) + after.str();
}

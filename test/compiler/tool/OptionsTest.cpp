// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/Options.h"

#include <gtest/gtest.h>

using namespace nacre::tool;

namespace {

const Option options[] = {{"out", "o", "FILE", "a value"}, {"in", "i", "FILE", "several values", true}, {"write", "w", "", "a flag"}};

std::string problemOf(llvm::ArrayRef<llvm::StringRef> words) {
  auto arguments = parseArguments(options, words);
  return arguments ? "" : llvm::toString(arguments.takeError());
}

TEST(Options, ReadsEveryForm) {
  auto arguments = parseArguments(options, {"a", "--out=x=y", "-i", "1", "--in", "2", "-w", "-", "--", "--out"});
  ASSERT_TRUE(bool(arguments));
  EXPECT_EQ(arguments->get("out"), llvm::StringRef("x=y"));
  EXPECT_EQ(arguments->all("in"), (llvm::ArrayRef<llvm::StringRef>{"1", "2"}));
  EXPECT_TRUE(arguments->has("write"));
  EXPECT_EQ(arguments->positional(), (llvm::ArrayRef<llvm::StringRef>{"a", "-", "--out"}));
  EXPECT_EQ(arguments->get("none", "otherwise"), "otherwise");
}

TEST(Options, SaysWhatIsWrong) {
  EXPECT_EQ(problemOf({"--uot", "x"}), "unknown option '--uot'; did you mean '--out'");
  EXPECT_EQ(problemOf({"--elephant"}), "unknown option '--elephant'");
  EXPECT_EQ(problemOf({"--out"}), "expected a value after '--out': FILE");
  EXPECT_EQ(problemOf({"-w=1"}), "'-w' takes no value, but got '1'");
  EXPECT_EQ(problemOf({"-o", "1", "--out", "2"}), "'--out' is given twice");
}

TEST(Options, IntegersHaveLimits) {
  EXPECT_EQ(llvm::cantFail(parseInteger("n", "12", 1, 20)), 12);
  for (const char *text : {"0", "21", "x", "", "1.5", "99999999999999999999"}) {
    auto value = parseInteger("n", text, 1, 20);
    ASSERT_FALSE(bool(value)) << text;
    EXPECT_EQ(llvm::toString(value.takeError()), "expected n to be a whole number from 1 to 20, but got '" + std::string(text) + "'");
  }
}

} // namespace

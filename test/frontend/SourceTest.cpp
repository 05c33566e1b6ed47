// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Program.h"

#include "llvm/Support/raw_ostream.h"

#include <gtest/gtest.h>

using namespace nacre;

namespace {

class Reported : public ::testing::Test {
protected:
  Reported() : diagnostics(source) {
    std::string problem;
    text = source.text(*source.add("a.nacre", "first line\nsecond line\n", problem));
  }
  llvm::SMRange range(size_t begin, size_t size) const {
    return {llvm::SMLoc::getFromPointer(text.begin() + begin), llvm::SMLoc::getFromPointer(text.begin() + begin + size)};
  }
  std::string printed() const {
    std::string result;
    llvm::raw_string_ostream out(result);
    diagnostics.print(out);
    return result;
  }
  Source source;
  Diagnostics diagnostics;
  llvm::StringRef text;
};

TEST_F(Reported, SortedByPlaceAndToldOnce) {
  diagnostics.error(range(11, 6), "expected b").note(range(0, 5), "a is here");
  diagnostics.error(range(0, 5), "expected a");
  diagnostics.error(range(11, 6), "expected b").note(range(0, 5), "a is here again");
  EXPECT_EQ(diagnostics.errorCount(), 2u);
  EXPECT_EQ(printed(), "a.nacre:1:1: error: expected a\nfirst line\n^~~~~\n"
                       "a.nacre:2:1: error: expected b\nsecond line\n^~~~~~\n"
                       "a.nacre:1:1: note: a is here\nfirst line\n^~~~~\n");
}

TEST_F(Reported, AsJson) {
  diagnostics.error(range(11, 6), "expected b").note(range(0, 5), "a is here");
  diagnostics.fileError("b.nacre", "cannot read it");
  std::string json;
  llvm::raw_string_ostream out(json);
  out << llvm::json::Value(diagnostics.toJson());
  EXPECT_EQ(json, R"([{"file":"b.nacre","message":"cannot read it","notes":[]},)"
                  R"({"column":1,"file":"a.nacre","line":2,"message":"expected b","notes":)"
                  R"([{"column":1,"file":"a.nacre","line":1,"message":"a is here"}]}])");
}

TEST_F(Reported, CanBeTakenBack) {
  diagnostics.error(range(0, 5), "stays");
  size_t count = diagnostics.errorCount();
  diagnostics.error(range(0, 5), "goes");
  diagnostics.rollBack(count);
  EXPECT_EQ(diagnostics.errorCount(), 1u);
  diagnostics.error(range(0, 5), "goes");
  EXPECT_EQ(diagnostics.errorCount(), 2u);
}

TEST_F(Reported, PlacesBothWays) {
  Place place = source.place(llvm::SMLoc::getFromPointer(text.begin() + 13));
  EXPECT_EQ(place.file, "a.nacre");
  EXPECT_EQ(place.line, 2u);
  EXPECT_EQ(place.column, 3u);
  EXPECT_EQ(source.position("a.nacre", 2, 3).getPointer(), text.begin() + 13);
  EXPECT_FALSE(source.position("b.nacre", 1, 1).isValid());
  EXPECT_FALSE(source.position("a.nacre", 9, 1).isValid());
}

TEST(NearestName, IsNearOrNothing) {
  EXPECT_EQ(nearestName("liner", {"gelu", "linear", "line_up"}), "linear");
  EXPECT_EQ(nearestName("epsilon", {"gamma", "eps"}), "eps");
  EXPECT_EQ(nearestName("attention", {"gelu"}), "");
  EXPECT_EQ(nearestName("a", {"b"}), "");
}

} // namespace

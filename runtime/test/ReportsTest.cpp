#include "Reports.h"
#include <gtest/gtest.h>
#include <thread>

using namespace ds::rt;

static Entry entryWithSites() {
  Entry entry;
  entry.sites = {{"/a", "index {0} is outside [-{1}, {1})"},
                 {"/b", "{index}: {2} { {0"}};
  return entry;
}

TEST(Reports, FillsInTheText) {
  Reports reports;
  EXPECT_TRUE(reports.empty());
  reports.add(0, 5, 70000, 65536);
  EXPECT_EQ(reports.text(entryWithSites()),
            "node '/a': index 70000 is outside [-65536, 65536)");
  reports.clear();
  reports.add(1, 5, -1, 0);
  EXPECT_EQ(reports.text(entryWithSites()), "node '/b': 5: {2} { {0");
}

TEST(Reports, SurvivesUnknownSites) {
  for (int64_t site : {int64_t(2), int64_t(-1), INT64_MAX}) {
    Reports reports;
    reports.add(site, 1, 2, 3);
    EXPECT_EQ(reports.text(entryWithSites()), "error at site " +
                                                  std::to_string(site) +
                                                  ", index 1, values 2 and 3");
  }
}

TEST(Reports, KeepsTheSmallest) {
  Reports reports;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&reports, t] {
      for (int i = 99; i >= 0; --i)
        reports.add(i % 2, 4 * i + t, i, t);
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(reports.text({}), "error at site 0, index 0, values 0 and 0");
}

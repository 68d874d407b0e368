#include "handle_table.h"

#include <atomic>
#include <set>
#include <thread>

#include "check.h"

using Table = isolated::HandleTable<int>;

namespace {

std::shared_ptr<int> Make(uint32_t id) { return std::make_shared<int>(static_cast<int>(id)); }

}  // namespace

TEST(an_id_finds_its_object) {
  Table table;
  const auto one = table.Add(Make);
  const auto two = table.Add(Make);
  CHECK_EQ(*one, 1);
  CHECK_EQ(*two, 2);
  CHECK(table.Find(1) == one);
  CHECK(table.Find(2) == two);
  CHECK_EQ(table.size(), 2u);
}

TEST(zero_and_strangers_are_nobody) {
  Table table;
  table.Add(Make);
  CHECK(!table.Find(0));
  CHECK(!table.Find(2));
  table.Remove(0);
  table.Remove(2);
  CHECK_EQ(table.size(), 1u);
}

TEST(a_stale_id_is_an_answer_and_never_used_again) {
  Table table;
  table.Add(Make);
  table.Remove(1);
  table.Remove(1);
  CHECK(!table.Find(1));
  CHECK_EQ(*table.Add(Make), 2);
  CHECK(!table.Find(1));
  CHECK_EQ(table.last(), 2u);
}

TEST(making_nothing_uses_up_the_id) {
  Table table;
  CHECK(!table.Add([](uint32_t) { return std::shared_ptr<int>(); }));
  CHECK_EQ(table.size(), 0u);
  CHECK_EQ(*table.Add(Make), 2);
}

TEST(an_object_lives_as_long_as_somebody_holds_it) {
  Table table;
  std::weak_ptr<int> watched = table.Add(Make);
  std::shared_ptr<int> held = table.Find(1);
  table.Remove(1);
  CHECK(!watched.expired());
  held.reset();
  CHECK(watched.expired());
}

TEST(removing_may_reach_into_the_table_again) {
  struct Last {
    isolated::HandleTable<Last>* table;
    ~Last() { table->size(); }  // would wait for ever if the lock were still held
  };
  isolated::HandleTable<Last> table;
  table.Add([&](uint32_t) { return std::make_shared<Last>(&table); });
  table.Remove(1);
  CHECK_EQ(table.size(), 0u);
}

TEST(threads_get_ids_of_their_own) {
  constexpr int kThreads = 4, kEach = 500;
  Table table;
  std::vector<std::vector<uint32_t>> ids(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < kEach; ++j) {
        const auto id = static_cast<uint32_t>(*table.Add(Make));
        ids[i].push_back(id);
        CHECK_EQ(*table.Find(id), static_cast<int>(id));
        if (j % 2) table.Remove(id);
        table.All();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<uint32_t> all;
  for (const auto& some : ids) all.insert(some.begin(), some.end());
  CHECK_EQ(all.size(), static_cast<size_t>(kThreads * kEach));
  CHECK_EQ(table.size(), static_cast<size_t>(kThreads * kEach / 2));
  CHECK_EQ(table.All().size(), table.size());
}

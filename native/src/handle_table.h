#pragma once
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "guarded.h"

namespace isolated {

// Objects by id. Ids start at 1 and are never used twice, so that a stale one is an answer and not a fault.
template <class T>
class HandleTable {
 public:
  using Id = uint32_t;

  // Makes an id, and the object with make(id). Returns null and uses up the id if make does.
  template <class Make>
  std::shared_ptr<T> Add(Make&& make) {
    const Id id = state_.With([](State& state) { return ++state.last; });
    std::shared_ptr<T> object = make(id);
    if (object) state_.With([&](State& state) { state.objects.emplace(id, object); });
    return object;
  }

  std::shared_ptr<T> Find(Id id) {
    return state_.With([&](State& state) {
      const auto found = state.objects.find(id);
      return found == state.objects.end() ? nullptr : found->second;
    });
  }

  void Remove(Id id) {
    // The object may die here: after the lock is given back.
    const auto removed = state_.With([&](State& state) { return state.objects.extract(id); });
  }

  std::vector<std::shared_ptr<T>> All() {
    return state_.With([](State& state) {
      std::vector<std::shared_ptr<T>> all;
      for (const auto& [id, object] : state.objects) all.push_back(object);
      return all;
    });
  }

  Id last() {
    return state_.With([](State& state) { return state.last; });
  }
  size_t size() {
    return state_.With([](State& state) { return state.objects.size(); });
  }

 private:
  struct State {
    Id last = 0;
    std::unordered_map<Id, std::shared_ptr<T>> objects;
  };
  Guarded<State> state_;
};

}  // namespace isolated

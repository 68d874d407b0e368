#pragma once
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "sha256.h"

namespace isolated {

// What a program is known by: a hash over the files it was loaded from, path and bytes, in the order of loading, up to
// the moment that its main module runs. Files that it imports later do not count, so that the same sources have the
// same hash however the program ran. Written by the isolate's thread; any thread may read it, without a lock: a thread
// that is parked in the middle of anything must not keep others from telling which program it was.
class SourceHash {
 public:
  // `path`: relative to the task's folder. Lengths are part of it, so that no two lists of files look alike.
  void Add(std::string_view path, std::string_view bytes) {
    if (closed_) return;
    hash_.Add(std::to_string(path.size()) + " " + std::to_string(bytes.size()) + " ");
    hash_.Add(path);
    hash_.Add(bytes);
    const auto words = std::bit_cast<std::array<uint64_t, 4>>(hash_.Finish());
    for (size_t i = 0; i < words.size(); ++i) words_[i].store(words[i], std::memory_order_relaxed);
    known_.store(true, std::memory_order_release);
  }
  // The program begins to run.
  void Close() { closed_ = true; }

  // Hex; empty while nothing was loaded.
  std::string hex() const {
    if (!known_.load(std::memory_order_acquire)) return {};
    std::array<uint64_t, 4> words;
    for (size_t i = 0; i < words.size(); ++i) words[i] = words_[i].load(std::memory_order_relaxed);
    return Hex(std::bit_cast<Sha256::Digest>(words));
  }

  bool closed() const { return closed_; }

 private:
  Sha256 hash_;
  bool closed_ = false;
  std::array<std::atomic<uint64_t>, 4> words_ = {};
  std::atomic<bool> known_{false};
};

}  // namespace isolated

#include "sha256.h"

#include "check.h"
#include "source_hash.h"

namespace {

using isolated::Hex;
using isolated::Sha256;
using isolated::SourceHash;

std::string Of(std::string_view bytes) {
  Sha256 hash;
  hash.Add(bytes);
  return Hex(hash.Finish());
}

// Vectors of FIPS 180-4's examples.
TEST(known_digests) {
  CHECK_EQ(Of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK_EQ(Of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK_EQ(Of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
           "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK_EQ(Of(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(pieces_of_any_size_make_the_same_digest) {
  std::string text;
  for (int i = 0; i < 300; ++i) text.push_back(static_cast<char>(i * 7));
  for (size_t step = 1; step < 130; ++step) {
    Sha256 hash;
    for (size_t at = 0; at < text.size(); at += step) hash.Add(std::string_view(text).substr(at, step));
    CHECK_EQ(Hex(hash.Finish()), Of(text));
  }
}

// Python's hashlib says the same of lengths around the padding's edges.
TEST(lengths_around_a_block) {
  CHECK_EQ(Of(std::string(55, 'x')), "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072");
  CHECK_EQ(Of(std::string(56, 'x')), "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e");
  CHECK_EQ(Of(std::string(63, 'x')), "75220b47218278e656f2013bb8f0c455a25eaf01e86c64924e9d48d89776d6f2");
  CHECK_EQ(Of(std::string(64, 'x')), "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c");
  CHECK_EQ(Of(std::string(65, 'x')), "9537c5fdf120482f7d58d25e9ed583f52c02b4e304ea814db1633ad565aed7e9");
  CHECK_EQ(Of(std::string(119, 'x')), "000b48d4edf0fa7bee3c6236ecd2785baa5db4eeb8bb54341b029e0d9fa5fb0c");
  CHECK_EQ(Of(std::string(120, 'x')), "13f05a0b594787f5ecd315edc96141bd3243203d1b7d4f0836f37308b276ba98");
}

TEST(sources_are_told_apart_by_path_bytes_and_order) {
  const auto of = [](std::initializer_list<std::pair<std::string_view, std::string_view>> files) {
    SourceHash hash;
    for (const auto& [path, bytes] : files) hash.Add(path, bytes);
    return hash.hex();
  };
  CHECK_EQ(of({}), "");
  CHECK_EQ(of({{"a", "x"}, {"b", "y"}}), of({{"a", "x"}, {"b", "y"}}));
  CHECK(of({{"a", "x"}, {"b", "y"}}) != of({{"b", "y"}, {"a", "x"}}));
  CHECK(of({{"a", "x"}}) != of({{"b", "x"}}));
  CHECK(of({{"a", "x"}}) != of({{"a", "z"}}));
  CHECK(of({{"ab", "c"}}) != of({{"a", "bc"}}));
  CHECK(of({{"a", "x"}}) != of({{"a", "x"}, {"", ""}}));
}

TEST(what_comes_after_the_start_does_not_count) {
  SourceHash hash;
  hash.Add("a", "x");
  const std::string before = hash.hex();
  hash.Close();
  hash.Add("b", "y");
  CHECK_EQ(hash.hex(), before);
}

}  // namespace

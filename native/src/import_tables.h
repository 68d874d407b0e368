#pragma once
#include <cstddef>
#include <span>
#include <string_view>

namespace isolated {

// A function that loaded libraries import, and what they are to call instead.
struct Replacement {
  std::string_view name;
  void* function;
  // Where the address of the function itself goes, before any library calls the replacement.
  void** original;
  // Part of the name is enough: C++ names that hold a version.
  bool part_of_name = false;
};

// Writes the replacements into the import tables (GOT) of the libraries of which `wanted` says yes to the file name,
// and of the one this code is in. Returns how many entries were written. Not while another thread loads or unloads
// libraries.
size_t ReplaceImports(std::span<const Replacement> replacements, bool (*wanted)(std::string_view file));

}  // namespace isolated

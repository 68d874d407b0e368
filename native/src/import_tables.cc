#include "import_tables.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace isolated {
namespace {

#if defined(__x86_64__)
constexpr unsigned kImportTypes[] = {R_X86_64_GLOB_DAT, R_X86_64_JUMP_SLOT, R_X86_64_64};
#elif defined(__aarch64__)
constexpr unsigned kImportTypes[] = {R_AARCH64_GLOB_DAT, R_AARCH64_JUMP_SLOT, R_AARCH64_ABS64};
#else
#error "import tables of this processor are not known"
#endif

struct Work {
  std::span<const Replacement> replacements;
  bool (*wanted)(std::string_view);
  size_t written = 0;
};

// One loaded library's dynamic section and the part of it that the loader made read-only.
struct Library {
  uintptr_t base;
  const ElfW(Sym) * symbols = nullptr;
  const char* names = nullptr;
  std::span<const ElfW(Rela)> relocations = {};
  std::span<const ElfW(Rela)> calls = {};
  uintptr_t read_only = 0;
  size_t read_only_bytes = 0;
};

template <class T>
const T* At(const Library& library, ElfW(Addr) address) {
  // glibc has added the base to these, other loaders have not.
  return reinterpret_cast<const T*>(address < library.base ? library.base + address : address);
}

Library Read(const dl_phdr_info& info) {
  Library library{.base = info.dlpi_addr};
  const ElfW(Dyn)* dynamic = nullptr;
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  for (const ElfW(Phdr) & segment : std::span(info.dlpi_phdr, info.dlpi_phnum)) {
    if (segment.p_type == PT_DYNAMIC) dynamic = reinterpret_cast<const ElfW(Dyn)*>(library.base + segment.p_vaddr);
    if (segment.p_type == PT_GNU_RELRO) {
      // As the loader does it: whole pages only.
      library.read_only = (library.base + segment.p_vaddr) & ~(page - 1);
      library.read_only_bytes = ((library.base + segment.p_vaddr + segment.p_memsz) & ~(page - 1)) - library.read_only;
    }
  }
  size_t relocation_bytes = 0, call_bytes = 0;
  const ElfW(Rela)* relocations = nullptr, *calls = nullptr;
  for (; dynamic && dynamic->d_tag != DT_NULL; ++dynamic) {
    switch (dynamic->d_tag) {
      case DT_SYMTAB:
        library.symbols = At<ElfW(Sym)>(library, dynamic->d_un.d_ptr);
        break;
      case DT_STRTAB:
        library.names = At<char>(library, dynamic->d_un.d_ptr);
        break;
      case DT_RELA:
        relocations = At<ElfW(Rela)>(library, dynamic->d_un.d_ptr);
        break;
      case DT_RELASZ:
        relocation_bytes = dynamic->d_un.d_val;
        break;
      case DT_JMPREL:
        calls = At<ElfW(Rela)>(library, dynamic->d_un.d_ptr);
        break;
      case DT_PLTRELSZ:
        call_bytes = dynamic->d_un.d_val;
        break;
      default:
        break;
    }
  }
  if (relocations) library.relocations = {relocations, relocation_bytes / sizeof(ElfW(Rela))};
  if (calls) library.calls = {calls, call_bytes / sizeof(ElfW(Rela))};
  return library;
}

const Replacement* Find(std::span<const Replacement> replacements, std::string_view name) {
  for (const Replacement& replacement : replacements) {
    if (replacement.part_of_name ? name.find(replacement.name) != name.npos : name == replacement.name) {
      return &replacement;
    }
  }
  return nullptr;
}

size_t Write(const Library& library, std::span<const ElfW(Rela)> relocations,
             std::span<const Replacement> replacements) {
  size_t written = 0;
  for (const ElfW(Rela) & relocation : relocations) {
    const auto type = ELF64_R_TYPE(relocation.r_info);
    const auto symbol = ELF64_R_SYM(relocation.r_info);
    bool import = false;
    for (const unsigned known : kImportTypes) import |= type == known;
    if (!import || symbol == 0) continue;
    const Replacement* replacement = Find(replacements, library.names + library.symbols[symbol].st_name);
    if (!replacement) continue;
    const std::atomic_ref slot(*reinterpret_cast<void**>(library.base + relocation.r_offset));
    if (!*replacement->original) *replacement->original = slot.load();
    slot.store(replacement->function);
    ++written;
  }
  return written;
}

bool IsOwn(const dl_phdr_info& info) {
  const auto here = reinterpret_cast<uintptr_t>(&ReplaceImports);
  for (const ElfW(Phdr) & segment : std::span(info.dlpi_phdr, info.dlpi_phnum)) {
    const uintptr_t begin = info.dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && begin <= here && here < begin + segment.p_memsz) return true;
  }
  return false;
}

int VisitLibrary(dl_phdr_info* info, size_t, void* data) {
  Work& work = *static_cast<Work*>(data);
  const std::string_view path = info->dlpi_name;
  if (!work.wanted(path.substr(path.rfind('/') + 1)) && !IsOwn(*info)) return 0;
  const Library library = Read(*info);
  if (!library.symbols || !library.names) return 0;
  void* const read_only = reinterpret_cast<void*>(library.read_only);
  if (library.read_only_bytes && mprotect(read_only, library.read_only_bytes, PROT_READ | PROT_WRITE) != 0) return 0;
  work.written += Write(library, library.relocations, work.replacements);
  work.written += Write(library, library.calls, work.replacements);
  if (library.read_only_bytes) mprotect(read_only, library.read_only_bytes, PROT_READ);
  return 0;
}

}  // namespace

size_t ReplaceImports(std::span<const Replacement> replacements, bool (*wanted)(std::string_view)) {
  for (const Replacement& replacement : replacements) {
    if (replacement.part_of_name) continue;
    *replacement.original = dlsym(RTLD_DEFAULT, std::string(replacement.name).c_str());
  }
  Work work{replacements, wanted};
  dl_iterate_phdr(VisitLibrary, &work);
  return work.written;
}

}  // namespace isolated

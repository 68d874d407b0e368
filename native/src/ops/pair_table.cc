#include "pair_table.h"

#include <unicode/ucnv.h>

#include <memory>
#include <mutex>

#include "big5_additions.h"

namespace isolated {
namespace {

struct Source {
  const char* converter;
  bool is_after_8f;  // the pairs follow the byte 0x8f (JIS X 0212 in EUC-JP)
  uint8_t first_lead;
  uint8_t last_lead;  // beyond it, ICU has characters of vendors that the standard does not
};

Source SourceOf(PairSet set) {
  switch (set) {
    case PairSet::kBig5:
      return {"big5-hkscs", false, 0x87, 0xfe};
    case PairSet::kEucKr:
      return {"windows-949", false, 0x81, 0xfe};
    case PairSet::kShiftJis:
      return {"windows-31j", false, 0x81, 0xfc};
    case PairSet::kJis0208:
      return {"euc-jp", false, 0xa1, 0xfe};
    case PairSet::kJis0212:
      return {"euc-jp", true, 0xa2, 0xed};
  }
  return {};
}

// ICU maps what is undefined to the private use area, in which the standard's tables have nothing.
bool IsPrivate(UChar32 c) { return (c >= 0xe000 && c <= 0xf8ff) || c >= 0xf0000; }

// The one character that these bytes are, or 0.
char32_t Lookup(UConverter* converter, const char* bytes, size_t length) {
  const char* source = bytes;
  UErrorCode status = U_ZERO_ERROR;
  ucnv_resetToUnicode(converter);
  UChar32 c = ucnv_getNextUChar(converter, &source, bytes + length, &status);
  bool is_whole = U_SUCCESS(status) && source == bytes + length && c != 0xfffd && c != 0x1a && !IsPrivate(c);
  return is_whole ? c : 0;
}

std::unique_ptr<PairTable> Make(const Source& from) {
  UErrorCode status = U_ZERO_ERROR;
  UConverter* converter = ucnv_open(from.converter, &status);
  if (U_FAILURE(status)) return nullptr;
  auto table = std::make_unique<PairTable>();
  for (int lead = from.first_lead; lead <= from.last_lead; ++lead) {
    for (int trail = 0x40; trail <= 0xfe; ++trail) {
      char bytes[] = {'\x8f', static_cast<char>(lead), static_cast<char>(trail)};
      (*table)[lead << 8 | trail] = from.is_after_8f ? Lookup(converter, bytes, 3) : Lookup(converter, bytes + 1, 2);
    }
  }
  ucnv_close(converter);
  return table;
}

struct Slot {
  std::once_flag once;
  std::unique_ptr<PairTable> table;
};

}  // namespace

const PairTable* FindPairTable(PairSet set) {
  static auto* slots = new std::array<Slot, 5>();  // never destroyed: isolates may outlive the process's statics
  Slot& slot = (*slots)[static_cast<size_t>(set)];
  std::call_once(slot.once, [&] {
    slot.table = Make(SourceOf(set));
    if (set == PairSet::kBig5 && slot.table) AddToBig5(slot.table.get());
  });
  return slot.table.get();
}

}  // namespace isolated

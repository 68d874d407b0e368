// Big5, EUC-KR, Shift_JIS and EUC-JP (Encoding Standard, sections 12 to 14): most characters are pairs of bytes. Only
// the tables come from ICU, because its converters treat malformed input differently.
#include <string_view>

#include "decoder.h"
#include "pair_table.h"

namespace isolated {
namespace {

constexpr char32_t kNone = 0;

bool IsBetween(uint8_t byte, uint8_t low, uint8_t high) { return byte >= low && byte <= high; }

void Append(char32_t c, std::u16string* out) {
  if ((c & kCombined) != 0) {
    *out += static_cast<char16_t>((c & ~kCombined) >> 16);
    *out += static_cast<char16_t>(c);
  } else if (c < 0x10000) {
    *out += static_cast<char16_t>(c);
  } else {
    *out += static_cast<char16_t>(0xd7c0 + (c >> 10));
    *out += static_cast<char16_t>(0xdc00 + (c & 0x3ff));
  }
}

// What differs between the encodings.
class PairRules {
 public:
  virtual ~PairRules() = default;
  // The character that this byte is without a second one, kNone if there is none.
  virtual char32_t Single(uint8_t byte) const { return byte < 0x80 ? byte : kNone; }
  virtual bool IsLead(uint8_t byte) const { return IsBetween(byte, 0x81, 0xfe); }
  // The character that the pair is, kNone if there is none. `is_after_8f`: the byte 0x8f came before.
  virtual char32_t Pair(uint8_t lead, uint8_t trail, bool is_after_8f) const = 0;
  virtual bool HasThreeBytes() const { return false; }
};

class TableRules : public PairRules {
 public:
  explicit TableRules(const PairTable* table) : table_(*table) {}
  char32_t Pair(uint8_t lead, uint8_t trail, bool) const override { return table_[lead << 8 | trail]; }

 private:
  const PairTable& table_;
};

class ShiftJisRules : public TableRules {
 public:
  using TableRules::TableRules;
  char32_t Single(uint8_t byte) const override {
    if (byte <= 0x80) return byte;
    return IsBetween(byte, 0xa1, 0xdf) ? 0xff61 - 0xa1 + byte : kNone;
  }
  bool IsLead(uint8_t byte) const override { return IsBetween(byte, 0x81, 0x9f) || IsBetween(byte, 0xe0, 0xfc); }
  char32_t Pair(uint8_t lead, uint8_t trail, bool is_after_8f) const override {
    bool is_private = IsBetween(lead, 0xf0, 0xf9) && IsBetween(trail, 0x40, 0xfc) && trail != 0x7f;
    if (is_private) return 0xe000 + (lead - 0xf0) * 188 + trail - (trail < 0x7f ? 0x40 : 0x41);
    return TableRules::Pair(lead, trail, is_after_8f);
  }
};

class EucJpRules : public PairRules {
 public:
  EucJpRules(const PairTable* jis0208, const PairTable* jis0212) : jis0208_(*jis0208), jis0212_(*jis0212) {}
  bool IsLead(uint8_t byte) const override { return IsBetween(byte, 0xa1, 0xfe) || byte == 0x8e || byte == 0x8f; }
  char32_t Pair(uint8_t lead, uint8_t trail, bool is_after_8f) const override {
    if (lead == 0x8e) return IsBetween(trail, 0xa1, 0xdf) ? 0xff61 - 0xa1 + trail : kNone;
    if (!IsBetween(trail, 0xa1, 0xfe)) return kNone;
    return (is_after_8f ? jis0212_ : jis0208_)[lead << 8 | trail];
  }
  bool HasThreeBytes() const override { return true; }

 private:
  const PairTable& jis0208_;
  const PairTable& jis0212_;
};

class PairDecoder : public Decoder {
 public:
  explicit PairDecoder(std::unique_ptr<PairRules> rules) : rules_(std::move(rules)) {}

  bool Decode(std::span<const uint8_t> bytes, DecodeOptions options, std::u16string* out) override {
    out->reserve(out->size() + bytes.size());
    bool is_sound = true;
    for (uint8_t byte : bytes) {
      is_sound = Take(byte, out) && is_sound;
      if (!is_sound && options.fatal) break;
    }
    if (options.flush && lead_ != 0) {
      *out += kReplacement;
      is_sound = false;
    }
    if (options.flush || (options.fatal && !is_sound)) Reset();
    return is_sound || !options.fatal;
  }

 private:
  static constexpr char16_t kReplacement = 0xfffd;

  // Returns false when the byte makes the input malformed.
  bool Take(uint8_t byte, std::u16string* out) {
    if (lead_ == 0) return TakeFirst(byte, out);
    if (rules_->HasThreeBytes() && lead_ == 0x8f && IsBetween(byte, 0xa1, 0xfe)) {
      lead_ = byte;
      is_after_8f_ = true;
      return true;
    }
    char32_t c = rules_->Pair(lead_, byte, is_after_8f_);
    Reset();
    if (c != kNone) {
      Append(c, out);
      return true;
    }
    *out += kReplacement;
    if (byte < 0x80) *out += byte;  // not swallowed: it might end a quotation or a tag
    return false;
  }

  bool TakeFirst(uint8_t byte, std::u16string* out) {
    if (byte == 0) {
      *out += u'\0';
    } else if (char32_t c = rules_->Single(byte); c != kNone) {
      Append(c, out);
    } else if (rules_->IsLead(byte)) {
      lead_ = byte;
    } else {
      *out += kReplacement;
      return false;
    }
    return true;
  }

  void Reset() {
    lead_ = 0;
    is_after_8f_ = false;
  }

  const std::unique_ptr<PairRules> rules_;
  uint8_t lead_ = 0;
  bool is_after_8f_ = false;
};

std::unique_ptr<Decoder> MakeFrom(PairSet set) {
  const PairTable* table = FindPairTable(set);
  if (table == nullptr) return nullptr;
  if (set == PairSet::kShiftJis) return std::make_unique<PairDecoder>(std::make_unique<ShiftJisRules>(table));
  return std::make_unique<PairDecoder>(std::make_unique<TableRules>(table));
}

}  // namespace

std::unique_ptr<Decoder> MakePairDecoder(std::string_view encoding) {
  if (encoding == "big5") return MakeFrom(PairSet::kBig5);
  if (encoding == "euc-kr") return MakeFrom(PairSet::kEucKr);
  if (encoding == "shift_jis") return MakeFrom(PairSet::kShiftJis);
  const PairTable* jis0208 = FindPairTable(PairSet::kJis0208);
  const PairTable* jis0212 = FindPairTable(PairSet::kJis0212);
  if (jis0208 == nullptr || jis0212 == nullptr) return nullptr;
  return std::make_unique<PairDecoder>(std::make_unique<EucJpRules>(jis0208, jis0212));
}

}  // namespace isolated

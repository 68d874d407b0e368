#include "encoding_labels.h"

#include <string>

namespace isolated {
namespace {

using enum EncodingFamily;

// Names and labels: Encoding Standard, section 4.2. Converters: the table of ICU that comes closest to the standard's
// index; single_byte_decoder.cc corrects where it differs.
constexpr Encoding kEncodings[] = {
    {"utf-8", kUtf8, nullptr, " unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8 "},
    {"utf-16le", kUtf16Le, nullptr, " csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le "},
    {"utf-16be", kUtf16Be, nullptr, " unicodefffe utf-16be "},
    {"windows-1252", kSingleByte, "windows-1252",
     " ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1"
     " iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252 "},
    {"ibm866", kSingleByte, "ibm-866", " 866 cp866 csibm866 ibm866 "},
    {"iso-8859-2", kSingleByte, "iso-8859-2",
     " csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2 "},
    {"iso-8859-3", kSingleByte, "iso-8859-3",
     " csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3 "},
    {"iso-8859-4", kSingleByte, "iso-8859-4",
     " csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4 "},
    {"iso-8859-5", kSingleByte, "iso-8859-5",
     " csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988 "},
    {"iso-8859-6", kSingleByte, "iso-8859-6",
     " arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e iso-8859-6-i"
     " iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987 "},
    {"iso-8859-7", kSingleByte, "iso-8859-7",
     " csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 iso_8859-7"
     " iso_8859-7:1987 sun_eu_greek "},
    {"iso-8859-8", kSingleByte, "iso-8859-8",
     " csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 iso_8859-8"
     " iso_8859-8:1988 visual "},
    {"iso-8859-8-i", kSingleByte, "iso-8859-8", " csiso88598i iso-8859-8-i logical "},
    {"iso-8859-10", kSingleByte, "iso-8859-10", " csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6 "},
    {"iso-8859-13", kSingleByte, "iso-8859-13", " iso-8859-13 iso8859-13 iso885913 "},
    {"iso-8859-14", kSingleByte, "iso-8859-14", " iso-8859-14 iso8859-14 iso885914 "},
    {"iso-8859-15", kSingleByte, "iso-8859-15", " csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9 "},
    {"iso-8859-16", kSingleByte, "iso-8859-15", " iso-8859-16 "},
    {"koi8-r", kSingleByte, "koi8-r", " cskoi8r koi koi8 koi8-r koi8_r "},
    {"koi8-u", kSingleByte, "koi8-u", " koi8-ru koi8-u "},
    {"macintosh", kSingleByte, "macintosh", " csmacintosh mac macintosh x-mac-roman "},
    {"windows-874", kSingleByte, "windows-874", " dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874 "},
    {"windows-1250", kSingleByte, "windows-1250", " cp1250 windows-1250 x-cp1250 "},
    {"windows-1251", kSingleByte, "windows-1251", " cp1251 windows-1251 x-cp1251 "},
    {"windows-1253", kSingleByte, "windows-1253", " cp1253 windows-1253 x-cp1253 "},
    {"windows-1254", kSingleByte, "windows-1254",
     " cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 windows-1254"
     " x-cp1254 "},
    {"windows-1255", kSingleByte, "windows-1255", " cp1255 windows-1255 x-cp1255 "},
    {"windows-1256", kSingleByte, "windows-1256", " cp1256 windows-1256 x-cp1256 "},
    {"windows-1257", kSingleByte, "windows-1257", " cp1257 windows-1257 x-cp1257 "},
    {"windows-1258", kSingleByte, "windows-1258", " cp1258 windows-1258 x-cp1258 "},
    {"x-mac-cyrillic", kSingleByte, "x-mac-cyrillic", " x-mac-cyrillic x-mac-ukrainian "},
    {"gbk", kMultiByte, "gb18030", " chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk "},
    {"gb18030", kMultiByte, "gb18030", " gb18030 "},
    {"big5", kPairs, nullptr, " big5 big5-hkscs cn-big5 csbig5 x-x-big5 "},
    {"euc-jp", kPairs, nullptr, " cseucpkdfmtjapanese euc-jp x-euc-jp "},
    {"iso-2022-jp", kMultiByte, "iso-2022-jp", " csiso2022jp iso-2022-jp "},
    {"shift_jis", kPairs, nullptr, " csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis "},
    {"euc-kr", kPairs, nullptr,
     " cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949 "},
    {"x-user-defined", kUserDefined, nullptr, " x-user-defined "},
};

constexpr size_t kLongestLabel = 19;  // cseucpkdfmtjapanese

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kWhiteSpace = "\t\n\f\r ";
  size_t start = text.find_first_not_of(kWhiteSpace);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(kWhiteSpace) - start + 1);
}

}  // namespace

const Encoding* FindEncoding(std::string_view label) {
  label = Trim(label);
  if (label.empty() || label.size() > kLongestLabel || label.find(' ') != std::string_view::npos) return nullptr;
  std::string wanted = " ";
  for (char c : label) wanted += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 0x20) : c;
  wanted += ' ';
  for (const Encoding& encoding : kEncodings) {
    if (encoding.labels.find(wanted) != std::string_view::npos) return &encoding;
  }
  return nullptr;
}

}  // namespace isolated

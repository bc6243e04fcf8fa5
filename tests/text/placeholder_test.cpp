#include "support/catch.hpp"

#include <persona/text/placeholder.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using persona::Placeholder;
using persona::Slot;
using Ids = std::vector<std::int64_t>;

namespace {

// Lower-cased letters are ids 10..35, one an id; blanks separate, all else is unknown. The vocabulary has the one word
// "z".
struct Letters {
  std::int64_t length = 12;
  Ids encode(std::string_view text) const {
    Ids ids;
    for (const char c : text) {
      const char low = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      if (low != ' ') ids.push_back(low >= 'a' && low <= 'z' ? 10 + low - 'a' : 3);
    }
    return ids;
  }
  std::int64_t bos_token_id() const { return 0; }
  std::int64_t eos_token_id() const { return 1; }
  std::int64_t pad_token_id() const { return 2; }
  std::int64_t unk_token_id() const { return 3; }
  std::int64_t max_length() const { return length; }
};

struct Decoding : Letters {
  std::string decode(std::span<const std::int64_t> ids) const {
    std::string text;
    for (const auto id : ids) text += id >= 10 ? static_cast<char>('a' + id - 10) : '?';
    return text;
  }
};

auto tokens(std::string_view prompt, std::vector<Placeholder> placeholders, std::int64_t length = 12) {
  return persona::tokenize_prompt(Decoding{{length}}, prompt, placeholders);
}

// position, row, position, row, ...
Ids flat(const std::vector<Slot>& slots) {
  Ids list;
  for (const Slot& slot : slots) list.insert(list.end(), {slot.position, slot.row});
  return list;
}

using Catch::Matchers::Contains;

}  // namespace

TEST_CASE("a prompt is BOS, ids, EOS, padding") {
  const auto plain = tokens("a b", {});
  CHECK(plain.ids == Ids{0, 10, 11, 1, 2, 2, 2, 2, 2, 2, 2, 2});
  CHECK(plain.slots.empty());
  CHECK_FALSE(plain.truncated);
  CHECK(tokens("", {}, 2).ids == Ids{0, 1});
}

TEST_CASE("a learned token takes one slot a vector, in the row order of the placeholders") {
  const std::vector<Placeholder> both{{.token = "<a>", .vectors = 2}, {.token = "<b>", .vectors = 3}};
  const auto found = tokens("x <b> y <a>", both);
  CHECK(flat(found.slots) == Ids{2, 2, 3, 3, 4, 4, 6, 0, 7, 1});
  CHECK(found.ids.size() == 12);
  CHECK(found.ids[1] == 33);
  CHECK(found.ids[5] == 34);
  CHECK(found.ids[8] == 1);
  for (const Slot& slot : found.slots)
    CHECK(found.ids[static_cast<std::size_t>(slot.position)] != 1);  // no EOS before the end
  CHECK(flat(tokens("<a><a>", both).slots) == Ids{1, 0, 2, 1, 3, 0, 4, 1});
}

TEST_CASE("learned tokens are found inside words, the longest first, case exact") {
  const std::vector<Placeholder> nested{{.token = "<a"}, {.token = "<a>"}, {.token = "Bob Ray"}};
  CHECK(flat(tokens("x<a>y", nested).slots) == Ids{2, 1});
  CHECK(flat(tokens("x<ay", nested).slots) == Ids{2, 0});
  CHECK(flat(tokens("aBob Rays", nested).slots) == Ids{2, 2});
  CHECK(tokens("bob ray <A>", nested).slots.empty());
  CHECK(tokens("x<a>y", nested).ids == Ids{0, 33, 0, 34, 1, 2, 2, 2, 2, 2, 2, 2});
}

TEST_CASE("truncation is reported with what was lost") {
  const std::vector<Placeholder> one{{.token = "<a>"}};
  const auto exact = tokens("<a> bcde", one, 7);
  CHECK_FALSE(exact.truncated);
  CHECK(exact.ids.back() == 1);
  const auto longer = tokens("<a> bcde fg", one, 7);
  CHECK(longer.truncated);
  CHECK(longer.lost == "fg");
  CHECK(longer.ids == exact.ids);
  CHECK(persona::tokenize_prompt(Letters{.length = 4}, "abcde").lost == "3 tokens");
}

TEST_CASE("a learned row that truncation loses is an error") {
  const std::vector<Placeholder> two{{.token = "<a>", .vectors = 2}};
  CHECK(tokens("bcd <a>", two, 7).slots.size() == 2);
  CHECK_THROWS_WITH(tokens("bcde <a>", two, 7), Contains("'<a>'") && Contains("7 tokens") && Contains("'bcde <a>'"));
  CHECK_THROWS_AS(tokens("<a>", {{.token = "<a>", .vectors = 1'000'000'000}}, 7), persona::Error);
}

TEST_CASE("unfit placeholders are refused, at first use and by check_placeholders") {
  const auto refused = [](std::vector<Placeholder> placeholders, std::string_view prompt, const std::string& why) {
    CHECK_THROWS_WITH(persona::check_placeholders(Letters{}, placeholders), Contains(why));
    if (!prompt.empty()) CHECK_THROWS_WITH(tokens(prompt, placeholders), Contains(why));
  };
  refused({{.token = ""}}, "", "needs a name");
  refused({{.token = " \t"}}, "a \t", "needs a name");
  refused({{.token = "z"}}, "a z", "already a token");
  refused({{.token = "Z"}}, "a Z", "already a token");
  refused({{.token = "<a>", .vectors = 0}}, "<a>", "0 vectors");
  refused({{.token = "<a>"}, {.token = "<b>"}, {.token = "<a>"}}, "x <a>", "both called '<a>'");
  const std::vector<Placeholder> fit{{.token = "<a>"}, {.token = "<b>"}, {.token = "?"}};  // "?" is unknown: free
  CHECK_NOTHROW(persona::check_placeholders(Letters{}, fit));
  CHECK_THROWS_AS(tokens("", {}, 1), persona::Error);
}

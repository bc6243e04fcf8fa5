#pragma once

#include <persona/core/error.hpp>

#include <map>
#include <string>

namespace persona::detail {

/// Of what several subjects learned, what the one with this token goes on from; throws Error, as `who`, naming the
/// tokens that there are.
template <class T>
const T& by_token(const std::map<std::string, T>& learned, const std::string& token, const std::string& who) {
  if (const auto found = learned.find(token); found != learned.end()) return found->second;
  std::string known;
  for (const auto& [name, value] : learned) known += (known.empty() ? "" : ", ") + name;
  throw Error(who, "no rows of '" + token + "' to go on from", "learned: " + known);
}

/// What a run or a file learned of all its tokens, not of one.
template <class L>
concept LearnedOfMany = requires(const L& learned) { learned.rows.begin()->token; };

/// What `of_row` makes of one token's rows into `one`, or of all of a Learned's into `each` by token.
template <class L, class T, class F>
void take_learned(const L& learned, T& one, std::map<std::string, T>& each, F&& of_row) {
  if constexpr (LearnedOfMany<L>) {
    if (learned.rows.begin() == learned.rows.end())
      throw Error("from", "no rows to go on from: what was learned has none",
                  "changes of weights go into the model: sd.with(learned)");
    for (const auto& row : learned.rows) each.emplace(row.token, of_row(row));
  } else {
    one = of_row(learned);
  }
}

}  // namespace persona::detail

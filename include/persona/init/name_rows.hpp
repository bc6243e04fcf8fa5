#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>

#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace persona {

/// Which piece of a name counts toward which row.
enum class NameColumns {
  words,   ///< i-th word of the name to row i, the last word to the last of several rows; a word of several tokens by
           ///< the mean of their rows (Cross Initialization, the paper: first and last names)
  pieces,  ///< i-th token of the name to row i, whatever word it belongs to (its published code)
};

inline std::string_view to_string(NameColumns columns) {
  switch (columns) {
    case NameColumns::words: return "words";
    case NameColumns::pieces: return "pieces";
  }
  return "";
}

/// The rows of a list of names, column by column: [m_i, D] fp32, where column i has an entry for each name that has a
/// word or piece for it (NameColumns); names that occur twice have two. Throws Error, as `who`, where there are no
/// names, or no name reaches column i.
template <class Model>
std::vector<Tensor> name_rows(const Model& model, const std::vector<std::string>& names, std::int64_t n,
                              NameColumns columns = NameColumns::words, const std::string& who = "CrossInit") {
  if (names.empty())
    throw Error(who, "no names to start from",
                "give it people that the model knows, one 'First Last' a line: " + who +
                    "{persona::read_lines(\"names.txt\")}");
  const auto table = model.text_encoder().embedding_table();
  const auto row_mean = [&](const std::vector<std::int64_t>& ids) {
    return table.index_select(0, at::tensor(ids, at::kLong).to(table.device())).to(at::kFloat).mean(0);
  };
  std::vector<std::vector<Tensor>> entries(static_cast<std::size_t>(n));
  for (const std::string& name : names) {
    std::vector<std::vector<std::int64_t>> parts;
    const auto ids_of = [&](const std::string& text) {
      std::vector<std::int64_t> ids;
      for (const std::int64_t id : model.tokenizer().encode(text)) ids.push_back(id);
      return ids;
    };
    if (columns == NameColumns::words) {
      std::istringstream words(name);
      for (std::string word; words >> word;) parts.push_back(ids_of(word));
    } else {
      for (const std::int64_t id : ids_of(name)) parts.push_back({id});
    }
    if (columns == NameColumns::words && n > 1 && parts.size() > entries.size())
      parts[entries.size() - 1] = std::move(parts.back());
    for (std::size_t i = 0; i < parts.size() && i < entries.size(); ++i)
      if (!parts[i].empty()) entries[i].push_back(row_mean(parts[i]));
  }
  std::vector<Tensor> stacked;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].empty())
      throw Error(who,
                  "none of the " + std::to_string(names.size()) + " names has a part for row " + std::to_string(i + 1) +
                      " of " + std::to_string(n),
                  "use names of as many words as the subject has .vectors");
    stacked.push_back(at::stack(entries[i]));
  }
  return stacked;
}

}  // namespace persona

#pragma once

#include <persona/io/image.hpp>

#include <optional>
#include <string>
#include <vector>

namespace persona {

/// One photo of a subject.
struct Photo {
  Image image{};
  std::string name{};                    ///< its file, or whatever tells it from the others
  std::optional<std::string> caption{};  ///< its own caption, for subjects with Captions::files()
};

/// The photos of a subject, and the files that were passed over with the reason.
struct Photos : std::vector<Photo> {
  using std::vector<Photo>::vector;
  std::vector<std::string> skipped{};
};

}  // namespace persona

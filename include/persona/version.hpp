#pragma once
// The one place where the version is written: the build system and the packages read it from here.

#ifndef __cpp_concepts
#error "[persona] needs C++20: link the target persona::persona, or compile with -std=c++20 (docs/how-to/install.md)"
#endif

#define PERSONA_VERSION_MAJOR 0
#define PERSONA_VERSION_MINOR 1
#define PERSONA_VERSION_PATCH 0

namespace persona {

/// The library's version, as it is written into the files that it saves.
inline constexpr char version_string[] = "0.1.0";

}  // namespace persona

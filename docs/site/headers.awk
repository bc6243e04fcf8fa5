# Doxygen's filter of the headers. The comment that a header begins with, below #pragma once, is what its file is about;
# specializations of the standard library's names are none of persona's, and confuse it.
NR == 1 && /^#pragma once/ { print; open = 1; next }
open && NR == 2 && /^\/\/ / { print "/// \\file" }
open && /^\/\/ / { sub(/^\/\//, "///"); print; next }
{ open = 0 }
held != "" { print (/std::ranges::enable_/ ? "" : held) }
{ held = "" }
/^template <>$/ { held = $0; next }
/^inline constexpr bool std::ranges::enable_/ { $0 = "" }
{ print }

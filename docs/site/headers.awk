# Doxygen's filter of the headers. The comment that a header begins with, below #pragma once, is what its file is about; a
# sentence does not end at "et al.", and one that begins with a function's name keeps its small letter; specializations of
# the standard library's names are none of persona's, and confuse it.
NR == 1 && /^#pragma once/ { print; open = 1; next }
open && NR == 2 && /^\/\/ / { print "/// \\file" }
open && /^\/\/ / { sub(/^\/\//, "///"); print; next }
{ open = 0 }
/\/\/\// {
  $0 = $0 " "
  gsub(/et al\. /, "et al.\\ "); gsub(/Eq\. /, "Eq.\\ ")
  if (match($0, /\/\/\/ [a-z_]+\(/)) $0 = substr($0, 1, RSTART + 3) "`" substr($0, RSTART + 4, RLENGTH - 5) "`" substr($0, RSTART + RLENGTH - 1)
}
held != "" { print (/std::ranges::enable_/ ? "" : held) }
{ held = "" }
/^template <>$/ { held = $0; next }
/^inline constexpr bool std::ranges::enable_/ { $0 = "" }
{ print }

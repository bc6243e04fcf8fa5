# Every C++ block of the documentation as one program to compile; errors point at the page. Blocks that begin with a
# declaration stand in a namespace of their own, lists of a concept's questions in a struct, all others in a function.
function emit(   kind, i, includes, body, first) {
  kind = "function"; includes = ""; body = ""
  for (i = 1; i <= lines; ++i) {
    if (block[i] ~ /^#include/) { includes = includes block[i] "\n"; body = body "\n" }
    else body = body block[i] "\n"
    if (block[i] ~ /^(struct|namespace|persona::Learned [a-z_]+\(|int main\()/) kind = "namespace"
  }
  if (page ~ /docs\/concepts\// && body !~ /static_assert/) kind = "struct"
  ++count
  tops = tops includes
  gsub(/int main\(\)/, "[[maybe_unused]] void page_main()", body)
  bodies = bodies "namespace block_" count " {\nusing namespace surroundings;\n"
  if (kind == "struct") bodies = bodies "struct Asks {\n"
  if (kind == "function") bodies = bodies "[[maybe_unused]] void body() {\n"
  bodies = bodies "#line " start " \"" page "\"\n" body
  if (kind == "struct") bodies = bodies "};\n"
  if (kind == "function") bodies = bodies "}\n"
  bodies = bodies "}\n"
}
FNR == 1 { inside = 0; page = FILENAME; sub(root "/", "", page) }
/^```cpp$/ { inside = 1; lines = 0; start = FNR + 1; next }
/^```$/ && inside { inside = 0; emit(); next }
inside { block[++lines] = $0 }
END {
  print "#include \"docs/surroundings.hpp\"\n" tops bodies
  print count + 0 " blocks" > "/dev/stderr"
  if (!count) exit 1
}

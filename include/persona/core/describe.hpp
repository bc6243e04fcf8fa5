#pragma once

#include <charconv>
#include <concepts>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace persona {

/// One named setting of a component, its value written so that equal text means equal behaviour.
struct Field {
  std::string name{}, value{};

  Field() = default;
  Field(std::string name, std::string value) : name(std::move(name)), value(std::move(value)) {}
  Field(std::string name, const char* value) : name(std::move(name)), value(value) {}
  Field(std::string name, bool value) : name(std::move(name)), value(value ? "true" : "false") {}
  template <class Number>
    requires(std::integral<Number> || std::floating_point<Number>) && (!std::same_as<Number, bool>)
  Field(std::string name, Number value) : name(std::move(name)), value(shortest(value)) {}
  /// By its name where to_string(E) says it, else by its number.
  template <class E>
    requires std::is_enum_v<E>
  Field(std::string name, E value) : Field(std::move(name), named(value)) {}
  template <std::ranges::input_range R>
    requires std::convertible_to<std::ranges::range_reference_t<R>, std::string_view> &&
             (!std::convertible_to<R, std::string>)
  Field(std::string name, const R& list) : name(std::move(name)) {
    for (const std::string_view item : list) value.append(item).append("\n");
  }

  friend bool operator==(const Field&, const Field&) = default;

 private:
  template <class E>
  static auto named(E value) {
    if constexpr (requires { std::string(to_string(value)); })
      return std::string(to_string(value));
    else
      return static_cast<std::underlying_type_t<E>>(value);
  }
  template <class Number>
  static std::string shortest(
      Number value) {  // the same text in every locale, and enough digits to read back the same value
    char text[64];
    return {text, std::to_chars(text, text + sizeof text, value).ptr};
  }
};

/// What a component says of itself: its name and its fields; metadata, the recipe's hash and the resume check come from
/// it.
struct Description {
  std::string name{};
  std::vector<Field> fields{};

  auto begin() const { return fields.begin(); }
  auto end() const { return fields.end(); }
  friend bool operator==(const Description&, const Description&) = default;
};

/// "L2Reg{weight = 1e-05}".
inline std::string to_string(const Description& description) {
  std::string text = description.name + "{";
  for (std::size_t i = 0; i < description.fields.size(); ++i)
    text += (i ? ", " : "") + description.fields[i].name + " = " + description.fields[i].value;
  return text + "}";
}

template <class C>
concept Described = requires(const C& component) {
  { component.describe() } -> std::convertible_to<Description>;
};

}  // namespace persona

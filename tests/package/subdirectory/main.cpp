#include <persona/core/random.hpp>
#include <persona/core/shape.hpp>

int main() { return at::ones({2, 3}).sum().item<double>() == 6.0 ? 0 : 1; }
